r"""Attention over an encoded sequence: which source steps a decoder looks at.

With q_t the query at target step t, m_s the memory at source step s (both vectors) and S_n the source's length:

    e_ts = score(q_t, m_s)
    a_ts = exp(e_ts) / sum over s' < S_n of exp(e_ts')       for s < S_n, else exactly 0
    c_t = sum over s of a_ts m_s

Bahdanau (additive):             score = v . tanh(W q_t + U m_s)
Luong (multiplicative), dot:     score = q_t . m_s
                        general: score = q_t . W m_s

References
----------
Bahdanau, Cho, Bengio (2015), Neural machine translation by jointly learning to align and translate, appendix A.1.2.
Luong, Pham, Manning (2015), Effective approaches to attention-based neural machine translation, section 3.1.
"""
from mxnet import gluon

from gluon_rnn.nn import functional
from gluon_rnn.nn.arguments import take, take_lengths
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.nn.graph_block import GraphBlock

__all__ = ["BahdanauAttention", "LuongAttention"]


class _Attention(GraphBlock):
    """What both share: masks, the softmax over valid steps, the context.

    Raises
    ------
    ValueError
        If a size is not a whole number of at least 1.

    Inputs
    ------
    query : (T, N, Q) array
    memory : (S, N, M) array
    valid_length : (N,) array, optional
        Real steps of each row of `memory`, 0 to S; what stands behind them, NaN included, changes nothing. See
        `SequenceBlock` on lengths in graphs.

    Outputs
    -------
    context : (T, N, M) array
        0 for a row of length 0.
    weights : (T, N, S) array
        Each row sums to 1 and is 0 on padding; all 0 for a row of length 0.

    Notes
    -----
    In a loop over target steps what depends on the memory alone is computed once, by `prepare`, and `attend` is the
    rest. Both expect lengths of 0 to S, as `functional.clamp` makes them.
    """

    def __call__(self, query, memory, valid_length=None):
        query, memory = take(self, "query", query, self._dtype), take(self, "memory", memory, self._dtype)
        lengths = take_lengths(self, valid_length, memory, steps="S")
        return super().__call__(query, memory, *([] if lengths is None else [lengths]))

    def prepare(self, F, memory, valid_length=None):
        """Return keys (N, S, K) and values (N, S, M) of `memory` (S, N, M), with zeros in place of the padding."""
        if valid_length is not None:
            memory = functional.mask(F, memory, valid_length)                # first of all, so that NaN stays out
        values = F.swapaxes(memory, 0, 1)                                 # (N, S, M)
        return self._keys(values), values

    def attend(self, F, query, keys, values, valid_length=None):
        """Return context (T, N, M) and weights (T, N, S) of `query` (T, N, Q) over what `prepare` returned."""
        scores = self._scores(F, F.swapaxes(query, 0, 1), keys)           # (N, T, S)
        if valid_length is None:
            weights = F.softmax(scores, axis=-1)
        else:
            each = F.broadcast_like(F.expand_dims(valid_length, axis=1), scores, lhs_axes=(1,), rhs_axes=(1,))
            weights = F.softmax(scores, F.cast(each, dtype="int32"), axis=-1, use_length=True)
        context = F.batch_dot(weights, values)                            # (N, T, M)
        return F.swapaxes(context, 0, 1), F.swapaxes(weights, 0, 1)

    def hybrid_forward(self, F, query, memory, valid_length=None):
        """Prepare and attend in one; see the class."""
        if valid_length is not None:
            valid_length = functional.clamp(F, valid_length, memory)
        keys, values = self.prepare(F, memory, valid_length)
        return self.attend(F, query, keys, values, valid_length)

    def _keys(self, values):
        raise NotImplementedError(f"{type(self).__name__} must define _keys()")

    def _scores(self, F, query, keys):
        """Return (N, T, S) of query (N, T, Q) and keys (N, S, K)."""
        raise NotImplementedError(f"{type(self).__name__} must define _scores()")


