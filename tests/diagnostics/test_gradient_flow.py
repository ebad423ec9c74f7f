"""Gradients through time against closed forms, central differences, and rows of unequal lengths."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.diagnostics import GradientThroughTime, gradient_through_time
from gluon_rnn.nn import GRU, LSTM, RNN


def linear(weights, between=2.0):
    """Return a stack of linear layers of one unit: relu on positive numbers; `between` is the weight from 1 to 2."""
    block = RNN(1, len(weights), activation="relu", input_size=1, dtype="float64")
    block.initialize()
    for layer, weight in enumerate(weights):
        parts = block.parts()
        parts[f"l{layer}_h2h_weight"][:] = weight
        parts[f"l{layer}_i2h_weight"][:] = between if layer else 1.0
        for kind in ("i2h", "h2h"):
            parts[f"l{layer}_{kind}_bias"][:] = 0
    return block


def positive(steps, rows=3):
    return mx.nd.array(np.random.uniform(0.5, 1, (steps, rows, 1)), dtype="float64")


def test_a_linear_network_has_w_to_the_k():
    block, x = linear([0.5]), positive(12)
    found = gradient_through_time(block, lambda: block(x).sum())
    np.testing.assert_allclose(found.norms["layer 1 h"], np.repeat(0.5 ** np.arange(12.0)[:, None], 3, 1), rtol=1e-12)
    assert found.decay_rate("layer 1 h") == pytest.approx(0.5, rel=1e-9)
    assert found.memory_length("layer 1 h") == 7                          # 0.5^6 is 0.0156, 0.5^7 0.0078
    assert found.summary() == ("layer 1 h: the gradient changes by a factor of 0.5 a step and is under 1 % from lag 7 "
                               "on: a memory of 7 steps")


def test_a_growing_gradient_has_no_end():
    block, x = linear([1.25]), positive(9)
    found = gradient_through_time(block, lambda: block(x).sum())
    assert found.decay_rate("layer 1 h") == pytest.approx(1.25, rel=1e-9)
    assert found.memory_length("layer 1 h") is None and "stays above 1 % over all 8 lags" in found.summary()


def test_the_lower_layer_acts_through_every_step_of_the_upper_one():
    w, v, u = 0.6, 0.9, 2.0
    block, x = linear([w, v], between=u), positive(8)
    found = gradient_through_time(block, lambda: block(x).sum())
    expected = [u * sum(w ** (k - j) * v ** j for j in range(k + 1)) for k in range(8)]
    np.testing.assert_allclose(found.norms["layer 1 h"][:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(found.norms["layer 2 h"][:, 0], v ** np.arange(8.0), rtol=1e-12)


def test_a_loss_of_all_steps_comes_in_at_all_steps():
    block, x = linear([0.5]), positive(6)
    found = gradient_through_time(block, lambda: block(x).sum(), at_last=False)
    expected = [sum(0.5 ** j for j in range(k + 1)) for k in range(6)]    # the losses at T - k, ..., T
    np.testing.assert_allclose(found.norms["layer 1 h"][:, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("told", [True, False], ids=["by the model", "by the caller"])
def test_lags_are_counted_from_the_end_of_each_row(told):
    block, x, lengths = linear([0.5]), positive(6), np.array([6, 3, 4])
    valid = mx.nd.array(lengths, dtype="float64")
    found = gradient_through_time(block, lambda: block(x, None, *([valid] if told else [])).sum(),
                                  lengths=None if told else lengths)
    norms = found.norms["layer 1 h"]
    assert norms.shape == (4, 3)                                          # lag 4 is in one row of three
    np.testing.assert_allclose(norms, np.where(np.arange(4)[:, None] < lengths, 0.5 ** np.arange(4.0)[:, None], np.nan))
    assert found.table()["rows"].tolist() == [3, 3, 3, 2]


def test_an_lstm_with_a_given_forget_gate_has_f_to_the_k():
    f, hidden = 0.8, 4
    block, x = LSTM(hidden, input_size=2, dtype="float64"), mx.nd.random.normal(shape=(10, 3, 2), dtype="float64")
    block.initialize()
    block.parts()["l0_h2h_weight"][:] = 0
    block.gate("l0_i2h_weight", "f")[:] = 0
    block.gate("l0_i2h_bias", "f")[:] = np.log(f / (1 - f))
    block.gate("l0_h2h_bias", "f")[:] = 0
    found = gradient_through_time(block, lambda: block(x).sum())
    c = found.norms["layer 1 c"]
    assert np.isnan(c[0]).all()
    np.testing.assert_allclose(c[1:] / c[1], np.repeat(f ** np.arange(9.0)[:, None], 3, 1), rtol=1e-10)
    assert found.decay_rate("layer 1 c") == pytest.approx(f, rel=1e-9)
    np.testing.assert_array_equal(found.norms["layer 1 h"][1:], 0)        # nothing reads h but the output
    assert found.memory_length("layer 1 h") == 1


@pytest.mark.parametrize("kind", [LSTM, GRU])
@pytest.mark.parametrize("lag", [1, 4])
def test_central_differences(kind, lag):
    """The states after step T - lag are changed, and the encoder itself runs on."""
    block, x = kind(3, input_size=2, dtype="float64"), mx.nd.random.normal(shape=(7, 2, 2), dtype="float64")
    block.initialize(mx.init.Uniform(0.8))
    _, states = block(x[:7 - lag], block.begin_state(2))

    def last(states):
        return (block(x[7 - lag:], states)[0][-1] ** 2).sum().asscalar()

    found = gradient_through_time(block, lambda: (block(x) ** 2).sum())
    for number, name in enumerate(found.norms):
        gradient, step = np.zeros((2, 3)), 1e-5
        for place in np.ndindex(2, 3):
            both = []
            for sign in (1, -1):
                changed = [state.asnumpy() for state in states]
                changed[number][(0, *place)] += sign * step
                both.append(last([mx.nd.array(values, dtype="float64") for values in changed]))
            gradient[place] = (both[0] - both[1]) / (2 * step)
        # The error of central differences is step^2 f''' / 6, about 1e-10, and that of rounding 1e-16 / 1e-5.
        np.testing.assert_allclose(found.norms[name][lag], np.linalg.norm(gradient, axis=1), rtol=1e-6, atol=1e-9)


def test_band_and_table():
    norms = np.array([[1.0, 2.0, 3.0], [0.1, 0.2, 0.3]])
    found = GradientThroughTime({"layer 1 h": norms})
    table = found.table()
    assert table["median"].tolist() == [2.0, 0.2] and table["lag"].tolist() == [0, 1]
    np.testing.assert_allclose(table["lower"], np.quantile(norms, 0.05, axis=1))
    np.testing.assert_allclose(table["upper"], np.quantile(norms, 0.95, axis=1))


def test_no_gradient_at_all_is_said():
    found = GradientThroughTime({"layer 1 h": np.zeros((4, 2))})
    assert found.memory_length("layer 1 h") == 0 and np.isnan(found.decay_rate("layer 1 h"))
    assert found.summary() == "layer 1 h: no gradient comes to this state"
