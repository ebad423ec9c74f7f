"""Sequence tagger: one label for each word, from the words around it and from the letters it is made of.

    e_t = [E[word_t]; spelling(c_1, ..., c_M)]           the letters of word t: the last outputs of a character encoder
    h_t = encoder(e)_t                                   usually bidirectional
    o_t = W h_t + b                                      (K,): the score of each label at word t

and p(label_t | words) = softmax(o_t), each word for itself, or, with a CRF, the probability of the whole sequence of
labels, o_t being its emissions (`gluon_rnn.nn.CRF`).

References
----------
Huang, Xu, Yu (2015), Bidirectional LSTM-CRF models for sequence tagging.
Lample, Ballesteros, Subramanian, Kawakami, Dyer (2016), Neural architectures for named entity recognition, sections 2
to 4: the character encoder is figure 4, its states after the last letter and, read backwards, after the first.
Plank, Søgaard, Goldberg (2016), Multilingual part-of-speech tagging with bidirectional LSTM models and auxiliary loss.
"""
import warnings

import mxnet as mx

from gluon_rnn.models.around_encoder import AroundEncoder
from gluon_rnn.nn import CRF, Pooling, Viterbi, functional
from gluon_rnn.nn.arguments import take, take_lengths
from gluon_rnn.nn.checks import check_flags, check_rates, check_sizes
from gluon_rnn.nn.contract import check_encoder
from gluon_rnn.nn.functional import concat, embed
from gluon_rnn.nn.pooling import forward_size_of
from gluon_rnn.registry import models

__all__ = ["SequenceTagger"]


