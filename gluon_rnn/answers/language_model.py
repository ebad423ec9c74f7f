"""Language models: text that a model writes, token by token."""
import itertools
import json

from gluon_rnn.answers.pipeline import Pipeline
from gluon_rnn.answers.sampling import sample
from gluon_rnn.answers.streaming import require_one
from gluon_rnn.answers.text import encode, tokenize
from gluon_rnn.answers.vocabulary import Vocabulary

__all__ = ["LanguageModelPipeline"]


class LanguageModelPipeline(Pipeline):
    """A beginning in, text out.

    Parameters
    ----------
    network : Network
        Token ids (T, N) int32 to logits (T, N, V).
    vocab : Vocabulary
    unit : {"character", "word"}
    separator : str
        What stands between tokens.

    Notes
    -----
    There are no options.
    """

    task = "language_model"

    def __init__(self, network, vocab, unit, separator):
        self._network, self._vocab, self._unit, self._separator = network, vocab, unit, separator

    @classmethod
    def open(cls, networks, read, options):
        """Return the pipeline for the files vocab.json and text.json."""
        cls.checked_options(options)
        network = require_one(cls.networks_of(networks))
        return cls(network, Vocabulary.from_json(read("vocab.json")), **json.loads(read("text.json")))

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
        vocab = self._vocab
        tokens = tokenize(prefix, self._unit)
        ids = encode(tokens, vocab, "the prefix") if tokens else []
        unknown = [] if vocab.unknown_token is None else [vocab.token_to_idx[vocab.unknown_token]]
        drawn = sample(self._network, vocab, ids, length, exclude=[*unknown, *exclude], **options)
        for number, token in enumerate(itertools.chain(tokens, (vocab.idx_to_token[index] for index in drawn))):
            yield self._separator + token if number else token

    def predict(self, prefix="", length=300, **options):
        """Return `prefix` and its continuation by `length` tokens; `options` are those of `write`."""
        return "".join(self.write(length, prefix, **options))

    def answer(self, item, folder=None, number=1):
        """Return the line and its continuation."""
        return self.predict(item)
