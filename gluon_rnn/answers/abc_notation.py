"""Tunes in ABC notation: as whole tunes, and as MIDI files by music21."""
import contextlib

__all__ = ["read_score", "to_abc", "write_midi"]


def to_abc(text, metre, number=1, title="Untitled"):
    """Return a tune's text, as `gluon_rnn.data.abc_tunes.AbcTunes` gives it, as a whole tune in ABC notation.

    >>> print(to_abc("L:1/8\\nK:D\\nDFA|", "3/8"), end="")
    X:1
    T:Untitled
    M:3/8
    L:1/8
    K:D
    DFA|
    """
    return f"X:{number}\nT:{title}\nM:{metre}\n{text.strip()}\n"


def write_midi(abc, path):
    """Write a tune as a MIDI file; ValueError where music21 cannot read it."""
    score, reason = read_score(abc)
    if score is None:
        raise ValueError(f"{path}: the tune is not readable as ABC notation ({reason}), nothing was written")
    score.write("midi", fp=str(path))


def read_score(abc):
    """Return music21's score of a tune and "", or None and why there is none."""
    try:
        with contextlib.redirect_stderr(None):                            # remarks on programs it could call
            from music21 import converter
    except ImportError as error:
        raise ValueError("reading ABC notation needs music21; install the extra of this package: "
                         "pip install gluon_rnn[music]") from error
    try:
        score = converter.parse(abc, format="abc", forceSource=True)
        if not len(score.parts):
            return None, "no part"
        list(score.recurse())                                             # what it builds late, it builds here
        return score, ""
    except Exception as error:  # music21 raises its own and plain Python errors alike; all mean: not readable
        return None, f"{type(error).__name__}: {error}".split("\n")[0]
