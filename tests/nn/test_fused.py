"""RNN, LSTM and GRU against NumPy loops, central differences, readable cells and Gluon's meaning of the arguments.

Tests `fused_run.py`, `flat.py`, `initializers.py` and `decay.py` too.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from tests.gradients import assert_central_differences
from tests.reference import EXACT, assert_rounded, rounding, run_batch

CASES = [(name, layers, bidirectional) for name in ("rnn", "lstm", "gru") for layers in (1, 2)
         for bidirectional in (False, True)]
CLASSES = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}


def make(name, layers=1, bidirectional=False, dtype="float64", hidden_size=5, **kwargs):
    """A layer with every parameter random, biases included, so that no term of an equation is hidden by a zero."""
    layer = CLASSES[name](hidden_size, layers, bidirectional=bidirectional, input_size=3, dtype=dtype, **kwargs)
    layer.initialize()
    for parameter in layer.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.6, 0.6, shape=parameter.shape, dtype=dtype))
    return layer


def numpy_parts(layer):
    return {name: value.asnumpy().astype("float64") for name, value in layer.parts().items()}


def random_states(layer, batch, dtype="float64"):
    return [mx.nd.random.normal(shape=info["shape"], dtype=dtype) * (1 if layer.causal else 0)
            for info in layer.state_info(batch)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name,layers,bidirectional", CASES)
@pytest.mark.parametrize("lengths", [None, [6, 4, 1, 0]])
def test_equations(name, layers, bidirectional, lengths, dtype):
    layer = make(name, layers, bidirectional, dtype)
    inputs = mx.nd.random.normal(shape=(6, 4, 3), dtype=dtype)
    states = random_states(layer, 4, dtype)
    outputs, finals = layer(inputs, states, None if lengths is None else mx.nd.array(lengths))
    expected, expected_finals = run_batch(name, numpy_parts(layer), inputs.asnumpy(), [s.asnumpy() for s in states],
                                          lengths or [6] * 4, num_layers=layers, directions=1 + bidirectional)
    # six steps of each layer, each a sum over the inputs or the layer below and the units
    assert_rounded([outputs, *finals], [expected, *expected_finals], 6 * layers * (10 + 5), dtype)


def test_relu_equation():
    layer = make("rnn", activation="relu")
    inputs = mx.nd.random.normal(shape=(6, 2, 3), dtype="float64")
    states = random_states(layer, 2)
    expected, _ = run_batch("rnn", numpy_parts(layer), inputs.asnumpy(), [s.asnumpy() for s in states], [6, 6],
                            num_layers=1, directions=1, activation="relu")
    # not EXACT: the fused operator of 1.9.1 rounds relu to float32 even where all else is float64, once a step
    bound = rounding("float32", 6 * 5, 1 + np.abs(expected).max())
    np.testing.assert_allclose(layer(inputs, states)[0].asnumpy(), expected, rtol=0, atol=bound)


@pytest.mark.parametrize("options", [{}, {"layers": 2, "bidirectional": True}])
@pytest.mark.parametrize("lengths", [None, [6, 4, 1, 0]])
def test_sigmoid_equation_and_gradients(lengths, options):
    """A tanh network with other weights: numbers, states and gradients are those of the logistic function."""
    layer = make("rnn", activation="sigmoid", **options)
    inputs, states = mx.nd.random.normal(shape=(6, 4, 3), dtype="float64"), random_states(layer, 4)
    given = None if lengths is None else mx.nd.array(lengths)
    outputs, finals = layer(inputs, states, given)
    expected, wanted = run_batch("rnn", numpy_parts(layer), inputs.asnumpy(), [s.asnumpy() for s in states],
                                 lengths or [6] * 4, num_layers=layer.num_layers,
                                 directions=1 + layer.bidirectional, activation="sigmoid")
    for got, want in zip([outputs, *finals], [expected, *wanted]):
        np.testing.assert_allclose(got.asnumpy(), want, **EXACT)
    assert_central_differences(lambda: [layer(inputs, states, given)[0]], layer, [inputs])


@pytest.mark.parametrize("name,layers,bidirectional", CASES)
@pytest.mark.parametrize("lengths", [None, [4, 2]])
def test_gradients_are_central_differences(name, layers, bidirectional, lengths):
    layer = make(name, layers, bidirectional, hidden_size=2)
    inputs = mx.nd.random.normal(shape=(4, 2, 3), dtype="float64")
    states = random_states(layer, 2)
    lengths = None if lengths is None else mx.nd.array(lengths)

    def call():
        outputs, finals = layer(inputs, states, lengths)
        return [outputs, *finals]

    assert_central_differences(call, layer, [inputs, *(states if layer.causal else [])])


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("lengths", [None, [5, 2, 0]])
def test_fused_is_the_readable_cell_in_a_loop(name, lengths):
    layer = make(name)
    cell = CELLS[name](5, 3)
    loop = nn.Unrolled(cell)
    loop.initialize()
    loop.cast("float64")
    cell.set_parts(layer.parts())
    inputs = mx.nd.random.normal(shape=(5, 3, 3), dtype="float64")
    lengths, states = None if lengths is None else mx.nd.array(lengths), random_states(layer, 3)
    results = []
    for block, begin in ((layer, states), (loop, [state[0] for state in states])):
        inputs.attach_grad()
        with autograd.record():
            outputs, finals = block(inputs, begin, lengths)
            loss = (outputs ** 2).sum() + sum((final ** 3).sum() for final in finals)
        loss.backward()
        results.append([outputs, *(final.reshape((3, 5)) for final in finals), inputs.grad.copy()])
    for fused, looped in zip(*results):
        np.testing.assert_allclose(fused.asnumpy(), looped.asnumpy(), **EXACT)
    for kind in ("i2h_weight", "h2h_weight", "i2h_bias", "h2h_bias"):
        np.testing.assert_allclose(layer._reg_params[f"l0_{kind}"].grad().asnumpy(),
                                   cell._reg_params[kind].grad().asnumpy(), **EXACT)


class Loop(mx.gluon.HybridBlock):
    """The layer one step at a time, in somebody else's loop."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def hybrid_forward(self, F, inputs, states):
        def step(x, before):
            output, after = self.layer.one_step(F, F.expand_dims(x, axis=0), before)
            return F.reshape(output, shape=(-3, 0)), after

        return F.contrib.foreach(step, inputs, states)[0]