@models.register("tagger")
class SequenceTagger(AroundEncoder):
    """Scores of the labels of each word of a sentence.

    Parameters
    ----------
    encoder : SequenceBlock
        Layout "TNC"; one that reads in both directions suits tagging best.
    num_labels : int
        K.
    vocab_size : int
        Number of words.
    embed_size : int, default 100
        Size of an embedded word.
    char_encoder : SequenceBlock, optional
        Reads the letters of a word, layout "TNC": causal, or in both directions (a fused layer with
        ``bidirectional=True``, a `gluon_rnn.nn.Bidirectional`). With one, the call takes `chars` and
        `char_lengths` too.
    char_vocab_size : int, optional
        Number of characters; needed with `char_encoder`.
    char_embed_size : int, default 25
        Size of an embedded character.
    crf : bool, default False
        Give the model a `gluon_rnn.nn.CRF`, as ``model.crf``, which takes the outputs as its emissions.
    drop_e : float in [0, 1), default 0
        Share of words dropped from the embedding for a whole batch; all places of such a word read zeros, so
        that the letters and the neighbours have to do.
    drop_i : float in [0, 1), default 0
        Dropout on the embedded words and their spelling, drawn anew at each step.
    dropout : float in [0, 1), default 0
        Dropout on the encoder's output, drawn anew at each step.
    layout : {"TNC", "NTC"}, default "TNC"
        Axis order of words, characters and scores.

    Inputs
    ------
    words : (T, N) array, int32
        Word ids.
    states : list of arrays, optional
        As `begin_state` gives them.
    valid_length : (N,) array, optional
        Words of each row; what follows them changes nothing.
    chars : (T, N, M) array, int32
        Character ids of each word; only with `char_encoder`.
    char_lengths : (T, N) array
        Characters of each word; what follows them changes nothing.
    places, chars_1, char_lengths_1, chars_2, char_lengths_2, ... : arrays
        In place of `chars` and `char_lengths`, and much faster: words in groups of similar length, (M_g, W_g) int32 and
        (W_g,), and where among the words of all groups each word of the batch is, (T, N) int32; what
        `gluon_rnn.data.spellings.grouped_spellings` makes. With ``layout="TNC"`` only.

    Outputs
    -------
    (T, N, K) array of scores, 0 past `valid_length`; with `states` given, a pair of it and the list of new states.

    Raises
    ------
    ValueError
        If sizes do not fit together, a rate is out of range, or characters are missing in a call.

    Examples
    --------
    >>> from gluon_rnn.nn import LSTM
    >>> model = SequenceTagger(LSTM(8, bidirectional=True), 17, vocab_size=50, crf=True)
    >>> model.initialize()
    >>> words, valid_length = mx.nd.array([[4, 7], [1, 2], [3, 0]], dtype="int32"), mx.nd.array([3, 2])
    >>> scores = model(words, None, valid_length)
    >>> scores.shape, model.decode(scores, valid_length).shape
    ((3, 2, 17), (3, 2))
    """

    input_dimensions = 2   # word ids

    def __init__(self, encoder, num_labels, *, vocab_size, embed_size=100, char_encoder=None, char_vocab_size=None,
                 char_embed_size=25, crf=False, drop_e=0, drop_i=0, dropout=0, layout="TNC", prefix=None, params=None):
        _check_encoders(encoder, char_encoder)
        super().__init__(layout=layout, dtype=encoder._dtype, prefix=prefix, params=params)
        check_sizes(num_labels=num_labels, vocab_size=vocab_size, embed_size=embed_size)
        check_rates(drop_e=drop_e, drop_i=drop_i, dropout=dropout)
        check_flags(crf=crf)
        self.num_labels, self.causal = num_labels, encoder.causal
        self._drop_e, self._drop_i, self._dropout = drop_e, drop_i, dropout
        with self.name_scope():
            self.word_embedding = _Embedding(vocab_size, embed_size, drop_e, self._dtype)
            self.spelling = None if char_encoder is None else _Spelling(char_encoder, char_vocab_size, char_embed_size,
                                                                        drop_i, self._dtype)
            encoder.set_input_size(embed_size + (0 if self.spelling is None else self.spelling.output_size))
            self.encoder = encoder
            self.output_weight = self.params.get("output_weight", shape=(num_labels, encoder.output_size),
                                                 dtype=self._dtype)
            self.output_bias = self.params.get("output_bias", shape=(num_labels,), init="zeros", dtype=self._dtype)
            self.crf = CRF(num_labels, self._dtype) if crf else None
        # Past Block's __setattr__: it is no child, since its parameters are those of crf.
        object.__setattr__(self, "_viterbi", Viterbi(self.crf) if crf else None)

    @property
    def loops(self):
        """Whether the encoder or that of the letters runs in a loop."""
        return self.encoder.loops or self.spelling is not None and self.spelling.encoder.loops

    def decode(self, scores, valid_length=None):
        """Return the best labels, an array (T, N) of the scores' dtype, 0 past `valid_length`.

        `scores` (T, N, K) are the model's outputs. With a CRF it is the best sequence as a whole, else the best label
        of each word. ``layout="NTC"`` as for the model.
        """
        scores = take(self, "scores", scores, self._dtype)
        time_major = scores if self.layout == "TNC" else scores.swapaxes(0, 1)
        if self.crf is not None:
            labels = self._viterbi(time_major, valid_length)
        else:
            labels = time_major.argmax(axis=2)
            lengths = take_lengths(self, valid_length, time_major)
            labels = labels if lengths is None else functional.mask(mx.nd, labels, lengths)
        return labels if self.layout == "TNC" else labels.T

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        grouped = len(signals) > 2 and len(signals) % 2 == 1 and self.layout == "TNC"
        if bool(signals) is (self.spelling is None) or not (grouped or len(signals) in (0, 2)):
            expected = ("no characters after valid_length, as it has no char_encoder" if self.spelling is None else
                        "chars (T, N, M) and char_lengths (T, N) after valid_length, as it has a char_encoder; with "
                        "layout 'TNC' also places (T, N) and groups of words")
            raise ValueError(f"{type(self).__name__} expects {expected}; got {len(signals)} more arrays")
        return super().__call__(inputs, states, valid_length, *signals)

    def cast(self, dtype):
        """Cast parameters, the decoder and default states to `dtype`."""
        super().cast(dtype)
        if self.crf is not None:
            self._viterbi.cast(dtype)

    def hybridize(self, active=True, **flags):
        """Compile the model and its decoder; see `SequenceBlock.hybridize`."""
        super().hybridize(active, **flags)
        if self.crf is not None:
            self._viterbi.hybridize(active, **flags)

    def _build_cache(self, *args):
        with warnings.catch_warnings():                                   # of the CRF, which works on the outputs
            warnings.filterwarnings("ignore", message="Parameter .* is not used by any computation")
            super()._build_cache(*args)

    def forward_sequence(self, F, inputs, states, valid_length, *signals, output_weight, output_bias):
        """Compute the scores (T, N, K) and the new states of words (T, N); see the class."""
        if valid_length is not None:
            inputs = functional.mask(F, inputs, valid_length)                # an id out of range, or NaN, is no row
        features = self.word_embedding(inputs)                            # (T, N, E)
        if signals:
            features = concat(F, features, self.spelling(valid_length, *signals))
        features = F.Dropout(features, p=self._drop_i) if self._drop_i else features
        arguments = (features, states) if valid_length is None else (features, states, valid_length)
        outputs, states = self.encoder(*arguments)                        # (T, N, H)
        outputs = F.Dropout(outputs, p=self._dropout) if self._dropout else outputs
        scores = F.FullyConnected(outputs, output_weight, output_bias, num_hidden=self.num_labels, flatten=False)
        return (scores if valid_length is None else functional.mask(F, scores, valid_length)), states

    def _all_steps(self, inputs):
        F = mx.nd if isinstance(inputs, mx.nd.NDArray) else mx.sym
        return F.sum(F.cast(F.ones_like(inputs), dtype=self._dtype), axis=self.layout.index("T"))


