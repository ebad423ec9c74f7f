"""The delay line against a NumPy loop: values, states of short and empty rows, gradients, errors."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn


def reference(x, state, lengths):
    """z_t = [x_t, ..., x_{t-K}] row by row, and each row's last K values."""
    steps, rows, features = x.shape
    K = len(state)
    outputs, finals = np.zeros((steps, rows, (K + 1) * features)), np.zeros_like(state)
    for n, length in enumerate(lengths):
        history = list(state[:, n])
        for t in range(length):
            history.append(x[t, n])
            outputs[t, n] = np.concatenate(history[::-1][:K + 1])
        finals[:, n] = history[len(history) - K:]
    return outputs, finals


@pytest.mark.parametrize("delays", [1, 3, 8])
@pytest.mark.parametrize("lengths", [None, [6, 4, 2, 0]])
def test_values_and_states(delays, lengths):
    line = nn.DelayLine(delays, dtype="float64")
    x, state = np.random.randn(6, 4, 2), np.random.randn(delays, 4, 2)
    padded = x.copy()
    for n, length in enumerate(lengths or []):
        padded[length:, n] = np.nan
    outputs, (final,) = line(mx.nd.array(padded, dtype="float64"), mx.nd.array(state, dtype="float64"),
                             None if lengths is None else mx.nd.array(lengths))
    expected, expected_final = reference(x, state, lengths or [6] * 4)
    np.testing.assert_array_equal(outputs.asnumpy(), expected)
    np.testing.assert_array_equal(final.asnumpy(), expected_final)


def test_gradient_counts_the_copies_of_a_value():
    line = nn.DelayLine(2)
    x, state = mx.nd.ones((4, 2, 1)), mx.nd.ones((2, 2, 1))
    x.attach_grad()
    state.attach_grad()
    with autograd.record():
        outputs, _ = line(x, state, mx.nd.array([4, 1]))
    outputs.backward()
    assert x.grad[:, :, 0].asnumpy().T.tolist() == [[3, 3, 2, 1], [1, 0, 0, 0]]
    assert state.grad[:, :, 0].asnumpy().T.tolist() == [[1, 2], [1, 1]]


def test_input_size_is_learnt_from_the_first_input():
    line = nn.DelayLine(2)
    with pytest.raises(ValueError, match="needs its input size, for its states are past inputs"):
        line.begin_state(1)
    line.hybridize()
    assert line(mx.nd.ones((5, 3, 4))).shape == (5, 3, 12)
    assert line.input_size == 4 and line.begin_state(3)[0].shape == (2, 3, 4)


@pytest.mark.parametrize("call,message", [
    (lambda: nn.DelayLine(0), "delays must be a whole number of at least 1, got 0"),
    (lambda: nn.DelayLine(2, input_size=3)(mx.nd.ones((5, 1, 4))), r"expects 3 input features, got .*\(5, 1, 4\)"),
    (lambda: nn.DelayLine(2, dtype="float64")(mx.nd.ones((5, 1, 4))), "holds float64, got inputs of float32"),
    (lambda: nn.DelayLine(2, input_size=3).set_input_size(4), r"expects 3 input features \(input_size\), got 4"),
    (lambda: nn.DelayLine(2)(mx.sym.var("x")), "needs its input size"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
