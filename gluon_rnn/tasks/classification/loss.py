"""The loss graph of a classifier, and the weights of its classes."""
import numpy as np
from mxnet import gluon

from gluon_rnn.tasks.r_drop import disagreement, twice

__all__ = ["ClassificationLoss", "class_weights"]


class ClassificationLoss(gluon.HybridBlock):
    """A classifier and its loss in one graph.

    Parameters
    ----------
    model : SequenceClassifier
    label_smoothing : float in [0, 1), default 0
        e, the share of the target that is spread over all K classes: -(1 - e) log p_target - e / K sum_k log p_k.
    r_drop : float, default 0
        Above 0 each sequence runs twice, see `gluon_rnn.tasks.r_drop`; `weights` are those of the first part alone.

    Inputs/Outputs
    --------------
    inputs (T, N) or (T, N, C), valid_length (N,), targets (N,), weights (N,) -> sum of the weighted cross-entropies in
    nats, shape (1,)

    References
    ----------
    Szegedy, Vanhoucke, Ioffe, Shlens & Wojna (2016), Rethinking the Inception Architecture, section 7.
    """

    def __init__(self, model, label_smoothing=0.0, r_drop=0.0, **kwargs):
        super().__init__(**kwargs)
        self.model, self._num_classes = model, model.output_size
        self._smoothing, self._r_drop = label_smoothing, r_drop

    def hybrid_forward(self, F, inputs, valid_length, targets, weights):
        """Compute the summed loss."""
        if not self._r_drop:
            return self._plain(F, inputs, valid_length, targets, weights)[0]
        loss, scores = self._plain(F, *twice(F, [inputs, valid_length, targets, weights], [1, 0, 0, 0]))
        return loss / 2 + self._r_drop / 4 * disagreement(F, scores, self._num_classes)

    def _plain(self, F, inputs, valid_length, targets, weights):
        """Return the summed loss, and log p of all classes, (N, K)."""
        scores = F.log_softmax(self.model(inputs, None, valid_length))
        return self.of_scores(F, scores, targets, weights), scores

    def of_scores(self, F, scores, targets, weights):
        """Return the summed loss of log p, (N, K)."""
        loss = F.pick(scores, targets)
        if self._smoothing:
            loss = (1 - self._smoothing) * loss + self._smoothing * F.mean(scores, axis=1)
        return -F.sum(F.cast(weights, dtype=self.model._dtype) * loss)


def class_weights(targets, num_classes, balance):
    """Return the weights (K,) of classes: share ** -balance, scaled to a mean of 1 over all `targets` (n,).

    A class that none of them has weighs as one that a single target has.

    >>> class_weights(np.array([0, 0, 0, 1]), 2, balance=1.0).round(4).tolist()     # both classes count 2 in all
    [0.6667, 2.0]
    """
    counts = np.bincount(targets, minlength=num_classes)
    weights = (np.maximum(counts, 1) / len(targets)) ** -balance
    return weights / (counts / len(targets) * weights).sum()
