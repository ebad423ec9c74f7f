"""Sequences of different lengths as one array."""
import numpy as np

__all__ = ["pad"]


def pad(sequences, value=0):
    """Return sequences of different lengths as one array, time first, and their lengths.

    Parameters
    ----------
    sequences : list of (T_i, ...) arrays
        Of one dtype and of the same sizes after the first axis; T_i may be 0.
    value : number, default 0
        Value of the padding.

    Returns
    -------
    padded : (max T_i, N, ...) array, at least one step long, of the sequences' dtype
    valid_length : (N,) float32 array
        As blocks take it.

    Examples
    --------
    >>> padded, valid_length = pad([np.array([1, 2, 3]), np.array([4])])
    >>> padded.tolist(), valid_length.tolist()
    ([[1, 4], [2, 0], [3, 0]], [3.0, 1.0])
    """
    sequences = [np.asarray(sequence) for sequence in sequences]
    steps = max(1, *(len(sequence) for sequence in sequences))
    padded = np.full((steps, len(sequences), *sequences[0].shape[1:]), value, dtype=sequences[0].dtype)
    for row, sequence in enumerate(sequences):
        padded[:len(sequence), row] = sequence
    return padded, np.array([len(sequence) for sequence in sequences], dtype=np.float32)
