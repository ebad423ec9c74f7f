"""The task "tagging": a tag for each word of a sentence, its accuracy, and what the most frequent tag reaches."""
import collections
import itertools
import json
from dataclasses import dataclass

import mxnet as mx
import numpy as np
from gluonnlp import Vocab
from mxnet import gluon
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn import parts, runtime
from gluon_rnn.config import ConfigError
from gluon_rnn.data import Buckets, TagEncoder, pad
from gluon_rnn.data.batching import Batch
from gluon_rnn.data.spellings import dense_spellings, grouped_spellings
from gluon_rnn.inference import streaming
from gluon_rnn.nn import lengths
from gluon_rnn.registry import datasets, encoders, tasks
from gluon_rnn.tasks.task import Report, Task

__all__ = ["MostFrequentTag", "Tagging", "TaggingTask", "tagging_loss"]


class TaggingData(configuration.Data):
    """How sentences are put into batches."""

    eval_batch_size: int = Field(64, ge=1)
    num_buckets: int = Field(50, ge=1)
    # In training a word that occurs n times is made unknown with probability a / (a + n): Kiperwasser & Goldberg (2016)
    unknown_alpha: float = Field(0.0, ge=0)


@dataclass
class TaggingAssets:
    """What turns words into ids and ids into tags."""

    encoder: TagEncoder

    def texts(self):
        """Return the three files."""
        encoder = self.encoder
        rest = {"tags": encoder.tags, "lowercase": encoder.lowercase, "max_word_length": encoder.max_word_length}
        return {"words.json": encoder.words.to_json(), "chars.json": encoder.chars.to_json(),
                "tags.json": json.dumps(rest)}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        words, chars = (Vocab.from_json(read(name)) for name in ("words.json", "chars.json"))
        return cls(TagEncoder(words, chars, **json.loads(read("tags.json"))))


@dataclass
class Tagging:
    """Words of a sentence and their tags, two lists; as text, each tag stands under its word."""

    words: list
    tags: list

    def __str__(self):
        widths = [max(len(word), len(tag)) for word, tag in zip(self.words, self.tags)]
        return "\n".join(" ".join(f"{text:{width}}" for text, width in zip(row, widths)).rstrip()
                         for row in (self.words, self.tags))


def tagging_loss(F, model, scores, tags, valid_length):
    """Return the negative log-likelihood of `tags` (T, N), summed over all rows, in nats.

    With the model's CRF it is that of whole label sequences, else the cross-entropy of each word's tag.
    """
    if model.crf is not None:
        return F.sum(model.crf(scores, tags, valid_length))
    tags = lengths.mask(F, tags, valid_length)
    return -F.sum(lengths.mask(F, F.pick(F.log_softmax(scores), tags), valid_length))


