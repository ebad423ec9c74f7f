"""The task of label strings, by connectionist temporal classification: what is said in a recording, label by label."""
import itertools
from dataclasses import dataclass, field

import mxnet as mx
import numpy as np
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn.config import ConfigError
from gluon_rnn.data import pad
from gluon_rnn.data.batching import Batch, BucketedBatches
from gluon_rnn.data.label_strings import LabelStrings
from gluon_rnn.inference.ctc import best_path, prefix_beam_search
from gluon_rnn.metrics.label_errors import string_scores
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets, suggest, tasks
from gluon_rnn.tasks.ctc.loss import LabelStringLoss
from gluon_rnn.tasks.ctc.predictor import CTCPredictor, LabelStringAssets
from gluon_rnn.tasks.ctc.report import report
from gluon_rnn.tasks.task import Task

__all__ = ["CTCTask", "Recognised"]

SELECTIONS = ("loss", "label_error_rate")


class CTCData(configuration.Data):
    """How sequences are put into batches."""

    num_buckets: int = Field(10, ge=1)
    eval_batch_size: int = Field(50, ge=1)


@dataclass
class Recognised:
    """What a model says about sequences of a split, parallel lists: rows, nats, label strings of two searches."""

    rows: list = field(default_factory=list)
    nats: list = field(default_factory=list)
    best_path: list = field(default_factory=list)
    beam: list = field(default_factory=list)


@tasks.register("ctc")
class CTCTask(Task):
    """Which labels, in order, a sequence holds; where each of them stands is not told.

    Parameters
    ----------
    config : gluon_rnn.config.Config
    selection : {"loss", "label_error_rate"}, default "loss"
        Which score on the validation split selects the checkpoint.
    beam_size : int, >= 1, default 10
        Of the prefix beam search of the report; scores in training are those of the best path.
    """

    default_model = "ctc"
    predictor_class = CTCPredictor
    data_section = CTCData
    unit = "string"

    def __init__(self, config, *, selection="loss", beam_size: int = 10):
        super().__init__(config)
        self.selection, self.beam_size = (selection, "min"), beam_size
        self.data = self.read_data()
        self.assets = LabelStringAssets(self.data.labels, self.data.reader)
        self.model = self.build_model()
        self.graph = LabelStringLoss(self.model)
        self.loss_of_each = self.graph.loss

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        options = config.task.arguments
        selection = options.get("selection", "loss")
        if selection not in SELECTIONS:
            raise ConfigError(f"task.selection: unknown score {selection!r}; {suggest(selection, list(SELECTIONS))}")
        try:
            check_sizes(beam_size=options.get("beam_size", 1))
        except ValueError as error:
            raise ConfigError(f"task.{error}") from error
        if not issubclass(datasets.get(config.data.name), LabelStrings):
            known = [name for name in datasets.names() if issubclass(datasets.get(name), LabelStrings)]
            raise ConfigError(f"data.name: {config.data.name!r} has no label strings; known: {', '.join(known)}")

    @classmethod
    def example_sizes(cls, config):
        """Return two labels, and a number of features that is left open."""
        return {"num_labels": 2, "input_size": 0}

    @property
    def loss_label(self):
        """Nats per string."""
        return "nats per string"

    # ---- batches -------------------------------------------------------------------------------------------------

    def train_batches(self, epoch):
        """Return the batches of `epoch`, counted from 0: strings of similar length, drawn anew each epoch."""
        section, seed = self.config.data, [self.config.seed, epoch]
        strings = self.data.drawn([*seed, 2])
        return BucketedBatches(strings.lengths, _collate(strings.read, strings.targets), section.batch_size,
                               section.num_buckets, order_seed=seed, seed=[*seed, 1])

    def eval_batches(self, split):
        """Return the batches of a split, sorted by length: hardly any padding."""
        inputs = self.data.inputs(split)
        return BucketedBatches(list(map(len, inputs)), _collate(lambda row, random: inputs[row],
                                                                self.data.targets(split)),
                               self.config.data.eval_batch_size, len(inputs))

    # ---- scores --------------------------------------------------------------------------------------------------

    def recognised(self, split, limit=None, beam_size=None):
        """Return what the model says about a split, `Recognised`; by beam search too where `beam_size` is given."""
        found, batches = Recognised(), self.eval_batches(split)
        for rows, batch in itertools.islice(zip(batches.groups, batches), limit):
            inputs, valid_length, labels, label_length = (array.as_in_context(self.device) for array in batch.arrays)
            logits = self.model(inputs, None, valid_length)
            found.rows += rows
            found.nats += self.loss_of_each(logits, labels, valid_length, label_length).asnumpy().tolist()
            found.best_path += best_path(logits, valid_length)
            if beam_size is not None:
                values = logits.asnumpy()
                found.beam += [prefix_beam_search(values[:int(steps), row], beam_size)[0][0]
                               for row, steps in enumerate(batch.arrays[1].asnumpy())]
        return found

    def scores(self, split, recognised):
        """Return the mean loss in nats per string and the error rates of the best path."""
        targets = self.data.targets(split)
        right = [tuple(targets[row].tolist()) for row in recognised.rows]
        return {"loss": float(np.mean(recognised.nats)), **string_scores(right, recognised.best_path)}

    def evaluate(self, split, limit=None):
        """Return the mean loss in nats per string and the error rates of the best path, on the model's device."""
        return self.scores(split, self.recognised(split, limit))

    def report(self, path, limit=None):
        """Evaluate, by prefix beam search too, and write ``predictions.csv`` and some recordings."""
        return report(self, path, limit)

    def describe(self):
        """Return what the data are, and how much of the batches is padding."""
        batches = self.train_batches(0)
        return (f"{self.config.data.name}: {self.data.describe()}; padding {batches.waste:.1%} of the batches, "
                f"{batches.unbucketed_waste:.1%} without buckets")


def _collate(read, targets):
    """Return what makes a batch of inputs, lengths, labels (N, L) and their numbers."""
    def collate(rows, number, random):
        inputs, valid_length = pad([read(row, random) for row in rows])
        labels, label_length = pad([targets[row] for row in rows])                       # (L, N)
        arrays = (inputs, valid_length, labels.T.astype(np.float32), label_length)
        return Batch(tuple(map(mx.nd.array, arrays)), (1, 0, 0, 0), len(rows))

    return collate