def gradients(block, variables, inputs, states):
    with autograd.record():
        outputs = block(inputs, states)
        outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        loss = (outputs ** 2).sum()
    loss.backward()
    of_parameters = [parameter.grad() for _, parameter in sorted(block._collect_params_with_prefix().items())]
    return [array.asnumpy().copy() for array in [*(array.grad for array in variables), *of_parameters]]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", CLASSES)
def test_gradients_are_added_up_where_they_should_be(name, dtype):
    """By grad_req="add", and over the steps of a hybridized loop: MXNet's own operator does neither in float64."""
    layer = make(name, dtype=dtype)
    inputs, states = mx.nd.random.normal(shape=(5, 2, 3), dtype=dtype), random_states(layer, 2, dtype)
    variables, loop = [inputs, *states], Loop(layer)
    for array in variables:
        array.attach_grad()
    want = gradients(layer, variables, inputs, states)
    loop.hybridize()
    # five steps and two rows of a product of eight terms
    assert_rounded(gradients(loop, variables, inputs, states), want, 5 * 2 * 8, dtype)
    for array in variables:
        array.attach_grad("add")
    layer.collect_params().setattr("grad_req", "add")
    layer.collect_params().zero_grad()
    gradients(layer, variables, inputs, states)
    twice = gradients(layer, variables, inputs, states)
    assert_rounded(twice, [2 * value for value in want], 2, dtype)


@pytest.mark.parametrize("name,layers,bidirectional", CASES)
def test_gluon_gives_the_same_numbers(name, layers, bidirectional):
    layer = make(name, layers, bidirectional)
    options = {"activation": "tanh"} if name == "rnn" else {}
    theirs = getattr(mx.gluon.rnn, name.upper())(5, layers, bidirectional=bidirectional, input_size=3, **options)
    theirs.initialize()
    theirs.cast("float64")
    for part, value in layer.parts().items():
        getattr(theirs, part).set_data(value)
    inputs = mx.nd.random.normal(shape=(6, 2, 3), dtype="float64")
    np.testing.assert_allclose(layer(inputs).asnumpy(), theirs(inputs).asnumpy(), **EXACT)


