"""The contract, proved for each encoder of the registry: a new one is tested by being registered.

Blocks with memory that are no encoders (delay lines, models that feed their output back) are named in `OTHERS`. Two
ways to one result are compared in float64; float32, in which other operators run, is held to float64.

Tests `checks.py` too.
"""
import copy
import os
import zlib

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

import gluon_rnn.nn  # noqa: F401  (fills the registry)
from gluon_rnn import runtime
from gluon_rnn.models import AR, NARX, ClosedLoop, CTCModel, Forecaster, ForecasterClosedLoop
from gluon_rnn.nn import GRU, LSTM, TDNN, Bidirectional, Chain, Conditioned, DelayLine, Jordan, Unrolled
from gluon_rnn.registry import encoders
from tests.reference import EXACT, condition

LAYERED = [{}, {"num_layers": 2}, {"num_layers": 2, "bidirectional": True}, {"layout": "NTC", "num_layers": 2}]
DELAYED = [{}, {"num_layers": 2}, {"contexts": [[-4, 0], {-3, -1}], "layout": "NTC"},
           {"contexts": [[-2, 2], {-1, 2}]}, {"contexts": [[0, 2], {1}]}]
# each with 3 input features in all, which for open-loop models are the inputs and the measured outputs together
OTHERS = {
    "conditioned": lambda dtype, **variant: _conditioned(Conditioned(LSTM(6, 2, dtype=dtype), 2, **variant)),
    "delay_line": lambda dtype, **variant: DelayLine(3, input_size=3, dtype=dtype, **variant),
    "ar": lambda dtype, **variant: AR(2, output_size=3, dtype=dtype, **variant),
    "narx": lambda dtype, **variant: NARX(2, 3, (5, 4), input_size=2, skip=True, dtype=dtype, **variant),
    "narx_closed_loop": lambda dtype, **variant: ClosedLoop(
        NARX(1, 2, input_delay=1, input_size=3, output_size=2, dtype=dtype, **variant)),
    "ctc": lambda dtype, **variant: CTCModel(LSTM(5, dtype=dtype), 4, input_size=3, **variant),
    "ctc_bidirectional": lambda dtype, **variant: CTCModel(
        LSTM(5, bidirectional=True, dtype=dtype), 4, input_size=3, **variant),
    "both_directions": lambda dtype, **variant: Bidirectional(
        Jordan(4, 2, input_size=3, dtype=dtype), TDNN(5, input_size=3, dtype=dtype), **variant),
    "chain": lambda dtype, **variant: Chain([LSTM(4, input_size=3, dtype=dtype), GRU(5, dtype=dtype)], **variant),
    "chain_bidirectional": lambda dtype, **variant: Chain(
        [LSTM(3, bidirectional=True, input_size=3, dtype=dtype), Jordan(4, 2, dtype=dtype)], **variant),
    "forecaster": lambda dtype, **variant: Forecaster(LSTM(4, dtype=dtype), input_size=2, input_delay=1, **variant),
    "forecaster_closed_loop": lambda dtype, **variant: ForecasterClosedLoop(
        Forecaster(GRU(4, dtype=dtype), input_size=3, hidden_sizes=(4,), residual=True, **variant)),
}
# cells of Gluon's in the loop of this package
GLUON_CELLS = {
    "gluon_lstm": lambda: gluon.rnn.LSTMCell(6, input_size=3),
    "gluon_gru": lambda: gluon.rnn.GRUCell(6, input_size=3),
    "gluon_residual": lambda: gluon.rnn.ResidualCell(gluon.rnn.RNNCell(3, input_size=3)),
    "gluon_sequential": lambda: _sequential(gluon.rnn.LSTMCell(5, input_size=3), gluon.rnn.GRUCell(4, input_size=5)),
}
OTHERS.update({name: lambda dtype, make=make, **variant: _unrolled(make(), dtype, **variant)
               for name, make in GLUON_CELLS.items()})


def _sequential(*cells):
    stack = gluon.rnn.SequentialRNNCell()
    for cell in cells:
        stack.add(cell)
    return stack


def _unrolled(cell, dtype, **variant):
    block = Unrolled(cell, **variant)
    block.cast(dtype)
    return block


STEPS, ROWS, FEATURES = 7, 3, 3
#: roundings on the longest path of a number: sums over inputs, units and delays of two layers, at each step
TERMS = STEPS * 2 * (FEATURES + 6 + 4)


def _conditioned(block):
    block.set_input_size(3)
    return block


