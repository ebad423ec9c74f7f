"""The Jordan network against NumPy loops, central differences, closed forms and the fused Elman network."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from tests.gradients import assert_central_differences
from tests.reference import EXACT, sigmoid

ACTIVATIONS = {"identity": lambda x: x, "tanh": np.tanh, "sigmoid": sigmoid, "relu": lambda x: np.maximum(x, 0)}


def make(hidden_size=4, output_size=2, dtype="float64", **kwargs):
    layer = nn.Jordan(hidden_size, output_size, input_size=3, dtype=dtype, **kwargs)
    layer.initialize()
    for parameter in layer.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.7, 0.7, shape=parameter.shape, dtype=dtype))
    return layer


def normal(*shape):
    return mx.nd.random.normal(shape=shape, dtype="float64")


def run_row(layer, inputs, context, decay, f, g, targets=None):
    """Return outputs (T, K) and the last context (K,) of one row (T, C)."""
    p = {name: parameter.data().asnumpy() for name, parameter in layer.l0._reg_params.items()}
    outputs = []
    for t, x in enumerate(inputs):
        h = f(p["i2h_weight"] @ x + p["i2h_bias"] + p["h2h_weight"] @ context + p["h2h_bias"])
        outputs.append(g(p["h2o_weight"] @ h + p["h2o_bias"]))
        context = decay * context + (outputs[t] if targets is None else targets[t])
    return np.array(outputs).reshape((len(inputs), layer.output_size)), context


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("decay,activation,output_activation", [
    (0.0, "tanh", "identity"), (0.6, "tanh", "sigmoid"), (0.3, "sigmoid", "tanh"), (0.9, "identity", "relu")])
def test_equations(decay, activation, output_activation, forced, hybrid):
    layer = make(decay=decay, activation=activation, output_activation=output_activation)
    if hybrid:
        layer.hybridize(static_alloc=True)
    inputs, states, lengths, targets = normal(6, 4, 3), [normal(4, 2)], [6, 3, 1, 0], normal(6, 4, 2)
    arguments = (mx.nd.array(lengths), targets) if forced else (mx.nd.array(lengths),)
    outputs, (context,) = layer(inputs, states, *arguments)
    for row, length in enumerate(lengths):
        given = targets.asnumpy()[:length, row] if forced else None
        want, last = run_row(layer, inputs.asnumpy()[:length, row], states[0].asnumpy()[row], decay,
                             ACTIVATIONS[activation], ACTIVATIONS[output_activation], given)
        np.testing.assert_allclose(outputs.asnumpy()[:length, row].ravel(), want.ravel(), **EXACT)
        np.testing.assert_allclose(context.asnumpy()[row], last, **EXACT)
        assert not outputs.asnumpy()[length:, row].any()


@pytest.mark.parametrize("forced", [False, True])
@pytest.mark.parametrize("lengths", [None, [4, 2]])
def test_gradients_are_central_differences(lengths, forced):
    layer = make(3, 2, decay=0.5)
    inputs, states, targets = normal(4, 2, 3), [normal(2, 2)], normal(4, 2, 2)
    lengths = None if lengths is None else mx.nd.array(lengths)

    def call():
        outputs, finals = layer(inputs, states, lengths, targets if forced else None)
        return [outputs, *finals]

    assert_central_differences(call, layer, [inputs, *states] + ([targets] if forced else []))


def test_a_linear_one_is_a_geometric_series():
    """One unit, f = g = identity, no decay: y_t = a y_{t-1} + x_t; its answer to an impulse is a^t."""
    layer = nn.Jordan(1, 1, input_size=1, activation="identity", dtype="float64")
    layer.initialize(mx.init.One())
    layer.l0.h2h_weight.set_data(mx.nd.array([[0.8]], dtype="float64"))
    for name in ("i2h_weight", "h2o_weight"):
        layer.l0._reg_params[name].set_data(mx.nd.ones((1, 1), dtype="float64"))
    impulse = mx.nd.array([1.0] + [0.0] * 9, dtype="float64").reshape((10, 1, 1))
    np.testing.assert_allclose(layer(impulse).asnumpy().ravel(), 0.8 ** np.arange(10), rtol=1e-12)


def test_the_context_decays():
    """Constant output 1 through its bias: the context after t steps is (1 - decay^t) / (1 - decay)."""
    layer = nn.Jordan(2, 1, input_size=1, decay=0.5, h2o_weight_initializer="zeros", h2o_bias_initializer="ones",
                      dtype="float64")
    layer.initialize()
    _, (context,) = layer(normal(6, 1, 1), layer.begin_state(1))
    assert context.asscalar() == pytest.approx((1 - 0.5 ** 6) / 0.5, rel=1e-12)


def test_with_an_identity_for_its_output_layer_it_is_the_fused_elman_network():
    layer = make(4, 4)
    twin = nn.RNN(4, input_size=3, dtype="float64")
    twin.initialize()
    layer.l0.set_parts(twin.parts())
    layer.l0.h2o_weight.set_data(mx.nd.eye(4, dtype="float64"))
    layer.l0.h2o_bias.set_data(mx.nd.zeros(4, dtype="float64"))
    inputs, state = normal(5, 3, 3), normal(3, 4)
    outputs, (context,) = layer(inputs, [state])
    want, (h,) = twin(inputs, [state.expand_dims(0)])
    np.testing.assert_allclose(outputs.asnumpy(), want.asnumpy(), **EXACT)
    np.testing.assert_allclose(context.asnumpy(), h[0].asnumpy(), **EXACT)


def test_its_own_outputs_as_targets_change_nothing():
    layer, inputs = make(decay=0.4), normal(6, 3, 3)
    free, free_states = layer(inputs, layer.begin_state(3))
    forced, forced_states = layer(inputs, layer.begin_state(3), None, free)
    np.testing.assert_allclose(forced.asnumpy(), free.asnumpy(), **EXACT)
    np.testing.assert_allclose(forced_states[0].asnumpy(), free_states[0].asnumpy(), **EXACT)
    np.testing.assert_array_equal(layer(inputs, targets=free).asnumpy(), forced.asnumpy())


@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize("hybrid", [False, True])
def test_forced_chunks_are_the_whole_and_padding_changes_nothing(layout, hybrid):
    layer = make(decay=0.4, layout=layout)
    if hybrid:
        layer.hybridize()
    inputs, targets = normal(6, 3, 3), normal(6, 3, 2)
    turn = (lambda a: a) if layout == "TNC" else (lambda a: a.swapaxes(0, 1))
    whole, last = layer(turn(inputs), layer.begin_state(3), None, turn(targets))
    states, chunks = layer.begin_state(3), []
    for begin, end in ((0, 1), (1, 4), (4, 6)):
        outputs, states = layer(turn(inputs[begin:end]), states, None, turn(targets[begin:end]))
        chunks.append(turn(outputs))
    np.testing.assert_allclose(mx.nd.concat(*chunks, dim=0).asnumpy(), turn(whole).asnumpy(), **EXACT)
    np.testing.assert_allclose(states[0].asnumpy(), last[0].asnumpy(), **EXACT)
    lengths, results = mx.nd.array([6, 3, 0]), []
    for filler in (0.0, float("nan")):
        filled, measured = inputs.copy(), targets.copy()
        for sequence in (filled, measured):
            sequence[3:, 1], sequence[:, 2] = filler, filler
        outputs, finals = layer(turn(filled), layer.begin_state(3), lengths, turn(measured))
        results.append(np.concatenate([outputs.asnumpy().ravel(), finals[0].asnumpy().ravel()]))
    np.testing.assert_array_equal(*results)


def test_washout_then_free_run():
    """Teacher forcing on the measured start, free from there on: the state passes between the two calls."""
    layer, inputs, measured = make(decay=0.4), normal(6, 1, 3), normal(3, 1, 2)
    _, states = layer(inputs[:3], layer.begin_state(1), None, measured)
    free, _ = layer(inputs[3:], states)
    identity = ACTIVATIONS["identity"]
    _, context = run_row(layer, inputs.asnumpy()[:3, 0], np.zeros(2), 0.4, np.tanh, identity, measured.asnumpy()[:, 0])
    want, _ = run_row(layer, inputs.asnumpy()[3:, 0], context, 0.4, np.tanh, identity)
    np.testing.assert_allclose(free.asnumpy()[:, 0], want, **EXACT)


def test_the_forced_graph_exports_at_other_sizes(tmp_path):
    layer = make(decay=0.4)
    symbols = [mx.sym.var(name) for name in ("data", "state", "targets")]
    outputs, (context,) = layer(symbols[0], [symbols[1]], None, symbols[2])
    mx.sym.Group([outputs, context]).save(str(tmp_path / "graph.json"))
    graph = mx.sym.load(str(tmp_path / "graph.json"))
    for steps, rows in ((6, 3), (2, 1)):
        inputs, state, targets = normal(steps, rows, 3), normal(rows, 2), normal(steps, rows, 2)
        bound = {"data": inputs, "state": state, "targets": targets,
                 **{p.name: p.data() for p in layer.collect_params().values()}}
        results = graph.bind(mx.cpu(), bound).forward()
        outputs, finals = layer(inputs, [state], None, targets)
        for got, want in zip(results, [outputs, *finals]):
            np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), **EXACT)


def test_teacher_forcing_learns_a_recursion_and_runs_it_freely():
    """y_t = 0.7 y_{t-1} + x_t, from 20 steps of 8 rows; the free run on new inputs is the recursion within 2 %."""
    layer = nn.Jordan(2, 1, input_size=1, activation="identity")
    layer.initialize()
    trainer = mx.gluon.Trainer(layer.collect_params(), "adam", {"learning_rate": 0.05})

    def recursion(inputs):
        outputs, y = [], 0 * inputs[0]
        for x in inputs:
            y = 0.7 * y + x
            outputs.append(y)
        return mx.nd.stack(*outputs)

    for _ in range(150):
        inputs = mx.nd.random.normal(shape=(20, 8, 1))
        measured = recursion(inputs)
        with autograd.record():
            loss = ((layer(inputs, targets=measured) - measured) ** 2).mean()
        loss.backward()
        trainer.step(1)
    inputs = mx.nd.random.normal(shape=(50, 4, 1))
    want = recursion(inputs)
    assert ((layer(inputs) - want) ** 2).mean().asscalar() < 0.02 ** 2 * (want ** 2).mean().asscalar()


def test_inputs_and_targets_may_be_lists_and_numpy_arrays():
    layer, inputs, targets = make(), normal(4, 2, 3), normal(4, 2, 2)
    want = layer(inputs, targets=targets).asnumpy()
    for given in ((inputs.asnumpy().tolist(), targets), (inputs, targets.asnumpy())):
        np.testing.assert_array_equal(layer(given[0], targets=given[1]).asnumpy(), want)


@pytest.mark.parametrize("call,message", [
    (lambda: nn.Jordan(4, 0), "output_size must be a whole number of at least 1, got 0"),
    (lambda: make()(np.ones((2, 3, 3)).tolist(), None, None, np.ones((3, 3, 2))), r"targets of shape \(2, 3, 2\), one"),
    (lambda: nn.Jordan(4, 2, decay=1.0), "decay must be a rate of at least 0 and below 1, got 1.0"),
    (lambda: nn.Jordan(4, 2, activation="selu"), "activation must be one of identity, tanh, sigmoid, relu, got 'selu'"),
    (lambda: make()(normal(2, 3, 4)), "expects 3 input features, got inputs of shape"),
    (lambda: make()(normal(2, 3, 3), targets=normal(2, 3, 1)), "expects 2 target features, got targets of shape"),
    (lambda: make()(normal(2, 3, 3), targets=normal(3, 3, 2)), r"expects targets of shape \(2, 3, 2\), one"),
    (lambda: make()(normal(2, 3, 3), targets=mx.nd.ones((2, 3, 2))), "holds float64, got targets of float32"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
