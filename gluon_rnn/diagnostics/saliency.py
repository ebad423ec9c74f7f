r"""Which inputs an answer rests on: gradient times input, and integrated gradients.

Of an answer f(x), inputs x and a baseline x', element by element:

    gradient times input      x df/dx
    integrated gradients      (x - x') \int_0^1 df/dx (x' + a (x - x')) da

The second sum to f(x) - f(x'), whatever f is (completeness). The integral is taken by Gauss and Legendre's rule, whose
points are doubled until the sum fits. Of a linear answer and a baseline of 0 both are w x.

References
----------
Simonyan, Vedaldi and Zisserman (2014), Deep inside convolutional networks: gradients by inputs. Shrikumar, Greenside,
Shcherbina and Kundaje (2016), Not just a black box: gradient times input. Sundararajan, Taly and Yan (2017), Axiomatic
attribution for deep networks, equation 1 and proposition 1.
"""
import dataclasses

import mxnet as mx
import numpy as np
from mxnet import autograd

__all__ = ["InputSaliency", "input_saliency"]

#: largest share of the summed absolute attributions by which they may miss the difference of answers
TOLERANCE = 0.01
_FIRST, _MOST = 8, 64


@dataclasses.dataclass
class InputSaliency:
    """Attributions of N answers to T steps of C numbers.

    Parameters
    ----------
    gradient_input, integrated : (T, N, C) float64 arrays
    answers, baseline_answers : (N,) float64 arrays
        f(x) and f(x').
    points : int
        Of the rule of integration.
    """

    gradient_input: np.ndarray
    integrated: np.ndarray
    answers: np.ndarray
    baseline_answers: np.ndarray
    points: int

    @property
    def gap(self):
        """By how much the sum of integrated gradients misses f(x) - f(x'), as a share of their absolute sum, (N,)."""
        missed = np.abs(self.integrated.sum(axis=(0, 2)) - (self.answers - self.baseline_answers))
        scale = np.abs(self.integrated).sum(axis=(0, 2))
        return missed / np.where(scale, scale, 1.0)

    @property
    def complete(self):
        """Whether all gaps are at most `TOLERANCE`, 1 %."""
        return bool((self.gap <= TOLERANCE).all())


def input_saliency(answer, inputs, baseline=None, tolerance=TOLERANCE):
    """Attribute answers to inputs.

    Parameters
    ----------
    answer : callable
        From inputs (T, N, C), an NDArray, to answers (N,); each must depend on its own row alone. It is recorded in
        prediction mode, without dropout.
    inputs : (T, N, C) NDArray
    baseline : NDArray, optional
        x', of any shape that goes with that of inputs; default 0.
    tolerance : float, default 0.01
        See `InputSaliency.gap`. From 8 points on the rule is doubled until all gaps are below it, 64 at most.

    Returns
    -------
    InputSaliency
        Where 64 points do not do, `complete` is False.

    Examples
    --------
    >>> found = input_saliency(lambda x: (3 * x).sum(axis=(0, 2)), mx.nd.array([[[1.0]], [[2.0]]]))
    >>> found.integrated[:, 0, 0].round(6).tolist()
    [3.0, 6.0]
    """
    start = mx.nd.zeros_like(inputs) if baseline is None else mx.nd.broadcast_like(baseline, inputs)
    step = (inputs - start).asnumpy().astype(np.float64)
    answers, gradient = _gradient(answer, inputs)
    begin, _ = _gradient(answer, start)
    points = _FIRST
    while True:
        integral = _integral(answer, start, inputs, points)
        found = InputSaliency(gradient * inputs.asnumpy(), step * integral, answers, begin, points)
        if (found.gap <= tolerance).all() or points >= _MOST:
            return found
        points *= 2


def _integral(answer, start, inputs, points):
    """Return the mean gradient (T, N, C) along the line from start to inputs."""
    places, weights = np.polynomial.legendre.leggauss(points)
    return sum(weight / 2 * _gradient(answer, start + (place + 1) / 2 * (inputs - start))[1]
               for place, weight in zip(places, weights))


def _gradient(answer, inputs):
    """Return answers (N,) and their gradient (T, N, C) by inputs, float64."""
    inputs = inputs.copy()
    inputs.attach_grad()
    with autograd.record(train_mode=False):
        answers = answer(inputs)
    answers.backward(train_mode=False)
    return answers.asnumpy().astype(np.float64), inputs.grad.asnumpy().astype(np.float64)
