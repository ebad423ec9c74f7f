"""What music21, a reader of ABC notation that knows nothing of this package, makes of a tune."""
from dataclasses import dataclass
from fractions import Fraction

from gluon_rnn.answers.abc_notation import read_score, write_midi

__all__ = ["TuneCheck", "check_tune", "write_midi"]


@dataclass
class TuneCheck:
    """What was found in one tune.

    Attributes
    ----------
    parses : bool
        music21 reads the tune without an error, and finds notes and the metre.
    bars, full_bars : int
        Bars in all, and those that last exactly one bar of the metre.
    wrong_bars : list of int
        Positions, from 0, of bars that are neither full nor one of the allowed parts.
    reason : str
        Why the tune does not keep its metre; empty where it does.
    """

    parses: bool
    bars: int = 0
    full_bars: int = 0
    wrong_bars: tuple = ()
    reason: str = ""

    @property
    def keeps_metre(self):
        """Whether the tune parses and every bar is full or an allowed part of one."""
        return self.parses and not self.reason


def check_tune(abc, least_bars=4):
    """Read a tune with music21 and measure its bars.

    A tune keeps its metre where it has at least `least_bars` full bars and every other bar is shorter than one and

    - the first of the tune (a pickup), or the last, or
    - one of two neighbours that last exactly one bar together (a bar cut in two by a sign of repetition or the end of a
      section), or
    - the last before such a sign, completed to exactly one bar by a pickup of the tune (the bar that the repetition
      completes).

    Parameters
    ----------
    abc : str
        A whole tune, its header too.
    least_bars : int, default 4

    Returns
    -------
    TuneCheck

    Raises
    ------
    ValueError
        If music21 is not installed.
    """
    score, reason = read_score(abc)
    if score is None:
        return TuneCheck(False, reason=reason)
    measures = list(score.parts[0].getElementsByClass("Measure"))
    signatures = list(score.recurse().getElementsByClass("TimeSignature"))
    if not measures or not signatures or not any(True for _ in score.recurse().notes):
        return TuneCheck(False, reason="no bars, no notes or no metre")
    bar = Fraction(signatures[0].barDuration.quarterLength)
    lasts = [Fraction(measure.duration.quarterLength) for measure in measures]
    wrong = _wrong_bars(lasts, bar, [_ends_section(measure) for measure in measures])
    full = sum(length == bar for length in lasts)
    reason = "" if full >= least_bars else f"only {full} full bars"
    if len(signatures) > 1:
        reason = "has another metre further on, or a bar that is too long"   # which music21 then makes a metre of
    if wrong:
        reason = f"{len(wrong)} bars of another length, the first is bar {wrong[0]} of {float(lasts[wrong[0]]):g} " \
                 f"quarters instead of {float(bar):g}"
    return TuneCheck(True, len(lasts), full, tuple(wrong), reason)


def _ends_section(measure):
    """Whether a repetition, a double or a final bar line stands behind the bar."""
    return measure.rightBarline is not None and measure.rightBarline.type != "regular"


def _wrong_bars(lasts, bar, ends):
    """Return the positions of bars that `check_tune` does not allow; `lasts` in quarters, `ends` of sections."""
    short = [length < bar for length in lasts]
    fine = [length == bar for length in lasts]
    fine[0], fine[-1] = fine[0] or short[0], fine[-1] or short[-1]
    for index in range(len(lasts) - 1):
        if short[index] and short[index + 1] and lasts[index] + lasts[index + 1] == bar:
            fine[index] = fine[index + 1] = True
    pickups = {lasts[index] for index in range(len(lasts)) if short[index] and (index == 0 or ends[index - 1])}
    return [index for index, good in enumerate(fine)
            if not good and not (short[index] and ends[index] and bar - lasts[index] in pickups)]
