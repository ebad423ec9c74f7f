"""What a trained tagger answers: a tag for each word."""
import json
from dataclasses import dataclass

import mxnet as mx
import numpy as np
from gluonnlp import Vocab

from gluon_rnn import config as configuration
from gluon_rnn.data import TagEncoder
from gluon_rnn.data.spellings import grouped_spellings
from gluon_rnn.inference import streaming
from gluon_rnn.registry import encoders
from gluon_rnn.tasks.predictor import Predictor
from gluon_rnn.tasks.tagging.batches import collate

__all__ = ["Tagging", "TaggingAssets", "TaggingPredictor"]


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


class TaggingPredictor(Predictor):
    """A tagger and what turns words into ids and ids into tags.

    Encoders are bidirectional unless the recipe says ``bidirectional: false``.
    """

    assets_class = TaggingAssets
    size_names = ("num_labels", "vocab_size", "char_vocab_size")

    @classmethod
    def plan_model(cls, section):
        """Return the `ModelPlan` of a recipe's `model` section, its encoders built."""
        return super().plan_model(_in_both_directions(section))

    @classmethod
    def sizes(cls, assets):
        """Return the number of tags, and the sizes of the vocabularies of words and of letters."""
        encoder = assets.encoder
        return {"num_labels": len(encoder.tags), "vocab_size": len(encoder.words),
                "char_vocab_size": len(encoder.chars)}

    @classmethod
    def named_axes(cls, assets, model):
        """Return what is a word, a character or a label in embeddings, output layer and CRF."""
        encoder = assets.encoder
        labels = ("label", encoder.tags)
        return {"word_embedding.weight": [("word", encoder.words.idx_to_token)],
                "spelling.embedding.weight": [("character", encoder.chars.idx_to_token)],
                "output_weight": [labels], "output_bias": [labels], "crf.begin_weight": [labels],
                "crf.end_weight": [labels], "crf.transition_weight": [labels, labels]}

    def predict(self, text):
        """Return the tags of a sentence, words with spaces between them, as a `Tagging`; a list of them for a list."""
        if not isinstance(text, str):
            return [self.predict(sentence) for sentence in text]
        words, encoder = text.split(), self.assets.encoder
        if not words:
            return Tagging([], [])
        inputs, valid_length, *spelling = self._arrays(words)
        best = self.model.decode(self.model(inputs, None, valid_length, *spelling), valid_length)
        return Tagging(words, [encoder.tags[int(tag)] for tag in best.asnumpy()[:, 0]])

    def stream(self, words):
        """Yield the tag of each of `words` before the next one is read.

        Raises
        ------
        ValueError
            If the tags depend on later words: the encoder reads backwards too, or there is a CRF.
        """
        streaming.require_causal(self.model, "train one with model.encoder.bidirectional=false")
        if self.model.crf is not None:
            raise ValueError("a CRF tags a sentence as a whole, so it cannot answer word by word; train without it")
        pieces = ((inputs, *spelling) for inputs, _, *spelling in (self._arrays([word]) for word in words))
        for scores in streaming.outputs(self.model, pieces):
            yield self.assets.encoder.tags[int(self.model.decode(scores).asnumpy()[0, 0])]

    def export_arguments(self):
        """Return an example of word ids (T, N) and the vocabulary; ValueError for a model that spells words."""
        if self.model.spelling is not None:
            raise ValueError("a tagger with a char_encoder takes characters as well, which a bundle has no input for; "
                             "train one on words only to export it")
        vocab = self.assets.encoder.words
        return {"example": mx.nd.array(np.arange(16).reshape(8, 2) % len(vocab), dtype="int32"), "vocab": vocab,
                "unit": "word", "separator": " ", "extras": {"tags": self.assets.encoder.tags}}

    def answer(self, item, folder, number=1):
        """Return the sentence with its tags under its words."""
        return str(self.predict(item))

    def stream_answers(self, item):
        """Yield each word with its tag."""
        words = item.split()
        return (f"{word}\t{tag}" for word, tag in zip(words, self.stream(words)))

    def _arrays(self, words):
        """Return words (T, 1), their number (1,) and, for a model that spells, their `grouped_spellings`."""
        encoder = self.assets.encoder
        encoded = (encoder.word_ids(words), np.zeros(len(words), np.int32), [encoder.spell(word) for word in words])
        spell = None if self.model.spelling is None else grouped_spellings
        inputs, valid_length, _, *spelling = collate([encoded], spell).arrays
        return inputs, valid_length, *spelling


def _in_both_directions(section):
    """Return the model section with ``bidirectional: true`` in encoders that know it and are not told otherwise."""
    arguments = section.arguments
    for key in ("encoder", "char_encoder"):
        part = arguments.get(key)
        if isinstance(part, dict) and part.get("name") in encoders.names() \
                and "bidirectional" in encoders.parameters(part["name"]):
            arguments[key] = {"bidirectional": True, **part}
    return configuration.Model(name=section.name, **arguments)
