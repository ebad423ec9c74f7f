"""The task of word vectors: words predict their neighbours in a text, or are predicted from them."""
from typing import Optional

import mxnet as mx
import numpy as np
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn.config import ConfigError
from gluon_rnn.data.batching import Batch, Batches
from gluon_rnn.data.text import Words
from gluon_rnn.data.word_windows import BLOCK, Noise, WordWindows, keep_chances, sentences_of
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets, suggest, tasks
from gluon_rnn.tasks.task import Task
from gluon_rnn.tasks.word_vectors.loss import ARCHITECTURES, WordVectorLoss
from gluon_rnn.tasks.word_vectors.predictor import WordVectorAssets, WordVectorPredictor
from gluon_rnn.tasks.word_vectors.report import read_similarity, report
from gluon_rnn.training.evaluation import mean_loss
from gluon_rnn.training.row_sparse import OPTIMIZERS

__all__ = ["WordVectorTask"]

# No vocabulary is larger.
_ANY_VOCABULARY = 2**31 - 1


class WordVectorData(configuration.Data):
    """How a text is cut into windows and batches."""

    batch_size: int = Field(4096, ge=1)                  # centres of an update, rounded up to blocks of 32
    eval_batch_size: int = Field(4096, ge=1)
    window: int = Field(5, ge=1)                         # words to each side, at most
    dynamic_window: bool = True                          # the reach is drawn from 1 to window
    subsample: Optional[float] = Field(1e-3, gt=0)       # t of min(1, sqrt(t / f)); null keeps all words


@tasks.register("word_vectors")
class WordVectorTask(Task):
    """Word vectors by skip-gram with negative sampling, or by CBOW.

    Parameters
    ----------
    config : gluon_rnn.config.Config
    architecture : {"skip_gram", "cbow"}, default "skip_gram"
        Whether a word predicts the words around it, or is predicted from the mean of theirs.
    negatives : float, > 0, default 5
        Words of noise for each right one, k.
    noise_words : int, default 64
        Words that are drawn for each block of 32 centres, which share them; each weighs so much that they count as
        `negatives` for each right word.
    noise_power : float, default 0.75
        Noise is drawn with chances proportional to counts to this power.
    workers : int, default 1
        Threads that compute gradients on a CPU; they change no number.
    similarity : str, optional
        A file of pairs of words with a number for their similarity, as `gluon_rnn.metrics.word_similarity.read_pairs`
        takes it: the report then has Spearman's correlation with the cosines.
    """

    default_model = "word_vectors"
    predictor_class = WordVectorPredictor
    data_section = WordVectorData
    default_data = "words"
    unit = "pair"

    def __init__(self, config, *, architecture="skip_gram", negatives=5.0, noise_words=64, noise_power=0.75, workers=1,
                 similarity: Optional[str] = None):
        super().__init__(config)
        self.similarity, self.similarity_file = read_similarity(similarity), similarity
        self.data = self.read_data()
        self.assets = WordVectorAssets(self.data.vocab)
        self._streams = {split: self._stream(split) for split in self.data.splits}
        self._counts = np.bincount(self._streams["train"][0], minlength=len(self.data.vocab))
        self._noise, self._noise_words = Noise(self._counts, noise_power), noise_words
        self.model = self.build_model()
        self.architecture, self.unit = architecture, "pair" if architecture == "skip_gram" else "word"
        self.graph = WordVectorLoss(self.model, architecture, negatives, workers)

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        options = config.task.arguments
        architecture = options.get("architecture", "skip_gram")
        if architecture not in ARCHITECTURES:
            raise ConfigError(f"task.architecture: unknown architecture {architecture!r}; "
                              + suggest(architecture, list(ARCHITECTURES)))
        try:
            check_sizes(noise_words=options.get("noise_words", 1), workers=options.get("workers", 1))
        except ValueError as error:
            raise ConfigError(f"task.{error}") from error
        if not options.get("negatives", 5.0) > 0:
            raise ConfigError(f"task.negatives: expected a number above 0, got {options['negatives']}")
        if not issubclass(datasets.get(config.data.name), Words):
            known = [name for name in datasets.names() if issubclass(datasets.get(name), Words)]
            raise ConfigError(f"data.name: {config.data.name!r} is no text of words; known: {', '.join(known)}")
        if config.training.optimizer.name not in OPTIMIZERS:
            raise ConfigError(f"training.optimizer.name: {config.training.optimizer.name!r} would update the vectors "
                              f"of all words in each step; choose one of {', '.join(OPTIMIZERS)}")

    @classmethod
    def example_sizes(cls, config):
        """Return the size of a large vocabulary."""
        return {"vocab_size": _ANY_VOCABULARY}

    def _stream(self, split):
        """Return words and lines of a split, without ends of lines and unknown words."""
        vocab = self.data.vocab
        special = [vocab.token_to_idx[token] for token in (vocab.eos_token, vocab.unknown_token) if token is not None]
        found = sentences_of(self.data.ids(split), special[0], special[1:])
        if not len(found[0]):
            raise ConfigError(f"data.{split}: there are no words of the vocabulary in this split; give more text, or "
                              "lower data.min_freq")
        return found

    def train_batches(self, epoch):
        """Return the batches of `epoch`, counted from 0, in the order of the text; words and windows are drawn anew."""
        section = self.config.data
        return self._batches("train", section.batch_size, [self.config.seed, epoch],
                             keep_chances(self._counts, section.subsample))

    def eval_batches(self, split):
        """Return the batches of a split, all words kept; windows and noise are the same at each evaluation."""
        return self._batches(split, self.config.data.eval_batch_size, [0])

    def _batches(self, split, batch_size, seed, chances=None):
        section = self.config.data
        windows = WordWindows(*self._streams[split], window=section.window, dynamic=section.dynamic_window,
                              noise=self._noise, noise_words=self._noise_words, blocks=-(-batch_size // BLOCK),
                              seed=seed, chances=chances)
        return Batches(windows, lambda arrays, number, random: self._collate(arrays))

    def _collate(self, arrays):
        """Return a `Batch` of centres, contexts, pairs and noise; its units are pairs, or centres that have any."""
        pairs = arrays[2]
        units = pairs.sum() if self.unit == "pair" else pairs.any(axis=2).sum()
        return Batch(tuple(mx.nd.array(array, dtype=array.dtype) for array in arrays), (0,) * 4, max(1, int(units)))

    def evaluate(self, split, limit=None):
        """Return the mean loss in nats, of a right word and its noise together."""
        return {"loss": mean_loss(self.graph, self.eval_batches(split), self.device, limit=limit)}

    def table(self):
        """Return the vectors of all words but special tokens, a `gluon_rnn.answers.vector_table.VectorTable`."""
        return self.predictor_class(None, self.config, self.model, self.assets).table

    def report(self, path, limit=None):
        """Evaluate, and write vectors and neighbours; see `gluon_rnn.tasks.word_vectors.report`."""
        return report(self, path, limit)

    @property
    def loss_label(self):
        """Nats per pair of words, or per word."""
        return f"nats per {self.unit}"

    def describe(self):
        """Return what the data are, in words and numbers."""
        sizes = ", ".join(f"{split} {len(words):,}" for split, (words, _) in self._streams.items())
        return (f"{self.config.data.name}: {sizes} words, vocabulary {len(self.data.vocab):,}; "
                f"{self.train_batches(0).groups.size:,} words in the first epoch")
