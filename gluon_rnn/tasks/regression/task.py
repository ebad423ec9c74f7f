"""The regression task: one or more real numbers for each sequence."""
import itertools

import mxnet as mx
import numpy as np
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn.config import ConfigError
from gluon_rnn.data import Scaler, pad
from gluon_rnn.data.batching import Batch, BucketedBatches
from gluon_rnn.data.values import SequenceValues
from gluon_rnn.metrics.values import value_scores
from gluon_rnn.registry import datasets, suggest, tasks
from gluon_rnn.tasks.regression.loss import LOSSES, RegressionLoss
from gluon_rnn.tasks.regression.predictor import RegressionPredictor, ValueAssets
from gluon_rnn.tasks.regression.report import report
from gluon_rnn.tasks.task import Task

__all__ = ["RegressionTask"]


class RegressionData(configuration.Data):
    """How sequences are put into batches."""

    num_buckets: int = Field(10, ge=1)
    eval_batch_size: int = Field(100, ge=1)


@tasks.register("regression")
class RegressionTask(Task):
    """Which real numbers belong to a sequence.

    Parameters
    ----------
    config : gluon_rnn.config.Config
    loss : {"squared", "huber", "absolute"}, default "squared"
        See `RegressionLoss`. It is computed on targets that are standardised by the training split; scores are in the
        units of the data.
    delta : float, > 0, default 1
        Where "huber" turns from squares to absolute values, in standard deviations of the target.
    baselines : bool, default True
        Whether the report fits a linear regression to compare with.
    """

    default_model = "regressor"
    predictor_class = RegressionPredictor
    data_section = RegressionData
    default_data = "trajectory_values"
    unit = "sequence"

    def __init__(self, config, *, loss="squared", delta=1.0, baselines=True):
        super().__init__(config)
        self.fits_baselines = baselines
        self.data = self.read_data()
        scaler = Scaler().fit([self.data.targets("train")])
        self.assets = ValueAssets(self.data.target_names, scaler, self.data.reader)
        self.model = self.build_model()
        self.graph = RegressionLoss(self.model, loss, delta)

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        options = config.task.arguments
        loss = options.get("loss", "squared")
        if loss not in LOSSES:
            raise ConfigError(f"task.loss: unknown loss {loss!r}; {suggest(loss, list(LOSSES))}")
        if not options.get("delta", 1.0) > 0:
            raise ConfigError(f"task.delta: expected a number above 0, got {options['delta']}")
        if not issubclass(datasets.get(config.data.name), SequenceValues):
            known = [name for name in datasets.names() if issubclass(datasets.get(name), SequenceValues)]
            raise ConfigError(f"data.name: {config.data.name!r} has no real numbers as targets; known: "
                              + ", ".join(known))

    @classmethod
    def example_sizes(cls, config):
        """Return one target, and a number of features that is left open."""
        return {"num_values": 1, "input_size": 0}

    # ---- batches -------------------------------------------------------------------------------------------------

    def train_batches(self, epoch):
        """Return the batches of `epoch`, counted from 0: sequences of similar length, drawn anew each epoch."""
        section = self.config.data
        return self._batches("train", section.batch_size, section.num_buckets, order_seed=[self.config.seed, epoch])

    def eval_batches(self, split):
        """Return the batches of a split, sorted by length: hardly any padding."""
        return self._batches(split, self.config.data.eval_batch_size, len(self.data.inputs(split)))

    def _batches(self, split, batch_size, num_buckets, **seeds):
        inputs = self.data.inputs(split)
        targets = self.assets.scaler.transform(self.data.targets(split))

        def collate(rows, number, random):
            padded, valid_length = pad([inputs[row] for row in rows])
            return Batch(tuple(map(mx.nd.array, (padded, valid_length, targets[rows]))), (1, 0, 0), len(rows))

        return BucketedBatches(list(map(len, inputs)), collate, batch_size, num_buckets, **seeds)

    # ---- scores --------------------------------------------------------------------------------------------------

    def values(self, split, limit=None, models=None):
        """Return the indices of a split's sequences that were looked at, their mean loss, and the values (n, K).

        Values are in the units of the data, by the task's own model or as the mean of several `models`.
        """
        models, batches = models or [self.model], self.eval_batches(split)
        device, indices, loss, found = models[0].collect_params().list_ctx()[0], [], 0.0, []
        for rows, batch in itertools.islice(zip(batches.groups, batches), limit):
            inputs, valid_length, targets = (array.as_in_context(device) for array in batch.arrays)
            values = sum(model(inputs, None, valid_length) for model in models) / len(models)
            loss += float(self.graph.of_values(mx.nd, values, targets).asscalar())
            indices += rows
            found.append(values.asnumpy())
        return np.array(indices), loss / len(indices), self.assets.scaler.inverse(np.concatenate(found))

    def evaluate(self, split, limit=None):
        """Return the mean loss, and mean square, root mean square and mean absolute error and R^2 of each target."""
        rows, loss, values = self.values(split, limit)
        return {"loss": loss, **value_scores(self.data.targets(split)[rows], values, self.data.target_names)}

    def evaluate_ensemble(self, split, models):
        """Return the scores of the mean of the values of `models`, as ``rmse_of_3``."""
        rows, loss, values = self.values(split, models=models)
        found = {"loss": loss, **value_scores(self.data.targets(split)[rows], values, self.data.target_names)}
        return {f"{name}_of_{len(models)}": value for name, value in found.items()}

    def report(self, path, limit=None):
        """Evaluate, fit the baselines, and write ``predictions.csv``."""
        return report(self, path, limit)

    def describe(self):
        """Return what the data are, and how much of the batches is padding."""
        batches = self.train_batches(0)
        return (f"{self.config.data.name}: {self.data.describe()}; padding {batches.waste:.1%} of the batches, "
                f"{batches.unbucketed_waste:.1%} without buckets")
