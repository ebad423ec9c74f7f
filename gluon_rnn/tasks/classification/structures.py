"""Trees and graphs in the classification task: their batches, the loss graph, and whether data and model fit."""
import mxnet as mx

from gluon_rnn import runtime
from gluon_rnn.config import ConfigError
from gluon_rnn.registry import datasets, models
from gluon_rnn.tasks.classification.loss import ClassificationLoss

__all__ = ["StructureLoss", "as_arrays", "check", "check_fit", "example_sizes", "structure_of_model"]


class StructureLoss(ClassificationLoss):
    """A classifier of trees or graphs and its loss in one graph.

    Parameters
    ----------
    model : TreeClassifier or GraphClassifier
    label_smoothing : float in [0, 1), default 0
        As in `ClassificationLoss`.

    Inputs/Outputs
    --------------
    targets (N,), weights (N,), then the arrays of the model's call -> sum of the weighted cross-entropies in nats,
    shape (1,)
    """

    def __init__(self, model, label_smoothing=0.0, **kwargs):
        super().__init__(model, label_smoothing, **kwargs)

    def hybrid_forward(self, F, targets, weights, *arrays):
        """Compute the summed loss."""
        return self.of_scores(F, F.log_softmax(self.model(*arrays)), targets, weights)


def as_arrays(reader, structures):
    """Return the arguments of a model for some trees or graphs, NDArrays on the CPU."""
    return [mx.nd.array(part, dtype=part.dtype) for part in reader.batch(structures)]


def structure_of_model(config):
    """Return what the model of a recipe takes: "tree", "graph" or "sequence"."""
    return getattr(models.get(config.model.name), "structure", "sequence")


def example_sizes(config):
    """Return sizes of trees or graphs that data might have: those of the encoder where it says them."""
    structure = structure_of_model(config)
    if structure == "sequence":
        return {}
    name = {"tree": "max_children", "graph": "edge_kinds"}[structure]
    encoder = config.model.arguments.get("encoder") or {}
    return {name: encoder.get(name) or 2}


def check(config):
    """Check what holds for trees and graphs alone, without data; ConfigError with the YAML path."""
    structure = structure_of_model(config)
    if structure == "sequence":
        return
    if config.task.arguments.get("r_drop", 0.0):
        raise ConfigError(f"task.r_drop: it is for sequences, and {config.model.name} takes {structure}s; leave it out")
    if len(runtime.devices(config.device)) > 1:
        raise ConfigError(f"device: a batch of {structure}s is one graph, which cannot be split over the devices of "
                          f"{config.device!r}; take one device")
    check_fit(config, getattr(datasets.get(config.data.name), "structure", "sequence"))


def check_fit(config, structure):
    """Raise ConfigError where the model takes something else than the data are."""
    expected = structure_of_model(config)
    if structure != expected:
        able = [name for name in models.names() if getattr(models.get(name), "structure", None) == structure]
        raise ConfigError(f"model.name: {config.model.name} takes {expected}s, and the data are {structure}s; take "
                          f"{', '.join(able) or 'classifier'}, or other data")
