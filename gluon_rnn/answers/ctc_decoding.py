"""Decoding of a network trained with CTC: best path decoding, and prefix beam search.

Best path decoding takes the most probable output at each step. It is fast, but it may miss the most probable label
sequence, since many paths give the same sequence. Prefix beam search sums the probabilities of all paths of a prefix,
those that end in a blank and those that end in the last label of the prefix apart. It is exact if the beam holds all
prefixes.

References
----------
Graves, Fernandez, Gomez & Schmidhuber (2006), Connectionist Temporal Classification, section 3.2.
Hannun, Maas, Jurafsky & Ng (2014), First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional
Recurrent DNNs, algorithm 1.
"""
from collections import defaultdict

import numpy as np

__all__ = ["best_path", "collapse", "prefix_beam_search"]


def collapse(path, blank):
    """Return the label sequence of a path: repeated labels are merged, then blanks are removed.

    >>> collapse([0, 0, 2, 0, 1, 1], blank=2)
    (0, 0, 1)
    """
    merged = [label for step, label in enumerate(path) if step == 0 or label != path[step - 1]]
    return tuple(int(label) for label in merged if label != blank)


def best_path(logits, valid_length=None):
    """Return the label sequence of the most probable path of each row.

    Parameters
    ----------
    logits : (T, N, K + 1) NDArray or array
        The blank is the last output.
    valid_length : (N,) array or list, optional
        Number of valid steps of each row, whole numbers from 0 to T; default T.

    Returns
    -------
    list of N tuples of int

    Raises
    ------
    ValueError
        If the shape of the logits or of the lengths is wrong, or a length is no whole number from 0 to T.
    """
    values = _checked("best_path", logits, ("T", "N", "K + 1"))
    steps = np.full(values.shape[1], len(values)) if valid_length is None else _lengths(valid_length, values)
    paths = values.argmax(axis=2)                                         # (T, N)
    return [collapse(paths[:length, row], values.shape[2] - 1) for row, length in enumerate(steps)]


def prefix_beam_search(logits, beam_size=10):
    """Return the most probable label sequences of one row.

    Parameters
    ----------
    logits : (T, K + 1) NDArray or array
        The blank is the last output; all steps are valid.
    beam_size : int, >= 1, default 10
        Number of prefixes that are kept after each step.

    Returns
    -------
    list of (tuple of int, float)
        At most `beam_size` label sequences and their log-probabilities, the most probable first. A log-probability is a
        lower bound: paths through prefixes that were dropped from the beam are not counted.

    Raises
    ------
    ValueError
        If the shape of the logits is wrong, or `beam_size` is out of range.

    Examples
    --------
    >>> logits = np.log([[0.4, 0.6], [0.4, 0.6]])          # best path: blank, blank; but three of four give (0,)
    >>> [(labels, round(float(np.exp(score)), 2)) for labels, score in prefix_beam_search(logits)]
    [((0,), 0.64), ((), 0.36)]
    """
    if isinstance(beam_size, bool) or not isinstance(beam_size, int) or beam_size < 1:
        raise ValueError(f"beam_size must be a whole number of at least 1, got {beam_size!r}")
    values = _checked("prefix_beam_search", logits, ("T", "K + 1")).astype(np.float64)
    scores = values - np.logaddexp.reduce(values, axis=1, keepdims=True)  # (T, K + 1)
    beam = {(): (0.0, -np.inf)}                                           # prefix: (log p ending blank, ending label)
    for step in scores:
        beam = _strongest(_extended(beam, step), beam_size)
    return [(prefix, float(np.logaddexp(*pair))) for prefix, pair in beam.items()]


def _extended(beam, step):
    """Return the prefixes of `beam` extended by one step with log-probabilities (K + 1,)."""
    found = defaultdict(lambda: [-np.inf, -np.inf])
    for prefix, (ending_blank, ending_label) in beam.items():
        both = np.logaddexp(ending_blank, ending_label)
        found[prefix][0] = np.logaddexp(found[prefix][0], both + step[-1])
        for label, score in enumerate(step[:-1]):
            longer, before = found[(*prefix, label)], both
            if prefix and prefix[-1] == label:                            # a repeat, unless a blank separates them
                same = found[prefix]
                same[1] = np.logaddexp(same[1], ending_label + score)
                before = ending_blank
            longer[1] = np.logaddexp(longer[1], before + score)
    return found


def _strongest(found, beam_size):
    ranked = sorted(found.items(), key=lambda entry: (-np.logaddexp(*entry[1]), entry[0]))
    return {prefix: tuple(pair) for prefix, pair in ranked[:beam_size] if max(pair) > -np.inf}


def _checked(name, logits, axes):
    """Return the logits as a NumPy array; ValueError unless they have these axes and no NaN."""
    values = logits.asnumpy() if hasattr(logits, "asnumpy") else np.asarray(logits)
    if values.ndim != len(axes) or 0 in values.shape[1:]:
        raise ValueError(f"{name} expects logits of shape ({', '.join(axes)}), got {values.shape}")
    if np.isnan(values).any():
        raise ValueError(f"{name} expects logits without NaN; train with a lower learning rate or clip_norm")
    return values


def _lengths(valid_length, values):
    """Return the lengths (N,) of values (T, N, ...) as whole numbers; ValueError if one does not fit."""
    lengths = np.asarray(valid_length.asnumpy() if hasattr(valid_length, "asnumpy") else valid_length)
    steps, rows = values.shape[:2]
    if lengths.ndim == 0:
        raise ValueError(f"best_path expects valid_length of shape ({rows},), one length a row, got the number "
                         f"{lengths}; pass [{lengths}] * {rows} if all rows are that long")
    if lengths.shape != (rows,):
        raise ValueError(f"best_path expects valid_length of shape ({rows},), one length a row, got {lengths.shape}")
    for row, length in enumerate(lengths.tolist()):
        if not 0 <= length <= steps or length % 1:                        # NaN compares as false
            raise ValueError(f"best_path: valid_length must lie between 0 and T = {steps}, in whole numbers, got "
                             f"{length:g} in row {row}")
    return lengths.astype(int)
