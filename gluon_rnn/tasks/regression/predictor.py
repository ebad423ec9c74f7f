"""What a trained regressor answers: the values of a sequence, in the units of the data."""
import json

import mxnet as mx
import numpy as np

from gluon_rnn.answers.regression import RegressionPipeline, ValueAssets
from gluon_rnn.tasks.predictor import Predictor, by_pipeline

__all__ = ["RegressionPredictor", "ValueAssets"]


class RegressionPredictor(Predictor):
    """A regressor, names and scaler of its targets, and what reads a sequence."""

    assets_class = ValueAssets
    pipeline_class = RegressionPipeline
    size_names = ("num_values", "vocab_size", "input_size")
    ensemble_rule = "the mean of their values"

    @classmethod
    def sizes(cls, assets):
        """Return the number of targets and of features."""
        return {"num_values": len(assets.target_names), **assets.reader.model_arguments}

    @classmethod
    def named_axes(cls, assets, model):
        """Return that rows of the output layer are targets."""
        targets = [("target", assets.target_names)]
        return {"output_weight": targets, "output_bias": targets}

    def export_arguments(self):
        """Return inputs (T, N, C) that the model takes, scalers of features and targets, and the names of these."""
        size = self.assets.reader.model_arguments["input_size"]
        example = mx.nd.array(np.random.default_rng(0).standard_normal((8, 2, size)))
        return {"example": example, "scaler": {"inputs": json.loads(self.assets.reader.to_json()),
                                               "targets": self.assets.scaler.to_dict()},
                "extras": {"targets": self.assets.target_names}}

    predict = by_pipeline(RegressionPipeline.predict)
    stream = by_pipeline(RegressionPipeline.stream)
    answer = by_pipeline(RegressionPipeline.answer)
    stream_answers = by_pipeline(RegressionPipeline.stream_answers)
