"""The language-model task: data, model and loss from a recipe, and what its numbers mean."""
import itertools

import mxnet as mx
import numpy as np

import gluon_rnn.data
import gluon_rnn.models  # noqa: F401  importing the package registers its members
import gluon_rnn.nn  # noqa: F401
from gluon_rnn.config import ConfigError, check_arguments
from gluon_rnn.data import BPTTBatches
from gluon_rnn.inference.sampling import sample
from gluon_rnn.models import bits, perplexity
from gluon_rnn.registry import datasets, encoders, models, tasks
from gluon_rnn.training.step import LossGraph

__all__ = ["LanguageModelTask", "build_model", "score", "score_text", "stream_text"]

# Constructor arguments that the task fills in, or that have one right value here.
_GIVEN_MODEL = ("vocab_size", "encoder", "layout")
_GIVEN_ENCODER = ("layout",)


def build_model(section, vocab_size):
    """Return the model of a recipe's `model` section, not initialised.

    Raises
    ------
    ConfigError
        If a name, an argument or the value of one is wrong; it names the YAML path.
    """
    encoder = _part("model.encoder", encoders, section.encoder, _GIVEN_ENCODER)
    return _part("model", models, section, _GIVEN_MODEL, vocab_size=vocab_size, encoder=encoder)


def _part(where, registry, section, given=(), **more):
    check_part(where, registry, section, given)
    try:
        return registry.get(section.name)(**section.arguments, **more)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{where}: {error}") from error


def check_part(where, registry, section, given=()):
    """Check a part's name and the names and types of its arguments, less those `given` by the code."""
    try:
        parameters = registry.parameters(section.name)
    except ValueError as error:
        raise ConfigError(f"{where}.name: {error}") from error
    check_arguments(where, section.arguments, {key: parameters[key] for key in parameters if key not in given},
                    neighbours=type(section).model_fields)


@tasks.register("language_model")
class LanguageModelTask:
    """Data, model and loss graph of one recipe.

    Parameters
    ----------
    config : gluon_rnn.config.Config

    Attributes
    ----------
    data : a member of `gluon_rnn.registry.datasets`
    model : HybridBlock
        Not initialised.
    graph : LossGraph
    final_split : str
        "test" where there is one, else "valid".
    """

    def __init__(self, config):
        self._section = config.data
        self._seed = config.seed
        self.data = _part("data", datasets, config.data)
        if "valid" not in self.data.splits:
            raise ConfigError("data: training needs a valid split; give the key valid, or a split of two fractions")
        self.model = build_model(config.model, len(self.data.vocab))
        self.graph = LossGraph(self.model)
        for split in self.data.splits:
            self.eval_batches(split)                           # a split that is too short is found now, not in an hour

    @staticmethod
    def check(config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        check_part("data", datasets, config.data)
        build_model(config.model, vocab_size=2)

    @staticmethod
    def build_model(section, vocab_size):
        """Return the model of a recipe's `model` section; see `build_model`."""
        return build_model(section, vocab_size)

    @property
    def vocab(self):
        """The vocabulary."""
        return self.data.vocab

    @property
    def final_split(self):
        """The split of the closing evaluation."""
        return "test" if "test" in self.data.splits else "valid"

    def train_batches(self, epoch):
        """Return the training chunks of `epoch`, counted from 0; the same ones for the same seed and epoch."""
        section = self._section
        offset = 0
        if section.random_offset and epoch:  # the first epoch reads everything
            spare = max(0, len(self.data.ids("train")) - section.batch_size * section.bptt - 1)
            offset = int(np.random.default_rng([self._seed, epoch]).integers(min(section.bptt, spare + 1)))
        return self._batches("train", section.batch_size, section.bptt, offset)

    def eval_batches(self, split):
        """Return the chunks of a split for evaluation; how long they are changes nothing but memory."""
        section = self._section
        return self._batches(split, section.eval_batch_size,
                             max(section.bptt, section.bptt * section.batch_size // section.eval_batch_size))

    def _batches(self, split, batch_size, bptt, offset=0):
        try:
            return BPTTBatches(self.data.ids(split), batch_size, bptt, offset)
        except ValueError as error:
            key = "data.batch_size" if split == "train" else "data.eval_batch_size"
            raise ConfigError(f"{key}: {split} split: {error}") from error

    def describe(self):
        """Return what the data are, in words and numbers."""
        sizes = ", ".join(f"{split} {len(self.data.ids(split)):,}" for split in self.data.splits)
        return f"{self._section.name}: {sizes} {self.data.unit}s, vocabulary {len(self.vocab):,}"

    def begin_states(self, batch_size, devices):
        """Return zero states, one list for each device."""
        return [self.model.begin_state(batch_size // len(devices), ctx=device) for device in devices]

    def initialize(self, devices):
        """Give the parameters their first values on all `devices`."""
        self.model.initialize(mx.init.Xavier(), ctx=devices)
        token = mx.nd.zeros((1, 1), ctx=devices[0], dtype="int32")
        self.model(token, self.model.begin_state(1, ctx=devices[0]))  # sizes that were deferred are fixed here

    def write_samples(self, count, length, seed, device):
        """Return `count` texts of `length` tokens that the model writes, as one printable string."""
        texts = ["".join(stream_text(self.model, self.vocab, self.data.unit, self.data.separator, length,
                                     seed=seed + index, ctx=device)) for index in range(count)]
        return "\n".join(f"--- sample {index + 1}\n{text}" for index, text in enumerate(texts)) + "\n"


def stream_text(model, vocab, unit, separator, length, prefix="", **options):
    """Yield the prefix and then `length` tokens that the model writes, pieces that join to the text.

    Parameters
    ----------
    model, vocab
        As in a `gluon_rnn.training.Run`.
    unit, separator : str
        "character" or "word", and what stands between two tokens.
    length : int
        Tokens to write.
    prefix : str
        Text to continue.
    options
        As in `gluon_rnn.inference.sampling.sample`. The unknown token is never drawn.
    """
    tokens = gluon_rnn.data.tokenize(prefix, unit)
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

