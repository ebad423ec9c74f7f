"""The language-model task: truncated backpropagation through a stream of tokens."""
import functools

import mxnet as mx
import numpy as np
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn import runtime
from gluon_rnn.config import ConfigError
from gluon_rnn.data.batching import Batch, Batches
from gluon_rnn.data.bptt import BPTTBatches
from gluon_rnn.metrics.likelihood import score, score_text
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import tasks
from gluon_rnn.report.exhibits import Exhibit
from gluon_rnn.tasks.language_model.loss import LanguageModelLoss
from gluon_rnn.tasks.language_model.predictor import LanguageModelPredictor, TextAssets
from gluon_rnn.tasks.language_model.report import write_samples
from gluon_rnn.tasks.task import Report, Task
from gluon_rnn.training.algorithms.settings import RECURRENT, algorithm_of
from gluon_rnn.training.evaluation import mean_loss

__all__ = ["LanguageModelTask"]

# No vocabulary is larger: whatever an output layer asks of V is asked of the real one.
_ANY_VOCABULARY = 2**31 - 1


class LanguageModelData(configuration.Data):
    """How a stream is cut into chunks."""

    bptt: int = Field(35, ge=1)
    random_offset: bool = True


@tasks.register("language_model")
class LanguageModelTask(Task):
    """Next-token prediction over one long stream of text.

    Parameters
    ----------
    config : gluon_rnn.config.Config
    samples : int, default 3
        Texts written to ``samples.txt`` at the end.
    sample_length : int, default 300
        Tokens in each of them.
    """

    default_model = "language_model"
    predictor_class = LanguageModelPredictor
    data_section = LanguageModelData
    default_data = "characters"
    unit = "token"
    algorithms = ("bptt", *RECURRENT)
    shares_evaluation = True

    def __init__(self, config, *, samples: int = 3, sample_length: int = 300):
        super().__init__(config)
        self._samples, self._sample_length = samples, sample_length
        self.data = self.read_data()
        if not hasattr(self.data, "ids"):
            raise ConfigError(f"data.name: the task 'language_model' needs one long text, and {config.data.name!r} has "
                              "none; use characters or words, or name the task of these data in task")
        self.assets = TextAssets(self.data.vocab, self.data.unit, self.data.separator)
        self.model = self.build_model()
        algorithm = algorithm_of(config)
        self._k1, self._k2 = algorithm.window(config.data.bptt)
        self.graph = self._exact_graph = LanguageModelLoss(self.model, ends=config.training.algorithm.name == "tbptt")
        algorithm.check(self.graph, config)
        if self.model.output.trains_on_samples:
            self._exact_graph = LanguageModelLoss(self.model, exact=True)
            self._exact_graph.hybridize()
        for split in self.data.splits:
            self.eval_batches(split)                           # a split that is too short is found now, not in an hour

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        algorithm_of(config).window(config.data.bptt)
        options = config.task.arguments
        if options.get("samples", 0) < 0:
            raise ConfigError(f"task.samples: expected a number of texts of at least 0, got {options['samples']}")
        try:
            check_sizes(sample_length=options.get("sample_length", 1))
        except ValueError as error:
            raise ConfigError(f"task.{error}") from error

    @classmethod
    def example_sizes(cls, config):
        """Return the size of a large vocabulary."""
        return {"vocab_size": _ANY_VOCABULARY}

    @property
    def loss_label(self):
        """Nats per character or word."""
        return f"nats per {self.data.unit}"

    @property
    def best_loss(self):
        """The entropy rate of the data, where it is known."""
        return self.data.entropy_rate

    def train_batches(self, epoch):
        """Return the training chunks of `epoch`, counted from 0; the same ones for the same seed and epoch."""
        section = self.config.data
        offset = 0
        if section.random_offset and epoch:  # the first epoch reads everything
            spare = max(0, len(self.data.ids("train")) - section.batch_size * section.bptt - 1)
            offset = int(np.random.default_rng([self.config.seed, epoch]).integers(min(section.bptt, spare + 1)))
        # What an output layer draws or looks up is made for all workers at once; else each reads its columns alone.
        workers = self.cluster.workers if not self.model.output.asks_the_host else 1
        columns = self.cluster.part(section.batch_size) if workers > 1 else None
        collate = functools.partial(_chunk, output=self.model.output, devices=runtime.pieces(self.config.device))
        chunks = self._chunks("train", section.batch_size, self._k1, offset, self._k2, columns=columns)
        # A stream of random numbers of its own: samples do not depend on the offset's.
        return Batches(chunks, functools.partial(collate, advance=chunks.advance, workers=workers),
                       [self.config.seed, epoch, 1])

    def eval_batches(self, split, columns=None):
        """Return the chunks of a split for evaluation, or these `columns` of them; their length changes only memory."""
        section = self.config.data
        bptt = max(section.bptt, section.bptt * section.batch_size // section.eval_batch_size)
        collate = functools.partial(_chunk, output=self.model.output, devices=1)
        return Batches(self._chunks(split, section.eval_batch_size, bptt, columns=columns), collate)

    def _chunks(self, split, batch_size, bptt, offset=0, window=None, columns=None):
        try:
            return BPTTBatches(self.data.ids(split), batch_size, bptt, offset, window, columns)
        except ValueError as error:
            key = "data.batch_size" if split == "train" else "data.eval_batch_size"
            raise ConfigError(f"{key}: {split} split: {error}") from error

    def evaluate(self, split, limit=None, cluster=None):
        """Return the loss in nats per token and the customary score of the unit, on the model's first device.

        The workers of a `cluster` each have some of the columns, and all get the loss of all.
        """
        rows = self.config.data.eval_batch_size
        columns = cluster.part(rows) if cluster else (0, rows)
        rows = columns[1] - columns[0]
        states = self.begin_states(rows, [self.device])[0] if rows else ()
        batches = self.eval_batches(split, columns) if rows else ()       # fewer columns than workers
        return self.scores_of(mean_loss(self._exact_graph, batches, self.device, states, limit, cluster))

    def scores_of(self, loss):
        """Return a loss in nats per token and the customary score of the unit."""
        return {"loss": loss, **score(loss, self.data.unit)}

    def report(self, path, limit=None):
        """Evaluate, and let the model write ``samples.txt``."""
        length = min(self._sample_length, 20) if limit else self._sample_length
        write_samples(path / "samples.txt", self, self._samples, length)
        return Report(self.final_split, self.evaluate(self.final_split, limit),
                      files=[Exhibit("samples.txt", f"Texts of {length} {self.data.unit}s that the model wrote")])

    def describe(self):
        """Return what the data are, in words and numbers."""
        sizes = ", ".join(f"{split} {len(self.data.ids(split)):,}" for split in self.data.splits)
        return f"{self.config.data.name}: {sizes} {self.data.unit}s, vocabulary {len(self.data.vocab):,}"

    def in_words(self, scores):
        """Return a loss in the customary score of its unit."""
        return score_text(scores["loss"], self.data.unit)

    def begin_states(self, batch_size, devices):
        """Return zero states, one list for each device."""
        return [self.model.begin_state(batch_size // len(devices), ctx=device) for device in devices]

    def run_once(self, device):
        """Run the model on one token."""
        token = mx.nd.zeros((1, 1), ctx=device, dtype="int32")
        self.model(token, self.model.begin_state(1, ctx=device))


def _chunk(chunk, number, random, output, devices, advance=lambda number: None, workers=1):
    """Return a chunk of a stream as a `Batch`: tokens and targets (T, N), and what the output layer asks for.

    With several `workers` the chunk is the columns of one of them, which has as many as any other.
    """
    tokens, target = chunk
    arrays = output.arrays(target.asnumpy(), devices, random) if output.asks_the_host else []
    return Batch((tokens, target, *(mx.nd.array(array, dtype=array.dtype) for array in arrays)),
                 (1, 1, *[0] * len(arrays)), target.size * workers, advance(number), workers > 1)
