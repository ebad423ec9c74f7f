r"""Linear-chain conditional random field: the probability of a whole sequence of labels, and the best sequence.

With emissions e_t (K,) of a network, transitions A (K, K), begin b and end f (K,), a label sequence y of length T has

    s(y) = b[y_1] + sum_t e_t[y_t] + sum_{t>1} A[y_{t-1}, y_t] + f[y_T]
    -log p(y | e) = log Z - s(y),     log Z = log sum over all K^T sequences y' of exp s(y')

log Z by the forward recursion in log space, and argmax_y s(y) by Viterbi's, both a loop over time that steps past a
row's length without changing anything:

    alpha_1 = b + e_1,  alpha_t[j] = e_t[j] + logsumexp_i (alpha_{t-1}[i] + A[i, j]),  log Z = logsumexp_i (alpha_T + f)

References
----------
Lafferty, McCallum and Pereira (2001), Conditional random fields: probabilistic models for segmenting and labeling
sequence data. Lample, Ballesteros, Subramanian, Kawakami and Dyer (2016), Neural architectures for named entity
recognition, section 2.2: emissions of a bidirectional LSTM.
Viterbi (1967), Error bounds for convolutional codes and an asymptotically optimum decoding algorithm.
"""
import mxnet as mx

from gluon_rnn.nn import functional
from gluon_rnn.nn.arguments import check_labels, take, take_lengths
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.nn.graph_block import GraphBlock

__all__ = ["CRF", "Viterbi"]