class TaggingLossGraph(gluon.HybridBlock):
    """A tagger and its loss in one graph.

    Inputs/Outputs
    --------------
    words (T, N), valid_length (N,), tags (T, N) and, for a model that spells, what its call takes
    -> summed negative log-likelihood in nats, shape (1,).
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def hybrid_forward(self, F, words, valid_length, tags, *spelling):
        return tagging_loss(F, self.model, self.model(words, None, valid_length, *spelling), tags, valid_length)


@tasks.register("tagging")
class TaggingTask(Task):
    """One tag for each word; encoders are bidirectional unless the recipe says ``bidirectional: false``."""

    default_model = "tagger"
    data_section = TaggingData
    assets_class = TaggingAssets
    unit = "word"
    selection = ("accuracy", "max")

    def __init__(self, config):
        super().__init__(config)
        self.data = parts.build_part("data", datasets, config.data)
        if not isinstance(getattr(self.data, "encoder", None), TagEncoder):
            raise ConfigError(f"data.name: the task 'tagging' needs sentences with a tag for each word, and "
                              f"{config.data.name!r} has none; use conllu")
        self.assets = TaggingAssets(self.data.encoder)
        self.model = self.build_model(config.model, self.assets)
        self.graph = TaggingLossGraph(self.model)
        self._encoded = {split: [self._encode(*sentence) for sentence in self.data.sequences(split)]
                         for split in self.data.splits}

    def _encode(self, words, tags):
        encoder = self.data.encoder
        return encoder.word_ids(words), encoder.tag_ids(tags), [encoder.spell(word) for word in words]

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        vocab = Vocab(collections.Counter("a"))
        cls.build_model(config.model, TaggingAssets(TagEncoder(vocab, vocab, ["A", "B"])))

    @classmethod
    def build_model(cls, section, assets):
        """Return the model of a recipe's `model` section, not initialised."""
        encoder = assets.encoder
        return parts.build_model(_in_both_directions(section), num_labels=len(encoder.tags),
                                 vocab_size=len(encoder.words), char_vocab_size=len(encoder.chars))

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
        section, sentences = self.config.data, self._encoded["train"]
        if section.unknown_alpha:
            sentences = self._with_unknown(sentences, section.unknown_alpha, [self.config.seed, epoch, 1])
        return Sentences(sentences, section.batch_size, section.num_buckets, self._spell(),
                         [self.config.seed, epoch])

    def eval_batches(self, split):
        """Return the batches of a split for evaluation."""
        section = self.config.data
        return Sentences(self._encoded[split], section.eval_batch_size, section.num_buckets, self._spell())

    def _spell(self):
        """Return what makes arrays of the letters of words, None for a model that does not spell."""
        if self.model.spelling is None:
            return None
        return grouped_spellings if len(runtime.devices(self.config.device)) == 1 else dense_spellings

    def _with_unknown(self, sentences, alpha, seed):
        counts = np.bincount(np.concatenate([words for words, _, _ in sentences]),
                             minlength=len(self.data.encoder.words))
        rate, random = alpha / (alpha + np.maximum(counts, 1)), np.random.default_rng(seed)
        unknown = self.data.encoder.words.token_to_idx[self.data.encoder.words.unknown_token]
        return [(np.where(random.random(len(words)) < rate[words], np.int32(unknown), words), tags, spelling)
                for words, tags, spelling in sentences]

    def evaluate(self, split, limit=None):
        """Return the loss in nats per word, the accuracy, and that of words which the vocabulary lacks."""
        loss, found = self._tag_split(split, limit)
        return {"loss": loss / sum(map(len, found.values())), **self._accuracies(split, found)}

    def _tag_split(self, split, limit):
        """Return the summed loss, and {number of a sentence: ids of its tags by the model}."""
        device = self.graph.collect_params().list_ctx()[0]
        batches, loss, found = self.eval_batches(split), 0.0, {}
        for indices, batch in itertools.islice(zip(batches.indices, batches), limit):
            words, valid_length, tags, *spelling = (array.as_in_context(device) for array in batch.arrays)
            scores = self.model(words, None, valid_length, *spelling)
            loss += float(tagging_loss(mx.nd, self.model, scores, tags, valid_length).asscalar())
            best = self.model.decode(scores, valid_length).asnumpy().astype(np.int32)
            found.update((index, best[:len(self._encoded[split][index][0]), row])
                         for row, index in enumerate(indices))
        return loss, found

    def _accuracies(self, split, found):
        """Return the share of right tags among all words and among unknown ones, of the sentences `found`."""
        sentences = self._encoded[split]
        right = np.concatenate([tags == sentences[index][1] for index, tags in found.items()])
        unknown = self.data.encoder.words.token_to_idx[self.data.encoder.words.unknown_token]
        is_unknown = np.concatenate([sentences[index][0] == unknown for index in found])
        return {"accuracy": float(right.mean()),
                "unknown_accuracy": float(right[is_unknown].mean()) if is_unknown.any() else 1.0}

    def report(self, path, limit=None):
        """Evaluate beside the most frequent tag of each word; write ``predictions.tsv`` and the usual confusions."""
        split, tags = self.final_split, self.data.encoder.tags
        loss, found = self._tag_split(split, limit)
        scores = {"loss": loss / sum(map(len, found.values())), **self._accuracies(split, found)}
        simple = MostFrequentTag(self._encoded["train"], len(self.data.encoder.words))
        guessed = {index: simple(self._encoded[split][index][0]) for index in found}
        rows = [(word, gold, tags[best]) for index in sorted(found)
                for word, gold, best in zip(*self.data.sequences(split)[index], found[index])]
        lines = ["word\ttag\tpredicted", *("\t".join(row) for row in rows)]
        (path / "predictions.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return Report(split, scores, {"most frequent tag of each word": self._accuracies(split, guessed)},
                      _confusions(rows))

    # ---- use ---------------------------------------------------------------------------------------------------------

    @staticmethod
    def predict(run, text):
        """Return the tags of a sentence, words with spaces between them, as a `Tagging`; a list of them for a list."""
        if not isinstance(text, str):
            return [TaggingTask.predict(run, sentence) for sentence in text]
        words, encoder = text.split(), run.assets.encoder
        if not words:
            return Tagging([], [])
        inputs, valid_length, *spelling = _arrays(run, words)
        best = run.model.decode(run.model(inputs, None, valid_length, *spelling), valid_length)
        return Tagging(words, [encoder.tags[int(tag)] for tag in best.asnumpy()[:, 0]])

    @staticmethod
    def stream(run, words):
        """Yield the tag of each of `words` before the next one is read.

        Raises
        ------
        ValueError
            If the tags depend on later words: the encoder reads backwards too, or there is a CRF.
        """
        streaming.require_causal(run.model, "train one with model.encoder.bidirectional=false")
        if run.model.crf is not None:
            raise ValueError("a CRF tags a sentence as a whole, so it cannot answer word by word; train without it")
        pieces = ((inputs, *spelling) for inputs, _, *spelling in (_arrays(run, [word]) for word in words))
        for scores in streaming.outputs(run.model, pieces):
            yield run.assets.encoder.tags[int(run.model.decode(scores).asnumpy()[0, 0])]

    @staticmethod
    def export_arguments(run):
        """Return an example of word ids (T, N) and the vocabulary; ValueError for a model that spells words."""
        if run.model.spelling is not None:
            raise ValueError("a tagger with a char_encoder takes characters as well, which a bundle has no input for; "
                             "train one on words only to export it")
        vocab = run.assets.encoder.words
        return {"example": mx.nd.array(np.arange(16).reshape(8, 2) % len(vocab), dtype="int32"), "vocab": vocab,
                "unit": "word", "separator": " ", "extras": {"tags": run.assets.encoder.tags}}


