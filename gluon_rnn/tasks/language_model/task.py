"""The language-model task: truncated backpropagation through a stream of tokens, and what its numbers mean."""
import itertools
import json
from dataclasses import dataclass
from typing import Any

import gluonnlp
import mxnet as mx
import numpy as np
from mxnet import gluon
from pydantic import Field

import gluon_rnn.data
from gluon_rnn import config as configuration
from gluon_rnn import parts
from gluon_rnn.config import ConfigError
from gluon_rnn.data import BPTTBatches
from gluon_rnn.data.batching import Batch
from gluon_rnn.inference.sampling import sample
from gluon_rnn.metrics.likelihood import bits, perplexity
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets, tasks
from gluon_rnn.tasks.task import Report, Task
from gluon_rnn.training.evaluation import mean_loss

__all__ = ["LanguageModelTask", "LossGraph", "TextAssets", "score", "score_text", "stream_text"]


class LanguageModelData(configuration.Data):
    """How a stream is cut into chunks."""

    bptt: int = Field(35, ge=1)
    random_offset: bool = True


@dataclass
class TextAssets:
    """What turns the ids of a language model into text: vocabulary, unit ("character" or "word"), separator."""

    vocab: Any
    unit: str
    separator: str

    def texts(self):
        """Return the two files."""
        return {"vocab.json": self.vocab.to_json(),
                "text.json": json.dumps({"unit": self.unit, "separator": self.separator})}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        return cls(gluonnlp.Vocab.from_json(read("vocab.json")), **json.loads(read("text.json")))


class LossGraph(gluon.HybridBlock):
    """A language model and its loss in one graph.

    Inputs/Outputs
    --------------
    tokens, target (T, N) and states -> summed cross-entropy in nats, shape (1,), and new states.
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def hybrid_forward(self, F, tokens, target, states):
        logits, states = self.model(tokens, states)                    # (T, N, V)
        return -F.sum(F.pick(F.log_softmax(logits), target)), states


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
    data_section = LanguageModelData
    assets_class = TextAssets
    unit = "token"

    def __init__(self, config, *, samples: int = 3, sample_length: int = 300):
        super().__init__(config)
        self._samples, self._sample_length = samples, sample_length
        self.data = parts.build_part("data", datasets, config.data)
        if "valid" not in self.data.splits:
            raise ConfigError("data: training needs a valid split; give the key valid, or a split of two fractions")
        self.assets = TextAssets(self.data.vocab, self.data.unit, self.data.separator)
        self.model = self.build_model(config.model, self.assets)
        self.graph = LossGraph(self.model)
        for split in self.data.splits:
            self.eval_batches(split)                           # a split that is too short is found now, not in an hour

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        options = config.task.arguments
        if options.get("samples", 0) < 0:
            raise ConfigError(f"task.samples: expected a number of texts of at least 0, got {options['samples']}")
        try:
            check_sizes(sample_length=options.get("sample_length", 1))
        except ValueError as error:
            raise ConfigError(f"task.{error}") from error
        parts.build_model(config.model, vocab_size=2)

    @classmethod
    def build_model(cls, section, assets):
        """Return the model of a recipe's `model` section for the vocabulary of `assets`, not initialised."""
        return parts.build_model(section, vocab_size=len(assets.vocab))

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
        return Chunks(self._chunks("train", section.batch_size, section.bptt, offset))

    def eval_batches(self, split):
        """Return the chunks of a split for evaluation; how long they are changes nothing but memory."""
        section = self.config.data
        return Chunks(self._chunks(split, section.eval_batch_size,
                                   max(section.bptt, section.bptt * section.batch_size // section.eval_batch_size)))

    def _chunks(self, split, batch_size, bptt, offset=0):
        try:
            return BPTTBatches(self.data.ids(split), batch_size, bptt, offset)
        except ValueError as error:
            key = "data.batch_size" if split == "train" else "data.eval_batch_size"
            raise ConfigError(f"{key}: {split} split: {error}") from error

    def evaluate(self, split, limit=None):
        """Return the loss in nats per token and the customary score of the unit, on the model's first device."""
        device = self.graph.collect_params().list_ctx()[0]
        states = self.begin_states(self.config.data.eval_batch_size, [device])[0]
        loss = mean_loss(self.graph, self.eval_batches(split), device, states, limit)
        return {"loss": loss, "bits" if self.data.unit == "character" else "perplexity": score(loss, self.data.unit)}

    def report(self, path, limit=None):
        """Evaluate, and let the model write ``samples.txt``."""
        length = min(self._sample_length, 20) if limit else self._sample_length
        text = self.write_samples(self._samples, length, self.config.seed, self.graph.collect_params().list_ctx()[0])
        (path / "samples.txt").write_text(text, encoding="utf-8")
        return Report(self.final_split, self.evaluate(self.final_split, limit))

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

    def write_samples(self, count, length, seed, device):
        """Return `count` texts of `length` tokens that the model writes, as one printable string."""
        texts = ["".join(stream_text(self.model, self.assets, length, seed=seed + index, ctx=device))
                 for index in range(count)]
        return "\n".join(f"--- sample {index + 1}\n{text}" for index, text in enumerate(texts)) + "\n"

    @staticmethod
    def export_arguments(run):
        """Return token ids (T, N) that the vocabulary has, and what turns ids into text."""
        vocab = run.assets.vocab
        example = mx.nd.array(np.arange(16).reshape(8, 2) % len(vocab), dtype="int32")
        return {"example": example, "vocab": vocab, "unit": run.assets.unit, "separator": run.assets.separator}

    @staticmethod
    def predict(run, prefix="", length=300, **options):
        """Return `prefix` and its continuation by `length` tokens; `options` are those of `stream_text`."""
        return "".join(stream_text(run.model, run.assets, length, prefix, **options))


class Chunks:
    """The chunks of a stream as `Batch`es; see `gluon_rnn.data.BPTTBatches`."""

    def __init__(self, chunks):
        self._chunks = chunks
        self.offset = chunks.offset

    def __len__(self):
        return len(self._chunks)

    def __iter__(self):
        return (Batch((tokens, target), (1, 1), tokens.size) for tokens, target in self._chunks)


def stream_text(model, assets, length, prefix="", **options):
    """Yield the prefix and then `length` tokens that the model writes, pieces that join to the text.

    Parameters
    ----------
    model : LanguageModel
    assets : TextAssets
    length : int
        Tokens to write.
    prefix : str
        Text to continue.
    options
        As in `gluon_rnn.inference.sampling.sample`. The unknown token is never drawn.
    """
    vocab, separator = assets.vocab, assets.separator
    tokens = gluon_rnn.data.tokenize(prefix, assets.unit)
    ids = gluon_rnn.data.encode(tokens, vocab, "the prefix") if tokens else []
    unknown = [] if vocab.unknown_token is None else [vocab.token_to_idx[vocab.unknown_token]]
    drawn = sample(model, vocab, ids, length, exclude=unknown, **options)
    for number, token in enumerate(itertools.chain(tokens, (vocab.idx_to_token[index] for index in drawn))):
        yield separator + token if number else token


def score(nats, unit):
    """Return the customary score of a loss in nats per token: bits per character, or perplexity for words."""
    return bits(nats) if unit == "character" else perplexity(nats)


def score_text(nats, unit):
    """Return a loss in words, such as ``"1.4702 nats (2.1211 bits) per character"`` or ``"perplexity 102.49"``."""
    if unit == "character":
        return f"{nats:.4f} nats ({bits(nats):.4f} bits) per character"
    return f"perplexity {perplexity(nats):.2f}"

