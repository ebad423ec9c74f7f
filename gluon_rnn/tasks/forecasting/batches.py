"""Windows of recordings as batches for `gluon_rnn.tasks.forecasting.loss.SeriesLoss`."""
import mxnet as mx
import numpy as np

from gluon_rnn.data.batching import Batch

__all__ = ["collate"]


def collate(length, washout, share=None):
    """Return a collate function for windows of `washout` and `length` rows: x and y side by side.

    With a `share` the batches have the coin of scheduled sampling too, ones in that share; what comes before the first
    prediction was measured.
    """
    def collate_windows(window, number, random):
        inputs = mx.nd.array(np.concatenate([window.x, window.y], axis=2))              # (T, N, Cx + Ky)
        rows = inputs.shape[1]
        if share is None:
            return Batch((inputs,), (1,), length * rows)
        coin = (random.random((washout + length, rows, 1)) < share).astype("float32")
        coin[:washout] = 0
        return Batch((inputs, mx.nd.array(coin)), (1, 1), length * rows)

    return collate_windows
