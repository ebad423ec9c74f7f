r"""How often a decoder in training reads the right token, and how often its own prediction.

With i the updates made so far, counted in epochs, and E the epochs that the way takes:

    constant          rate = end
    linear            rate = max(end, 1 - (1 - end) i / E)
    exponential       rate = end ** (i / E)                     going on below `end`
    inverse_sigmoid   rate = (k + 1) / (k + exp(i / k)), k such that it is `end` at i = E; 1 at i = 0, unlike the paper

All but the first begin at 1, where the decoder reads right tokens only, which trains fastest.

References
----------
Bengio, Vinyals, Jaitly, Shazeer (2015), Scheduled sampling for sequence prediction with recurrent neural networks,
section 2.4.
"""
import math

__all__ = ["TeacherForcing"]


class TeacherForcing:
    """The probability that a step reads the right token, as a function of training time.

    Parameters
    ----------
    name : {"constant", "linear", "exponential", "inverse_sigmoid"}, default "constant"
    end : float in [0, 1], default 1
        The rate after `epochs` epochs.
    epochs : float, > 0, default 10
        E.

    Raises
    ------
    ValueError
        If the name or a number is another one.

    Examples
    --------
    >>> [TeacherForcing("linear", end=0.5, epochs=10)(epoch) for epoch in (0, 5, 10, 20)]
    [1.0, 0.75, 0.5, 0.5]
    """

    def __init__(self, name="constant", end=1.0, epochs=10.0):
        names = ("constant", "linear", "exponential", "inverse_sigmoid")
        if name not in names:
            raise ValueError(f"teacher_forcing.name must be one of {', '.join(names)}, got {name!r}")
        if isinstance(end, bool) or not isinstance(end, (int, float)) or not 0 <= end <= 1:
            raise ValueError(f"teacher_forcing.end must be a rate from 0 to 1, got {end!r}")
        if isinstance(epochs, bool) or not isinstance(epochs, (int, float)) or epochs <= 0:
            raise ValueError(f"teacher_forcing.epochs must be a number above 0, got {epochs!r}")
        if name in ("exponential", "inverse_sigmoid") and not 0 < end < 1:
            raise ValueError(f"teacher_forcing {name!r} needs an end above 0 and below 1, got {end}")
        self.name, self.end, self.epochs = name, float(end), float(epochs)
        self._k = _sigmoid_constant(self.end, self.epochs) if name == "inverse_sigmoid" else None

    @property
    def always(self):
        """Whether every step reads the right token, so that no loop is needed."""
        return self.end == 1

    def __call__(self, epoch):
        """Return the rate after `epoch` epochs, a float that may stand within one."""
        if self.always or self.name == "constant":
            return self.end
        if self.name == "linear":
            return max(self.end, 1 - (1 - self.end) * epoch / self.epochs)
        if self.name == "exponential":
            return self.end ** (epoch / self.epochs)
        return _inverse_sigmoid(epoch, self._k)


def _inverse_sigmoid(i, k):
    return (1 + k) / (k + math.exp(min(i / k, 700)))


def _sigmoid_constant(end, epochs):
    """Return k with a rate of `end` after `epochs`; the rate grows with k."""
    from scipy.optimize import brentq
    return brentq(lambda k: _inverse_sigmoid(epochs, k) - end, epochs / 700, 1e6 * epochs)
