"""The classification task: one of K classes for each sequence of text, sound or numbers, each tree or graph."""
import itertools
from typing import Optional

import mxnet as mx
import numpy as np
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn.config import ConfigError
from gluon_rnn.data import pad
from gluon_rnn.data.batching import Batch, BucketedBatches
from gluon_rnn.metrics import classes
from gluon_rnn.nn.checks import check_rates
from gluon_rnn.registry import datasets, suggest, tasks
from gluon_rnn.tasks.classification import structures
from gluon_rnn.tasks.classification.loss import ClassificationLoss, class_weights
from gluon_rnn.tasks.classification.predictor import (
    ClassificationPredictor,
    ClassifierAssets,
    log_probabilities,
    log_probabilities_of_structures,
)
from gluon_rnn.tasks.classification.report import report
from gluon_rnn.tasks.task import Task

__all__ = ["ClassificationTask"]

SELECTIONS = {"loss": "min", "accuracy": "max", "macro_f1": "max"}


class ClassificationData(configuration.Data):
    """How many sequences there are to learn from, and how they are put into batches."""

    train_limit: Optional[int] = Field(None, ge=1)       # labelled examples, drawn by `seed`; a vocabulary is of all
    num_buckets: int = Field(10, ge=1)
    eval_batch_size: int = Field(100, ge=1)


