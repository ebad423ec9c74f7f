"""A long stream of tokens as batches for truncated backpropagation through time."""
import mxnet as mx
import numpy as np

from gluon_rnn.data.id_files import PIECE, release

__all__ = ["BPTTBatches"]


class BPTTBatches:
    """Chunks of `bptt` steps of `batch_size` contiguous streams, so that the state of one chunk begins the next.

    The tokens are cut into `batch_size` columns of equal length; each column is one unbroken piece of the text. With
    the letters ``a b c d e f g h i j k l m`` (13 tokens), ``batch_size=3`` and ``bptt=3``, the columns have
    (13 - 1) // 3 = 4 steps, and the chunks are::

        column        0 1 2          0 1 2
        chunk 0 data  a e i   target b f j
                      b f j          c g k
                      c g k          d h l
        chunk 1 data  d h l   target e i m      (the last chunk may be shorter)

    Going down a column and on into the next chunk reads the text in order: the state after ``c`` in chunk 0 is the
    right one before ``d`` in chunk 1. Every token but the first of a column is predicted once per pass.

    Parameters
    ----------
    ids : (n,) array of int
        Token ids of one split.
    batch_size : int, >= 1
        Number of columns N. A remainder of fewer than N tokens at the end is left out.
    bptt : int, >= 1
        Steps T per chunk.
    offset : int, >= 0, default 0
        Tokens skipped at the start; another offset in another epoch moves the edges of chunks and columns.
    window : int, >= bptt, optional
        Steps of the data of a chunk: those before it and its own, of which alone are the targets; fewer at the
        beginning, and in the last chunk where that is shorter. Default `bptt`.
    columns : (int, int), optional
        Give the columns from the first to before the second alone, and read no others: the share of one of several
        workers.

    Attributes
    ----------
    tokens : int
        How many targets one pass holds: N times the steps of a column, of all columns.

    Raises
    ------
    ValueError
        If the split is too short for a single step of `batch_size` columns, or a number is out of range.

    Notes
    -----
    Iterating yields ``(data, target)``, both (T, N) int32 NDArrays on the CPU, T = `bptt` but for the last; with a
    `window` the data have W rows, of which the last T are those of the targets, and `advance` says where the window of
    the next chunk begins. gluonnlp's
    CorpusBPTTBatchify is not used: it holds ids in float32, where ids from 2**24 on are rounded to even ones, it
    pads the end of the text with a special token that then has to be masked in the loss, and it keeps the whole
    split on the device.
    """

    def __init__(self, ids, batch_size, bptt, offset=0, window=None, columns=None):
        window = bptt if window is None else window
        for name, value, least in (("batch_size", batch_size, 1), ("bptt", bptt, 1), ("offset", offset, 0),
                                   ("window", window, bptt)):
            if isinstance(value, bool) or int(value) != value or value < least:
                raise ValueError(f"{name} must be a whole number, at least {least}, got {value!r}")
        ids = np.asarray(ids)
        if ids.ndim != 1 or ids.dtype.kind not in "iu":
            raise ValueError(f"ids must be one row of integers, got shape {ids.shape} of {ids.dtype}")
        steps = (len(ids) - offset - 1) // batch_size
        if steps < 1:
            raise ValueError(f"the split has {len(ids)} tokens, too short for one batch: batch_size {batch_size} at "
                             f"offset {offset} needs at least {batch_size + 1 + offset}; lower batch_size or use a "
                             "longer text")
        self.batch_size, self.bptt, self.offset, self.window = batch_size, bptt, offset, window
        self.tokens = steps * batch_size
        # Views: a stream of any length costs no memory but its own.
        self._ids, chosen = ids, slice(*(columns or (0, batch_size)))
        self._data, self._target = (ids[start:start + self.tokens].reshape(batch_size, -1)[chosen].T  # (steps, N)
                                    for start in (offset, offset + 1))

    def __len__(self):
        return -(-len(self._data) // self.bptt)

    def __iter__(self):
        # Of a mapped file, whole pages around what is read are in memory: given back every so many tokens.
        chunks_of_a_piece = max(1, PIECE // (self.bptt * self._data.shape[1]))
        for number, start in enumerate(range(0, len(self._data), self.bptt)):
            if number % chunks_of_a_piece == 0:
                release(self._ids)
            rows = slice(start, start + self.bptt)
            data = self._data[self._window_begin(start):rows.stop]
            yield mx.nd.array(data, dtype="int32"), mx.nd.array(self._target[rows], dtype="int32")

    def advance(self, number):
        """Return how many steps behind the beginning of the window of chunk `number` that of the next one begins."""
        start = number * self.bptt
        return self._window_begin(start + self.bptt) - self._window_begin(start)

    def _window_begin(self, start):
        """Return the first row of the window of the chunk that begins with the row `start`."""
        return max(0, start + self.bptt - self.window)
