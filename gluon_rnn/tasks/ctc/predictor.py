"""What a trained recogniser answers: the labels of a sequence, at once or as they appear."""


from gluon_rnn.answers.ctc import CTCPipeline, LabelStringAssets
from gluon_rnn.tasks import trials
from gluon_rnn.tasks.predictor import Predictor, by_pipeline

__all__ = ["CTCPredictor", "LabelStringAssets"]


class CTCPredictor(Predictor):
    """A model fitted by CTC, the names of its labels, and what reads a recording."""

    assets_class = LabelStringAssets
    pipeline_class = CTCPipeline
    size_names = ("num_labels", "input_size")

    @classmethod
    def sizes(cls, assets):
        """Return the number of labels and of features."""
        return {"num_labels": len(assets.labels), **assets.reader.model_arguments}

    @classmethod
    def named_axes(cls, assets, model):
        """Return that rows of the output layer are labels, with the blank as an empty one."""
        labels = [("label", [*assets.labels, ""])]
        return {"output_weight": labels, "output_bias": labels}

    def example(self):
        """Return inputs (T, N, C) that the model takes."""
        return trials.features(self.assets.reader.model_arguments["input_size"])

    def trials(self):
        """Return raw items to predict."""
        return [((trials.items(self.assets.reader),), {})]

    predict = by_pipeline(CTCPipeline.predict)
    stream = by_pipeline(CTCPipeline.stream)
    answer = by_pipeline(CTCPipeline.answer)
    stream_answers = by_pipeline(CTCPipeline.stream_answers)
