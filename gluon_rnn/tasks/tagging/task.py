"""The task "tagging": a tag for each word of a sentence, and its accuracy."""
import collections
import itertools

import mxnet as mx
import numpy as np
from gluonnlp import Vocab
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn import runtime
from gluon_rnn.config import ConfigError
from gluon_rnn.data import TagEncoder
from gluon_rnn.data.batching import BucketedBatches
from gluon_rnn.data.spellings import dense_spellings, grouped_spellings
from gluon_rnn.parts import build_data
from gluon_rnn.registry import tasks
from gluon_rnn.tasks.tagging.batches import collate
from gluon_rnn.tasks.tagging.loss import TaggingLoss, tagging_loss
from gluon_rnn.tasks.tagging.predictor import TaggingAssets, TaggingPredictor
from gluon_rnn.tasks.tagging.report import report
from gluon_rnn.tasks.task import Task

__all__ = ["TaggingTask"]


class TaggingData(configuration.Data):
    """How sentences are put into batches."""

    eval_batch_size: int = Field(64, ge=1)
    num_buckets: int = Field(50, ge=1)
    # In training a word that occurs n times is made unknown with probability a / (a + n): Kiperwasser & Goldberg (2016)
    unknown_alpha: float = Field(0.0, ge=0)


@tasks.register("tagging")
class TaggingTask(Task):
    """One tag for each word."""

    default_model = "tagger"
    predictor_class = TaggingPredictor
    data_section = TaggingData
    default_data = "conllu"
    unit = "word"
    selection = ("accuracy", "max")

    def __init__(self, config):
        super().__init__(config)
        self.data = build_data(config.data)
        if not isinstance(getattr(self.data, "encoder", None), TagEncoder):
            raise ConfigError(f"data.name: the task 'tagging' needs sentences with a tag for each word, and "
                              f"{config.data.name!r} has none; use conllu")
        self.assets = TaggingAssets(self.data.encoder)
        self.model = self.build_model()
        self.graph = TaggingLoss(self.model)
        self.encoded = {split: [self._encode(*sentence) for sentence in self.data.sequences(split)]
                        for split in self.data.splits}

    def _encode(self, words, tags):
        encoder = self.data.encoder
        return encoder.word_ids(words), encoder.tag_ids(tags), [encoder.spell(word) for word in words]

    @classmethod
    def example_sizes(cls, config):
        """Return the sizes of small vocabularies and two tags."""
        vocab = Vocab(collections.Counter("a"))
        return TaggingPredictor.sizes(TaggingAssets(TagEncoder(vocab, vocab, ["A", "B"])))

    @property
    def loss_label(self):
        """Nats per word."""
        return "nats per word"

    def describe(self):
        """Return what the data are, in words and numbers."""
        sizes = ", ".join(f"{split} {len(sentences):,} sentences of {sum(len(s.words) for s in sentences):,} words"
                          for split, sentences in ((split, self.data.sequences(split)) for split in self.data.splits))
        repeated = ", ".join(f"{count} of {split}" for split, count in self.data.duplicates.items())
        batches = self.train_batches(0)
        return (f"{self.config.data.name}: {sizes} ({repeated} are in train too); {len(self.data.encoder.words):,} "
                f"words, {len(self.data.encoder.tags)} tags; padding {batches.waste:.1%}, "
                f"{batches.unbucketed_waste:.1%} without buckets")

    # ---- batches and scores ------------------------------------------------------------------------------------------

    def train_batches(self, epoch):
        """Return the training batches of `epoch`; some rare words unknown where the recipe says so."""
        section, sentences = self.config.data, self.encoded["train"]
        if section.unknown_alpha:
            sentences = self._with_unknown(sentences, section.unknown_alpha, [self.config.seed, epoch, 1])
        return self._batches(sentences, section.batch_size, [self.config.seed, epoch])

    def eval_batches(self, split):
        """Return the batches of a split for evaluation."""
        return self._batches(self.encoded[split], self.config.data.eval_batch_size)

    def _batches(self, sentences, batch_size, seed=None):
        spell = self._spell()
        return BucketedBatches([len(words) for words, _, _ in sentences],
                               lambda rows, number, random: collate([sentences[row] for row in rows], spell),
                               batch_size, self.config.data.num_buckets, order_seed=seed)

    def _spell(self):
        """Return what makes arrays of the letters of words, None for a model that does not spell."""
        if self.model.spelling is None:
            return None
        return grouped_spellings if runtime.pieces(self.config.device) == 1 else dense_spellings

    def _with_unknown(self, sentences, alpha, seed):
        counts = np.bincount(np.concatenate([words for words, _, _ in sentences]),
                             minlength=len(self.data.encoder.words))
        rate, random = alpha / (alpha + np.maximum(counts, 1)), np.random.default_rng(seed)
        unknown = self.data.encoder.words.token_to_idx[self.data.encoder.words.unknown_token]
        return [(np.where(random.random(len(words)) < rate[words], np.int32(unknown), words), tags, spelling)
                for words, tags, spelling in sentences]

    def evaluate(self, split, limit=None):
        """Return the loss in nats per word, the accuracy, and that of words which the vocabulary lacks."""
        loss, found = self.tag_split(split, limit)
        return {"loss": loss / sum(map(len, found.values())), **self.accuracies(split, found)}

    def tag_split(self, split, limit):
        """Return the summed loss, and {number of a sentence: ids of its tags by the model}."""
        batches, loss, found = self.eval_batches(split), 0.0, {}
        for indices, batch in itertools.islice(zip(batches.groups, batches), limit):
            words, valid_length, tags, *spelling = (array.as_in_context(self.device) for array in batch.arrays)
            scores = self.model(words, None, valid_length, *spelling)
            loss += float(tagging_loss(mx.nd, self.model, scores, tags, valid_length).asscalar())
            best = self.model.decode(scores, valid_length).asnumpy().astype(np.int32)
            found.update((index, best[:len(self.encoded[split][index][0]), row])
                         for row, index in enumerate(indices))
        return loss, found

    def accuracies(self, split, found):
        """Return the share of right tags among all words and among unknown ones, of the sentences `found`."""
        sentences = self.encoded[split]
        right = np.concatenate([tags == sentences[index][1] for index, tags in found.items()])
        unknown = self.data.encoder.words.token_to_idx[self.data.encoder.words.unknown_token]
        is_unknown = np.concatenate([sentences[index][0] == unknown for index in found])
        return {"accuracy": float(right.mean()),
                "unknown_accuracy": float(right[is_unknown].mean()) if is_unknown.any() else 1.0}

    def report(self, path, limit=None):
        """Evaluate beside the most frequent tag of each word; write ``predictions.tsv`` and the usual confusions."""
        return report(self, path, limit)
