"""Small layers in float64 whose derivatives are known, and their gradients by autograd."""
import mxnet as mx
import numpy as np
from mxnet import autograd

from gluon_rnn.nn import GRU, RNN, Jordan

#: name: (class, arguments) of every form whose derivatives are written down
LAYERS = {
    "tanh": (RNN, {}), "sigmoid": (RNN, {"activation": "sigmoid"}), "relu": (RNN, {"activation": "relu"}),
    "gru": (GRU, {}), "jordan": (Jordan, {"output_size": 3}),
    "jordan_decay": (Jordan, {"output_size": 3, "decay": 0.6, "activation": "sigmoid", "output_activation": "tanh"}),
    "jordan_relu": (Jordan, {"output_size": 2, "activation": "relu", "output_activation": "sigmoid"})}


def make_layer(name, hidden_size=5, input_size=4):
    """Return a layer of `LAYERS` whose biases are not 0 either."""
    cls, arguments = LAYERS[name]
    layer = cls(hidden_size, input_size=input_size, dtype="float64", **arguments)
    layer.initialize(mx.init.Normal(0.5))
    for parameter in layer.collect_params().values():
        parameter.set_data(mx.nd.array(0.5 * np.random.standard_normal(parameter.shape), dtype="float64"))
    return layer


def named(layer):
    """Return {name: Parameter} by the names of the derivatives."""
    if isinstance(layer, Jordan):
        return {f"l0_{name}": parameter for name, parameter in layer.l0._reg_params.items()}
    return dict(layer._reg_params)


def by_autograd(layer, loss):
    """Return {name: gradient} of ``loss()``, an array computed from the layer, by MXNet."""
    with autograd.record():
        value = loss()
    value.backward()
    return {name: parameter.grad().asnumpy().copy() for name, parameter in named(layer).items()}


def example(layer, steps=7, rows=3):
    """Return inputs (T, N, C) and weights (T, N, S) of the outputs in a loss, NumPy."""
    return (np.random.standard_normal((steps, rows, layer.input_size)),
            np.random.standard_normal((steps, rows, layer.output_size)))


def outputs_of(layer, inputs):
    """Return the outputs of the live layer; of rectifiers, which the fused operator rounds to float32, in a loop."""
    if getattr(layer, "mode", None) != "rnn_relu":
        return layer(inputs)
    w, r, b, c = (layer._reg_params[f"l0_{name}"].data() for name in
                  ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"))
    h, outputs = mx.nd.zeros((inputs.shape[1], layer.hidden_size), dtype="float64"), []
    for x in inputs:
        h = mx.nd.relu(mx.nd.dot(x, w.T) + b + mx.nd.dot(h, r.T) + c)
        outputs.append(h)
    return mx.nd.stack(*outputs)


def loss_of(layer, inputs, weights):
    """Return the loss sum_t w_t . tanh(y_t)^2 by the live layer."""
    outputs = outputs_of(layer, mx.nd.array(inputs, dtype="float64"))
    return (mx.nd.array(weights, dtype="float64") * mx.nd.tanh(outputs) ** 2).sum()


def slope(outputs, weights):
    """Return the derivative of that loss by outputs, NumPy."""
    y = np.tanh(outputs)
    return weights * 2 * y * (1 - y * y)