def test_positional_arguments_are_gluons():
    layer = nn.LSTM(4, 2, "NTC", 0.5, True, 3)
    assert (layer.hidden_size, layer.num_layers, layer.layout, layer.bidirectional, layer.input_size) == (4, 2, "NTC",
                                                                                                          True, 3)
    assert nn.RNN(4, 2, "relu", "NTC").mode == "rnn_relu"
    assert nn.RNN(4).mode == "rnn_tanh"


def test_default_initialisation():
    layer = nn.LSTM(16, 2, input_size=8)
    layer.initialize()
    for gate in "ifgo":
        recurrent = layer.gate("l1_h2h_weight", gate).asnumpy()
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(16), rtol=0, atol=rounding("float32", 16))
        bound = np.sqrt(3 / ((8 + 16) / 2))                               # Glorot and Bengio (2010), uniform
        assert 0.8 * bound < np.abs(layer.gate("l0_i2h_weight", gate).asnumpy()).max() <= bound
        assert (layer.gate("l0_i2h_bias", gate).asnumpy() == (1 if gate == "f" else 0)).all()
        assert (layer.gate("l0_h2h_bias", gate).asnumpy() == 0).all()


def test_irnn_initialisation_and_initializer_objects():
    layer = nn.RNN(4, activation="relu", input_size=3, h2h_weight_initializer="identity",
                   i2h_weight_initializer=mx.init.Constant(0.25))
    layer.initialize()
    assert (layer.parts()["l0_h2h_weight"].asnumpy() == np.eye(4)).all()
    assert (layer.parts()["l0_i2h_weight"].asnumpy() == 0.25).all()


def test_parts_are_views_and_are_seen_at_once():
    layer = make("gru", dtype="float32")
    inputs = mx.nd.random.normal(shape=(2, 1, 3))
    layer.hybridize(static_alloc=True, static_shape=True)
    before = layer(inputs).asnumpy()
    layer.gate("l0_i2h_bias", "z")[:] = 50.0                              # the update gate keeps h = 0 for ever
    after = layer(inputs).asnumpy()
    assert np.abs(before).max() > 0.05 and np.abs(after).max() < 1e-6
    layer.l0_i2h_bias.set_data(mx.nd.zeros((15,)))
    assert not layer.parts()["l0_i2h_bias"].asnumpy().any()


def test_deferred_input_size():
    layer = nn.LSTM(4, 2, bidirectional=True)
    layer.initialize()
    assert layer(mx.nd.ones((2, 3, 7))).shape == (2, 3, 8)
    assert layer.input_size == 7 and layer.parts()["l0_i2h_weight"].shape == (16, 7)
    nested = mx.gluon.nn.HybridSequential()
    nested.add(nn.GRU(4, 2))
    nested.initialize()
    nested.hybridize()                                                    # the size comes from the operator's inference
    assert nested(mx.nd.ones((2, 3, 7))).shape == (2, 3, 4)
    assert nested[0].input_size == 7 and nested[0].l0_i2h_weight.shape == (12, 7)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_fourteen_layers_save_and_load(tmp_path, bidirectional):
    """`mxnet.gluon.rnn` cannot save more than ten layers."""
    layer, other = (make("lstm", 14, bidirectional, "float32") for _ in range(2))
    layer.save_parameters(str(tmp_path / "p"))
    other.load_parameters(str(tmp_path / "p"))
    inputs = mx.nd.random.normal(shape=(3, 2, 3))
    assert (layer(inputs).asnumpy() == other(inputs).asnumpy()).all()


def test_loading_fixes_a_deferred_input_size(tmp_path):
    layer, other = make("gru", 2, dtype="float32"), nn.GRU(5, 2)
    layer.save_parameters(str(tmp_path / "p"))
    other.load_parameters(str(tmp_path / "p"))
    inputs = mx.nd.random.normal(shape=(3, 2, 3))
    assert (layer(inputs).asnumpy() == other(inputs).asnumpy()).all()
    assert other.parts()["l0_i2h_weight"].shape == (15, 3)


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("option", ["dropout", "drop_h", "weight_drop"])
def test_dropout_acts_in_training_alone(option, hybrid):
    layer = make("lstm", 2, dtype="float32", **{option: 0.5})
    plain = make("lstm", 2, dtype="float32")
    for name, value in layer.parts().items():
        plain._reg_params[name].set_data(value)
    if hybrid:
        layer.hybridize()
    inputs = mx.nd.random.normal(shape=(6, 4, 3))

    def trained(seed):
        mx.random.seed(seed)
        with autograd.record():
            return layer(inputs).asnumpy()

    assert (layer(inputs).asnumpy() == plain(inputs).asnumpy()).all()     # the identity in prediction
    assert (trained(1) == trained(1)).all()
    assert np.abs(trained(1) - trained(2)).max() > 1e-3
    assert np.abs(trained(1) - plain(inputs).asnumpy()).max() > 1e-3


