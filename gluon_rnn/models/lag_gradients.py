r"""Loss and gradients of a model with lags in open loop, in NumPy: for models so small that overhead is what counts.

In open loop the model of `gluon_rnn.models.narx` is a feed-forward network from the lags to y. A training step of a
small one is tens of operators of a few microseconds each, and what MXNet's autograd and engine add to each is several
times that. Written out, with a column a sample and the bias as one more column of each weight matrix,

    u_0 = [x lags; y lags; 1],   u_k = [g(W_k u_{k-1}); 1],   y = W_m u_{m-1} [+ S u_0],   e = y - target
    dE/dW_k = d_k u_{k-1}',      d_m = 2 e / Ky,              d_k = g'(W_k u_{k-1}) * (W_{k+1}' d_{k+1})

it is a handful of matrix products. Samples go through in blocks that stay in the cache. When this takes autograd's
place, `gluon_rnn.tasks.forecasting.loss` says.

References
----------
Rumelhart, Hinton and Williams (1986), Learning representations by back-propagating errors.
"""
import functools

import numpy as np
import threadpoolctl

from gluon_rnn.nn.backend import LAG_BLOCK

__all__ = ["loss_and_gradients"]

_ZERO = np.zeros((), dtype="float32")                                     # for float64 too: the array's dtype stays


def _sigmoid_in_place(data):
    for operator in (np.negative, np.exp, functools.partial(np.add, 1), np.reciprocal):
        operator(data, out=data)


_IN_PLACE = {"identity": lambda data: None, "tanh": lambda data: np.tanh(data, out=data),
             "sigmoid": _sigmoid_in_place, "relu": lambda data: np.maximum(data, _ZERO, out=data),
             "softrelu": lambda data: np.logaddexp(data, _ZERO, out=data),
             "softsign": lambda data: np.divide(data, 1 + np.abs(data), out=data)}


def in_place(activation):
    """Return a function that applies "identity" or an activation of `F.Activation` to an array in place."""
    return _IN_PLACE[activation]


def _one_minus(values):
    return np.subtract(1, values, out=values)


_SLOPES = {"identity": lambda values: 1, "relu": np.sign, "softrelu": lambda values: -np.expm1(-values),
           "sigmoid": lambda values: values * (1 - values), "tanh": lambda values: _one_minus(np.square(values)),
           "softsign": lambda values: np.square(_one_minus(np.abs(values)))}


def slope_of(activation):
    """Return a function from the values of an activation (see `in_place`) to its derivatives there."""
    return _SLOPES[activation]


def loss_and_gradients(lags, parameters, series, washout, length):
    """Return the summed squared error of the open-loop predictions, and the gradient of each parameter.

    Parameters
    ----------
    lags : gluon_rnn.models.Lags
    parameters : dict
        {name: array} of all that `lags.shapes` names.
    series : (T, N, Cx + Ky) array, T at least washout + length
        Inputs and measured outputs side by side; before the first row both are 0.
    washout : int
        The first row that is predicted; lags reach into those before.
    length : int
        Number of rows that are predicted.

    Returns
    -------
    loss : float
        The sum over length * N samples of the squared error, the mean over outputs.
    gradients : dict
        {name: array}, in the shapes of `parameters`.
    """
    names = _names(lags)
    matrices = [np.concatenate([_as_columns(parameters[name]) for name in layer], axis=1) for layer in names]
    regressors, targets = _regression(lags, series, washout, length)
    gradients, loss = [np.zeros_like(matrix) for matrix in matrices], 0.0
    columns = max(1, LAG_BLOCK // max(len(regressors), *(len(matrix) for matrix in matrices)))
    # OpenBLAS would wake threads of its own for products of a microsecond, which then compete with MXNet's.
    with _blas().limit(limits=1, user_api="blas"):
        for begin in range(0, targets.shape[1], columns):
            block = slice(begin, begin + columns)
            loss += _backpropagate(lags, matrices, gradients, regressors[:, block], targets[:, block])
    return loss / lags.output_size, _apart(names, gradients, parameters)


@functools.cache
def _blas():
    return threadpoolctl.ThreadpoolController()                           # it takes milliseconds to find the libraries


def _names(lags):
    """Return for each layer, and last for the skip path, the parameters that its matrix concatenates."""
    known = lags.shapes()
    layers = [("x_weight", "y_weight", "bias"), *((weight, bias) for weight, bias, _ in lags.upper_layers)]
    if lags.skip:
        layers.append(("skip_x_weight", "skip_y_weight"))
    return [[name for name in layer if name in known] for layer in layers]


def _as_columns(values):
    return values if values.ndim == 2 else values[:, np.newaxis]


def _regression(lags, series, washout, length):
    """Return [x lags; y lags; 1] (X + Y + 1, length * N) and the targets (Ky, length * N), time before rows."""
    before = max(0, lags.memory - washout)
    rows, first = series.shape[1], washout + before
    signals = np.zeros((series.shape[2], first + length, rows), dtype=series.dtype)
    signals[:, before:] = series[:washout + length].transpose(2, 0, 1)
    x, y = np.split(signals.reshape(len(signals), -1), [lags.input_size])
    regressors = np.ones((lags.lagged_input_size + lags.feedback_size + 1, length * rows), dtype=series.dtype)
    at = 0
    for signal, offsets in ((x, lags.input_offsets), (y, range(-1, -lags.output_lag - 1, -1))):
        for offset in offsets if len(signal) else ():
            begin = (first + offset) * rows
            regressors[at:at + len(signal)] = signal[:, begin:begin + length * rows]
            at += len(signal)
    return regressors, y[:, first * rows:]


def _backpropagate(lags, matrices, gradients, regressors, targets):
    """Add the gradients of a block of samples to `gradients`, in place, and return its summed squared error."""
    layers = matrices[:len(lags.hidden_sizes) + 1]
    activate, slope = in_place(lags.activation), slope_of(lags.activation)
    values = [regressors]
    for matrix in layers[:-1]:
        hidden = np.ones((len(matrix) + 1, targets.shape[1]), dtype=targets.dtype)
        activate(np.matmul(matrix, values[-1], out=hidden[:-1]))
        values.append(hidden)
    errors = layers[-1].dot(values[-1])
    if lags.skip:
        errors += matrices[-1].dot(regressors[:-1])
    errors -= targets
    loss = float(np.vdot(errors, errors))
    errors *= 2 / lags.output_size
    if lags.skip:
        gradients[-1] += errors.dot(regressors[:-1].T)
    for layer in range(len(layers) - 1, 0, -1):
        gradients[layer] += errors.dot(values[layer].T)
        errors = layers[layer][:, :-1].T.dot(errors)
        errors *= slope(values[layer][:-1])
    gradients[0] += errors.dot(regressors.T)
    return loss


def _apart(names, gradients, parameters):
    """Return {name: gradient} from the matrices that concatenate several parameters."""
    result = {}
    for layer, gradient in zip(names, gradients):
        begin = 0
        for name in layer:
            width = parameters[name].size // len(gradient)
            result[name] = gradient[:, begin:begin + width].reshape(parameters[name].shape)
            begin += width
    return result
