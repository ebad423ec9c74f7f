r"""Translation: greedy and beam search, minimum Bayes risk, ensembles, attention weights.

At each step of an ensemble of M models the next token has the mean of their probabilities:

    p(y_t | y_0 ... y_{t-1}, x) = 1/M sum_m p_m(y_t | y_0 ... y_{t-1}, x)

References
----------
Sutskever, Vinyals, Le (2014), Sequence to sequence learning with neural networks, section 3.6: ensembles of LSTMs.
"""
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from gluon_rnn.answers.attention_picture import attention_picture
from gluon_rnn.answers.beam_search import beam_search
from gluon_rnn.answers.checks import check_sizes, texts_of
from gluon_rnn.answers.minimum_risk import choose
from gluon_rnn.answers.padding import pad
from gluon_rnn.answers.pipeline import Pipeline
from gluon_rnn.answers.subwords import tokenizer_of
from gluon_rnn.answers.text import encode
from gluon_rnn.answers.vocabulary import Vocabulary

__all__ = ["Ensemble", "Translation", "TranslationAssets", "TranslationPipeline", "Translator"]

#: characters of a sentence: what a decoder with attention takes grows with the square
_LONGEST = 20_000
# Least probability, so that its logarithm is finite in float32.
_LEAST = np.float32(1e-37)


@dataclass
class Translation:
    """The translation of one sentence.

    Attributes
    ----------
    source, text : str
        The sentence and its translation.
    score : float
        Log-probability in nats, normalised for length; see `gluon_rnn.answers.beam_search`.
    source_tokens, tokens : list of str
        Tokens with the end token; `tokens` has no end token if the translation was cut off at `max_length`.
    weights : (len(tokens), len(source_tokens)) float array or None
        Attention weights: one row for each token of the translation, sum 1. None for a model without attention.
    """

    source: str
    text: str
    score: float
    source_tokens: list
    tokens: list
    weights: Any = None


class Ensemble:
    """The networks of one or several translation models as those of one.

    Parameters
    ----------
    members : list of dict of str to network
        Each with

        "encoder"
            ``_, states = encoder(source, None, source_length)``: ids (S, N) int32 and lengths (N,) to what the decoder
            starts from.
        "step"
            ``logits, states = step(token, states)``: token (N,) int32 to logits (N, V).
        "model"
            ``outputs, _ = model(source, None, source_length, target, target_length)``, the right target given:
            target (T, N) int32 and its lengths (N,) to logits (T, N, V) alone, or with attention to a tuple of these
            and the weights (T, N, S).
    """

    def __init__(self, members):
        self._members = list(members)

    @classmethod
    def of(cls, networks):
        """Return the ensemble of networks by name, each alone or in a list."""
        columns = {name: found if isinstance(found, (list, tuple)) else [found] for name, found in networks.items()}
        return cls(dict(zip(columns, member)) for member in zip(*columns.values()))

    def read(self, source, source_length):
        """Return the states before the first token, one entry for each member."""
        return [member["encoder"](source, None, source_length)[1] for member in self._members]

    def stepping(self, batch_size):
        """Return the ensemble for the steps of one search."""
        return Ensemble([{**member, "step": member["step"].stepping(batch_size)} for member in self._members])

    def rows(self, states, indices):
        """Return the rows `indices` of the states."""
        return [member["step"].rows(own, indices) for member, own in zip(self._members, states)]

    def __call__(self, token, states):
        """Return logits (N, V), of several members log p, and the states behind the step."""
        steps = [member["step"](token, own) for member, own in zip(self._members, states)]
        after = [own for _, own in steps]
        if len(steps) == 1:
            return steps[0][0], after
        mean = sum(_softmax(logits) for logits, _ in steps) / np.float32(len(steps))
        return np.log(np.maximum(mean, _LEAST)), after

    def weights(self, source, source_length, target, target_length):
        """Return attention weights (T, N, S), the mean of the members that have attention; None where none has."""
        found = [member["model"](source, None, source_length, target, target_length)[0] for member in self._members]
        weights = [outputs[1] for outputs in found if isinstance(outputs, (tuple, list)) and len(outputs) > 1]
        return np.mean(weights, axis=0) if weights else None


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


