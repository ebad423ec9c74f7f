"""Sentences as subwords learnt from the training text: no token is unknown, and rare words share their parts.

The subwords are those of a unigram language model by sentencepiece. In training, subword regularisation can draw one of
the possible segmentations of a sentence in each epoch instead of the most probable one.

References
----------
Kudo (2018), Subword regularization: improving neural network translation models with multiple subword candidates.
Kudo & Richardson (2018), SentencePiece: a simple and language independent subword tokenizer and detokenizer.
"""
import base64
import io

from gluon_rnn.answers.sentences import SentenceTokenizer, normalise

__all__ = ["SubwordTokenizer", "tokenizer_of"]

_SPACE = "\u2581"      # what sentencepiece writes in place of a space


class SubwordTokenizer:
    """Tokenizer of sentences into subwords, and its inverse; made by `fit`.

    Parameters
    ----------
    model : bytes
        A sentencepiece model.
    lower : bool, default False
        Whether letters are made small.

    Examples
    --------
    >>> text = ["low lower lowest", "new newer newest", "wide wider widest"] * 20
    >>> tokenizer = SubwordTokenizer.fit(text, 20)
    >>> tokenizer.join(tokenizer.split("wider  lowest"))
    'wider lowest'
    """

    unit = "subword"

    def __init__(self, model, lower=False):
        self.model, self.lower = model, lower
        self._processor = _sentencepiece().SentencePieceProcessor(model_proto=model)

    @classmethod
    def fit(cls, sentences, size, lower=False):
        """Return the tokenizer of at most `size` pieces learnt from `sentences`, an iterable of str.

        Raises
        ------
        ValueError
            If sentencepiece is not installed, or `size` does not hold all characters of the text.
        """
        file = io.BytesIO()
        lines = [cls._normalised(sentence, lower) for sentence in sentences]
        try:
            _sentencepiece().SentencePieceTrainer.train(
                sentence_iterator=iter(lines), model_writer=file, vocab_size=size, hard_vocab_limit=False,
                character_coverage=1.0, normalization_rule_name="identity", bos_id=-1, eos_id=-1, num_threads=1,
                minloglevel=2)
        except RuntimeError as error:
            raise ValueError(f"no {size} subwords can be learnt from {len(lines):,} sentences ({error}); set "
                             "num_subwords to more than the number of different characters") from error
        return cls(file.getvalue(), lower)

    @property
    def pieces(self):
        """All pieces, a list of str."""
        known = range(self._processor.get_piece_size())
        return [self._processor.id_to_piece(index) for index in known if not self._processor.is_unknown(index)]

    @property
    def settings(self):
        """The settings as a dict for JSON; see `tokenizer_of`."""
        return {"unit": self.unit, "lower": self.lower, "model": base64.b64encode(self.model).decode("ascii")}

    def normalise(self, text):
        """Return the text as `join` gives it back."""
        return self._normalised(text, self.lower)

    def split(self, text):
        """Return the most probable pieces of a sentence, a list of str."""
        return self._processor.encode(self.normalise(text), out_type=str)

    def sample(self, text, alpha):
        """Return pieces drawn with probability p(pieces)^alpha; see `seed`."""
        return self._processor.encode(self.normalise(text), out_type=str, enable_sampling=True, alpha=alpha,
                                      nbest_size=-1)

    @staticmethod
    def seed(number):
        """Seed the draws of all tokenizers in this process; an int from 0 to 2^32 - 1."""
        _sentencepiece().set_random_generator_seed(number)

    def join(self, tokens):
        """Return the sentence of pieces."""
        return "".join(tokens).replace(_SPACE, " ").strip()

    @staticmethod
    def _normalised(text, lower):
        return normalise((text.lower() if lower else text).replace(_SPACE, " "))


def tokenizer_of(settings):
    """Return the tokenizer whose `settings` these are, a `SentenceTokenizer` or a `SubwordTokenizer`."""
    if settings["unit"] == SubwordTokenizer.unit:
        return SubwordTokenizer(base64.b64decode(settings["model"]), settings["lower"])
    return SentenceTokenizer(**settings)


def _sentencepiece():
    try:
        import sentencepiece
    except ImportError:
        raise ValueError("unit subword needs sentencepiece, which is not installed; pip install 'gluon_rnn[data]'"
                         ) from None
    return sentencepiece
