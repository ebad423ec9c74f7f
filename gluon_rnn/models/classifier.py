"""Many to one: a sequence in, one answer out, over any encoder.

    e_t = E[token_t]             for token ids; a sequence of features goes in as it is
    h_t = encoder(e)_t
    p   = pooling(h)             last valid step, mean, maximum or attention
    o   = W p + b                logits of K classes, or K real values

Class probabilities are softmax(o), fitted by cross-entropy; real values are fitted by their errors.

References
----------
Gal & Ghahramani (2016), A theoretically grounded application of dropout in recurrent neural networks: one mask for all
steps, dropout of whole words of the embedding.
"""
import mxnet as mx

from gluon_rnn.models.around_encoder import AroundEncoder
from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import check_features, check_rates, check_sizes
from gluon_rnn.nn.contract import check_encoder
from gluon_rnn.nn.functional import embed
from gluon_rnn.nn.pooling import Pooling, forward_size_of
from gluon_rnn.registry import models

__all__ = ["SequenceClassifier", "SequenceRegressor"]


class _ManyToOne(AroundEncoder):
    """What `SequenceClassifier` and `SequenceRegressor` share: all but the name of the number of outputs."""

    #: one output for a whole sequence, without a time axis
    many_to_one = True

    def __init__(self, encoder, *, vocab_size=None, input_size=0, embed_size=None, pooling="last", dropout=0.0,
                 drop_e=0.0, drop_i=0.0, layout="TNC", prefix=None, params=None):
        check_encoder(f"a {type(self).__name__}", encoder)
        super().__init__(layout=layout, dtype=encoder._dtype, prefix=prefix, params=params)
        check_rates(dropout=dropout, drop_e=drop_e, drop_i=drop_i)
        self._pooling, self._dropout, self._drop_e, self._drop_i = pooling, dropout, drop_e, drop_i
        self._vocab_size, self._embed_size = _check_embedding(vocab_size, embed_size, input_size, drop_e, encoder)
        self.input_dimensions = 2 if vocab_size else 3
        self.causal = encoder.causal and pooling == "last"
        if self._embed_size or input_size:
            encoder.set_input_size(self._embed_size or input_size)
        with self.name_scope():
            self.encoder = encoder
            self.pooling = Pooling(pooling, encoder.output_size, forward_size_of(encoder), self._dtype)
            if vocab_size:
                self.embedding_weight = self.params.get("embedding_weight", shape=(vocab_size, self._embed_size),
                                                        init=mx.init.Uniform(0.1), dtype=self._dtype)

    def _add_output(self, **size):
        """Make the output layer; `size` is the number of outputs under the name that error messages know it by."""
        check_sizes(**size)
        (self.output_size,) = size.values()
        with self.name_scope():
            self.output_weight = self.params.get("output_weight", shape=(self.output_size, self.encoder.output_size),
                                                 init=mx.init.Xavier(), dtype=self._dtype)
            self.output_bias = self.params.get("output_bias", shape=(self.output_size,), init="zeros",
                                               dtype=self._dtype)

    def _check_inputs(self, inputs, shape):
        super()._check_inputs(inputs, shape)
        if self.input_dimensions == 3:
            check_features(type(self).__name__, inputs, self.encoder.input_size, self._dtype)
            self.encoder.set_input_size(shape[-1])       # states of a first call need to know it

    def _why_not_carried(self):
        if not self.encoder.causal:
            return super()._why_not_carried()
        return (f"{type(self).__name__} with pooling {self._pooling!r} looks at all steps of a sequence, so the states "
                "that it returned for one chunk cannot be carried into the next; pass whole sequences, or use pooling "
                "'last'")

    def hybrid_forward(self, F, inputs, states, valid_length=None, **parameters):
        """Put time first and answer; outputs have no time axis to be put back."""
        if self.layout == "NTC":
            inputs = F.swapaxes(inputs, 0, 1)                                            # (T, N) or (T, N, C)
        if valid_length is None:
            return self.forward_sequence(F, inputs, list(states), None, **parameters)
        with functional.clamped(F, valid_length, inputs) as lengths:
            return self.forward_sequence(F, inputs, list(states), lengths, **parameters)

    def forward_sequence(self, F, inputs, states, valid_length, *, output_weight, output_bias, embedding_weight=None):
        """Compute (N, K) and the new states of inputs (T, N) or (T, N, C); see the class."""
        given = () if valid_length is None else (valid_length,)
        if given:
            inputs = functional.mask(F, inputs, valid_length)          # an id out of range, or NaN, cannot be looked up
        inputs = self._embed(F, inputs, embedding_weight)                                # (T, N, E or C)
        outputs, states = self.encoder(inputs, states, *given)                           # (T, N, H)
        pooled = self.pooling(outputs, *given)                                           # (N, H)
        pooled = F.Dropout(pooled, p=self._dropout) if self._dropout else pooled
        return F.FullyConnected(pooled, output_weight, output_bias, num_hidden=self.output_size), states

    def _embed(self, F, inputs, weight):
        if weight is not None:
            inputs = embed(F, inputs, weight, self._drop_e)                            # (T, N, E)
        return F.Dropout(inputs, p=self._drop_i, axes=(0,)) if self._drop_i else inputs


