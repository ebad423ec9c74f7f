r"""From a sequence of vectors to one: the last valid step, the mean, the maximum, or a learnt weighting.

    last       p = h_L;  (forward h_L, backward h_1) of a bidirectional encoder: where each direction has read it all
    mean       p = 1/L sum_t h_t
    max        p_k = max_t h_{t,k}
    attention  p = sum_t a_t h_t,  a = softmax_t(v . tanh(W h_t + b))

over the L valid steps of a row; a row without any gives 0.

References
----------
Yang, Yang, Dyer, He, Smola and Hovy (2016), Hierarchical Attention Networks for Document Classification, equations 5-7.
"""
import mxnet as mx

from gluon_rnn.nn import functional
from gluon_rnn.nn.arguments import take, take_lengths
from gluon_rnn.nn.bidirectional import Bidirectional, BidirectionalStack
from gluon_rnn.nn.chain import Chain
from gluon_rnn.nn.conditioned import Conditioned
from gluon_rnn.nn.graph_block import GraphBlock

__all__ = ["POOLINGS", "Pooling", "forward_size_of"]

POOLINGS = ("last", "mean", "max", "attention")
#: far below every activation; -inf would make NaN of a row without steps
_LOWEST = -1e30


class Pooling(GraphBlock):
    """One vector for each sequence; the equations stand at the top of this file.

    Parameters
    ----------
    kind : {"last", "mean", "max", "attention"}
    size : int
        H, features of the sequences.
    forward_size : int, optional
        How many of the features were read from the start, the others having been read from the end, as
        `forward_size_of` tells; default all. Only for "last" this makes a difference.
    dtype : str, default "float32"

    Inputs/Outputs
    --------------
    sequence (T, N, H), 0 past the lengths; valid_length (N,) or None -> (N, H)

    Raises
    ------
    ValueError
        If there is no such kind, or a length does not lie between 0 and T; see `SequenceBlock` on lengths in graphs.

    Notes
    -----
    Parameters of "attention": ``attention_weight`` (H, H), ``attention_bias`` (H,), ``attention_query`` (1, H), which
    starts at 0: the mean. The others have none.

    Examples
    --------
    >>> pooling = Pooling("max", 1)
    >>> pooling(mx.nd.array([[[-1.0], [5.0]], [[-2.0], [0.0]]]), mx.nd.array([2, 1])).asnumpy().tolist()
    [[-1.0], [5.0]]
    """

    def __init__(self, kind, size, forward_size=None, dtype="float32", prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        if kind not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, got {kind!r}")
        self.kind, self._size, self._dtype = kind, size, dtype
        self._forward_size = size if forward_size is None else forward_size
        if kind == "attention":
            for name, shape, init in (("weight", (size, size), mx.init.Xavier()), ("bias", (size,), "zeros"),
                                      ("query", (1, size), "zeros")):
                setattr(self, f"attention_{name}", self.params.get(f"attention_{name}", shape=shape, init=init,
                                                                   dtype=dtype))

    def __call__(self, sequence, valid_length=None):
        sequence = take(self, "sequence", sequence, self._dtype)
        lengths = take_lengths(self, valid_length, sequence)
        return super().__call__(sequence, *([] if lengths is None else [lengths]))

    def hybrid_forward(self, F, sequence, valid_length=None, **parameters):
        """Pool `sequence` (T, N, H) to (N, H)."""
        pool = getattr(self, f"_{self.kind}")
        if valid_length is None:
            return pool(F, sequence, None, **parameters)
        with functional.clamped(F, valid_length, sequence) as lengths:
            return pool(F, sequence, F.cast(lengths, dtype=self._dtype), **parameters)

    def _last(self, F, sequence, valid_length):
        if self._forward_size == self._size:
            return _last_step(F, sequence, valid_length)
        last = _last_step(F, sequence, valid_length)
        first = F.reshape(F.slice_axis(sequence, axis=0, begin=0, end=1), shape=(-3, 0))
        return F.concat(F.slice_axis(last, axis=1, begin=0, end=self._forward_size),
                        F.slice_axis(first, axis=1, begin=self._forward_size, end=None), dim=1)             # (N, H)

    def _mean(self, F, sequence, valid_length):
        if valid_length is None:
            return F.mean(sequence, axis=0)
        steps = F.expand_dims(F.maximum(valid_length, 1), axis=1)                        # (N, 1)
        return F.broadcast_div(F.sum(sequence, axis=0), steps)

    def _max(self, F, sequence, valid_length):
        if valid_length is None:
            return F.max(sequence, axis=0)
        best = F.max(_fill(F, sequence, valid_length), axis=0)                           # (N, H)
        return F.where(F.broadcast_like(F.expand_dims(valid_length, axis=1), best) > 0, best, F.zeros_like(best))

    def _attention(self, F, sequence, valid_length, **parameters):
        weights = self.weights(F, sequence, valid_length, **parameters)                  # (T, N, 1)
        return F.sum(F.broadcast_mul(sequence, weights), axis=0)

    def weights(self, F, sequence, valid_length, *, attention_weight, attention_bias, attention_query):
        """Return the weight of each step (T, N, 1): their sum over a row's valid steps is 1, and 0 on padding."""
        hidden = F.tanh(F.FullyConnected(sequence, attention_weight, attention_bias, num_hidden=self._size,
                                         flatten=False))
        scores = F.FullyConnected(hidden, attention_query, no_bias=True, num_hidden=1, flatten=False)
        if valid_length is None:
            return F.softmax(scores, axis=0)
        return functional.mask(F, F.softmax(_fill(F, scores, valid_length), axis=0), valid_length)


def forward_size_of(encoder):
    """Return how many output features of an encoder were read from the start of a sequence, None for all of them.

    A block behind a bidirectional one mixes what both directions have read: of a `Chain` the last block decides.
    """
    if isinstance(encoder, Chain):
        return forward_size_of(encoder.blocks[-1])
    if isinstance(encoder, Conditioned):
        return forward_size_of(encoder.encoder)
    if isinstance(encoder, Bidirectional):
        return encoder.forward_block.output_size
    both = isinstance(encoder, BidirectionalStack) or getattr(encoder, "bidirectional", False)
    return encoder.output_size // 2 if both else None


def _last_step(F, sequence, valid_length):
    if valid_length is None:                                              # SequenceLast without lengths would write
        return F.reshape(F.slice_axis(sequence, axis=0, begin=-1, end=None), shape=(-3, 0))      # elsewhere, backwards
    return F.SequenceLast(sequence, sequence_length=F.maximum(valid_length, 1), use_sequence_length=True)


def _fill(F, sequence, valid_length):
    """Return `sequence` with the lowest of numbers past each row's length."""
    return F.SequenceMask(sequence, sequence_length=valid_length, use_sequence_length=True, value=_LOWEST)