def variants(name):
    """What of the variants the encoder knows, each once: the batch-first layout of one without layers too."""
    known = encoders.parameters(name)
    listed = DELAYED if "contexts" in known else LAYERED
    found = []
    for variant in listed:
        kept = {key: value for key, value in variant.items() if key in known}
        if kept not in found:
            found.append(kept)
    return found


BLOCKS = [(name, variant) for name in encoders.names() for variant in variants(name)]
BLOCKS += [(name, variant) for name in OTHERS for variant in ({}, {"layout": "NTC"})
           if not variant or name not in GLUON_CELLS]


def build(name, variant, dtype):
    if name in OTHERS:
        block = OTHERS[name](dtype, **variant)
    else:
        block = encoders.build(name, hidden_size=6, input_size=FEATURES, dtype=dtype, **variant)
    block.initialize()
    return block


_built = {}


def copy_of(case, dtype, seed):
    """Return a block of the test's own: a copy, since drawing the parameters takes five times as long.

    Its parameters depend on the case alone, whichever test was the first to ask; the test's seed is set after them.
    """
    name = f"{name_of(case)} {dtype}"
    if name not in _built:
        runtime.seed_all(int(os.environ.get("GLUON_RNN_TEST_SEED") or zlib.crc32(name.encode()) % 2**31))
        _built[name] = build(*case, dtype)
        runtime.seed_all(seed)
    return copy.deepcopy(_built[name])


def name_of(case):
    return f"{case[0]}-{'-'.join(map(str, case[1].values())) or 'plain'}"


@pytest.fixture(params=BLOCKS, ids=name_of)
def block(request, seed):
    """In float64, in which rounding cannot be mistaken for a fault."""
    return copy_of(request.param, "float64", seed)


@pytest.fixture(params=BLOCKS, ids=name_of)
def single(request, seed):
    """In float32, in which MXNet has operators of its own (oneDNN's)."""
    return copy_of(request.param, "float32", seed)


def batch(block, steps=STEPS, rows=ROWS):
    inputs = mx.nd.random.normal(shape=(steps, rows, FEATURES), dtype=block._dtype)
    return as_layout(block, inputs)


def as_layout(block, array):
    return array if block.layout == "TNC" else array.swapaxes(0, 1)


def assert_same(got, want):
    got, want = (values if isinstance(values, list) else [values] for values in (got, want))
    assert len(got) == len(want)
    for a, b in zip(got, want):
        np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), **EXACT)


def test_call_forms(block):
    inputs = batch(block)
    outputs, states = block(inputs, block.begin_state(3))
    assert as_layout(block, outputs).shape == (7, 3, block.output_size)
    assert [state.shape for state in states] == [info["shape"] for info in block.state_info(3)]
    assert_same(block(inputs), outputs)


def test_row_alone_is_row_of_the_padded_batch(block):
    inputs, lengths = batch(block), [7, 4, 1]
    outputs, states = block(inputs, block.begin_state(3), mx.nd.array(lengths))
    time_major = as_layout(block, outputs)
    for row, length in enumerate(lengths):
        alone = as_layout(block, as_layout(block, inputs)[:length, row:row + 1])
        expected, expected_states = block(alone, block.begin_state(1))
        assert_same(time_major[:length, row:row + 1], as_layout(block, expected))
        assert not time_major[length:, row].asnumpy().any()
        for state, want, info in zip(states, expected_states, block.state_info(3)):
            axis = info["__layout__"].index("N")
            assert_same(state.slice_axis(axis=axis, begin=row, end=row + 1), want)


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("lengths", [None, [7, 4, 0]])
def test_a_call_without_states_begins_with_zeros(block, lengths, hybrid):
    """An empty list stands for these zeros where the block says so, and none come back."""
    inputs = batch(block)
    given = () if lengths is None else (mx.nd.array(lengths),)
    expected, _ = block(inputs, block.begin_state(3), *given)
    if lengths:                                                           # NaN on padding
        filled = as_layout(block, inputs).copy()
        filled[4:, 1], filled[:, 2] = float("nan"), float("nan")
        inputs = as_layout(block, filled)
    if hybrid:
        block.hybridize()
    assert_same(block(inputs, None, *given), expected)
    if block.accepts_empty_states(with_lengths=lengths is not None):
        outputs, states = block(inputs, [], *given)
        assert_same(outputs, expected)
        assert states == []
    elif block.state_info():
        with pytest.raises(ValueError, match="expects states of shapes"):
            block(inputs, [], *given)


