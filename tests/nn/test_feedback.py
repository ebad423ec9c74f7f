"""Networks with feedback as one fused operator: against the loop, in numbers, gradients, lengths, extremes."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.models import NARX, ClosedLoop
from gluon_rnn.nn.feedback import FeedbackNetwork, can_fuse
from tests.reference import assert_rounded, rounding

LAYERS = {"linear": ((), "tanh"), "tanh": ((5,), "tanh"), "relu": ((5,), "relu"), "two_sigmoid": ((5, 4), "sigmoid"),
          "three_tanh": ((4, 5, 3), "tanh"), "two_relu": ((6, 4), "relu")}
LAGS = {"one": dict(output_lag=1), "no_input": dict(output_lag=2, input_size=0),
        "mimo": dict(output_lag=3, output_size=2, input_size=2, skip=True)}
# relu is compared in float32, in which alone the fused operator has it. Roundings on the longest path: nine steps, each
# a sum over up to 10 lagged values and three layers of six units, and the sum of a gradient over steps and rows.
TERMS = 9 * (10 + 3 * 6) + 27


def make(layers, lags, dtype="float32"):
    hidden_sizes, activation = LAYERS[layers]
    options = dict(dict(input_size=1), **LAGS[lags])
    options["skip"] = bool(options.get("skip") and hidden_sizes)
    model = NARX(1, options.pop("output_lag"), hidden_sizes, activation, 1, dtype=dtype, **options)
    model.initialize()
    for parameter in model.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, shape=parameter.shape, dtype=dtype))
    return model


def everything(block, x, states, lengths):
    """Outputs, last states, and the gradients of a sum over all of them, as NumPy arrays."""
    variables = [*([x] if block.input_size else []), *states]
    for variable in variables:
        variable.attach_grad()
    weights = mx.nd.arange(1, x.shape[0] * x.shape[1] + 1, dtype=x.dtype).reshape((*x.shape[:2], 1)) / 20
    with autograd.record():
        outputs, finals = block(x, states, lengths)
        loss = mx.nd.broadcast_mul(outputs, weights).sum() + sum((state ** 2).sum() for state in finals)
    loss.backward()
    gradients = [variable.grad for variable in variables] + [p.grad() for p in block.collect_params().values()]
    return [array.asnumpy().copy() for array in (outputs, *finals, *gradients)]


@pytest.mark.parametrize("lengths", [None, [9, 4, 0]])
@pytest.mark.parametrize("lags", LAGS)
@pytest.mark.parametrize("layers, dtype", [*((layers, "float32") for layers in LAYERS),
                                           *((layers, "float64") for layers in LAYERS if "relu" not in layers)])
def test_fused_is_the_loop_with_all_gradients(layers, lags, dtype, lengths):
    model = make(layers, lags, dtype)
    fused, stepped = ClosedLoop(model, fused=True), ClosedLoop(model, fused=False)
    assert not fused.loops and stepped.loops
    x = mx.nd.random.normal(shape=(9, 3, model.input_size or 1), dtype=dtype)
    states = [mx.nd.random.normal(shape=info["shape"], dtype=dtype) for info in model.state_info(3)]
    lengths = None if lengths is None else mx.nd.array(lengths)
    assert_rounded(everything(fused, x, states, lengths), everything(stepped, x, states, lengths), TERMS, dtype)


@pytest.mark.parametrize("layers", ["relu", "two_relu", "linear"])
def test_gradients_are_there_at_exactly_zero(layers):
    """Silent layers, all states and inputs 0: linear parts are exactly 0, where relu has no derivative of its own."""
    model = make(layers, "mimo")
    for name, parameter in model._reg_params.items():
        if name.endswith("bias"):
            last = name == ("bias" if layers == "linear" else f"h{1 + len(LAYERS[layers][0])}_bias")
            parameter.set_data(mx.nd.full(parameter.shape, 0 if last else -1))
    x, states = mx.nd.zeros((5, 2, 2)), model.begin_state(2)
    fused = everything(ClosedLoop(model, fused=True), x, states, None)
    assert_rounded(fused, everything(ClosedLoop(model, fused=False), x, states, None), TERMS)
    assert any(np.abs(array).max() > 0.01 for array in fused[3:])         # there is something to compare


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("scale", [1e-12, 1e8])
def test_size_of_the_numbers_does_not_matter(layers, scale):
    """Outputs in units in which they are tiny or huge: the same numbers relative to their size."""
    model = make(layers, "one")
    last = [name for name in ("bias", "h2_weight", "h2_bias", "h3_weight", "h3_bias", "h4_weight", "h4_bias")
            if name in model._reg_params][-2 if layers != "linear" else -1:]
    for name in [*last, *(["x_weight"] if layers == "linear" else [])]:   # y times scale
        parameter = getattr(model, name)
        parameter.set_data(parameter.data() * scale)
    if layers != "linear":
        model.y_weight.set_data(model.y_weight.data() / scale)            # and y / scale fed back
    x, states = mx.nd.random.normal(shape=(9, 3, 1)), model.begin_state(3)
    got = ClosedLoop(model, fused=True)(x, states)[0].asnumpy() / scale
    want = ClosedLoop(model, fused=False)(x, states)[0].asnumpy() / scale
    assert_rounded([got], [want], TERMS)


def test_a_skip_path_that_diverges_is_infinite_and_stays_in_its_row():
    model = make("tanh", "mimo")
    model.skip_y_weight.set_data(mx.nd.full(model.skip_y_weight.shape, 2.0))
    states = model.begin_state(2)
    states[-1][:, 0] = 1e6                                                # row 0 grows eightfold and more at each step
    states[-1][:, 1] = 0.0
    model.h2_bias.set_data(mx.nd.zeros((2,)))
    model.skip_x_weight.set_data(mx.nd.zeros(model.skip_x_weight.shape))
    model.h2_weight.set_data(mx.nd.zeros(model.h2_weight.shape))
    outputs = ClosedLoop(model, fused=True)(mx.nd.zeros((30, 2, 2)), states)[0].asnumpy()
    stepped = ClosedLoop(model, fused=False)(mx.nd.zeros((30, 2, 2)), states)[0].asnumpy()
    finite = np.isfinite(outputs[:, 0]).all(axis=1)
    assert finite[:5].all() and not finite[-20:].any()
    np.testing.assert_allclose(outputs[finite, 0], stepped[finite, 0], rtol=rounding("float32", 30 * 10))
    assert (outputs[:, 1] == 0).all()


def test_one_step_and_another_batch():
    model = make("two_sigmoid", "mimo", "float64")
    fused, stepped = ClosedLoop(model, fused=True), ClosedLoop(model, fused=False)
    fused.hybridize(static_alloc=True, static_shape=True)                 # no loop: allowed
    for steps, rows in ((1, 3), (4, 1), (7, 2), (1, 1)):
        x, states = mx.nd.random.normal(shape=(steps, rows, 2), dtype="float64"), model.begin_state(rows)
        assert_rounded(fused(x, states)[:1], stepped(x, states)[:1], TERMS, "float64")


def test_sees_parameters_as_they_are():
    model = make("tanh", "one", "float64")
    fused = ClosedLoop(model)
    fused.hybridize(static_alloc=True, static_shape=True)
    x = mx.nd.random.normal(shape=(5, 2, 1), dtype="float64")
    before = fused(x).asnumpy()
    model.h2_weight.set_data(model.h2_weight.data() * 2)
    after = fused(x).asnumpy()
    assert np.abs(after - before).max() > 1e-3
    assert_rounded([after], [ClosedLoop(model, fused=False)(x)], TERMS, "float64")


@pytest.mark.parametrize("decay", [0.0, 0.6])
@pytest.mark.parametrize("f, g", [("tanh", "identity"), ("sigmoid", "tanh"), ("relu", "identity"), ("relu", "relu")])
def test_jordan_fused_is_its_loop(decay, f, g):
    dtype = "float32" if "relu" in (f, g) else "float64"
    layer = nn.Jordan(4, 2, input_size=3, decay=decay, activation=f, output_activation=g, dtype=dtype)
    layer.initialize(mx.init.Uniform(0.5))
    assert not layer.loops
    inputs, states = (mx.nd.random.normal(shape=shape, dtype=dtype) for shape in ((9, 3, 3), (3, 2)))
    states = [states]
    lengths = mx.nd.array([9, 4, 0])
    for steps in (None, lengths):
        got, (last,) = layer(inputs, states, steps)
        layer._fused = False
        want, (expected,) = layer(inputs, states, steps)
        layer._fused = True
        assert_rounded([got, last], [want, expected], TERMS, dtype)


def test_what_can_be_fused():
    assert can_fuse((16,), ["tanh"], 4, "float32") and can_fuse((16,), ["relu"], 4, "float32")
    assert can_fuse((), [], 100, "float32") and can_fuse((3, 3), ["tanh", "sigmoid"], 4, "float64")
    assert not can_fuse((16,), ["softsign"], 4, "float32") and not can_fuse((16,), ["tanh"], 4, "float16")
    assert not can_fuse((3, 3), ["tanh", "relu"], 4, "float32")
    assert not can_fuse((16,), ["relu"], 4, "float64")                    # rounds to float32 in MXNet
    assert not can_fuse((1000,), ["tanh"], 4, "float32")                  # the product would cost more than the loop
    model = NARX(1, 2, (4,), "softsign")
    assert ClosedLoop(model).loops
    with pytest.raises(ValueError, match="all tanh or sigmoid .* got softsign in float32; run it in a loop"):
        ClosedLoop(model, fused=True)
    with pytest.raises(ValueError, match="runs in a loop"):
        ClosedLoop(model).hybridize(static_shape=True)


def test_state_size():
    """[u2, u1] and two copies of [y lags]; with relu each linear part twice."""
    assert FeedbackNetwork(1, (5, 4), ("tanh", "tanh"), 2, 3, "float32").state_size == 5 + 4 + 2 * 6
    assert FeedbackNetwork(1, (5,), ("relu",), 2, 3, "float32").state_size == 5 + 2 * 6
