"""Spectral radii of known matrices, and the Jacobian of a step against central differences."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.diagnostics import state_jacobian
from gluon_rnn.diagnostics.state_jacobian import step_jacobian
from gluon_rnn.diagnostics.unrolled import layers_of
from gluon_rnn.nn import LSTM, RNN, Chain
from gluon_rnn.nn.jordan import Jordan
from gluon_rnn.registry import encoders


def linear(*matrices):
    """Return a stack of relu layers with these recurrent matrices, of positive numbers: all units stay positive."""
    size = len(matrices[0])
    block = RNN(size, len(matrices), activation="relu", input_size=1, dtype="float64")
    block.initialize()
    for layer, matrix in enumerate(matrices):
        block.parts()[f"l{layer}_h2h_weight"][:] = mx.nd.array(matrix, dtype="float64")
        block.parts()[f"l{layer}_i2h_weight"][:] = 0.01
        block.parts()[f"l{layer}_i2h_bias"][:] = 1
    return block


def radius(matrix):
    return np.abs(np.linalg.eigvals(matrix)).max()


def test_a_linear_network_has_the_radius_of_its_matrix():
    first, second = np.random.uniform(0.01, 0.2, (2, 5, 5))
    block, x = linear(first, second), mx.nd.random.normal(shape=(9, 2, 1), dtype="float64")
    found = state_jacobian(block, lambda: block(x), row=1, places=4)
    assert found.steps.tolist() == [0, 3, 5, 8]
    np.testing.assert_allclose(found.radii["layer 1"], [radius(first)] * 4, rtol=1e-10)
    np.testing.assert_allclose(found.radii["layer 2"], [radius(second)] * 4, rtol=1e-10)
    assert found.table()["step"].tolist() == [0, 3, 5, 8] * 2
    assert f"layer 1: spectral radius of the state Jacobian {radius(first):.3g} in the median" in found.summary()


def test_many_states_are_a_matter_of_their_largest_eigenvalue():
    matrix = np.diag(np.linspace(0.1, 0.5, 420))
    matrix[0, 0], matrix[3, 1] = 0.9, 0.2
    block, x = linear(matrix), mx.nd.ones((2, 1, 1), dtype="float64")
    np.testing.assert_allclose(state_jacobian(block, lambda: block(x)).radii["layer 1"], [0.9, 0.9], rtol=1e-5)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "peephole_lstm", "projected_lstm", "layer_norm_lstm",
                                  "zoneout_gru", "jordan", "skip"])
def test_central_differences(name):
    block = encoders.get(name)(3, input_size=2, dtype="float64")
    block.initialize(mx.init.Uniform(0.8))
    (layer,), x = layers_of(block), np.random.normal(size=2)
    infos = block.state_info(1)
    states = [np.random.normal(size=info["shape"][-1]) for info in infos]

    def after(flat):
        parts = np.split(flat, np.cumsum([len(state) for state in states])[:-1])
        begin = [mx.nd.array(part.reshape(info["shape"]), dtype="float64") for part, info in zip(parts, infos)]
        finals = block(mx.nd.array(x.reshape(1, 1, -1), dtype="float64"), begin)[1]
        return np.concatenate([state.asnumpy().ravel() for state in finals])

    found = step_jacobian(layer, mx.nd.array(x, dtype="float64"), [mx.nd.array(s, dtype="float64") for s in states])
    flat, step = np.concatenate(states), 1e-5
    columns = [(after(flat + step * unit) - after(flat - step * unit)) / (2 * step) for unit in np.eye(len(flat))]
    # The error of central differences is step^2 f''' / 6, and that of rounding 1e-16 / step: about 1e-10 both.
    np.testing.assert_allclose(found, np.stack(columns, axis=1), rtol=1e-6, atol=1e-8)


def test_rows_end_where_their_sequences_do_and_others_are_refused():
    block, x = Chain([LSTM(3, input_size=2), Jordan(4, 2)]), mx.nd.ones((6, 2, 2))
    block.initialize()
    found = state_jacobian(block, lambda: block(x, None, mx.nd.array([6, 3])), row=1)
    assert found.steps.tolist() == [0, 1, 2] and list(found.radii) == ["layer 1", "layer 2"]
    with pytest.raises(ValueError, match="row must be from 0 to 1, the rows of the batch, got 2"):
        state_jacobian(block, lambda: block(x), row=2)
