"""From the outputs of a network trained with CTC to label sequences: the best path, or a beam search over prefixes.

The best path takes the likeliest output of every step, and is fast. Many paths make one label sequence, though, so that
the likeliest sequence may be another: prefix beam search adds up the paths of each prefix, in two numbers, those that
end in a blank and those that end in the prefix's last label. With a beam that holds all prefixes it is exact.

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
    """Return the label sequence that a path makes: repeats merged, then blanks taken out.

    >>> collapse([0, 0, 2, 0, 1, 1], blank=2)
    (0, 0, 1)
    """
    merged = [label for step, label in enumerate(path) if step == 0 or label != path[step - 1]]
    return tuple(int(label) for label in merged if label != blank)


def best_path(logits, valid_length=None):
    """Return the label sequence of the likeliest path of each row.

    Parameters
    ----------
    logits : (T, N, K + 1) NDArray or array
        The blank is the last output.
    valid_length : (N,) array, optional

    Returns
    -------
    list of N tuples of int
    """
    values = _as_numpy(logits)
    steps = np.full(values.shape[1], len(values)) if valid_length is None else _as_numpy(valid_length).astype(int)
    paths = values.argmax(axis=2)                                         # (T, N)
    return [collapse(paths[:length, row], values.shape[2] - 1) for row, length in enumerate(steps)]


def prefix_beam_search(logits, beam_size=10):
    """Return the likeliest label sequences of one row.

    Parameters
    ----------
    logits : (T, K + 1) NDArray or array
        The blank is the last output; all steps are valid.
    beam_size : int, >= 1, default 10
        Prefixes that are kept after each step.

    Returns
    -------
    list of (tuple of int, float)
        At most `beam_size` label sequences and the logarithms of their probabilities, the likeliest first. A
        probability is a lower bound: paths through prefixes that the beam dropped are missing.

    Examples
    --------
    >>> logits = np.log([[0.4, 0.6], [0.4, 0.6]])          # the best path is blank, blank; but three of four make (0,)
    >>> [(labels, round(float(np.exp(score)), 2)) for labels, score in prefix_beam_search(logits)]
    [((0,), 0.64), ((), 0.36)]
    """
    if isinstance(beam_size, bool) or not isinstance(beam_size, int) or beam_size < 1:
        raise ValueError(f"beam_size must be a whole number of at least 1, got {beam_size!r}")
    values = _as_numpy(logits).astype(np.float64)
    scores = values - np.logaddexp.reduce(values, axis=1, keepdims=True)  # (T, K + 1)
    beam = {(): (0.0, -np.inf)}                                           # prefix: (log p ending blank, ending label)
    for step in scores:
        beam = _strongest(_extended(beam, step), beam_size)
    return [(prefix, float(np.logaddexp(*pair))) for prefix, pair in beam.items()]


def _extended(beam, step):
    """Return all prefixes that one more step, log-probabilities (K + 1,), makes of those in `beam`."""
    found = defaultdict(lambda: [-np.inf, -np.inf])
    for prefix, (ending_blank, ending_label) in beam.items():
        both = np.logaddexp(ending_blank, ending_label)
        found[prefix][0] = np.logaddexp(found[prefix][0], both + step[-1])
        for label, score in enumerate(step[:-1]):
            longer, before = found[(*prefix, label)], both
            if prefix and prefix[-1] == label:                            # without a blank between it is a repeat
                same = found[prefix]
                same[1] = np.logaddexp(same[1], ending_label + score)
                before = ending_blank
            longer[1] = np.logaddexp(longer[1], before + score)
    return found


def _strongest(found, beam_size):
    ranked = sorted(found.items(), key=lambda entry: (-np.logaddexp(*entry[1]), entry[0]))
    return {prefix: tuple(pair) for prefix, pair in ranked[:beam_size] if max(pair) > -np.inf}


def _as_numpy(array):
    return array.asnumpy() if hasattr(array, "asnumpy") else np.asarray(array)