class _Embedding(mx.gluon.HybridBlock):
    """Table lookup, ids of any shape to one more axis; `drop_e` drops whole rows of the table."""

    def __init__(self, vocab_size, embed_size, drop_e, dtype):
        super().__init__()
        self._drop_e = drop_e
        self.weight = self.params.get("weight", shape=(vocab_size, embed_size), init=mx.init.Uniform(0.1), dtype=dtype)

    def hybrid_forward(self, F, ids, *, weight):
        return embed(F, ids, weight, self._drop_e)


class _Spelling(mx.gluon.HybridBlock):
    """The letters of each word as one vector (T, N, S).

    Inputs: valid_length (N,), then chars (T, N, M) and char_lengths (T, N), or places (T, N) and, for each group of
    words, letters (M_g, W_g) and lengths (W_g,).
    """

    def __init__(self, encoder, vocab_size, embed_size, drop_i, dtype):
        super().__init__()
        check_sizes(char_vocab_size=vocab_size, char_embed_size=embed_size)
        encoder.set_input_size(embed_size)
        self.output_size, self._drop_i = encoder.output_size, drop_i
        self.embedding = _Embedding(vocab_size, embed_size, 0, dtype)
        self.encoder = encoder
        self.pooling = Pooling("last", encoder.output_size, forward_size_of(encoder), dtype)

    def hybrid_forward(self, F, valid_length, first, second, *others):
        if others:
            groups = (second, *others)
            spelled = [self._spell(F, *group) for group in zip(groups[::2], groups[1::2])]
            return F.take(F.concat(*spelled, dim=0), first)               # places past a sentence's end matter nothing
        length = F.reshape(functional.mask(F, second, valid_length), shape=(-1,))                 # (T * N,)
        letters = F.swapaxes(F.reshape(first, shape=(-3, 0)), 0, 1)       # (M, T * N)
        return F.reshape_like(self._spell(F, letters, length), first, lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=2)

    def _spell(self, F, letters, length):
        """Return the spelling (W, S) of words from their letters (M, W) and lengths (W,): 0 for one without letters."""
        with functional.clamped(F, length, letters) as length:
            letters = self.embedding(functional.mask(F, letters, length))
            letters = F.Dropout(letters, p=self._drop_i) if self._drop_i else letters
            return self.pooling(self.encoder(letters, None, length), length)


def _check_encoders(encoder, char_encoder):
    check_encoder("a tagger", encoder)
    if char_encoder is None:
        return
    check_encoder("a tagger", char_encoder, what="char_encoder")
    if not char_encoder.causal and forward_size_of(char_encoder) is None:
        raise ValueError("char_encoder must be causal or have two directions, whose last states are a word's spelling; "
                         f"{type(char_encoder).__name__} looks ahead in another way")
