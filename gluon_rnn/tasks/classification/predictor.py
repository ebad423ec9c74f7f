"""What a trained classifier answers: the probability of each class."""


from gluon_rnn.answers import classification
from gluon_rnn.answers.arithmetic import log_mean_probabilities
from gluon_rnn.answers.classification import ClassificationPipeline
from gluon_rnn.data import AudioReader, TextReader, TrajectoryReader
from gluon_rnn.data.structures import GraphReader, TreeReader
from gluon_rnn.inference.live import StructureNetwork
from gluon_rnn.tasks import trials
from gluon_rnn.tasks.classification.structures import as_arrays
from gluon_rnn.tasks.predictor import Predictor, by_pipeline

__all__ = ["ClassificationPredictor", "ClassifierAssets", "log_probabilities",
           "log_probabilities_of_structures"]


class ClassifierAssets(classification.ClassifierAssets):
    """Names of the classes, and what reads an item; the vocabulary of texts is a `gluonnlp.Vocab`."""

    readers = {"text": TextReader, "audio": AudioReader, "trajectory": TrajectoryReader, "tree": TreeReader,
               "graph": GraphReader}


class ClassificationPredictor(Predictor):
    """A classifier, the names of its classes, and what reads an item."""

    assets_class = ClassifierAssets
    pipeline_class = ClassificationPipeline
    size_names = ("num_classes", "vocab_size", "input_size", "max_children", "edge_kinds")
    ensemble_rule = "the mean of their probabilities"

    @classmethod
    def sizes(cls, assets):
        """Return the number of classes, and the size of the vocabulary or the number of features."""
        return {"num_classes": len(assets.labels), **assets.reader.model_arguments}

    @classmethod
    def named_axes(cls, assets, model):
        """Return that rows of the output layer are labels, and those of an embedding tokens."""
        reader, labels = assets.reader, [("label", assets.labels)]
        found = {"output_weight": labels, "output_bias": labels}
        if isinstance(reader, TextReader):
            found["embedding_weight"] = [(reader.unit, reader.vocab.idx_to_token)]
        elif hasattr(reader, "structure"):
            found["embedding_weight"] = [(reader.row_kind, reader.row_names)]
        return found

    def networks(self):
        """Return the networks of the pipeline; trees and graphs are answered by networks of their own."""
        if not hasattr(getattr(self.assets, "reader", None), "structure"):
            return super().networks()
        return {"model": [StructureNetwork(model) for model in self.models]}

    def example(self):
        """Return inputs (T, N) or (T, N, C) that the model takes, or the arrays of a batch of trees or graphs."""
        if hasattr(self.assets.reader, "structure"):
            reader = self.assets.reader
            return tuple(as_arrays(reader, list(map(reader, trials.items(reader)))))
        reader, (size,) = self.assets.reader, self.assets.reader.model_arguments.values()
        return trials.ids(size) if isinstance(reader, TextReader) else trials.features(size)

    def trials(self):
        """Return raw items to predict."""
        return [((trials.items(self.assets.reader),), {})]

    predict = by_pipeline(ClassificationPipeline.predict)
    stream = by_pipeline(ClassificationPipeline.stream)
    answer = by_pipeline(ClassificationPipeline.answer)
    stream_answers = by_pipeline(ClassificationPipeline.stream_answers)


def log_probabilities(models, inputs, valid_length, device):
    """Return log p (N, K) float64 of padded inputs (T, N) or (T, N, C), p being the mean over `models`."""
    inputs, valid_length = inputs.as_in_context(device), valid_length.as_in_context(device)
    return log_mean_probabilities([model(inputs, None, valid_length).asnumpy() for model in models])


def log_probabilities_of_structures(models, arrays, device):
    """Return log p (N, K) float64 of a batch of trees or graphs, p being the mean over `models`."""
    arrays = [array.as_in_context(device) for array in arrays]
    return log_mean_probabilities([model(*arrays).asnumpy() for model in models])
