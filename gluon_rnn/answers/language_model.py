"""Language models: text that a model writes, token by token."""
import itertools
import json
from dataclasses import dataclass
from typing import Any

from gluon_rnn.answers.pipeline import Pipeline
from gluon_rnn.answers.sampling import sample
from gluon_rnn.answers.streaming import require_one
from gluon_rnn.answers.text import encode, tokenize
from gluon_rnn.answers.vocabulary import Vocabulary

__all__ = ["LanguageModelPipeline", "TextAssets"]


@dataclass
class TextAssets:
    """What turns the ids of a language model into text: vocabulary, unit ("character" or "word"), separator."""

    vocab: Any
    unit: str
    separator: str

    #: the class of vocabulary that `from_texts` makes; a plain attribute, no field
    vocabulary_class = Vocabulary

    def texts(self):
        """Return the two files."""
        return {"vocab.json": self.vocab.to_json(),
                "text.json": json.dumps({"unit": self.unit, "separator": self.separator})}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        return cls(cls.vocabulary_class.from_json(read("vocab.json")), **json.loads(read("text.json")))


class LanguageModelPipeline(Pipeline):
    """A beginning in, text out.

    The network "model" takes token ids (T, N) int32, and its outputs are logits (T, N, V). There are no options.
    """

    task = "language_model"
    assets_class = TextAssets

    def write(self, length, prefix="", exclude=(), **options):
        """Yield the prefix and then `length` tokens that the model writes, pieces that join to the text.

        Parameters
        ----------
        length : int
            Tokens to write.
        prefix : str
            Text to continue.
        exclude : sequence of int
            Token ids that are never drawn, beside that of the unknown token.
        options
            `temperature`, `top_k`, `top_p`, `seed` of `gluon_rnn.answers.sampling.sample`.
        """
        vocab, separator = self.assets.vocab, self.assets.separator
        tokens = tokenize(prefix, self.assets.unit)
        ids = encode(tokens, vocab, "the prefix") if tokens else []
        unknown = [] if vocab.unknown_token is None else [vocab.token_to_idx[vocab.unknown_token]]
        drawn = sample(require_one(self.models), vocab, ids, length, exclude=[*unknown, *exclude], **options)
        for number, token in enumerate(itertools.chain(tokens, (vocab.idx_to_token[index] for index in drawn))):
            yield separator + token if number else token

    def predict(self, prefix="", length=300, **options):
        """Return `prefix` and its continuation by `length` tokens; `options` are those of `write`."""
        return "".join(self.write(length, prefix, **options))

    def answer(self, item, folder=None, number=1):
        """Return the line and its continuation."""
        return self.predict(item)