@tasks.register("classification")
class ClassificationTask(Task):
    """Which class a sequence, a tree or a node of a graph belongs to.

    Parameters
    ----------
    config : gluon_rnn.config.Config
    label_smoothing : float in [0, 1), default 0
        See `ClassificationLoss`; scores are without it.
    r_drop : float, default 0
        How strongly two runs of a sequence, under two draws of dropout, are held to the same answer; see there.
    balance : float in [0, 1], default 0
        b: examples of a class with the share p_k of the training split count as p_k^-b, the mean over the split being
        1; with 1 all classes count the same in training. Scores are without it.
    selection : {"loss", "accuracy", "macro_f1"}, default "loss"
        Which score on the validation split selects the checkpoint.
    baselines : bool, default True
        Whether the report fits linear models to compare with.
    """

    default_model = "classifier"
    other_models = ("graph_classifier", "tree_classifier")
    predictor_class = ClassificationPredictor
    data_section = ClassificationData
    unit = "sequence"

    def __init__(self, config, *, label_smoothing=0.0, r_drop=0.0, balance=0.0, selection="loss", baselines=True):
        super().__init__(config)
        self.selection = (selection, SELECTIONS[selection])
        self.fits_baselines = baselines
        self.data = self.read_data()
        self.structure = getattr(self.data, "structure", "sequence")
        structures.check_fit(config, self.structure)
        self._limit_data()
        self.assets = ClassifierAssets(self.data.labels, self.data.reader)
        self._weights = class_weights(self.data.targets("train"), len(self.data.labels), balance)
        self.model = self.build_model()
        self.graph = (ClassificationLoss(self.model, label_smoothing, r_drop) if self.structure == "sequence" else
                      structures.StructureLoss(self.model, label_smoothing))

    def _limit_data(self):
        limit = self.config.data.train_limit
        if limit is not None:
            try:
                self.data.keep_train(limit, self.config.seed)
            except ValueError as error:
                raise ConfigError(f"data.{error}") from error

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        options = config.task.arguments
        selection = options.get("selection", "loss")
        if selection not in SELECTIONS:
            raise ConfigError(f"task.selection: unknown score {selection!r}; {suggest(selection, list(SELECTIONS))}")
        try:
            check_rates(label_smoothing=options.get("label_smoothing", 0.0))
        except ValueError as error:
            raise ConfigError(f"task.{error}") from error
        if not options.get("r_drop", 0.0) >= 0:
            raise ConfigError(f"task.r_drop: expected at least 0, got {options['r_drop']}")
        if not 0 <= options.get("balance", 0.0) <= 1:
            raise ConfigError(f"task.balance: expected a number from 0 to 1, got {options['balance']}")
        if not hasattr(datasets.get(config.data.name), "example_arguments"):
            raise ConfigError(f"data.name: {config.data.name!r} has no classes; known: "
                              + ", ".join(name for name in datasets.names()
                                          if hasattr(datasets.get(name), "example_arguments")))
        structures.check(config)

    @classmethod
    def data_set_for(cls, data):
        """Return the data set of labelled texts, or that of labelled sequences of numbers."""
        items = data[0] if isinstance(data, tuple) and len(data) == 2 else ()
        return "labelled_text" if len(items) and isinstance(next(iter(items)), str) else "trajectories"

    @classmethod
    def example_sizes(cls, config):
        """Return two classes, and a small vocabulary or a number of features that is left open."""
        return {"num_classes": 2, **datasets.get(config.data.name).example_arguments,
                **structures.example_sizes(config)}

    # ---- batches -------------------------------------------------------------------------------------------------

    def train_batches(self, epoch):
        """Return the batches of `epoch`, counted from 0: sequences of similar length, drawn anew each epoch."""
        section, seed = self.config.data, [self.config.seed, epoch]
        return self._batches("train", section.batch_size, section.num_buckets, order_seed=seed, seed=[*seed, 1])

    def eval_batches(self, split):
        """Return the batches of a split, sorted by length: hardly any padding."""
        return self._batches(split, self.config.data.eval_batch_size, len(self.data.inputs(split)))

    def _batches(self, split, batch_size, num_buckets, **seeds):
        lengths = [len(sequence) for sequence in self.data.inputs(split)]
        return BucketedBatches(lengths, self._collate(split), batch_size, num_buckets, **seeds)

    def _collate(self, split):
        """Return what makes a batch of inputs, lengths, targets and weights of the sequences of a split."""
        inputs, targets = self.data.inputs(split), self.data.targets(split)
        weights = self._weights if split == "train" else np.ones(len(self.data.labels))

        def collate(rows, number, random):
            sequences = [inputs[row] if random is None else self.data.augmented(row, random) for row in rows]
            if self.structure != "sequence":
                answers = (mx.nd.array(targets[rows]), mx.nd.array(weights[targets[rows]]))
                arrays = (*answers, *structures.as_arrays(self.data.reader, sequences))
                return Batch(arrays, (0,) * len(arrays), len(rows))
            padded, valid_length = pad(sequences)
            arrays = (mx.nd.array(padded, dtype=padded.dtype), mx.nd.array(valid_length), mx.nd.array(targets[rows]),
                      mx.nd.array(weights[targets[rows]]))
            return Batch(arrays, (1, 0, 0, 0), len(rows))

        return collate

    def probabilities(self, split, limit=None, models=None):
        """Return the indices of a split's sequences that were looked at, and their log-probabilities (n, K).

        They are those of the task's own model, or of the mean of several `models`.
        """
        models, batches = models or [self.model], self.eval_batches(split)
        device = models[0].collect_params().list_ctx()[0]
        scores = [log_probabilities(models, *batch.arrays[:2], device) if self.structure == "sequence" else
                  log_probabilities_of_structures(models, batch.arrays[2:], device)
                  for batch in itertools.islice(batches, limit)]
        indices = [index for rows in itertools.islice(batches.groups, limit) for index in rows]
        return np.array(indices), np.concatenate(scores)

    # ---- scores --------------------------------------------------------------------------------------------------

    def evaluate(self, split, limit=None):
        """Return the mean cross-entropy in nats, the accuracy and the macro-averaged F1, on the model's device."""
        indices, scores = self.probabilities(split, limit)
        return classes.scores(self.data.targets(split)[indices], scores)

    def evaluate_ensemble(self, split, models):
        """Return the scores of the mean of what `models` give for probabilities, as ``accuracy_of_3``."""
        indices, scores = self.probabilities(split, models=models)
        found = classes.scores(self.data.targets(split)[indices], scores)
        return {f"{name}_of_{len(models)}": value for name, value in found.items()}

    def report(self, path, limit=None):
        """Evaluate, fit the baselines, and write ``confusion.png`` and ``predictions.csv``."""
        return report(self, path, limit)

    def describe(self):
        """Return what the data are, and how much of the batches is padding."""
        if self.structure != "sequence":
            return f"{self.config.data.name}: {self.data.describe()}"
        batches = self.train_batches(0)
        return (f"{self.config.data.name}: {self.data.describe()}; padding {batches.waste:.1%} of the batches, "
                f"{batches.unbucketed_waste:.1%} without buckets")
