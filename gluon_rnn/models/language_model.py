"""Recurrent language model: embedding, any causal encoder, output layer.

    e_t = E[token_t]                          E (V, E), the embedding
    h_t, s_t = encoder(e_t, s_{t-1})          RNN, LSTM, GRU, any number of layers
    scores_t = W h_t + b                      W (V, H); the same array as E where weights are tied

and log p(token_{t+1} | tokens up to t) = log_softmax(scores_t). For many words the embedding and the last line have
other forms, see `gluon_rnn.nn.adaptive_softmax`, or training goes without most of it, see
`gluon_rnn.nn.sampled_softmax`. Dropout sits where gluonnlp's StandardRNN and AWDRNN
have it: on words of the embedding, on the embedded input and on the encoder's output here; between layers and on h2h in
the encoder.

References
----------
Zaremba, Sutskever, Vinyals (2014), Recurrent neural network regularization: dropout on the non-recurrent connections.
Gal & Ghahramani (2016), A theoretically grounded application of dropout in recurrent neural networks: one mask for all
steps, dropout of whole words of the embedding.
Press & Wolf (2017), Using the output embedding to improve language models; Inan, Khosravi, Socher (2017), Tying word
vectors and word classifiers: tied weights.
Merity, Keskar, Socher (2018), Regularizing and optimizing LSTM language models: all of them together (AWD-LSTM).
"""

from typing import Any

import mxnet as mx

from gluon_rnn.models.around_encoder import AroundEncoder
from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import check_flags, check_rates, check_sizes
from gluon_rnn.nn.contract import check_encoder
from gluon_rnn.nn.full_softmax import FullSoftmax
from gluon_rnn.registry import models

__all__ = ["LanguageModel"]


