"""A fused layer in parts, step by step, against the same layer over the whole sequence: values and gradients."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.nn.stepwise import Stepwise
from tests.reference import assert_rounded

STEPS, ROWS, KNOWN, FED, UNITS = 4, 3, 5, 2, 6
LAYERS = {"rnn": lambda **k: nn.RNN(UNITS, **k), "relu": lambda **k: nn.RNN(UNITS, activation="relu", **k),
          "lstm": lambda **k: nn.LSTM(UNITS, **k), "gru": lambda **k: nn.GRU(UNITS, **k)}


@pytest.fixture(params=LAYERS)
def layer(request):
    made = LAYERS[request.param](input_size=KNOWN + FED, i2h_bias_initializer=mx.init.Uniform(0.5),
                                 h2h_bias_initializer=mx.init.Uniform(0.5), dtype="float64")
    made.initialize()
    return made


def draw(*shape):
    array = mx.nd.array(np.random.normal(size=shape), dtype="float64")
    array.attach_grad()
    return array


def in_parts(layer, known, fed, states):
    parts = Stepwise(layer, KNOWN)
    projected, states, parameters = parts.prepare(mx.nd, known, states)
    outputs = []
    for step in range(STEPS):
        product = parts.fed_product(mx.nd, fed[step], parameters)
        output, states = parts.step(mx.nd, projected[step], product, states, parameters)
        outputs.append(output)
    return mx.nd.stack(*outputs), states


def test_parts_give_what_the_layer_gives(layer):
    known, fed = draw(STEPS, ROWS, KNOWN), draw(STEPS, ROWS, FED)
    begin = [draw(1, ROWS, UNITS) for _ in layer.state_info()]
    results = []
    for run in (lambda: layer(mx.nd.concat(known, fed, dim=2), begin), lambda: in_parts(layer, known, fed, begin)):
        with autograd.record():
            outputs, states = run()
            loss = (outputs * outputs).sum() + sum((state * state * state).sum() for state in states)
        loss.backward()
        arrays = [outputs, *states, known.grad, fed.grad, *(state.grad for state in begin),
                  *(parameter.grad() for parameter in layer.collect_params().values())]
        results.append([array.asnumpy().reshape(-1) for array in arrays])
    # the fused operator's relu rounds to float32 where all else is float64: at each step, for each unit
    assert_rounded(results[1], results[0], STEPS * ROWS * UNITS, "float32" if layer.mode == "rnn_relu" else "float64")


@pytest.mark.parametrize("layer", [nn.GRU(4, 2, input_size=3), nn.GRU(4, bidirectional=True, input_size=3),
                                   nn.GRU(4, weight_drop=0.5, input_size=3), nn.Jordan(4, 2, input_size=3)])
def test_other_layers_do_not_fit(layer):
    assert not Stepwise.fits(layer) and Stepwise.fits(nn.GRU(4, input_size=3))
