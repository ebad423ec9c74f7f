"""Cells on a loop against NumPy loops, central differences, and their fused twins where the two coincide.

Tests `stacked.py`, `unroll.py` and `cells.py` too.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.registry import encoders
from tests.gradients import assert_central_differences
from tests.reference import EXACT, rounding, sigmoid

H, C = 4, 3
EPSILON = float(np.float32(1e-5))                                        # as MXNet keeps it, for float64 too
NAMES = ("peephole_lstm", "projected_lstm", "reset_before_gru", "layer_norm_lstm", "zoneout_lstm", "zoneout_gru")


def randomise(layer):
    """Every parameter random, biases included, so that no term of an equation is hidden by a zero."""
    layer.initialize()
    for parameter in layer.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.7, 0.7, shape=parameter.shape, dtype=parameter.dtype))
    return layer


def make(name, layers=1, dtype="float64", hidden_size=H, **kwargs):
    return randomise(encoders.build(name, hidden_size=hidden_size, num_layers=layers, input_size=C, dtype=dtype,
                                    **kwargs))


def random_states(layer, batch, dtype="float64"):
    return [mx.nd.random.normal(shape=info["shape"], dtype=dtype) for info in layer.state_info(batch)]


def numpy_values(cell):
    return {name: parameter.data().asnumpy().astype("float64") for name, parameter in cell._reg_params.items()}


# ---- the equations once more, for one row: x (C,), states (H,) each, parameters p -----------------------------------

def stacked(p, x, h):
    return p["i2h_weight"] @ x + p["i2h_bias"] + p["h2h_weight"] @ h + p["h2h_bias"]


def peephole_lstm(p, x, h, c):
    i, f, g, o = np.split(stacked(p, x, h), 4)
    new = sigmoid(f + p["peephole_f"] * c) * c + sigmoid(i + p["peephole_i"] * c) * np.tanh(g)
    return [sigmoid(o + p["peephole_o"] * new) * np.tanh(new), new]


def lstm(p, x, h, c):
    i, f, g, o = np.split(stacked(p, x, h), 4)
    new = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(new), new]


def projected_lstm(p, x, r, c):
    h, c = lstm(p, x, r, c)
    return [p["h2r_weight"] @ h, c]


def gru(p, x, h):
    a, b = p["i2h_weight"] @ x + p["i2h_bias"], p["h2h_weight"] @ h + p["h2h_bias"]
    r, z = sigmoid(a[:H] + b[:H]), sigmoid(a[H:2 * H] + b[H:2 * H])
    return [(1 - z) * np.tanh(a[2 * H:] + r * b[2 * H:]) + z * h]


def reset_before_gru(p, x, h):
    a, b = p["i2h_weight"] @ x + p["i2h_bias"], p["h2h_weight"] @ h + p["h2h_bias"]
    r, z = sigmoid(a[:H] + b[:H]), sigmoid(a[H:2 * H] + b[H:2 * H])
    n = np.tanh(a[2 * H:] + p["h2h_weight"][2 * H:] @ (r * h) + p["h2h_bias"][2 * H:])
    return [(1 - z) * n + z * h]


def normalise(v, gain, bias):
    return gain * (v - v.mean()) / np.sqrt(v.var() + EPSILON) + bias


def layer_norm_lstm(p, x, h, c):
    a = normalise(p["i2h_weight"] @ x, p["i2h_gain"], p["i2h_bias"])
    i, f, g, o = np.split(a + normalise(p["h2h_weight"] @ h, p["h2h_gain"], p["h2h_bias"]), 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(normalise(c, p["c_gain"], p["c_bias"])), c]


def zoneout_lstm(p, x, h, c):
    new_h, new_c = lstm(p, x, h, c)
    return [0.05 * h + 0.95 * new_h, 0.5 * c + 0.5 * new_c]


def zoneout_gru(p, x, h):
    return [0.05 * h + 0.95 * gru(p, x, h)[0]]


def run_row(step, layers, inputs, states):
    """Return outputs (T, H) of one row `inputs` (T, C), and its last states, each (L, H)."""
    finals = []
    for index, values in enumerate(layers):
        now, outputs = [state[index] for state in states], []
        for x in inputs:
            now = step(values, x, *now)
            outputs.append(now[0])
        inputs = np.array(outputs)
        finals.append(now)
    return inputs, [np.stack(of_all) for of_all in zip(*finals)]


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_equations(name, layers, hybrid):
    layer = make(name, layers)
    if hybrid:
        layer.hybridize()
    inputs, states = mx.nd.random.normal(shape=(6, 4, C), dtype="float64"), random_states(layer, 4)
    lengths = [6, 4, 1, 0]
    outputs, finals = layer(inputs, states, mx.nd.array(lengths))
    cells = [getattr(layer, f"l{index}") for index in range(layers)]
    values = [numpy_values(getattr(cell, "cell", cell)) for cell in cells]
    for row, length in enumerate(lengths):
        begin = [state.asnumpy()[:, row] for state in states]
        want, want_states = (run_row(globals()[name], values, inputs.asnumpy()[:length, row], begin) if length else
                             (np.zeros((0, layer.output_size)), begin))
        np.testing.assert_allclose(outputs.asnumpy()[:length, row], want, **EXACT)
        assert not outputs.asnumpy()[length:, row].any()
        for got, expected in zip(finals, want_states):
            np.testing.assert_allclose(got.asnumpy()[:, row], expected, **EXACT)


@pytest.mark.parametrize("lengths", [None, [3, 1]])
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_central_differences(name, lengths):
    # 0 zoneout: with masks drawn anew there is no derivative to compare with
    options = {"zoneout_h": 0.0, "zoneout_c": 0.0} if name == "zoneout_lstm" else {}
    layer = make(name, 2, hidden_size=3, **({"zoneout_h": 0.0} if name == "zoneout_gru" else options))
    inputs, states = mx.nd.random.normal(shape=(3, 2, C), dtype="float64"), random_states(layer, 2)
    lengths = None if lengths is None else mx.nd.array(lengths)

    def call():
        outputs, finals = layer(inputs, states, lengths)
        return [outputs, *finals]

    assert_central_differences(call, layer, [inputs, *states])


def test_gradient_passes_through_a_mask_that_stands_still():
    """Zoneout in training, with the same mask at each call, is as smooth as the cell."""
    layer = make("zoneout_lstm", hidden_size=2, zoneout_h=0.4)
    inputs, states = mx.nd.random.normal(shape=(3, 2, C), dtype="float64"), random_states(layer, 2)

    def call():
        mx.random.seed(5)
        with autograd.train_mode():
            outputs, finals = layer(inputs, states)
        return [outputs, *finals]

    assert_central_differences(call, layer, [inputs, *states])


# ---- twins ----------------------------------------------------------------------------------------------------------

def twin_of(layer, twin_class, saturate_reset=False):
    """A fused layer with random parameters, and `layer` given the same."""
    twin = randomise(twin_class(H, layer.num_layers, input_size=C, dtype="float64"))
    if saturate_reset:
        for index in range(layer.num_layers):
            twin.gate(f"l{index}_i2h_bias", "r")[:] = 60.0                # sigma(60) is 1 in float64
    layer.set_parts(twin.parts())
    return twin


def assert_twins(layer, twin):
    inputs, states = mx.nd.random.normal(shape=(5, 3, C), dtype="float64"), random_states(twin, 3)
    for lengths in (None, mx.nd.array([5, 2, 0])):
        results = []
        for block in (layer, twin):
            inputs.attach_grad()
            with autograd.record(train_mode=False):
                outputs, finals = block(inputs, states, lengths)
                loss = (outputs ** 2).sum() + sum((final ** 3).sum() for final in finals)
            loss.backward(train_mode=False)
            results.append([outputs, *finals, inputs.grad.copy()])
        for ours, fused in zip(*results):
            np.testing.assert_allclose(ours.asnumpy(), fused.asnumpy(), **EXACT)


@pytest.mark.parametrize("layers", [1, 2])
def test_without_peepholes_it_is_the_fused_lstm(layers):
    layer = make("peephole_lstm", layers)
    for parameter in layer.collect_params(".*peephole_[ifo]$").values():
        parameter.set_data(mx.nd.zeros(parameter.shape, dtype="float64"))
    assert_twins(layer, twin_of(layer, nn.LSTM))


@pytest.mark.parametrize("layers", [1, 2])
def test_with_an_identity_for_its_projection_it_is_the_fused_lstm(layers):
    layer = make("projected_lstm", layers, projection_size=H, h2r_weight_initializer="identity")
    layer.initialize(force_reinit=True)
    assert_twins(layer, twin_of(layer, nn.LSTM))


@pytest.mark.parametrize("layers", [1, 2])
def test_with_an_open_reset_gate_it_is_the_fused_gru(layers):
    layer = make("reset_before_gru", layers)
    assert_twins(layer, twin_of(layer, nn.GRU, saturate_reset=True))
    other = twin_of(layer, nn.GRU)                                        # and where it is not open they differ
    inputs = mx.nd.random.normal(shape=(5, 3, C), dtype="float64")
    assert np.abs((layer(inputs) - other(inputs)).asnumpy()).max() > 1e-4


@pytest.mark.parametrize("name,twin_class", [("zoneout_lstm", nn.LSTM), ("zoneout_gru", nn.GRU)])
def test_without_zoneout_it_is_the_fused_layer(name, twin_class):
    layer = make(name, 2, **({"zoneout_h": 0.0, "zoneout_c": 0.0} if name == "zoneout_lstm" else {"zoneout_h": 0.0}))
    assert_twins(layer, twin_of(layer, twin_class))


def test_normalisation_undone_by_gain_and_bias_is_the_fused_lstm():
    """With one row and one step, gain and bias can be the deviation and the mean that were divided and taken away."""
    layer, x = make("layer_norm_lstm"), mx.nd.random.normal(shape=(1, 1, C), dtype="float64")
    twin = randomise(nn.LSTM(H, input_size=C, dtype="float64"))
    states = random_states(twin, 1)
    parts = {name[3:]: value.asnumpy() for name, value in twin.parts().items()}
    h, (_, c) = twin(x, states)
    vectors = {"i2h": parts["i2h_weight"] @ x.asnumpy().ravel(), "c": c.asnumpy().ravel(),
               "h2h": parts["h2h_weight"] @ states[0].asnumpy().ravel()}
    layer.set_parts(twin.parts())
    for name, vector in vectors.items():
        values = {"gain": np.full(vector.shape, np.sqrt(vector.var() + EPSILON)),
                  "bias": vector.mean() + parts.get(f"{name}_bias", 0 * vector)}
        for kind, value in values.items():
            layer.l0._reg_params[f"{name}_{kind}"].set_data(mx.nd.array(value, dtype="float64"))
    outputs, finals = layer(x, states)
    for got, want in zip([outputs, *finals], [h, h, c]):
        np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), **EXACT)


def test_normalisation_does_not_see_the_scale_of_the_weights():
    layer, inputs = make("layer_norm_lstm"), mx.nd.random.normal(shape=(5, 3, C), dtype="float64")
    before = layer(inputs).asnumpy()
    for kind in ("i2h_weight", "h2h_weight"):
        layer.l0._reg_params[kind].set_data(layer.l0._reg_params[kind].data() * 7)
    np.testing.assert_allclose(layer(inputs).asnumpy(), before, atol=1e-3)    # of float64: epsilon is not scaled
    assert np.abs(before).max() > 0.05


# ---- zoneout --------------------------------------------------------------------------------------------------------

def trained(layer, inputs, seed):
    mx.random.seed(seed)
    with autograd.train_mode():
        outputs, finals = layer(inputs, layer.begin_state(inputs.shape[1]))
    return [value.asnumpy() for value in (outputs, *finals)]


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("name,options", [("zoneout_lstm", {}), ("peephole_lstm", {"zoneout_h": 0.3}),
                                          ("zoneout_gru", {"zoneout_h": 0.3}), ("peephole_lstm", {"dropout": 0.5})])
def test_masks_act_in_training_alone_and_a_seed_repeats_them(name, options, hybrid):
    layer, inputs = make(name, 2, "float32", **options), mx.nd.random.normal(shape=(6, 4, C))
    if hybrid:
        layer.hybridize(static_alloc=True)
    assert (layer(inputs).asnumpy() == layer(inputs).asnumpy()).all()
    assert (trained(layer, inputs, 1)[0] == trained(layer, inputs, 1)[0]).all()
    assert np.abs(trained(layer, inputs, 1)[0] - trained(layer, inputs, 2)[0]).max() > 1e-3
    assert np.abs(trained(layer, inputs, 1)[0] - layer(inputs).asnumpy()).max() > 1e-3


def test_a_unit_keeps_its_old_value_at_the_rate_given_and_output_and_state_see_one_mask():
    layer = make("zoneout_lstm", dtype="float32", hidden_size=64, zoneout_h=0.25, zoneout_c=0.5)
    inputs = mx.nd.random.normal(shape=(40, 8, C))
    outputs, h, _ = trained(layer, inputs, 3)
    assert (outputs[-1] == h[0]).all()
    kept = outputs[1:] == outputs[:-1]
    assert kept.mean() == pytest.approx(0.25, abs=0.02)                   # 20,000 draws: four deviations are 0.012
    assert kept.any(axis=0).all() and not kept.all(axis=0).any()          # drawn anew for each step, row and unit
    first = trained(layer, inputs[:1], 3)
    assert (first[1] == 0).mean() == pytest.approx(0.25, abs=0.08)        # 512 draws
    assert (first[2] == 0).mean() == pytest.approx(0.5, abs=0.1)          # c has a mask of its own


def test_one_step_of_a_wrapped_cell():
    cell = nn.ZoneoutCell(nn.GRUCell(H, C), 0.5)
    cell.initialize()
    cell.cast("float64")
    x, h = (mx.nd.random.normal(shape=(2, size), dtype="float64") for size in (C, H))
    output, (state,) = cell(x, [h])
    np.testing.assert_allclose(output.asnumpy(), (0.5 * h + 0.5 * cell.cell(x, [h])[0]).asnumpy(), **EXACT)
    assert (output.asnumpy() == state.asnumpy()).all()


# ---- the rest -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("cell", [nn.RNNCell, nn.LSTMCell, nn.GRUCell, nn.PeepholeLSTMCell, nn.ProjectedLSTMCell,
                                  nn.ResetBeforeGRUCell, nn.LayerNormLSTMCell])
def test_one_step_calls_are_the_loop(cell):
    """The product with the inputs, taken for all steps at once in the loop, is what one step takes alone."""
    cell = cell(H)
    loop = nn.Unrolled(cell)
    loop.initialize()
    loop.cast("float64")
    inputs, begin = mx.nd.random.normal(shape=(4, 2, C), dtype="float64"), loop.begin_state(2)
    outputs, finals = loop(inputs, begin)                                 # C becomes known here
    states = begin
    for t in range(4):
        output, states = cell(inputs[t], states)
        np.testing.assert_allclose(output.asnumpy(), outputs[t].asnumpy(), **EXACT)
    for got, want in zip(states, finals):
        np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), **EXACT)


@pytest.mark.parametrize("name", NAMES)
def test_default_initialisation_and_deferred_input_size(name):
    layer = encoders.build(name, hidden_size=8, num_layers=2)
    layer.initialize()
    assert layer.input_size == 0
    nested = mx.gluon.nn.HybridSequential()
    nested.add(layer)
    nested.hybridize()                                                    # the size comes from the graph's inference
    assert nested(mx.nd.ones((2, 3, 5))).shape == (2, 3, layer.output_size)
    assert layer.input_size == 5
    cell = getattr(layer.l1, "cell", layer.l1)
    gates, width = cell.num_gates, layer.output_size
    for gate in np.split(cell.h2h_weight.data().asnumpy(), gates):        # orthonormal columns, in float32
        np.testing.assert_allclose(gate.T @ gate, np.eye(width), rtol=0, atol=rounding("float32", 8))
    bias = cell.i2h_bias.data().asnumpy().reshape((gates, 8))
    assert (bias == np.array([[0], [1 if gates == 4 else 0]] + [[0]] * (gates - 2))).all()
    layer.set_input_size(5)
    with pytest.raises(ValueError, match="expects 5 input features"):
        layer.set_input_size(6)


@pytest.mark.parametrize("call,message", [
    (lambda: nn.PeepholeLSTM(0), "hidden_size must be a whole number of at least 1, got 0"),
    (lambda: nn.ProjectedLSTM(4, projection_size=0), "projection_size must be a whole number of at least 1, got 0"),
    (lambda: nn.ResetBeforeGRU(4, zoneout_h=1.0), "zoneout_h must be a rate of at least 0 and below 1, got 1.0"),
    (lambda: nn.LayerNormLSTM(4, dropout=-1), "dropout must be a rate"),
    (lambda: nn.PeepholeLSTM(4, h2h_weight_initializer="ortogonal"), "unknown initializer 'ortogonal'"),
    (lambda: encoders.build("peephole_lstm", hidden_size=4, peephole_init=1), "did you mean 'peephole_initializer'"),
    (lambda: make("peephole_lstm")(mx.nd.ones((2, 3, 4), dtype="float64")), "expects 3 input features"),
    (lambda: make("peephole_lstm")(mx.nd.ones((2, 3, 3))), "holds float64, got inputs of float32"),
    (lambda: make("zoneout_gru").hybridize(static_shape=True), "static_shape=True in MXNet; leave it out"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
