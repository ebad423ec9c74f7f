"""What a trained regressor answers: the values of a sequence, in the units of the data."""


from gluon_rnn.answers.regression import RegressionPipeline, ValueAssets
from gluon_rnn.tasks import trials
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

    def example(self):
        """Return inputs (T, N, C) that the model takes."""
        return trials.features(self.assets.reader.model_arguments["input_size"])

    def trials(self):
        """Return raw items to predict."""
        return [((trials.items(self.assets.reader),), {})]

    predict = by_pipeline(RegressionPipeline.predict)
    stream = by_pipeline(RegressionPipeline.stream)
    answer = by_pipeline(RegressionPipeline.answer)
    stream_answers = by_pipeline(RegressionPipeline.stream_answers)
