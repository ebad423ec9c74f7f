"""The forecaster over every causal encoder of the registry: contract, loops by hand, central differences, export."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

import gluon_rnn.nn  # noqa: F401  (fills the registry)
from gluon_rnn.export import export, load
from gluon_rnn.models import NARX, ClosedLoop, Forecaster, ForecasterClosedLoop
from gluon_rnn.registry import encoders, models
from tests.gradients import assert_central_differences
from tests.reference import EXACT, run_row

NAMES = [name for name in encoders.names() if encoders.get(name).causal]
RICH = dict(input_size=2, output_size=2, distribution="gaussian", hidden_sizes=(4,), residual=True, input_delay=2)


def make(name, dtype="float64", layers=None, **kwargs):
    options = {"num_layers": layers} if layers else {}
    model = Forecaster(encoders.build(name, hidden_size=5, dtype=dtype, **options), **kwargs)
    return randomised(model, dtype)


def randomised(model, dtype="float64"):
    model.initialize()
    for parameter in model.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, shape=parameter.shape, dtype=dtype))
    return model


def recording(model, steps=7, rows=3, dtype="float64"):
    x, y = (mx.nd.random.normal(shape=(steps, rows, max(size, 1)), dtype=dtype)
            for size in (model.input_size, model.output_size))
    return (x if model.input_size else None), y


def inputs_of(block, steps=7, rows=3):
    """What `block` takes: both side by side in open loop, x alone (or a clock) in closed loop."""
    x, y = recording(block, steps, rows)
    if isinstance(block, ForecasterClosedLoop):
        return y[:, :, :1] if x is None else x
    return block.series(x, y)


def random_states(block, rows=3, dtype="float64"):
    return [mx.nd.random.normal(shape=info["shape"], dtype=dtype) * 0.5 for info in block.state_info(rows)]


def assert_same(got, want):
    assert len(got) == len(want)
    for a, b in zip(got, want):
        np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), **EXACT)


CASES = [(name, closed, True) for name in NAMES for closed in (False, True)]
CASES += [(name, closed, False) for name in ("gru", "lstm", "tdnn", "peephole_lstm") for closed in (False, True)]


@pytest.fixture(params=CASES, ids=lambda case: "-".join([case[0], "closed" if case[1] else "open",
                                                        *([] if case[2] else ["simulation"])]))
def block(request):
    name, closed, feedback = request.param
    model = make(name, **{**RICH, "feedback": feedback, "residual": feedback})
    return ForecasterClosedLoop(model) if closed else model


def test_chunks_with_carried_states_are_the_whole(block):
    inputs, states = inputs_of(block), random_states(block)
    outputs, finals = block(inputs, states)
    assert outputs.shape == (7, 3, block.raw_size) and block.raw_size == 4
    chunks = []
    for begin, end in ((0, 1), (1, 3), (3, 7)):
        chunk, states = block(inputs[begin:end], states)
        chunks.append(chunk)
    assert_same([mx.nd.concat(*chunks, dim=0), *states], [outputs, *finals])


@pytest.mark.parametrize("hybrid", [False, True])
def test_a_padded_row_is_the_row_alone_whatever_stands_in_the_padding(block, hybrid):
    if hybrid:
        block.hybridize()
    inputs, states, lengths = inputs_of(block), random_states(block), [7, 4, 0]
    for row, length in enumerate(lengths):
        inputs[length:, row] = float("nan")
    outputs, finals = block(inputs, states, mx.nd.array(lengths))
    for row, length in enumerate(lengths):
        alone = [state.slice_axis(axis=info["__layout__"].index("N"), begin=row, end=row + 1)
                 for state, info in zip(states, block.state_info(3))]
        want, want_finals = (block(inputs[:length, row:row + 1], alone) if length else (outputs[:0, :1], alone))
        if length:
            assert_same([outputs[:length, row:row + 1]], [want])
        assert not outputs.asnumpy()[length:, row].any()
        for final, want, info in zip(finals, want_finals, block.state_info(3)):
            axis = info["__layout__"].index("N")
            assert_same([final.slice_axis(axis=axis, begin=row, end=row + 1)], [want])


def test_hybridized_is_imperative(block):
    inputs, states, lengths = inputs_of(block), random_states(block), mx.nd.array([7, 4, 1])
    forms = [(inputs, states), (inputs, states, lengths)]
    imperative = [block(*form) for form in forms]
    block.hybridize(static_alloc=True)
    for _ in range(2):
        for form, want in zip(forms, imperative):
            got = block(*form)
            assert_same([got[0], *got[1]], [want[0], *want[1]])


def test_exported_and_loaded_is_the_live_model(block, tmp_path):
    # export compares at another T and N, whole and step by step, from the beginning and from carried states
    difference = export(block, tmp_path / "bundle", example=inputs_of(block, 2, 1))
    assert difference < EXACT["atol"]
    inputs = inputs_of(block, 5, 2)
    assert_same([load(tmp_path / "bundle")(inputs)], [block(inputs)])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("settings", [RICH, dict(distribution="quantile")], ids=["rich", "plain"])
def test_free_run_is_the_open_loop_fed_with_its_own_mean(name, settings):
    """The feedback loop by hand around the open-loop model, one step a call, in float64."""
    model = make(name, **settings)
    x, y = recording(model, 9)
    _, states = model.open_loop(None if x is None else x[:4], y[:4], model.begin_state(3))
    clock = y[:, :, :1] if x is None else x
    outputs, finals = ForecasterClosedLoop(model)(clock[4:], states)
    for t in range(4, 9):
        step = None if x is None else x[t:t + 1]
        raw, _ = model.open_loop(step, y[t:t + 1] * float("nan"), states)     # y_t is not to be read
        _, states = model.open_loop(step, model.head.mean(mx.nd, raw), states)
        assert_same([outputs[t - 4:t - 3]], [raw])
    assert_same(finals, states)


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_is_the_equations_in_numpy(name, closed):
    """z_t = [x_{t-1}, y_{t-1}], two recurrent layers, tanh readout, difference to y_{t-1}; one row, one step a time."""
    model = make(name, layers=2, input_size=2, output_size=2, hidden_sizes=(4,), residual=True,
                 input_delay=1)
    p = {key: value.data().asnumpy() for key, value in model._reg_params.items()}
    parts = {key: value.asnumpy() for key, value in model.encoder.parts().items()}
    (x, y), begin = recording(model, dtype="float64"), random_states(model, dtype="float64")
    block, inputs = (ForecasterClosedLoop(model), x) if closed else (model, model.series(x, y))
    outputs, _ = block(inputs, begin)
    for row in range(3):
        states = [state.asnumpy()[:, row] for state in begin]
        xs, fed_back, recurrent = [*states[-2], *x.asnumpy()[:, row]], states[-1][0], states[:-2]
        for t in range(7):
            h, recurrent = run_row(name, parts, np.concatenate([xs[t], fed_back])[None], recurrent, 2, 1)
            hidden = np.tanh(p["h1_weight"] @ h[0] + p["h1_bias"])
            value = p["output_weight"] @ hidden + p["output_bias"] + fed_back
            np.testing.assert_allclose(outputs[t, row].asnumpy(), value, **EXACT)
            fed_back = value if closed else y[t, row].asnumpy()


@pytest.mark.parametrize("name", ["lstm", "tdnn", "jordan"])
@pytest.mark.parametrize("lengths", [None, [3, 2]])
def test_gradients_of_the_closed_loop_are_central_differences(name, lengths):
    model = Forecaster(encoders.build(name, hidden_size=2, dtype="float64"), input_size=1, hidden_sizes=(2,),
                       residual=True, input_delay=1, distribution="gaussian")
    closed = ForecasterClosedLoop(randomised(model, "float64"))
    x = mx.nd.random.normal(shape=(3, 2, 1), dtype="float64")
    states, lengths = random_states(model, 2, "float64"), None if lengths is None else mx.nd.array(lengths)

    def call():
        outputs, finals = closed(x, states, lengths)
        return [outputs, *finals]

    assert_central_differences(call, closed, [x, *states])


def test_multi_horizon_columns_are_horizon_output_parameter():
    model = make("gru", output_size=2, horizon=3, distribution="gaussian", residual=True)
    x, y = recording(model, 6)
    raw = model.open_loop(x, y)
    assert raw.shape == (6, 3, 3 * 2 * 2)
    targets = model.targets(mx.nd, y)
    assert targets.shape == (4, 3, 6)
    for h in range(3):
        np.testing.assert_array_equal(targets[1, :, 2 * h:2 * h + 2].asnumpy(), y[1 + h].asnumpy())
    assert model.head.loss(mx.nd, raw[:4], targets).shape == targets.shape


def test_residual_adds_the_last_output_to_every_horizon():
    model = make("rnn", output_size=2, horizon=2, residual=True)
    model.output_weight.set_data(mx.nd.zeros_like(model.output_weight.data()))
    model.output_bias.set_data(mx.nd.array([0, 1, 2, 3], dtype="float64"))
    _, y = recording(model)
    got = model.open_loop(None, y).asnumpy()
    before = np.concatenate([np.zeros((1, 3, 2)), y.asnumpy()[:-1]])
    np.testing.assert_allclose(got, np.tile(before, (1, 1, 2)) + [0, 1, 2, 3], **EXACT)


def test_memory_is_what_a_prediction_rests_on():
    encoder = encoders.build("tdnn", hidden_size=4, contexts=[[-2, 0], [-3, -1]], dtype="float64")
    model = randomised(Forecaster(encoder, input_size=1, input_delay=2))
    assert model.memory == 2 + 3 + 2
    assert make("lstm").memory == 1 and make("lstm", input_size=1, input_delay=3).memory == 3
    x, y = recording(model, 12, 1)
    x.attach_grad(), y.attach_grad()
    with autograd.record():
        last = model.open_loop(x, y)[11].sum()
    last.backward()
    # x_{t-2-5} and y_{t-1-5} are the first ones that matter
    assert np.flatnonzero(x.grad.asnumpy())[0] == 11 - 7 and np.flatnonzero(y.grad.asnumpy())[0] == 11 - 6


@pytest.mark.parametrize("kind", ["narx", "tdnn"])
def test_exported_step_by_step_is_the_free_run(kind, tmp_path):
    """What a controller does with an exported open-loop model: one step a call, its own output fed back."""
    if kind == "narx":
        model = randomised(NARX(2, 3, (4,), input_delay=1, input_size=2, output_size=2, dtype="float64"))
        closed = ClosedLoop(model)
    else:
        model = make("tdnn", input_size=2, output_size=2, input_delay=1)
        closed = ForecasterClosedLoop(model)
    x, y = (mx.nd.random.normal(shape=(20, 2, 2), dtype="float64") for _ in range(2))
    export(model, tmp_path / "open", example=model.series(x, y))
    export(closed, tmp_path / "closed", example=x)
    bundle, loop = load(tmp_path / "open"), load(tmp_path / "closed")
    _, states = bundle(model.series(x[:8], y[:8]), bundle.begin_state(2))
    want, _ = closed(x[8:], states)
    looped = states
    for t in range(8, 20):
        prediction, _ = bundle(model.series(x[t:t + 1], mx.nd.zeros((1, 2, 2), dtype="float64")), states)
        _, states = bundle(model.series(x[t:t + 1], prediction), states)
        output, looped = loop(x[t:t + 1], looped)
        assert_same([prediction, output], [want[t - 8:t - 7]] * 2)


def test_closed_loop_shares_the_parameters(tmp_path):
    model = make("lstm", input_size=1)
    closed = ForecasterClosedLoop(model)
    assert {*closed.collect_params()} == {*model.collect_params()}
    x, y = recording(model)
    with autograd.record():
        loss = closed.head.loss(mx.nd, closed(x), y).sum()
    loss.backward()
    assert model.encoder.l0_h2h_weight.grad().asnumpy().any()             # training on the simulation error
    closed.save_parameters(str(tmp_path / "p"))
    other = make("lstm", input_size=1)
    other.load_parameters(str(tmp_path / "p"))
    np.testing.assert_array_equal(other.open_loop(x, y).asnumpy(), model.open_loop(x, y).asnumpy())


def test_without_inputs_the_clock_is_not_read():
    model = make("lstm")
    closed, states = ForecasterClosedLoop(model), random_states(model)
    zeros, nothing = (mx.nd.full((5, 3, 1), value, dtype="float64") for value in (0, float("nan")))
    np.testing.assert_array_equal(closed(nothing, states)[0].asnumpy(), closed(zeros, states)[0].asnumpy())


def test_dropout_is_drawn_in_training_only():
    model = make("gru", input_size=1, dropout=0.5)
    x, y = recording(model)
    np.testing.assert_array_equal(model.open_loop(x, y).asnumpy(), model.open_loop(x, y).asnumpy())
    with autograd.record():
        assert not np.allclose(model.open_loop(x, y).asnumpy(), model.open_loop(x, y).asnumpy())


def test_batch_first_is_time_first():
    model = make("lstm", **RICH)
    other = Forecaster(model.encoder, layout="NTC", prefix=model.prefix, params=model.params, **RICH)
    (x, y), states = recording(model), random_states(model)
    want, _ = model.open_loop(x, y, states)
    got, _ = other.open_loop(x.swapaxes(0, 1), y.swapaxes(0, 1), states)
    assert_same([got.swapaxes(0, 1)], [want])
    assert ForecasterClosedLoop(other).layout == "NTC"


def test_registered_by_name():
    assert models.get("forecaster") is Forecaster
    model = models.build("forecaster", encoder=encoders.build("gru", hidden_size=3), horizon=4)
    assert model.raw_size == 4 and model.head.name == "point"


def lstm(**kwargs):
    return encoders.build("lstm", hidden_size=3, **kwargs)


@pytest.mark.parametrize("call,message", [
    (lambda: Forecaster(lstm(bidirectional=True)), "needs a causal encoder, but LSTM looks ahead"),
    (lambda: Forecaster(encoders.build("tdnn", hidden_size=2, contexts=[[-1, 1]])), "TDNN looks ahead"),
    (lambda: Forecaster(lstm(layout="NTC")), "must have layout 'TNC', got 'NTC'"),
    (lambda: Forecaster(lstm(), dtype="float64"), "dtype is float64, but the encoder's is float32"),
    (lambda: Forecaster(lstm(input_size=4)), "expects 4 input features .input_size., got 1"),
    (lambda: Forecaster(lstm(), horizon=0), "horizon must be a whole number of at least 1, got 0"),
    (lambda: Forecaster(lstm(), input_size=-1), "input_size must be a whole number of at least 0, got -1"),
    (lambda: Forecaster(lstm(), input_delay=-1), "input_delay must be a whole number of at least 0, got -1"),
    (lambda: Forecaster(lstm(), hidden_sizes=(3, 0)), "hidden_sizes must be a whole number of at least 1, got 0"),
    (lambda: Forecaster(lstm(), activation="tan"), "activation must be one of"),
    (lambda: Forecaster(lstm(), dropout=1), "dropout must be a rate"),
    (lambda: Forecaster(lstm(), distribution="normal"), "unknown distribution 'normal'"),
    (lambda: Forecaster(lstm(), quantiles=[0.5]), "quantiles are the levels of distribution 'quantile'"),
    (lambda: make("lstm", input_size=1)(mx.nd.ones((5, 1, 3))), "expects 2 input features .1 inputs and 1 measured"),
    (lambda: make("lstm", input_size=1).open_loop(None, mx.nd.ones((5, 1, 1))), "has 1 inputs; pass them as x"),
    (lambda: ForecasterClosedLoop(make("lstm", horizon=2)), "the horizon of this model is 2"),
    (lambda: ForecasterClosedLoop(make("lstm", input_size=2))(mx.nd.ones((5, 1, 3))), "expects 2 input features"),
    (lambda: ForecasterClosedLoop(make("lstm")).hybridize(static_shape=True), "static_shape=True"),
])
def test_wrong_input_costs_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_simulation_model_hears_of_measured_outputs_only():
    model = make("gru", input_size=2, feedback=False)
    x, y = recording(model, 8)
    _, states = model.open_loop(x[:3], y[:3], model.begin_state(3))
    outputs, finals = ForecasterClosedLoop(model)(x[3:], states)
    known = np.array([0, 1, 1, 1, 0, 0, 0, 0]).reshape((8, 1, 1)) * np.ones((8, 3, 1))   # whether y_{t-1} was measured
    before = np.concatenate([np.zeros((1, 3, 1)), y.asnumpy()[:-1]]) * known
    seen = mx.nd.array(np.concatenate([x.asnumpy(), before, known], axis=2), dtype="float64")
    hidden = model.encoder(seen)
    want = mx.nd.FullyConnected(hidden, model.output_weight.data(), model.output_bias.data(), num_hidden=1,
                                flatten=False)
    assert_same([outputs], [want[3:]])
    assert not finals[-1].asnumpy().any()                                 # nothing of its own counts as measured


def test_a_simulation_model_needs_inputs():
    with pytest.raises(ValueError, match="feedback=False makes a simulation model, which has inputs"):
        make("gru", feedback=False)