def test_drop_h_keeps_one_mask_for_all_steps():
    """With an identity second layer the dropped features of layer 1 show as columns that are zero at every step."""
    layer = nn.RNN(32, 2, "relu", input_size=1, drop_h=0.5)
    layer.initialize()
    for part in layer.parts().values():
        part[:] = 0
    layer.parts()["l0_i2h_bias"][:] = 1                                   # layer 1 puts out 1 everywhere
    layer.parts()["l1_i2h_weight"][:] = mx.nd.eye(32)
    with autograd.record():
        outputs = layer(mx.nd.zeros((5, 4, 1))).asnumpy()
    assert set(np.unique(outputs)) == {0.0, 2.0}
    assert (outputs == outputs[:1]).all() and 0.3 < (outputs > 0).mean() < 0.7


def test_weight_drop_leaves_the_other_parts_alone():
    layer = make("rnn", dtype="float32", weight_drop=0.5, hidden_size=16)
    inputs = mx.nd.random.normal(shape=(1, 2, 3))
    with autograd.record():
        outputs = layer(inputs)                                           # one step from h = 0: h2h plays no part
    assert (outputs.asnumpy() == layer(inputs).asnumpy()).all()
    with autograd.record():
        outputs = layer(mx.nd.random.normal(shape=(3, 2, 3)))
    outputs.backward()
    gradient = layer.l0_h2h_weight.grad().asnumpy()
    assert 0.3 < (gradient == 0).mean() < 0.7                             # dropped weights get no gradient


@pytest.mark.parametrize("call,message", [
    (lambda: nn.LSTM(0), "hidden_size must be a whole number of at least 1, got 0"),
    (lambda: nn.LSTM(4, num_layers=2.0), "num_layers must be a whole number"),
    (lambda: nn.LSTM(4, dropout=1.0), "dropout must be a rate of at least 0 and below 1, got 1.0"),
    (lambda: nn.LSTM(4, layout="NCT"), "layout must be one of"),
    (lambda: nn.LSTM(4, bidirectional="no"), "bidirectional must be true or false, got 'no'"),
    (lambda: nn.LSTM(4, input_size=-1), "input_size must be a whole number of at least 0, got -1"),
    (lambda: nn.LSTM(4, input_size=2.5), "input_size must be a whole number of at least 0, got 2.5"),
    (lambda: nn.LSTM(4, dtype="int32"), "dtype must be float16, float32 or float64, got 'int32'"),
    (lambda: nn.LSTM(4, dtype="flaot32"), "dtype must be float16, float32 or float64"),
    (lambda: nn.RNN(4, activation="softsign"), "activation must be 'tanh', 'relu' or 'sigmoid', got 'softsign'"),
    (lambda: nn.LSTM(4, h2h_weight_initializer="ortogonal"), "unknown initializer 'ortogonal'"),
    (lambda: make("lstm")(mx.nd.ones((2, 3), dtype="float64")), "expects inputs of 3 dimensions in the order TNC"),
    (lambda: make("lstm")(mx.nd.ones((2, 3, 4), dtype="float64")), "expects 3 input features"),
    (lambda: make("lstm")(mx.nd.ones((2, 3, 3))), "holds float64, got inputs of float32"),
    (lambda: make("lstm", dtype="float16")(mx.nd.ones((2, 3, 3), dtype="float16")), "cannot compute in float16"),
    (lambda: nn.LSTM(4).parts(), "does not know its input size yet"),
    (lambda: make("lstm").gate("l0_i2h_weight", "z"), "with gates i, f, g, o; got parameter 'l0_i2h_weight', gate 'z'"),
    (lambda: make("lstm").l0_i2h_bias.set_data(mx.nd.ones((3,))), r"l0_i2h_bias has shape \(20,\), got \(3,\)"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()