@pytest.mark.parametrize("hybrid", [False, True])
def test_padding_changes_nothing(single, hybrid):
    """Not a bit: NaN survives every sum and product, infinity every comparison."""
    if hybrid:
        single.hybridize()
    inputs, lengths, results = batch(single), mx.nd.array([7, 4, 0]), []
    for filler in (None, float("nan"), float("inf")):
        values = as_layout(single, inputs).copy()
        if filler is not None:
            values[4:, 1], values[:, 2] = filler, filler
        mx.random.seed(0)                                                 # the same masks where a block draws some
        results.append(with_gradients(single, as_layout(single, values), lengths))
    for with_filler in results[1:]:
        for got, want in zip(with_filler, results[0]):
            np.testing.assert_array_equal(got, want)
    gradient = results[0][1 + len(single.state_info())]
    assert not (gradient if single.layout == "TNC" else gradient.swapaxes(0, 1))[4:, 1].any()   # nor into the padding


def with_gradients(block, inputs, lengths, train_mode=True):
    """Return outputs, last states and the gradients of the inputs and all parameters as NumPy arrays."""
    inputs.attach_grad()
    with autograd.record(train_mode):
        outputs, states = block(inputs, block.begin_state(ROWS), lengths)
        loss = (outputs ** 2).sum() + sum((state ** 2).sum() for state in states)
    loss.backward(train_mode=train_mode)
    gradients = [inputs.grad, *(parameter.grad() for parameter in block.collect_params().values())]
    return [value.asnumpy().copy() for value in (outputs, *states, *gradients)]


@pytest.mark.parametrize("lengths", [None, [7, 4, 1]])
@pytest.mark.parametrize("case", BLOCKS, ids=name_of)
def test_float32_is_float64_rounded(case, lengths, seed):
    """Outputs, states and gradients of a hybridized block: off by no more roundings than the longest path has."""
    single, double = (copy_of(case, dtype, seed) for dtype in ("float32", "float64"))
    for one, other in zip(single.collect_params().values(), double.collect_params().values()):
        other.set_data(one.data().astype("float64"))
    single.hybridize()
    inputs, lengths = batch(single), None if lengths is None else mx.nd.array(lengths)
    exact_inputs, train_mode = inputs.astype("float64"), "zoneout" not in case[0]      # whose masks would differ
    variables = [exact_inputs, *(parameter.data() for parameter in double.collect_params().values())]
    got = with_gradients(single, inputs, lengths, train_mode)
    want, moves = condition(lambda: with_gradients(double, exact_inputs, lengths, train_mode), variables)
    for value, exact, move in zip(got, want, moves):
        np.testing.assert_allclose(value, exact, rtol=0, atol=TERMS * move)


def test_chunks_with_carried_states_are_the_whole(block):
    if not block.causal:
        pytest.skip("looks ahead")
    inputs = batch(block)
    whole, whole_states = block(inputs, block.begin_state(3))
    states, chunks = block.begin_state(3), []
    for begin, end in ((0, 2), (2, 3), (3, 7)):
        outputs, states = block(as_layout(block, as_layout(block, inputs)[begin:end]), states)
        chunks.append(as_layout(block, outputs))
    assert_same(mx.nd.concat(*chunks, dim=0), as_layout(block, whole))
    assert_same(states, whole_states)


def test_one_step_in_somebody_elses_loop_is_a_call(block):
    if not block.causal or block.layout == "NTC":
        pytest.skip("loops over it are time-major and causal")
    inputs = batch(block, 1)
    _, states = block(inputs, block.begin_state(3))
    outputs, finals = block.one_step(mx.nd, inputs, states)
    want, want_finals = block(inputs, states)
    assert_same([outputs, *finals], [want, *want_finals])


def test_a_stepper_makes_the_steps_of_a_call(block):
    if not block.causal:
        with pytest.raises(ValueError, match="cannot go step by step"):
            block.stepper(ROWS)
        return
    inputs = batch(block)
    whole, finals = block(inputs, block.begin_state(ROWS))
    stepper = block.stepper(ROWS)
    steps = [stepper(step).copy() for step in as_layout(block, inputs).asnumpy()]
    assert_same([mx.nd.array(np.stack(steps), dtype="float64"), *(mx.nd.array(state, dtype="float64")
                                                                  for state in stepper.states)],
                [as_layout(block, whole), *finals])


@pytest.mark.parametrize("hybrid", [False, True])
def test_carried_states_are_refused_by_a_block_that_looks_ahead(block, hybrid):
    if hybrid:
        block.hybridize()
    inputs = batch(block)
    _, states = block(inputs, block.begin_state(3))
    if block.causal:
        block(inputs, states)
    else:
        with pytest.raises(ValueError, match="not causal: it reads"):
            block(inputs, [state.detach() for state in states])
        block(inputs, [state + 1 for state in states])                    # initial ones, whatever they are


