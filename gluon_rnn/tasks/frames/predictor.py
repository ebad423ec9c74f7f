"""What a trained model of piano rolls answers: how it plays on."""
import mxnet as mx
import numpy as np

from gluon_rnn.answers.frames import FramesAssets, FramesPipeline
from gluon_rnn.data import read_rolls
from gluon_rnn.tasks.predictor import Predictor, by_pipeline

__all__ = ["FramesAssets", "FramesPredictor"]


class _Pipeline(FramesPipeline):
    """That of a run, which says how to fetch a public data set where its file is missing."""

    read = staticmethod(read_rolls)


class FramesPredictor(Predictor):
    """A frame predictor, and the number of keys of a frame."""

    assets_class = FramesAssets
    pipeline_class = _Pipeline
    size_names = ("num_keys",)

    @classmethod
    def sizes(cls, assets):
        """Return the number of keys."""
        return {"num_keys": assets.num_keys}

    @property
    def pipeline(self):
        """What answers: plays on from the run's data where no other roll is given."""
        # The path is no option of a bundle: it is one of this machine.
        return _Pipeline(self.networks(), self.assets, {"path": self.config.data.arguments.get("path")})

    def example(self):
        """Return frames (T, N, K)."""
        return mx.nd.array(np.random.default_rng(0).uniform(size=(8, 2, self.assets.num_keys)) > 0.9)

    def trials(self):
        """Return a roll to play on from."""
        roll = (np.random.default_rng(1).uniform(size=(12, self.assets.num_keys)) > 0.9).astype(np.float32)
        return [((roll,), {"given": 12, "length": 12})]

    predict = by_pipeline(FramesPipeline.predict)
    stream = by_pipeline(FramesPipeline.stream)
    answer = by_pipeline(FramesPipeline.answer)