class Translator:
    """A translation model, or an ensemble, with its vocabularies.

    Parameters
    ----------
    ensemble : Ensemble
    source_vocab, target_vocab : Vocabulary
        Of this package, or gluonnlp's.
    tokenizer : SentenceTokenizer or SubwordTokenizer
    """

    def __init__(self, ensemble, source_vocab, target_vocab, tokenizer):
        self._ensemble, self._tokenizer = ensemble, tokenizer
        self._source_vocab, self._target_vocab = source_vocab, target_vocab
        index = target_vocab.token_to_idx
        self._begin, self._end = index[target_vocab.bos_token], index[target_vocab.eos_token]
        self._exclude = (self._begin, index[target_vocab.unknown_token])

    def __call__(self, sentences, *, beam_size=5, alpha=1.0, mbr=False, max_length=None, batch_size=64, weights=True):
        """Translate.

        Parameters
        ----------
        sentences : list of str
        beam_size : int, default 5
            1 is greedy search.
        alpha : float, default 1
            Exponent of the length normalisation.
        mbr : bool, default False
            Whether to choose among the `beam_size` translations by minimum Bayes risk, not by probability; see
            `gluon_rnn.answers.minimum_risk`. A beam of about 20 is advisable.
        max_length : int, optional
            Maximum number of tokens of a translation; default 2 S + 10 for a source of S tokens, the end token counted.
        batch_size : int, default 64
            Sentences in a batch; affects speed and memory only.
        weights : bool, default True
            Whether to compute attention weights.

        Returns
        -------
        list of Translation, in the order of `sentences`.

        Raises
        ------
        ValueError
            If an option is out of range.
        """
        check_sizes(batch_size=batch_size, max_length=1 if max_length is None else max_length)
        search = {"beam_size": beam_size, "alpha": alpha, "mbr": mbr, "max_length": max_length}
        tokens = [[*self._tokenizer.split(sentence), self._source_vocab.eos_token] for sentence in sentences]
        order = sorted(range(len(tokens)), key=lambda index: -len(tokens[index]))      # of similar length: less padding
        results = [None] * len(tokens)
        for start in range(0, len(order), batch_size):
            batch = order[start:start + batch_size]
            rows = self._translate([tokens[index] for index in batch], search, weights)
            for index, (score, written, attention) in zip(batch, rows):
                text = self._tokenizer.join([t for t in written if t != self._target_vocab.eos_token])
                results[index] = Translation(sentences[index], text, score, tokens[index], written, attention)
        return results

    def _translate(self, sources, search, weights):
        """Yield (score, tokens, weights or None) for each list of source tokens."""
        source, source_length = pad([encode(tokens, self._source_vocab) for tokens in sources])
        found = self._search(source, source_length, **search)
        written = [[*best.ids, *[self._end] * best.finished] for best in found]
        maps = self._weights(source, source_length, written) if weights else None
        for row, (best, target) in enumerate(zip(found, written)):
            attention = None if maps is None else maps[:len(target), row, :len(sources[row])]
            yield best.score, self._words(target), attention

    def _search(self, source, source_length, beam_size, alpha, mbr, max_length):
        """Return the `Hypothesis` chosen for each row."""
        max_length = 2 * source_length.astype(int) + 10 if max_length is None else max_length
        begin = np.full(len(source_length), self._begin, dtype=np.int32)
        rows = beam_search(self._ensemble, self._ensemble.read(source, source_length), begin, self._end,
                           beam_size=beam_size, alpha=alpha, max_length=max_length, exclude=self._exclude)
        return [row[choose([self._words(one.ids) for one in row], [one.score for one in row]) if mbr else 0]
                for row in rows]

    def _words(self, ids):
        return [self._target_vocab.idx_to_token[index] for index in ids]

    def _weights(self, source, source_length, written):
        """Return attention weights (T, N, S) by a teacher-forced pass over the translations, None without attention."""
        target, target_length = pad([np.array([self._begin, *ids[:-1]], dtype=np.int32) for ids in written])
        return self._ensemble.weights(source, source_length, target, target_length)


@dataclass
class TranslationAssets:
    """Vocabularies, and what turns sentences into tokens and back."""

    source_vocab: Any
    target_vocab: Any
    tokenizer: Any

    #: the class of vocabulary that `from_texts` makes; a plain attribute, no field
    vocabulary_class = Vocabulary

    def texts(self):
        """Return the three files."""
        return {"source_vocab.json": self.source_vocab.to_json(), "target_vocab.json": self.target_vocab.to_json(),
                "tokenizer.json": json.dumps(self.tokenizer.settings)}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        vocabs = (cls.vocabulary_class.from_json(read(f"{side}_vocab.json")) for side in ("source", "target"))
        return cls(*vocabs, tokenizer_of(json.loads(read("tokenizer.json"))))


class TranslationPipeline(Pipeline):
    """Sentence in, `Translation` out.

    The networks are those of `Ensemble`. Options: `beam_size`, `alpha` and `mbr` of `Translator` where a call names no
    others.
    """

    task = "translation"
    assets_class = TranslationAssets
    network_names = ("encoder", "step", "model")
    option_names = ("beam_size", "alpha", "mbr")

    def _translate(self, lines, options):
        assets = self.assets
        translator = Translator(Ensemble.of(self.networks), assets.source_vocab, assets.target_vocab, assets.tokenizer)
        return translator(lines, **{**self.options, **options})

    def predict(self, lines, picture=None, **options):
        """Return the `Translation` of a sentence, or a list of them for a list of sentences.

        Parameters
        ----------
        lines : str or list of str
        picture : str or Path, optional
            Where the picture of attention is written, a PNG.
        options
            `beam_size`, `alpha`, `mbr`, `max_length`, `batch_size` of `Translator`.
        """
        sentences = texts_of(lines, "sentence")
        for number, sentence in enumerate(sentences):
            if not sentence.strip():
                raise ValueError(f"sentence {number} is blank, so that there is nothing to translate; leave it out")
            if len(sentence) > _LONGEST:
                raise ValueError(f"sentence {number} has {len(sentence):,} characters, and at most {_LONGEST:,} are "
                                 "translated at once; pass its sentences one by one")
        found = self._translate(sentences, options)
        if picture is not None:
            attention_picture(found, picture)
        return found[0] if isinstance(lines, str) else found

    def answer(self, item, folder=None, number=1):
        """Return the translation of a line, and of a model with attention where the picture of it is."""
        found = self.predict(item)
        if folder is None or found.weights is None:
            return found.text
        folder.mkdir(parents=True, exist_ok=True)
        picture = folder / f"attention-{number}.png"
        attention_picture([found], picture)
        return f"{found.text}    ({picture})"
