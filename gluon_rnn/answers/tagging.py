"""Answers of a tagger: a tag for each word of a sentence."""
import json
from dataclasses import dataclass

import numpy as np

from gluon_rnn.answers import streaming
from gluon_rnn.answers.checks import check_sizes, texts_of
from gluon_rnn.answers.padding import pad
from gluon_rnn.answers.pipeline import Pipeline, batches_of
from gluon_rnn.answers.spellings import dense_spellings, grouped_spellings
from gluon_rnn.answers.tags import TagEncoder
from gluon_rnn.answers.vocabulary import Vocabulary
from gluon_rnn.registry import suggest

__all__ = ["SPELLINGS", "Tagging", "TaggingAssets", "TaggingPipeline"]

#: arrays of characters that a network takes, by the name of the option `spelling`
SPELLINGS = {"grouped": grouped_spellings, "dense": dense_spellings}


@dataclass
class TaggingAssets:
    """What turns words into ids and ids into tags."""

    encoder: TagEncoder

    #: the class of vocabularies that `from_texts` makes; a plain attribute, no field
    vocabulary_class = Vocabulary

    def texts(self):
        """Return the three files."""
        encoder = self.encoder
        rest = {"tags": encoder.tags, "lowercase": encoder.lowercase, "max_word_length": encoder.max_word_length}
        return {"words.json": encoder.words.to_json(), "chars.json": encoder.chars.to_json(),
                "tags.json": json.dumps(rest)}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        words, chars = (cls.vocabulary_class.from_json(read(name)) for name in ("words.json", "chars.json"))
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


class TaggingPipeline(Pipeline):
    """A tagger, and what turns words into ids and ids into tags.

    The network "model" takes words (T, N) and, where it spells them, characters: with the option ``spelling="grouped"``
    places (T, N) and, for each group of words, characters (M_g, W_g) and lengths (W_g,); with "dense" characters
    (T, N, M) and lengths (T, N). See `gluon_rnn.answers.spellings`. Its outputs are scores (T, N, K), of which the
    largest of each word is taken; or, with a CRF, scores and the best labels (T, N).
    """

    task = "tagging"
    assets_class = TaggingAssets
    option_names = ("spelling",)

    def __init__(self, networks, assets, options=None):
        super().__init__(networks, assets, options)
        kind = self.options.get("spelling")
        if kind not in (None, *SPELLINGS):
            raise ValueError(f"spelling must be null, 'grouped' or 'dense', got {kind!r}; {suggest(kind, SPELLINGS)}")
        self._spell = SPELLINGS.get(kind)

    def predict(self, text, batch_size=100):
        """Return the tags of a sentence, words with spaces between them, as a `Tagging`; a list of them for a list.

        `batch_size` is the number of sentences that the network takes in one call. ValueError for what is no text.
        """
        check_sizes(batch_size=batch_size)
        if isinstance(text, str):
            return self.predict([text])[0]
        sentences = [sentence.split() for sentence in texts_of(text, "sentence")]
        tags, model = [], streaming.require_one(self.models)
        for batch in batches_of([words for words in sentences if words], batch_size):
            inputs, *others = self._arrays(batch)
            labels = _labels(model.outputs(inputs, *others))
            tags += [self._named(labels[:len(words), row]) for row, words in enumerate(batch)]
        found = iter(tags)
        return [Tagging(words, next(found) if words else []) for words in sentences]

    def stream(self, words):
        """Yield the tag of each of `words` before the next one is read.

        Raises
        ------
        ValueError
            If the tags depend on later words: the encoder reads backwards too, or there is a CRF.
        """
        model = streaming.require_one(self.models)
        streaming.require_causal(model, "train one with model.encoder.bidirectional=false")
        pieces = ((inputs, *spelling) for inputs, _, *spelling in (self._arrays([[word]]) for word in words))
        for outputs in streaming.outputs(model, pieces):
            if isinstance(outputs, tuple):
                raise ValueError("a CRF tags a sentence as a whole, so it cannot answer word by word; train without it")
            yield self._named(_labels(outputs)[0])[0]

    def answer(self, item, folder=None, number=1):
        """Return the sentence with its tags under its words."""
        return str(self.predict(item))

    def answer_line(self, item, folder=None, number=1):
        """Return the sentence in one line, each word with its tag: ``the/DET cat/NOUN``."""
        found = self.predict(item)
        return " ".join(f"{word}/{tag}" for word, tag in zip(found.words, found.tags))

    def stream_answers(self, item):
        """Yield each word with its tag."""
        words = item.split()
        return (f"{word}\t{tag}" for word, tag in zip(words, self.stream(words)))

    def _arrays(self, sentences):
        """Return words (T, N), their numbers (N,) and, for a network that spells, the arrays of their characters."""
        encoder = self.assets.encoder
        inputs, valid_length = pad([encoder.word_ids(words) for words in sentences])
        if self._spell is None:
            return inputs, valid_length
        spelled = self._spell([[encoder.spell(word) for word in words] for words in sentences], len(inputs))
        return inputs, valid_length, *spelled

    def _named(self, labels):
        return [self.assets.encoder.tags[int(label)] for label in labels]


def _labels(outputs):
    """Return labels (T, N) of a network's outputs: those of its CRF, or the largest scores of each word."""
    return outputs[1] if isinstance(outputs, tuple) else np.asarray(outputs).argmax(axis=2)
