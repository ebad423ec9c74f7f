"""Windows of recordings as batches for `gluon_rnn.tasks.forecasting.loss.SeriesLoss`."""
import dataclasses
from typing import Any

import mxnet as mx
import numpy as np

from gluon_rnn.data.batching import Batch

__all__ = ["WindowBatches"]


@dataclasses.dataclass
class WindowBatches:
    """Batches of windows as `Batch`es: x and y side by side, and the coin of scheduled sampling."""

    batches: Any
    length: int
    washout: int
    coin: Any = None                                     # (generator, share of ones)

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        for window in self.batches:
            inputs = mx.nd.array(np.concatenate([window.x, window.y], axis=2))          # (T, N, Cx + Ky)
            size = self.length * inputs.shape[1]
            if self.coin is None:
                yield Batch((inputs,), (1,), size)
            else:
                yield Batch((inputs, self._tossed(inputs.shape[1])), (1, 1), size)

    def _tossed(self, rows):
        generator, share = self.coin
        coin = (generator.random((self.washout + self.length, rows, 1)) < share).astype("float32")
        coin[:self.washout] = 0                          # what comes before the first prediction was measured
        return mx.nd.array(coin)