def _arrays(run, words):
    """Return words (T, 1), their number (1,) and, for a model that spells, their `grouped_spellings`."""
    encoder = run.assets.encoder
    encoded = (encoder.word_ids(words), np.zeros(len(words), np.int32), [encoder.spell(word) for word in words])
    batch, = Sentences([encoded], 1, 1, None if run.model.spelling is None else grouped_spellings)
    inputs, valid_length, _, *spelling = batch.arrays
    return inputs, valid_length, *spelling


class Sentences:
    """Encoded sentences as `Batch`es of words (T, N), lengths (N,), tags (T, N) [and spellings].

    Parameters
    ----------
    sentences : list of (word ids (T,), tag ids (T,), list of T arrays of character ids)
    batch_size, num_buckets, seed
        As in `gluon_rnn.data.Buckets`.
    spell : callable, optional
        Gives arrays of characters too: one of `gluon_rnn.data.spellings`, of which only the dense ones can be split
        over several devices.

    Attributes
    ----------
    indices : gluon_rnn.data.Buckets
        Which sentences are in each batch.
    """

    def __init__(self, sentences, batch_size, num_buckets, spell=None, seed=None):
        self._sentences, self._spell = sentences, spell
        self.indices = Buckets([len(words) for words, _, _ in sentences], batch_size, num_buckets, seed=seed)

    @property
    def waste(self):
        """Share of padding among words."""
        return self.indices.waste

    @property
    def unbucketed_waste(self):
        """Share of padding among words without buckets."""
        return self.indices.unbucketed_waste

    def __len__(self):
        return len(self.indices)

    def __iter__(self):
        for indices in self.indices:
            chosen = [self._sentences[index] for index in indices]
            words, valid_length = pad([words for words, _, _ in chosen])
            arrays = [words, valid_length, pad([tags for _, tags, _ in chosen])[0]]
            axes = (1, 0, 1)
            if self._spell is not None:
                spelled = self._spell([spelling for _, _, spelling in chosen], len(words))
                arrays += spelled
                axes += tuple(min(1, array.ndim - 1) for array in spelled)
            yield Batch(tuple(mx.nd.array(array, dtype=array.dtype) for array in arrays), axes,
                        int(valid_length.sum()))


class MostFrequentTag:
    """The baseline: each word gets its most frequent tag, an unknown one that of the words which occur once.

    Parameters
    ----------
    sentences : list of (word ids, tag ids, ...)
        The training split, encoded.
    vocab_size : int
    """

    def __init__(self, sentences, vocab_size):
        words, tags = (np.concatenate(column) for column in list(zip(*sentences))[:2])
        counts = np.zeros((vocab_size, tags.max() + 1), np.int64)
        np.add.at(counts, (words, tags), 1)
        rare = counts[counts.sum(axis=1) == 1].sum(axis=0)
        unseen = np.argmax(rare if rare.any() else counts.sum(axis=0))
        self._best = np.where(counts.any(axis=1), counts.argmax(axis=1), unseen)

    def __call__(self, words):
        """Return the tags of a sentence's words, (T,)."""
        return self._best[words]


def _confusions(rows, count=10):
    """Return the most frequent mistakes as text, from rows of (word, tag, predicted tag)."""
    wrong = collections.Counter((tag, predicted) for _, tag, predicted in rows if tag != predicted)
    return "most frequent confusions: " + ", ".join(f"{tag} taken for {predicted} {number}"
                                                    for (tag, predicted), number in wrong.most_common(count))


def _in_both_directions(section):
    """Return the model section with ``bidirectional: true`` in encoders that know it and are not told otherwise."""
    arguments = section.arguments
    for key in ("encoder", "char_encoder"):
        part = arguments.get(key)
        if isinstance(part, dict) and part.get("name") in encoders.names() \
                and "bidirectional" in encoders.parameters(part["name"]):
            arguments[key] = {"bidirectional": True, **part}
    return configuration.Model(name=section.name, **arguments)