def test_causal_means_that_the_future_changes_nothing(block):
    inputs = batch(block)
    changed = as_layout(block, inputs).copy()
    changed[5:] = 3.0
    before = as_layout(block, block(inputs)).asnumpy()[:5]
    after = as_layout(block, block(as_layout(block, changed))).asnumpy()[:5]
    assert np.allclose(before, after, **EXACT) == block.causal


def test_gradient_stops_at_a_detached_chunk_edge(block):
    if not block.causal:
        pytest.skip("looks ahead")
    first, second = batch(block, 3), batch(block, 4)
    for detached in (False, True):
        first.attach_grad()
        with autograd.record():
            _, states = block(first, block.begin_state(3))
            states = [state.detach() for state in states] if detached else states
            outputs, _ = block(second, states)
            loss = (outputs ** 2).sum() + 0 * first.sum()
        loss.backward()
        assert bool(first.grad.asnumpy().any()) is not detached


@pytest.mark.parametrize("static_shape", [False, True])
def test_hybridized_is_imperative_in_every_call_form(block, static_shape):
    inputs, lengths = batch(block), mx.nd.array([7, 4, 1])
    begin = block.begin_state(3)
    forms = [(inputs,), (inputs, begin), (inputs, begin, lengths), (inputs, None, lengths)]
    if block.loops and static_shape:
        with pytest.raises(ValueError, match="a loop, which gives wrong numbers with static_shape=True"):
            block.hybridize(static_alloc=True, static_shape=True)
        return
    imperative = [flat(block(*form)) for form in forms]
    block.hybridize(static_alloc=True, static_shape=static_shape)
    for _ in range(2):                                                    # the second round finds every graph cached
        for form, want in zip(forms, imperative):
            assert_same(flat(block(*form)), want)


def flat(result):
    return [result[0], *result[1]] if isinstance(result, tuple) else [result]


def test_inside_a_hybridized_parent_without_states(block):
    parent = gluon.nn.HybridSequential()
    parent.add(block)
    parent.hybridize()
    for rows in (3, 2):
        inputs = batch(block, rows=rows)
        assert_same(parent(inputs), block(inputs))


def test_exported_graph_is_the_live_block_at_other_sizes(block, tmp_path):
    states = [mx.sym.var(f"state_{i}") for i in range(len(block.state_info()))]
    outputs, finals = block(mx.sym.var("data"), states, mx.sym.var("valid_length"))
    mx.sym.Group([outputs, *finals]).save(str(tmp_path / "graph.json"))
    parameters = {p.name: p.data() for p in block.collect_params().values()}
    graph = mx.sym.load(str(tmp_path / "graph.json"))
    for steps, rows in ((7, 3), (4, 2)):
        inputs, lengths = batch(block, steps, rows), mx.nd.array([steps, 2, 1][:rows])
        bound = {"data": inputs, "valid_length": lengths, **parameters}
        bound.update({f"state_{i}": value for i, value in enumerate(block.begin_state(rows))})
        results = graph.bind(mx.cpu(), bound).forward()
        outputs, states = block(inputs, block.begin_state(rows), lengths)
        assert_same(results, [outputs, *states])


def test_save_and_load(block, tmp_path):
    if not block.collect_params().keys():
        pytest.skip("has no parameters")
    inputs = batch(block)
    want = block(inputs)
    block.save_parameters(str(tmp_path / "parameters"))
    block.initialize(force_reinit=True)
    assert not np.allclose(block(inputs).asnumpy(), want.asnumpy())
    block.load_parameters(str(tmp_path / "parameters"))
    np.testing.assert_array_equal(block(inputs).asnumpy(), want.asnumpy())


def test_wrong_states_and_lengths_name_both_numbers(block):
    inputs = batch(block)
    with pytest.raises(ValueError, match="for a batch of 3, got"):
        block(inputs, block.begin_state(2))
    with pytest.raises(ValueError, match=r"valid_length of shape \(3,\), one length a row"):
        block(inputs, block.begin_state(3), mx.nd.array([1, 2]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_states_by_a_function_have_the_dtype_of_the_block(dtype):
    layer = LSTM(4, input_size=3, dtype=dtype)
    for given in (None, "float16"):
        states = layer.begin_state(2, mx.nd.ones, dtype=given)
        assert {np.dtype(state.dtype).name for state in states} == {given or dtype}
    assert (layer.begin_state(2, mx.nd.ones)[0].asnumpy() == 1).all()