class _Chain(GraphBlock):
    """The parameters of a chain of labels, and what both loops over it share."""

    loops = True

    def __init__(self, num_labels, dtype="float32", prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        check_sizes(num_labels=num_labels)
        self.num_labels, self._dtype = num_labels, dtype
        for name, shape in (("begin_weight", (num_labels,)), ("transition_weight", (num_labels, num_labels)),
                            ("end_weight", (num_labels,))):
            setattr(self, name, self.params.get(name, shape=shape, dtype=dtype, init="zeros"))

    def _checked(self, emissions, valid_length):
        """Return emissions and lengths as arrays that fit each other, lengths of all T where none are given."""
        emissions = take(self, "emissions", emissions, self._dtype)
        is_array = isinstance(emissions, mx.nd.NDArray)
        if is_array and (len(emissions.shape) != 3 or emissions.shape[2] != self.num_labels):
            raise ValueError(f"{type(self).__name__} expects emissions (T, N, {self.num_labels}), got shape "
                             f"{emissions.shape}")
        if valid_length is None:
            return emissions, _all_valid(mx.nd if is_array else mx.sym, emissions)
        return emissions, take_lengths(self, valid_length, emissions)


def _steps(F, emissions, valid_length):
    """Return masked emissions (T, N, K), for each step (T, N, 1) whether its successor is valid too, and the lengths.

    The lengths come back in the emissions' dtype, none above T or below 0.
    """
    valid_length = functional.clamp(F, valid_length, emissions)
    emissions = functional.mask(F, emissions, valid_length)                  # first of all, so that NaN stays out
    ones = F.ones_like(F.slice_axis(emissions, axis=2, begin=0, end=1))
    length = F.sum(functional.mask(F, ones, valid_length), axis=(0, 2))
    return emissions, functional.mask(F, ones, F.maximum(length - 1, 0)), length


def _all_valid(F, emissions):
    """The `valid_length` (N,) that leaves out nothing."""
    return F.sum(F.ones_like(F.slice_axis(emissions, axis=2, begin=0, end=1)), axis=(0, 2))


def _successors(F, sequence):
    """Return steps 2, ..., T of a sequence and one step of zeros: as long as it, so a loop has a step where T is 1."""
    zeros = F.zeros_like(F.slice_axis(sequence, axis=0, begin=0, end=1))
    return F.slice_axis(F.concat(sequence, zeros, dim=0), axis=0, begin=1, end=None)


def _first(F, sequence):
    """Return step 0 of a sequence (T, N, ...), (N, ...)."""
    return F.reshape(F.slice_axis(sequence, axis=0, begin=0, end=1), shape=(-3, -2))


class CRF(_Chain):
    """Negative log-likelihood of label sequences under a linear-chain conditional random field.

    Parameters
    ----------
    num_labels : int
        K.
    dtype : str, default "float32"

    Inputs/Outputs
    --------------
    emissions (T, N, K), labels (T, N), valid_length (N,) or None -> (N,): -log p(labels | emissions) of each row in
    nats, 0 for a row of length 0. What stands past `valid_length`, NaN included, changes nothing. See `SequenceBlock`
    on lengths that do not lie between 0 and T.

    Raises
    ------
    ValueError
        If a shape does not fit, or a length or label is out of range; labels on a GPU and in graphs are not read.

    Notes
    -----
    All weights start at 0: labels are independent of each other at first, and the loss is the cross-entropy.

    Examples
    --------
    >>> crf = CRF(3); crf.initialize()
    >>> crf(mx.nd.zeros((4, 1, 3)), mx.nd.zeros((4, 1)))        # 4 log 3: all 81 sequences are equally probable
    <BLANKLINE>
    [4.394449]
    <NDArray 1 @cpu(0)>
    """

    def __call__(self, emissions, labels, valid_length=None):
        emissions, lengths = self._checked(emissions, valid_length)
        labels = take(self, "labels", labels, None)
        # Lengths that were not given are computed, and reading those would wait for the emissions.
        check_labels(type(self).__name__, labels, self.num_labels, None if valid_length is None else lengths, axis=0)
        return super().__call__(emissions, labels, lengths)

    def hybrid_forward(self, F, emissions, labels, valid_length, *, begin_weight, transition_weight, end_weight):
        """Return log Z less the score of `labels`, (N,)."""
        emissions, linked, length = _steps(F, emissions, valid_length)
        labels = F.cast(functional.mask(F, labels, length), dtype="int32")   # NaN and 99 are no labels
        weights = begin_weight, transition_weight, end_weight
        normalizer = self._log_partition(F, emissions, linked, *weights)
        score = self._score(F, emissions, labels, linked, length, weights)
        return (normalizer - score) * (length > 0)

    def _log_partition(self, F, emissions, linked, begin, transition, end):
        transition = F.expand_dims(transition, axis=0)                    # (1, K, K)

        def step(slices, states):
            emission, is_linked = slices
            paths = F.broadcast_add(F.expand_dims(states[0], axis=2), transition)          # (N, K before, K now)
            new = emission + _logsumexp(F, paths)
            return [], [F.where(F.broadcast_like(is_linked, new) > 0, new, states[0])]

        alpha = F.broadcast_add(_first(F, emissions), F.expand_dims(begin, axis=0))        # (N, K)
        _, (alpha,) = F.contrib.foreach(step, [_successors(F, emissions), linked], [alpha])
        return _logsumexp(F, F.broadcast_add(alpha, F.expand_dims(end, axis=0)))           # (N,)

    def _score(self, F, emissions, labels, linked, length, weights):
        """Return s(labels) of each row, (N,), without a loop."""
        begin, transition, end = weights
        first, last = _first(F, labels), F.SequenceLast(labels, sequence_length=F.maximum(length, 1),
                                                        use_sequence_length=True)
        emitted = F.sum(F.pick(emissions, labels, axis=2), axis=0)        # masked emissions add 0
        pairs = labels * self.num_labels + _successors(F, labels)
        moves = F.take(F.reshape(transition, shape=(-1,)), pairs)         # (T, N)
        moved = F.sum(moves * F.reshape(linked, shape=(0, 0)), axis=0)
        return emitted + moved + F.take(begin, first) + F.take(end, last)


class Viterbi(_Chain):
    """The most probable label sequence under a `CRF`, whose parameters it shares.

    Parameters
    ----------
    crf : CRF

    Inputs/Outputs
    --------------
    emissions (T, N, K), valid_length (N,) or None -> labels (T, N), in the emissions' dtype, 0 past `valid_length`.
    """

    def __init__(self, crf):
        super().__init__(crf.num_labels, crf.transition_weight.dtype, prefix=crf.prefix, params=crf.params)

    def __call__(self, emissions, valid_length=None):
        return super().__call__(*self._checked(emissions, valid_length))

    def hybrid_forward(self, F, emissions, valid_length, *, begin_weight, transition_weight, end_weight):
        """Return the best labels: forward with the best predecessors noted, then back along them."""
        emissions, linked, length = _steps(F, emissions, valid_length)
        scores, predecessors = self._forward(F, emissions, linked, begin_weight, transition_weight)
        last = F.argmax(F.broadcast_add(scores, F.expand_dims(end_weight, axis=0)), axis=1)      # (N,)

        def back(predecessor, states):
            label = F.pick(predecessor, states[0], axis=1)
            return label, [label]

        labels, _ = F.contrib.foreach(back, F.reverse(predecessors, axis=0), [last])
        return functional.mask(F, F.reverse(labels, axis=0), length)

    def _forward(self, F, emissions, linked, begin, transition):
        """Return the best scores (N, K) of paths that end in each label, and predecessors (T, N, K).

        ``predecessors[t, n, j]`` is the label at t of the best path with j at t + 1; j itself where t + 1 is past the
        end of row n, so that going back through the padding changes nothing.
        """
        transition = F.expand_dims(transition, axis=0)                    # (1, K, K)
        scores = F.broadcast_add(_first(F, emissions), F.expand_dims(begin, axis=0))
        same = F.broadcast_like(F.expand_dims(F.contrib.arange_like(begin), axis=0), scores)       # (N, K)

        def step(slices, states):
            emission, is_linked = slices
            paths = F.broadcast_add(F.expand_dims(states[0], axis=2), transition)          # (N, K before, K now)
            keep = F.broadcast_like(is_linked, states[0]) > 0
            best = F.where(keep, emission + F.max(paths, axis=1), states[0])
            return F.where(keep, F.argmax(paths, axis=1), same), [best]

        predecessors, (scores,) = F.contrib.foreach(step, [_successors(F, emissions), linked], [scores])
        return scores, predecessors


def _logsumexp(F, values):
    """Return log sum exp of `values` (N, K, ...) over axis 1, safe for large ones."""
    largest = F.max(F.BlockGrad(values), axis=1, keepdims=True)
    total = F.sum(F.exp(F.broadcast_sub(values, largest)), axis=1)
    return F.log(total) + F.reshape_like(largest, total)
