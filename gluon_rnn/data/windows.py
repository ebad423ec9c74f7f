"""Windows of consecutive steps as batches; no window crosses from one recording into the next."""
import dataclasses

import numpy as np

from gluon_rnn.nn.checks import check_sizes

__all__ = ["WindowBatch", "Windows"]


@dataclasses.dataclass
class WindowBatch:
    """N windows of T = washout + length rows.

    Parameters
    ----------
    x : (T, N, Cx) float32 array
    y : (T, N, Ky) float32 array
    recording : (N,) int64 array
        Which recording each window is from.
    first : (N,) int64 array
        The row of that recording that is row 0 of the window.
    """

    x: np.ndarray
    y: np.ndarray
    recording: np.ndarray
    first: np.ndarray


class Windows:
    """All windows of a list of recordings.

    A window is `washout` rows that are only read (for delays, or to warm up states) and `length` rows of targets
    after them, all of one recording. Targets are never rows before `start`, the washout may be. The targets of the
    first window of a recording begin as early as possible, each further window `stride` rows later, and one more
    window ends with the recording if rows are left over: with a stride of at most `length` every row that can be a
    target is one.

    Parameters
    ----------
    recordings : list of Recording
        Scaled already, where a model is to see them scaled.
    length : int, at least 1
        Rows of targets in each window.
    washout : int, at least 0, default 0
        Rows before them; at least a model's `memory`, where its states are to be filled with measured values.
    stride : int, at least 1, optional
        Rows from window to window; default `length`, so that windows do not overlap (but the last one).

    Attributes
    ----------
    places : (n, 2) int64 array
        Recording and first row of each window, in order.

    Raises
    ------
    ValueError
        If a recording has no room for a single window.

    Examples
    --------
    >>> from gluon_rnn.data import Recording
    >>> windows = Windows([Recording("a", np.zeros((10, 0)), np.arange(10.0)[:, None])], length=3, washout=2)
    >>> windows.places[:, 1].tolist()
    [0, 3, 5]
    >>> batch = next(iter(windows.batches(2)))
    >>> batch.y[:, :, 0].T.tolist()
    [[0.0, 1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 6.0, 7.0]]
    """

    def __init__(self, recordings, length, washout=0, stride=None):
        stride = length if stride is None else stride
        check_sizes(length=length, stride=stride)
        if isinstance(washout, bool) or not isinstance(washout, int) or washout < 0:
            raise ValueError(f"washout must be a whole number of at least 0, got {washout!r}")
        if not recordings:
            raise ValueError("there are no recordings to cut windows of")
        self.length, self.washout, self.stride = length, washout, stride
        self.places = np.array([(index, first) for index, recording in enumerate(recordings)
                                for first in self._firsts(recording)], dtype=np.int64)
        self._x = [recording.x.astype(np.float32) for recording in recordings]
        self._y = [recording.y.astype(np.float32) for recording in recordings]

    def _firsts(self, recording):
        """Return the first rows of the windows of one recording."""
        first, last = max(recording.start - self.washout, 0), len(recording) - self.washout - self.length
        if last < first:
            taken = max(recording.start, self.washout)
            raise ValueError(f"recording {recording.name}: the first {taken} of its {len(recording)} rows are lags, "
                             f"washout or context, and the rest is too short for a window of {self.length} rows of "
                             "targets; choose smaller lags or shorter windows, or leave the recording out")
        firsts = list(range(first, last + 1, self.stride))
        return firsts if firsts[-1] == last else [*firsts, last]

    def __len__(self):
        """Return the number of windows."""
        return len(self.places)

    def batch(self, indices):
        """Return the windows of these numbers as a `WindowBatch`."""
        recording, first = self.places[np.asarray(indices)].T
        rows = self.washout + self.length
        x, y = (np.stack([arrays[part][row:row + rows] for part, row in zip(recording, first)], axis=1)
                for arrays in (self._x, self._y))
        return WindowBatch(x, y, recording, first)

    def batches(self, batch_size, seed=None, epoch=0):
        """Return a sized iterable of batches of `batch_size` windows, the last one may be smaller.

        With a `seed` they are shuffled, the same way for the same (seed, epoch); without one they are in order.
        """
        check_sizes(batch_size=batch_size)
        order = np.arange(len(self))
        if seed is not None:
            order = np.random.default_rng([seed, epoch]).permutation(len(self))
        return _Batches(self, [order[at:at + batch_size] for at in range(0, len(order), batch_size)])


class _Batches:
    def __init__(self, windows, groups):
        self._windows, self._groups = windows, groups

    def __len__(self):
        return len(self._groups)

    def __iter__(self):
        return map(self._windows.batch, self._groups)
