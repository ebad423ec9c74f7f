"""The conditional language-model task: whole sequences of a class, fitted token by token and drawn from the class."""
from typing import Optional

import mxnet as mx
import numpy as np
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn.config import ConfigError
from gluon_rnn.data import pad
from gluon_rnn.data.abc_tunes import AbcTunes
from gluon_rnn.data.batching import Batch, BucketedBatches
from gluon_rnn.metrics.likelihood import score
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import tasks
from gluon_rnn.tasks.conditional_language_model.loss import ConditionalLoss
from gluon_rnn.tasks.conditional_language_model.predictor import ConditionalAssets, ConditionalPredictor
from gluon_rnn.tasks.conditional_language_model.report import report
from gluon_rnn.tasks.task import Task
from gluon_rnn.training.evaluation import mean_loss

__all__ = ["ConditionalLanguageModelTask"]


class ConditionalData(configuration.Data):
    """How sequences become batches."""

    num_buckets: int = Field(10, ge=1)                   # batches that are cut from one pool sorted by length


@tasks.register("conditional_language_model")
class ConditionalLanguageModelTask(Task):
    """A class in, a sequence out.

    Parameters
    ----------
    config : gluon_rnn.config.Config
    samples : int, default 100
        Sequences drawn for the closing evaluation, classes as often as in the training split.
    temperature : float, default 1
        Of drawing; 0 is the most probable token.
    top_p : float in (0, 1], optional
        Nucleus of drawing.
    max_length : int, default 600
        Longest sequence drawn, in tokens.
    """

    default_model = "conditional_language_model"
    predictor_class = ConditionalPredictor
    data_section = ConditionalData
    default_data = "labelled_text"
    unit = "token"

    def __init__(self, config, *, samples: int = 100, temperature: float = 1.0, top_p: Optional[float] = None,
                 max_length: int = 600):
        super().__init__(config)
        self.samples = samples
        self.drawing = {"temperature": temperature, "top_p": top_p, "max_length": max_length}
        self.data = self.read_data()
        if not hasattr(self.data.reader, "vocab"):
            raise ConfigError(f"data.name: {config.data.name!r} has no tokens to predict; take labelled_text or "
                              "abc_tunes")
        self.assets = ConditionalAssets(self.data.reader.vocab, self.data.labels, self.data.reader.unit,
                                        isinstance(self.data, AbcTunes))
        self.model = self.build_model()
        self.graph = ConditionalLoss(self.model)

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        options = config.task.arguments
        try:
            check_sizes(**{key: options[key] for key in ("samples", "max_length") if key in options})
        except ValueError as error:
            raise ConfigError(f"task.{error}") from error
        if options.get("temperature", 1) < 0 or not 0 < (options.get("top_p") or 1) <= 1:
            raise ConfigError(f"task: temperature must be at least 0 and top_p above 0 and at most 1, got {options}")

    @classmethod
    def example_sizes(cls, config):
        """Return the sizes of a small vocabulary and two classes."""
        return {"vocab_size": 2, "num_classes": 2}

    # ---- batches and loss ------------------------------------------------------------------------------------------

    def train_batches(self, epoch):
        """Return the training batches of `epoch`, counted from 0; the same ones for the same seed and epoch."""
        section = self.config.data
        return self._batches("train", section.batch_size, section.num_buckets, [self.config.seed, epoch])

    def eval_batches(self, split):
        """Return the batches of a split, always the same."""
        return self._batches(split, self.config.data.eval_batch_size, len(self.data.inputs(split)), None)

    def _batches(self, split, batch_size, num_buckets, seed):
        sequences, classes = self.data.inputs(split), self.data.targets(split)
        return BucketedBatches(
            [len(sequence) for sequence in sequences],
            lambda rows, number, random: _collate([sequences[row] for row in rows], classes[rows],
                                                  self.assets.boundary),
            batch_size, num_buckets, order_seed=seed)

    def evaluate(self, split, limit=None):
        """Return the loss in nats per token, the end token counted, and bits or perplexity."""
        loss = mean_loss(self.graph, self.eval_batches(split), self.device, limit=limit)
        return {"loss": loss, **score(loss, self.assets.unit)}

    def report(self, path, limit=None):
        """Evaluate, draw sequences into ``samples.txt`` (tunes into ``tunes.abc``), and score what was drawn."""
        return report(self, path, limit)

    def describe(self):
        """Return what the data are, in words and numbers."""
        return f"{self.config.data.name}: {self.data.describe()}; vocabulary {len(self.assets.vocab):,}"


def _collate(sequences, classes, boundary):
    """Return a `Batch` of tokens and of what follows them (T, N), lengths and class numbers (N,)."""
    wanted, valid_length = pad([np.concatenate([sequence, [boundary]]).astype(np.int32) for sequence in sequences])
    tokens = np.concatenate([np.full((1, len(sequences)), [boundary]), wanted[:-1]])                  # one step late
    arrays = (mx.nd.array(tokens, dtype="int32"), mx.nd.array(wanted, dtype="int32"), mx.nd.array(valid_length),
              mx.nd.array(classes, dtype="int32"))
    return Batch(arrays, (1, 1, 0, 0), int(valid_length.sum()))
