r"""One to many: a class or a vector in, a sequence out.

    v   = C[class], or tanh(W_v x + b_v)             the condition
    s_0 = tanh(W_s v + b_s)                          where it is injected into the first state
    h_t, s_t = encoder([E[token_t]; v], s_{t-1})     where it is injected into each input
    logits_t = W h_t + b

The condition travels along as one more state (`gluon_rnn.nn.conditioned`), so that the call, its chunks, sampling and
export are those of a language model: only the first states are made from it.

References
----------
Vinyals, Toshev, Bengio, Erhan (2015), Show and tell: a neural image caption generator: a vector shown once, at the
beginning.
Ficler & Goldberg (2017), Controlling linguistic style aspects in neural language generation: the condition
concatenated to each input.
"""
import warnings
from typing import Optional

import mxnet as mx
from mxnet import gluon

from gluon_rnn.models.bridge import StatesFromVector
from gluon_rnn.models.language_model import LanguageModel
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.nn.conditioned import Conditioned
from gluon_rnn.registry import models

__all__ = ["ConditionalLanguageModel"]

INJECTIONS = ("both", "state", "input")


@models.register("conditional_language_model")
class ConditionalLanguageModel(LanguageModel):
    """Predicts the next token of a sequence from all before it and from what the sequence shall be.

    Parameters
    ----------
    vocab_size : int, >= 1
    encoder : SequenceBlock
        A causal sequence block such as `gluon_rnn.nn.LSTM`, layout "TNC".
    num_classes : int, optional
        Number of classes, for a condition that is a class number (N,); this or `vector_size`.
    vector_size : int, optional
        For a condition that is a vector (N, vector_size).
    condition_size : int, default 16
        Length of v.
    inject : {"both", "state", "input"}, default "both"
        Where the condition enters: the first state, concatenated to each input, or both.
    embed_size, tie_weights, drop_e, drop_i, dropout, drop_i_variational, dropout_variational, layout
        As in `LanguageModel`.

    Inputs/Outputs
    --------------
    As for `LanguageModel`, with v (N, condition_size) behind the encoder's states; ``model.states_for(classes)`` makes
    the first ones. States of zeros, which a call without states starts from, are those of no class.

    Raises
    ------
    ValueError
        If the encoder looks ahead, sizes do not fit together or an argument is out of range.

    Examples
    --------
    >>> from gluon_rnn.nn import GRU
    >>> model = ConditionalLanguageModel(30, GRU(8), num_classes=4, embed_size=5); model.initialize()
    >>> states = model.states_for(mx.nd.array([3, 0], dtype="int32"))
    >>> logits, states = model(mx.nd.ones((7, 2), dtype="int32"), states)
    >>> logits.shape, [state.shape for state in states]
    ((7, 2, 30), [(1, 2, 8), (2, 16)])
    """

    def __init__(self, vocab_size, encoder, *, num_classes: Optional[int] = None, vector_size: Optional[int] = None,
                 condition_size=16, inject="both", embed_size=None, tie_weights=False, drop_e=0, drop_i=0, dropout=0,
                 drop_i_variational=True, dropout_variational=False, layout="TNC", prefix=None, params=None):
        if inject not in INJECTIONS:
            raise ValueError(f"inject must be one of {', '.join(map(repr, INJECTIONS))}, got {inject!r}")
        if (num_classes is None) == (vector_size is None):
            raise ValueError(f"a condition is a class or a vector: give num_classes or vector_size, got {num_classes} "
                             f"and {vector_size}")
        super().__init__(
            vocab_size, Conditioned(encoder, condition_size, concat_to_inputs=inject != "state"), embed_size=embed_size,
            tie_weights=tie_weights, drop_e=drop_e, drop_i=drop_i, dropout=dropout,
            drop_i_variational=drop_i_variational, dropout_variational=dropout_variational, layout=layout,
            prefix=prefix, params=params)
        self.num_classes, self.vector_size = num_classes, vector_size
        with self.name_scope():
            self.first = _FirstStates(encoder, num_classes, vector_size, condition_size, inject != "input",
                                      prefix="first_")

    def states_for(self, conditions):
        """Return the states before the first token: of class numbers (N,), or of vectors (N, vector_size).

        Inside a graph too: `conditions` may be a symbol.
        """
        if isinstance(conditions, mx.nd.NDArray):
            self._check_conditions(conditions)
        return self.first(conditions)

    def _build_cache(self, *args):
        # The graph of the call has no first states in it, and Gluon warns of parameters that a graph does not use.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Parameter .* not used by any computation")
            super()._build_cache(*args)

    def _check_conditions(self, conditions):
        if self.num_classes is None:
            if conditions.ndim != 2 or conditions.shape[1] != self.vector_size:
                raise ValueError(f"conditions must be vectors (N, {self.vector_size}), got shape {conditions.shape}")
            return
        if conditions.ndim != 1:
            raise ValueError(f"conditions must be class numbers of shape (N,), got {conditions.shape}")
        low, high = conditions.min().asscalar(), conditions.max().asscalar()
        if low < 0 or high >= self.num_classes:
            raise ValueError(f"a class number must be 0 to {self.num_classes - 1}, got {low} to {high}")


class _FirstStates(gluon.HybridBlock):
    """The encoder's first states and the condition, from class numbers (N,) or vectors (N, vector_size)."""

    def __init__(self, encoder, num_classes, vector_size, condition_size, into_state, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        options = dict(dtype=encoder._dtype, prefix="condition_")
        with self.name_scope():
            if num_classes is not None:
                check_sizes(num_classes=num_classes)
                self.condition = gluon.nn.Embedding(num_classes, condition_size,
                                                    weight_initializer=mx.init.Normal(0.5), **options)
            else:
                check_sizes(vector_size=vector_size)
                self.condition = gluon.nn.Dense(condition_size, activation="tanh", in_units=vector_size, **options)
            self.states = StatesFromVector(encoder, condition_size, prefix="states_") if into_state else None
        self._infos = encoder.state_info(1)

    def hybrid_forward(self, F, conditions):
        """Return the list of states, v (N, condition_size) last."""
        vectors = self.condition(conditions)
        if self.states is not None:
            return [*self.states(vectors), vectors]
        row = F.sum(F.zeros_like(vectors), axis=1)                        # (N,), so that N stays free
        return [*(_zeros(F, row, info) for info in self._infos), vectors]


def _zeros(F, row, info):
    """Return zeros as `info` says, with the length of `row` (N,) for N."""
    axes, axis = range(len(info["shape"])), info["__layout__"].index("N")
    others = [index for index in axes if index != axis]
    row = F.reshape(row, shape=tuple(-1 if index == axis else 1 for index in axes))
    return F.broadcast_axis(row, axis=others, size=[info["shape"][index] for index in others])