@models.register("language_model")
class LanguageModel(AroundEncoder):
    """Predicts the next token of a stream from all before it.

    Parameters
    ----------
    vocab_size : int, >= 1
        Number of tokens V.
    encoder : SequenceBlock
        A causal sequence block such as `gluon_rnn.nn.LSTM`, layout "TNC".
    embed_size : int, optional
        Size of an embedded token; default the encoder's `hidden_size`, or its `output_size` where weights are tied.
    tie_weights : bool, default False
        The output layer's weight is the embedding's; needs `embed_size` equal to the encoder's `output_size`.
    output : FullSoftmax, AdaptiveSoftmax or SampledSoftmax, default FullSoftmax()
        The output layer; in a recipe ``output: {name: adaptive_softmax, cutoffs: [2000, 10000]}``. It belongs to this
        model from here on.
    drop_e : float in [0, 1), default 0
        Share of words dropped from the embedding for a whole chunk; all places of such a word read zeros.
    drop_i : float in [0, 1), default 0
        Dropout on the embedded input.
    dropout : float in [0, 1), default 0
        Dropout on the encoder's output, before the output layer.
    drop_i_variational : bool, default True
        One mask of `drop_i` for all steps of a chunk (AWDRNN); False draws one for every step (StandardRNN).
    dropout_variational : bool, default False
        The same for `dropout`; gluonnlp's two models and Merity et al. have one mask, Zaremba et al. one per step.
    layout : {"TNC", "NTC"}, default "TNC"
        Axis order of tokens and scores.

    Inputs
    ------
    tokens : (T, N) array, int32
        Token ids.
    states : list of arrays (L, N, H), optional
        As `begin_state` gives them, or as the chunk before returned them.
    valid_length : (N,) array, optional
        Real steps of each row; what follows them changes nothing.

    Outputs
    -------
    (T, N, V) array of scores, whose softmax is the distribution (the adaptive softmax gives log-probabilities), 0 past
    `valid_length`; with `states` given, a pair of it and the list of new states.

    Raises
    ------
    ValueError
        If the encoder looks ahead, sizes do not fit together, or a rate is out of range.

    Notes
    -----
    Embedding and output weight start uniform in [-0.1, 0.1], so that the first predictions are close to uniform over
    the vocabulary, and the output bias starts at 0, whatever initializer `initialize` is given; the encoder has its
    own. Names in a parameter file: ``embedding_weight``, ``output_weight`` (absent where tied), ``output_bias``,
    ``encoder.*``; those of an `AdaptiveSoftmax` are listed there.

    Examples
    --------
    >>> from gluon_rnn.nn import LSTM
    >>> model = LanguageModel(65, LSTM(8, num_layers=2), embed_size=4)
    >>> model.initialize()
    >>> tokens = mx.nd.array([[1, 2, 3], [4, 5, 6]], dtype="int32")
    >>> logits, states = model(tokens, model.begin_state(3))
    >>> logits.shape, [state.shape for state in states]
    ((2, 3, 65), [(2, 3, 8), (2, 3, 8)])
    """

    input_dimensions = 2   # token ids

    def __init__(self, vocab_size, encoder, *, embed_size=None, tie_weights=False, output: Any = None, drop_e=0,
                 drop_i=0, dropout=0, drop_i_variational=True, dropout_variational=False, layout="TNC", prefix=None,
                 params=None):
        check_encoder("a language model", encoder, "the token")
        super().__init__(layout=layout, dtype=encoder._dtype, prefix=prefix, params=params)
        check_sizes(vocab_size=vocab_size)
        check_rates(drop_e=drop_e, drop_i=drop_i, dropout=dropout)
        check_flags(tie_weights=tie_weights, drop_i_variational=drop_i_variational,
                    dropout_variational=dropout_variational)
        self._embed_size = _embed_size(embed_size, tie_weights, encoder)
        encoder.set_input_size(self._embed_size)       # known from here on: nothing is left to the first forward
        self.output = FullSoftmax() if output is None else output
        self.output.set_sizes(vocab_size, self._embed_size, encoder.output_size, tie_weights)
        self.output.dtype = self._dtype
        self._vocab_size, self._drop_e = vocab_size, drop_e
        self._drop_i = {"p": drop_i, "axes": (0,) if drop_i_variational else ()}
        self._dropout = {"p": dropout, "axes": (0,) if dropout_variational else ()}
        with self.name_scope():
            self.encoder = encoder
            self._make_parameters()

    def _make_parameters(self):
        for name, (shape, init) in self.output.parameters().items():
            setattr(self, name, self.params.get(name, shape=shape, init=init, dtype=self._dtype))

    @property
    def vocab_size(self):
        """Number of tokens V."""
        return self._vocab_size

    @property
    def embed_size(self):
        """Size of an embedded token."""
        return self._embed_size

    def embedding(self):
        """Return all embedded tokens, (V, E), also where no parameter is this array: see `AdaptiveSoftmax`."""
        weights = {name: parameter.data() for name, parameter in self._reg_params.items()}
        (device, *_), count = self.collect_params().list_ctx(), self._vocab_size
        ids = mx.nd.arange(count, ctx=device, dtype="int32").reshape((-1, 1))
        return self.output.embed(mx.nd, ids, weights).reshape((count, self._embed_size))

    def cast(self, dtype):
        """Cast parameters and default states to `dtype`."""
        super().cast(dtype)
        self.output.dtype = self._dtype

    def forward_sequence(self, F, inputs, states, valid_length, **weights):
        """Compute the scores (T, N, V) and the new states of tokens (T, N); see the class."""
        hidden, states = self._hidden(F, inputs, states, valid_length, weights)
        scores = self.output.scores(F, hidden, weights)                                                    # (T, N, V)
        return (scores if valid_length is None else functional.mask(F, scores, valid_length)), states

    def loss(self, tokens, target, states, *arrays, exact=False, ends=False):
        """Return the summed loss in nats, (1,), and the new states, without scores of words that it does not need.

        Parameters
        ----------
        tokens, target : (T, N) arrays or symbols, int32
            What is read, and what follows it.
        states : list of arrays or symbols
        arrays
            What ``output.arrays`` gave for this target.
        exact : bool
            The cross-entropy of the model, also where the output layer has another loss for training.
        ends : bool
            `target` has fewer steps than `tokens`: what follows the last of them.
        """
        F = mx.nd if isinstance(tokens, mx.nd.NDArray) else mx.sym
        weights = self._weights(F, tokens)
        hidden, states = self._hidden(F, tokens, states, None, weights)
        if ends:
            hidden = functional.last_like(F, hidden, target)
        loss = self.output.loss if exact else self.output.training_loss
        return loss(F, hidden, target, weights, *arrays), states

    def output_loss(self, hidden, target, *arrays):
        """Return the summed loss of training, (1,), of the encoder's outputs (T, N, H); the rest as in `loss`."""
        hidden = self._drop_outputs(mx.nd, hidden)
        return self.output.training_loss(mx.nd, hidden, target, self._weights(mx.nd, hidden), *arrays)

    def check_same_at_every_step(self):
        """Raise ValueError where words or their embeddings are dropped, or a table (V, E) is not the embedding."""
        if self._drop_e or self._drop_i["p"]:
            raise ValueError("drop_e and drop_i draw another network in every call, and RTRL and UORO carry "
                             f"derivatives of one; set them to 0, got {self._drop_e} and {self._drop_i['p']}")
        if not isinstance(self.output, FullSoftmax) or type(self.output).embed is not FullSoftmax.embed:
            raise ValueError(f"RTRL and UORO need one table (V, E) as embedding, and {type(self.output).__name__} has "
                             "another form of it; choose the output layer full_softmax or sampled_softmax")

    def states_after(self, tokens, states):
        """Return the states behind tokens (T, N), NDArrays."""
        return self._hidden(mx.nd, tokens, states, None, self._weights(mx.nd, tokens))[1]

    def _weights(self, F, like):
        return {name: parameter.data(like.context) if F is mx.nd else parameter.var()
                for name, parameter in self._reg_params.items()}

    def hidden_and_scores(self, tokens, states):
        """Return the encoder's outputs (T, N, H), scores (T, N, V) and new states of tokens (T, N), all NDArrays."""
        weights = self._weights(mx.nd, tokens)
        hidden, states = self._hidden(mx.nd, tokens, states, None, weights)
        return hidden, self.output.scores(mx.nd, hidden, weights), states

    def scores_after(self, tokens, states):
        """Return the scores (N, V) of what follows tokens (T, N), NDArrays."""
        weights = self._weights(mx.nd, tokens)
        hidden, _ = self._hidden(mx.nd, tokens, states, None, weights)
        return self.output.scores(mx.nd, hidden[-1:], weights)[0]

    def _hidden(self, F, inputs, states, valid_length, weights):
        """Return the encoder's outputs (T, N, H) behind dropout, and its states."""
        # An id out of range, or NaN, cannot be looked up.
        tokens = inputs if valid_length is None else functional.mask(F, inputs, valid_length)
        hidden, states = self.encoder(self._embed(F, tokens, weights), states,
                                      *(() if valid_length is None else (valid_length,)))                  # (T, N, H)
        return self._drop_outputs(F, hidden), states

    def _drop_outputs(self, F, hidden):
        return F.Dropout(hidden, **self._dropout) if self._dropout["p"] else hidden

    def _embed(self, F, tokens, weights):
        inputs = self.output.embed(F, tokens, weights, self._drop_e)                                       # (T, N, E)
        return F.Dropout(inputs, **self._drop_i) if self._drop_i["p"] else inputs


def _embed_size(embed_size, tie_weights, encoder):
    """Return the embedding's size, checked against the encoder's."""
    if embed_size is None:
        embed_size = encoder.output_size if tie_weights else encoder.hidden_size
    check_sizes(embed_size=embed_size)
    if tie_weights and embed_size != encoder.output_size:
        raise ValueError("tie_weights needs an embed_size equal to the encoder's output size, got embed_size "
                         f"{embed_size} and output size {encoder.output_size}; make them equal or set tie_weights "
                         "to false")
    if encoder.input_size not in (0, embed_size):
        raise ValueError(f"the encoder's input_size is {encoder.input_size}, but embed_size is {embed_size}; make them "
                         "equal, or leave input_size out")
    return embed_size
