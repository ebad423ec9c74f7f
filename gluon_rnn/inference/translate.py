"""Translation of sentences with beam search, and pictures of attention weights."""
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np

from gluon_rnn.data.buckets import Buckets, pad
from gluon_rnn.data.text import encode
from gluon_rnn.inference.beam_search import beam_search
from gluon_rnn.inference.minimum_risk import choose
from gluon_rnn.inference.translation_ensemble import MeanStep, ReadAll

__all__ = ["Translation", "Translator", "attention_picture", "draw_attention"]


@dataclass
class Translation:
    """The translation of one sentence.

    Attributes
    ----------
    source, text : str
        The sentence and its translation.
    score : float
        Log-probability in nats, normalised for length; see `gluon_rnn.inference.beam_search`.
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


class Translator:
    """A trained `Seq2Seq`, or an ensemble whose probabilities are averaged, with its vocabularies.

    Parameters
    ----------
    models : Seq2Seq or list of Seq2Seq
        Initialised; their parameters may change between calls.
    source_vocab, target_vocab : gluonnlp.Vocab
    tokenizer : SentenceTokenizer
    """

    def __init__(self, models, source_vocab, target_vocab, tokenizer):
        self._models = models if isinstance(models, list) else [models]
        self._read, self._step = ReadAll(self._models), MeanStep(self._models)
        self._source_vocab, self._target_vocab, self._tokenizer = source_vocab, target_vocab, tokenizer
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
            `gluon_rnn.inference.minimum_risk`. A beam of about 20 is advisable.
        max_length : int, optional
            Maximum number of tokens of a translation; default 2 S + 10 for a longest source of S tokens in a batch.
        batch_size : int, default 64
            Sentences in a batch; affects speed and memory only.
        weights : bool, default True
            Whether to compute attention weights.

        Returns
        -------
        list of Translation, in the order of `sentences`.
        """
        search = {"beam_size": beam_size, "alpha": alpha, "mbr": mbr, "max_length": max_length}
        tokens = [[*self._tokenizer.split(sentence), self._source_vocab.eos_token] for sentence in sentences]
        results = [None] * len(tokens)
        for batch in Buckets([len(row) for row in tokens], batch_size, num_buckets=len(tokens)) if tokens else ():
            rows = self._translate([tokens[index] for index in batch], search, weights)
            for index, (score, written, attention) in zip(batch, rows):
                text = self._tokenizer.join([t for t in written if t != self._target_vocab.eos_token])
                results[index] = Translation(sentences[index], text, score, tokens[index], written, attention)
        return results

    def _translate(self, sources, search, weights):
        """Yield (score, tokens, weights or None) for each list of source tokens."""
        ctx = self._models[0].collect_params().list_ctx()[0]
        ids, valid_length = pad([encode(source, self._source_vocab) for source in sources])
        source, source_length = mx.nd.array(ids, ctx, dtype="int32"), mx.nd.array(valid_length, ctx)
        found = self._search(source, source_length, **search)
        written = [[*best.ids, *[self._end] * best.finished] for best in found]
        maps = self._weights(source, source_length, written) if weights else None
        for row, (best, target) in enumerate(zip(found, written)):
            attention = None if maps is None else maps[:len(target), row, :len(sources[row])]
            yield best.score, self._words(target), attention

    def _search(self, source, source_length, beam_size, alpha, mbr, max_length):
        """Return the `Hypothesis` chosen for each row."""
        max_length = 2 * len(source) + 10 if max_length is None else max_length
        begin = mx.nd.full(source_length.shape, self._begin, ctx=source.context, dtype="int32")
        rows = beam_search(self._step, self._read(source, source_length), begin, self._end, beam_size=beam_size,
                           alpha=alpha, max_length=max_length, exclude=self._exclude)
        return [row[choose([self._words(one.ids) for one in row], [one.score for one in row]) if mbr else 0]
                for row in rows]

    def _words(self, ids):
        return [self._target_vocab.idx_to_token[index] for index in ids]

    def _weights(self, source, source_length, written):
        """Return attention weights (T, N, S) by a teacher-forced pass over the translations, the mean of all models."""
        attentive = [model for model in self._models if model.attention is not None]
        if not attentive:
            return None
        target, target_length = pad([np.array([self._begin, *ids[:-1]], dtype=np.int32) for ids in written])
        arguments = (source, mx.nd.array(target, source.context, dtype="int32"), source_length,
                     mx.nd.array(target_length, source.context))
        return np.mean([model(*arguments)[1].asnumpy() for model in attentive], axis=0)


def attention_picture(translations, path=None):
    """Draw the attention weights of translations: dark is 0, bright is 1.

    Parameters
    ----------
    translations : list of Translation
        One panel each.
    path : Path, optional
        File of the PNG.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a translation has no weights.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # pyplot would set a backend for the process
    from matplotlib.figure import Figure
    if not translations or any(translation.weights is None for translation in translations):
        raise ValueError("there are no attention weights to draw; take a model with attention luong or bahdanau")
    columns = min(2, len(translations))
    rows = -(-len(translations) // columns)
    figure = Figure(figsize=(5 * columns, 4.5 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, translation in zip(figure.subplots(rows, columns, squeeze=False).ravel(), translations):
        draw_attention(axes, translation)
    for axes in figure.axes[len(translations):]:
        axes.set_visible(False)
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure


def draw_attention(axes, translation):
    """Draw the attention weights of one `Translation` into `axes` of matplotlib: source tokens across, its own down."""
    axes.imshow(translation.weights, cmap="viridis", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(translation.source_tokens)), _labels(translation.source_tokens), rotation=60)
    axes.set_yticks(range(len(translation.tokens)), _labels(translation.tokens))


def _labels(tokens):
    """Return tokens for matplotlib: without marks of joined tokens, with "$" escaped."""
    from gluon_rnn.data.sentences import MARK
    return [token.replace(MARK, "").replace("$", r"\$") for token in tokens]
