"""Connectionist temporal classification: a label sequence for inputs that say not where each label begins.

A path gives every step one of K labels or the blank; merging repeats and then taking out blanks makes a label sequence
of it (with - the blank: a a - a b b becomes a a b). With y_t = softmax(logits_t) and steps independent given y,

    p(l) = sum over all paths that make l of prod_t y_t(path_t),     loss = -log p(l)

References
----------
Graves, Fernandez, Gomez & Schmidhuber (2006), Connectionist Temporal Classification: Labelling Unsegmented Sequence
Data with Recurrent Neural Networks, equations 1-8.
"""
from mxnet.ndarray import NDArray

from gluon_rnn.nn import functional
from gluon_rnn.nn.arguments import check_labels, take, take_lengths
from gluon_rnn.nn.graph_block import GraphBlock

__all__ = ["CTCLoss"]


class CTCLoss(GraphBlock):
    """Negative log-probability of a label sequence, on MXNet's CTC operator; the blank is the last of the outputs.

    Inputs/Outputs
    --------------
    logits : (T, N, K + 1)
        Not normalised; label k stands at k, the blank at K. In any dtype; the operator computes in float32.
    labels : (N, L), L at most T
        0 to K - 1; what stands past `label_length` does not matter. In graphs and on a GPU, where they are not read, a
        label above K - 1 counts as K - 1, one below 0 or NaN as 0.
    valid_length : (N,)
        Steps of each row; what stands behind them, NaN included, does not matter.
    label_length : (N,)
        Labels of each row, 0 to L; 0 is a row of blanks alone. See `SequenceBlock` on lengths out of range.
    loss : (N,), float32
        In nats; infinity, without a gradient, where no path of so few steps makes the labels (`shortest_path`).

    Raises
    ------
    ValueError
        If a shape does not fit, a length or label is out of range, or L is above T.

    Notes
    -----
    MXNet's operator itself answers 0 where no path is long enough, leaves its gradient as it finds the memory, and
    cannot do without labels; both are handled around it.

    Examples
    --------
    >>> import mxnet as mx
    >>> logits = mx.nd.zeros((2, 1, 3))                     # two steps, two labels and the blank, all equally likely
    >>> loss = CTCLoss()(logits, mx.nd.array([[0]]), mx.nd.array([2]), mx.nd.array([1]))
    >>> round(float(mx.nd.exp(-loss).asscalar()), 4)        # 0 0, 0 -, - 0: three paths of nine
    0.3333
    """

    def __call__(self, logits, labels, valid_length, label_length):
        logits, labels = take(self, "logits", logits, "float32"), take(self, "labels", labels, "float32")
        valid_length = take_lengths(self, valid_length, logits)
        label_length = take_lengths(self, label_length, labels, "label_length", "L", axis=1)
        if isinstance(logits, NDArray):
            _check(type(self).__name__, logits, labels, label_length)
        return super().__call__(logits, labels, valid_length, label_length)

    def hybrid_forward(self, F, logits, labels, valid_length, label_length):
        """Compute the loss (N,)."""
        logits = F.cast(logits, dtype="float32")                                         # all that the operator knows
        valid_length = functional.clamp(F, valid_length, logits)
        label_length = functional.clamp(F, label_length, labels, axis=1)
        logits = functional.mask(F, logits, valid_length)
        # A row without labels goes through the operator with one; were that no label, it would read beside the logits.
        labels = F.swapaxes(F.cast(labels, dtype="float32"), 0, 1)         # as lengths are
        labels = _within(F, F.swapaxes(functional.mask(F, labels, label_length), 0, 1), logits)          # (N, L)
        possible = valid_length >= label_length + _repeats(F, labels, label_length)      # (N,)
        usable = possible * (label_length > 0)
        loss = F.CTCLoss(logits, labels, F.maximum(valid_length, 1), F.where(usable, label_length,
                                                                             F.ones_like(label_length)),
                         use_data_lengths=True, use_label_lengths=True, blank_label="last")
        blanks = F.slice_axis(F.log_softmax(logits), axis=2, begin=-1, end=None)         # (T, N, 1)
        blanks = -F.sum(functional.mask(F, blanks, valid_length), axis=(0, 2))              # (N,)
        loss = F.where(label_length > 0, loss, blanks)
        return F.where(possible, loss, F.ones_like(loss) * float("inf"))


def _check(name, logits, labels, label_length):
    """Raise ValueError for labels (N, L) that logits (T, N, K + 1) cannot make."""
    steps, _, outputs = logits.shape
    if labels.shape[1] > steps:
        raise ValueError(f"{name} expects labels (N, L) with L at most the {steps} steps of the logits, got shape "
                         f"{labels.shape}; cut padding off, and leave rows out that have more labels than steps")
    check_labels(name, labels, outputs - 1, label_length, axis=1)


def _within(F, labels, logits):
    """Return labels (N, L), none below 0 or above K - 1: for others the operator would use memory beside the logits."""
    highest = F.slice_axis(F.shape_array(logits), axis=0, begin=2, end=3) - 2            # K - 1 of K + 1 outputs
    labels = F.broadcast_minimum(labels, F.reshape(F.cast(highest, dtype="float32"), shape=(1, 1)))
    return F.where(labels > 0, labels, F.zeros_like(labels))                             # NaN passes through minimum


def _repeats(F, labels, label_length):
    """Return how many of each row's labels (N, L) equal the one before, (N,): a blank must stand between them."""
    outside = -F.ones_like(F.slice_axis(labels, axis=1, begin=0, end=1))                 # (N, 1), no label
    equal = F.concat(outside, labels, dim=1) == F.concat(labels, outside, dim=1)         # (N, L + 1)
    equal = F.cast(equal, dtype="float32")                                               # as lengths are
    return F.sum(functional.mask(F, F.swapaxes(equal, 0, 1), label_length), axis=0)


def shortest_path(labels):
    """Return how many steps a path needs at least to make `labels`: one each, and one between two equal ones.

    >>> shortest_path([3, 3, 1])
    4
    """
    return len(labels) + sum(first == second for first, second in zip(labels[:-1], labels[1:]))
