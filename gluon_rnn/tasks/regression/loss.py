"""The loss graph of a regressor."""
from mxnet import gluon

__all__ = ["LOSSES", "RegressionLoss"]

LOSSES = ("squared", "huber", "absolute")


class RegressionLoss(gluon.HybridBlock):
    """A `SequenceRegressor` and its loss in one graph.

    With the error e = model - target, both scaled: e^2 ("squared"), |e| ("absolute"), or e^2 / 2 up to |e| = d and
    d (|e| - d / 2) above ("huber"); the mean over the K targets of a sequence.

    Parameters
    ----------
    model : SequenceRegressor
    loss : {"squared", "huber", "absolute"}, default "squared"
    delta : float, > 0, default 1
        d, for "huber".

    Inputs/Outputs
    --------------
    inputs (T, N, C), valid_length (N,), targets (N, K) -> sum of the losses of the sequences, shape (1,)

    References
    ----------
    Huber (1964), Robust estimation of a location parameter.
    """

    def __init__(self, model, loss="squared", delta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.model, self._loss, self._delta = model, loss, delta

    def hybrid_forward(self, F, inputs, valid_length, targets):
        return self.of_values(F, self.model(inputs, None, valid_length), targets)

    def of_values(self, F, values, targets):
        """Return the sum of the losses of `values` (N, K)."""
        errors = values - targets
        if self._loss == "squared":
            losses = F.square(errors)
        elif self._loss == "absolute":
            losses = F.abs(errors)
        else:
            # smooth_l1 is this divided by d
            losses = self._delta * F.smooth_l1(errors, scalar=self._delta ** -0.5)
        return F.sum(F.mean(losses, axis=1))
