"""What a trained language model answers: text that it writes, token by token."""
import itertools
import json
from dataclasses import dataclass
from typing import Any

import gluonnlp
import mxnet as mx
import numpy as np

from gluon_rnn.data.text import encode, tokenize
from gluon_rnn.inference.sampling import sample
from gluon_rnn.tasks.predictor import Predictor

__all__ = ["LanguageModelPredictor", "TextAssets", "stream_text"]


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


class LanguageModelPredictor(Predictor):
    """A language model and its vocabulary."""

    assets_class = TextAssets
    size_names = ("vocab_size",)

    @classmethod
    def sizes(cls, assets):
        """Return the size of the vocabulary."""
        return {"vocab_size": len(assets.vocab)}

    @classmethod
    def named_axes(cls, assets, model):
        """Return which rows of embedding and output layer are which tokens."""
        rows = {"embedding_weight": assets.vocab.idx_to_token, **model.output.named_rows(assets.vocab.idx_to_token)}
        return {name: [(assets.unit, tokens)] for name, tokens in rows.items()}

    def arrays(self):
        """Return the parameters, and ``embedding_weight`` where the output layer keeps it in clusters."""
        found = super().arrays()
        return found if "embedding_weight" in found else {**found, "embedding_weight": self.model.embedding()}

    def predict(self, prefix="", length=300, **options):
        """Return `prefix` and its continuation by `length` tokens; `options` are those of `stream_text`."""
        return "".join(stream_text(self.model, self.assets, length, prefix, **options))

    def answer(self, item, folder, number=1):
        """Return the line and its continuation."""
        return self.predict(item)

    def export_arguments(self):
        """Return token ids (T, N) that the vocabulary has, and what turns ids into text."""
        vocab = self.assets.vocab
        example = mx.nd.array(np.arange(16).reshape(8, 2) % len(vocab), dtype="int32")
        return {"example": example, "vocab": vocab, "unit": self.assets.unit, "separator": self.assets.separator}


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
    tokens = tokenize(prefix, assets.unit)
    ids = encode(tokens, vocab, "the prefix") if tokens else []
    unknown = [] if vocab.unknown_token is None else [vocab.token_to_idx[vocab.unknown_token]]
    drawn = sample(model, vocab, ids, length, exclude=unknown, **options)
    for number, token in enumerate(itertools.chain(tokens, (vocab.idx_to_token[index] for index in drawn))):
        yield separator + token if number else token