@models.register("classifier")
class SequenceClassifier(_ManyToOne):
    """Which of K classes a sequence belongs to.

    Parameters
    ----------
    encoder : SequenceBlock
        Any sequence block such as `gluon_rnn.nn.LSTM` or `TDNN`, layout "TNC".
    num_classes : int, >= 1
        K.
    vocab_size : int, optional
        Number of tokens, for inputs that are token ids (T, N); without it inputs are features (T, N, C).
    input_size : int, default 0
        C, for features; 0 takes it from the first input.
    embed_size : int, optional
        Size of an embedded token; default the encoder's `hidden_size`.
    pooling : {"last", "mean", "max", "attention"}, default "last"
        How the encoder's outputs become one vector; see `gluon_rnn.nn.pooling`.
    dropout : float in [0, 1), default 0
        Rate on the pooled vector.
    drop_e : float in [0, 1), default 0
        Share of words dropped from the embedding, at all their places in the batch.
    drop_i : float in [0, 1), default 0
        Dropout on the (embedded) input, one mask for all steps.
    layout : {"TNC", "NTC"}, default "TNC"
        Axis order of the inputs.

    Inputs
    ------
    inputs : (T, N) int32 token ids, or (T, N, C) features
    states : list of arrays, optional
        For streaming, where the model is `causal`: the encoder is, and `pooling` is "last".
    valid_length : (N,) array, optional
        Real steps of each row; what follows them changes nothing.

    Outputs
    -------
    (N, K) array of logits; with `states` given, a pair of it and the list of new states.

    Raises
    ------
    ValueError
        If sizes do not fit together, a rate is out of range, or states are carried into a model that is not causal.

    Notes
    -----
    Names in a parameter file: ``embedding_weight``, ``output_weight``, ``output_bias``, ``encoder.*``, ``pooling.*``.

    Examples
    --------
    >>> from gluon_rnn.nn import LSTM
    >>> model = SequenceClassifier(LSTM(8, bidirectional=True), 18, vocab_size=60, pooling="max")
    >>> model.initialize()
    >>> model(mx.nd.ones((5, 3), dtype="int32"), valid_length=mx.nd.array([5, 2, 4])).shape
    (3, 18)
    """

    def __init__(self, encoder, num_classes, *, vocab_size=None, input_size=0, embed_size=None, pooling="last",
                 dropout=0.0, drop_e=0.0, drop_i=0.0, layout="TNC", prefix=None, params=None):
        super().__init__(encoder, vocab_size=vocab_size, input_size=input_size, embed_size=embed_size, pooling=pooling,
                         dropout=dropout, drop_e=drop_e, drop_i=drop_i, layout=layout, prefix=prefix, params=params)
        self._add_output(num_classes=num_classes)


@models.register("regressor")
class SequenceRegressor(_ManyToOne):
    """K real values for a sequence; the task ``regression`` fits it by squared, absolute or Huber's errors.

    Parameters
    ----------
    encoder : SequenceBlock
    num_values : int, default 1
        K.
    vocab_size, input_size, embed_size, pooling, dropout, drop_e, drop_i, layout
        As in `SequenceClassifier`.

    Inputs/Outputs
    --------------
    As in `SequenceClassifier`, with values (N, K) in place of logits.
    """

    def __init__(self, encoder, num_values=1, *, vocab_size=None, input_size=0, embed_size=None, pooling="last",
                 dropout=0.0, drop_e=0.0, drop_i=0.0, layout="TNC", prefix=None, params=None):
        super().__init__(encoder, vocab_size=vocab_size, input_size=input_size, embed_size=embed_size, pooling=pooling,
                         dropout=dropout, drop_e=drop_e, drop_i=drop_i, layout=layout, prefix=prefix, params=params)
        self._add_output(num_values=num_values)


def _check_embedding(vocab_size, embed_size, input_size, drop_e, encoder):
    """Return the sizes (V, E) of the embedding, (None, None) for a model of features."""
    if vocab_size is None:
        if embed_size is not None or drop_e:
            raise ValueError("embed_size and drop_e are for token ids, and the inputs are features (no vocab_size); "
                             "leave them out")
        return None, None
    if input_size:
        raise ValueError(f"vocab_size {vocab_size} and input_size {input_size} are both given; inputs are either "
                         "token ids or features")
    embed_size = encoder.hidden_size if embed_size is None else embed_size
    check_sizes(vocab_size=vocab_size, embed_size=embed_size)
    if encoder.input_size not in (0, embed_size):
        raise ValueError(f"the encoder's input_size is {encoder.input_size}, but embed_size is {embed_size}; make them "
                         "equal, or leave input_size out")
    return vocab_size, embed_size