class BahdanauAttention(_Attention):
    """Additive attention: score = v . tanh(W q_t + U m_s).

    Parameters
    ----------
    query_size : int
        Q.
    memory_size : int
        M.
    attention_size : int, optional
        Rows of W and U; default Q.
    dtype : str, default "float32"

    Examples
    --------
    >>> import mxnet as mx
    >>> attention = BahdanauAttention(8, 6); attention.initialize()
    >>> context, weights = attention(mx.nd.ones((2, 3, 8)), mx.nd.ones((5, 3, 6)), mx.nd.array([5, 2, 1]))
    >>> context.shape, weights.shape
    ((2, 3, 6), (2, 3, 5))
    """

    def __init__(self, query_size, memory_size, attention_size=None, *, dtype="float32", prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        attention_size = query_size if attention_size is None else attention_size
        check_sizes(query_size=query_size, memory_size=memory_size, attention_size=attention_size)
        options, self._attention_size = dict(use_bias=False, flatten=False, dtype=dtype), attention_size
        self._dtype = dtype
        with self.name_scope():
            self.query = gluon.nn.Dense(attention_size, in_units=query_size, prefix="query_", **options)
            self.key = gluon.nn.Dense(attention_size, in_units=memory_size, prefix="key_", **options)
            self.score = gluon.nn.Dense(1, in_units=attention_size, prefix="score_", **options)

    def _keys(self, values):
        return self.key(values)                                           # (N, S, K)

    def _scores(self, F, query, keys):
        # Each query goes to all source steps by a product with ones: its gradient, a sum over these steps, is one too,
        # where that of broadcast_add would add up number by number.
        ones = F.ones_like(F.slice_axis(keys, axis=2, begin=0, end=1))                                  # (N, S, 1)
        queries = F.batch_dot(ones, F.reshape(self.query(query), shape=(0, 1, -1)))                     # (N, S, T * K)
        queries = F.reshape(queries, shape=(0, 0, -1, self._attention_size))                            # (N, S, T, K)
        pairs = F.broadcast_add(queries, F.expand_dims(keys, axis=2))
        scores = self.score(F.Activation(pairs, act_type="tanh"))                                       # (N, S, T, 1)
        return F.swapaxes(F.squeeze(scores, axis=3), 1, 2)

    def prepare_steps(self, F, keys, valid_length):
        """Return what `weigh_step` reads, from the keys that `prepare` returned and lengths (N,)."""
        ones = F.ones_like(F.slice_axis(keys, axis=2, begin=0, end=1))                                  # (N, S, 1)
        return keys, ones, F.cast(valid_length, dtype="int32")

    def weigh_step(self, F, query, keys, ones, lengths):
        """Return the weights (N, 1, S) of one `query` (N, Q): what `attend` gives, in fewer operators."""
        queries = F.batch_dot(ones, F.expand_dims(self.query(query), axis=1))                           # (N, S, K)
        pairs = F.Activation(F.broadcast_add(queries, keys), act_type="tanh")
        scores = F.reshape(self.score(pairs), shape=(0, 0))               # (N, S)
        return F.expand_dims(F.softmax(scores, lengths, axis=-1, use_length=True), axis=1)


class LuongAttention(_Attention):
    """Multiplicative attention: score = q_t . W m_s ("general"), or q_t . m_s ("dot").

    Parameters
    ----------
    query_size : int
        Q.
    memory_size : int
        M; equal to Q for "dot".
    score : {"general", "dot"}, default "general"
    dtype : str, default "float32"

    Raises
    ------
    ValueError
        If the score is another one, or "dot" gets two sizes.
    """

    def __init__(self, query_size, memory_size, score="general", *, dtype="float32", prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        check_sizes(query_size=query_size, memory_size=memory_size)
        if score not in ("general", "dot"):
            raise ValueError(f"score must be 'general' or 'dot', got {score!r}")
        if score == "dot" and query_size != memory_size:
            raise ValueError(f"score 'dot' needs a query as long as the memory's vectors, got {query_size} and "
                             f"{memory_size}; make them equal, or take 'general'")
        self._dtype = dtype
        with self.name_scope():
            self.key = None if score == "dot" else gluon.nn.Dense(query_size, in_units=memory_size, use_bias=False,
                                                                  flatten=False, dtype=dtype, prefix="key_")

    def _keys(self, values):
        return values if self.key is None else self.key(values)           # (N, S, Q)

    def _scores(self, F, query, keys):
        return F.batch_dot(query, keys, transpose_b=True)                 # (N, T, S)
