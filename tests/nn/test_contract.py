"""The contract, proved for each encoder of the registry: a new one is tested by being registered.

Blocks with memory that are no encoders (delay lines, models that feed their output back) are named in `OTHERS`.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

import gluon_rnn.nn  # noqa: F401  (fills the registry)
from gluon_rnn.models import AR, NARX, ClosedLoop, CTCModel, Forecaster, ForecasterClosedLoop
from gluon_rnn.nn import GRU, LSTM, TDNN, Bidirectional, Conditioned, DelayLine, Jordan
from gluon_rnn.registry import encoders

VARIANTS = [{}, {"num_layers": 2}, {"num_layers": 2, "bidirectional": True}, {"layout": "NTC", "num_layers": 2},
            {"contexts": [[-4, 0], {-3, -1}], "layout": "NTC"}, {"contexts": [[-2, 2], {-1, 2}]},
            {"contexts": [[0, 2], {1}]}]
# each with 3 input features in all, which for open-loop models are the inputs and the measured outputs together
OTHERS = {
    "conditioned": lambda **variant: _conditioned(Conditioned(LSTM(6, 2), 2, **variant)),
    "delay_line": lambda **variant: DelayLine(3, input_size=3, **variant),
    "ar": lambda **variant: AR(2, output_size=3, **variant),
    "narx": lambda **variant: NARX(2, 3, (5, 4), input_size=2, skip=True, **variant),
    "narx_closed_loop": lambda **variant: ClosedLoop(NARX(1, 2, input_delay=1, input_size=3, output_size=2, **variant)),
    "ctc": lambda **variant: CTCModel(LSTM(5), 4, input_size=3, **variant),
    "ctc_bidirectional": lambda **variant: CTCModel(LSTM(5, bidirectional=True), 4, input_size=3, **variant),
    "both_directions": lambda **variant: Bidirectional(Jordan(4, 2, input_size=3), TDNN(5, input_size=3), **variant),
    "forecaster": lambda **variant: Forecaster(LSTM(4), input_size=2, input_delay=1, **variant),
    "forecaster_closed_loop": lambda **variant: ForecasterClosedLoop(
        Forecaster(GRU(4), input_size=3, hidden_sizes=(4,), residual=True, **variant)),
}


def _conditioned(block):
    block.set_input_size(3)
    return block


def variants(name):
    """What of VARIANTS the encoder knows, each once: the layouts also of one without `num_layers`."""
    found = []
    for variant in VARIANTS:
        known = {key: value for key, value in variant.items() if key in encoders.parameters(name)}
        if known not in found:
            found.append(known)
    return found


BLOCKS = [(name, variant) for name in encoders.names() for variant in variants(name)]
BLOCKS += [(name, variant) for name in OTHERS for variant in ({}, {"layout": "NTC"})]
# float32 with sums in another order (a batch of 1 against one of 3): a few units in the last place of O(1) values
TOLERANCE = dict(rtol=0, atol=2e-6)


@pytest.fixture(params=BLOCKS, ids=lambda case: f"{case[0]}-{'-'.join(map(str, case[1].values())) or 'plain'}")
def block(request):
    name, variant = request.param
    if name in OTHERS:
        block = OTHERS[name](**variant)
    else:
        block = encoders.build(name, hidden_size=6, input_size=3, **variant)
    block.initialize()
    return block


def batch(block, steps=7, rows=3):
    inputs = mx.nd.random.normal(shape=(steps, rows, 3))
    return as_layout(block, inputs)


def as_layout(block, array):
    return array if block.layout == "TNC" else array.swapaxes(0, 1)


def assert_same(got, want, **tolerance):
    for a, b in zip(got if isinstance(got, list) else [got], want if isinstance(want, list) else [want]):
        np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), **(tolerance or TOLERANCE))


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
        assert not time_major[length:, row].asnumpy().any() if length < 7 else True
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


@pytest.mark.parametrize("filler", [99.0, float("nan"), float("inf")])
@pytest.mark.parametrize("hybrid", [False, True])
def test_padding_changes_nothing(block, filler, hybrid):
    if hybrid:
        block.hybridize()
    inputs, lengths = batch(block), mx.nd.array([7, 4, 0])
    filled = as_layout(block, inputs).copy()
    filled[4:, 1], filled[:, 2] = filler, filler
    results = []
    for values in (inputs, as_layout(block, filled)):
        values.attach_grad()
        mx.random.seed(0)                                                 # the same masks where a block draws some
        with autograd.record():
            outputs, states = block(values, block.begin_state(3), lengths)
            loss = (outputs ** 2).sum() + sum((state ** 2).sum() for state in states)
        loss.backward()
        gradients = [p.grad().copy() for p in block.collect_params().values()]
        results.append([outputs, *states, values.grad, *gradients])
    for plain, with_filler in zip(*results):
        np.testing.assert_array_equal(plain.asnumpy(), with_filler.asnumpy())
    assert not as_layout(block, results[1][1 + len(states)]).asnumpy()[4:, 1].any()    # no gradient into the padding


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


def test_carried_states_are_refused_by_a_block_that_looks_ahead(block):
    inputs = batch(block)
    _, states = block(inputs, block.begin_state(3))
    if block.causal:
        block(inputs, states)
    else:
        with pytest.raises(ValueError, match="not causal: it reads"):
            block(inputs, states)


def test_causal_means_that_the_future_changes_nothing(block):
    inputs = batch(block)
    changed = as_layout(block, inputs).copy()
    changed[5:] = 3.0
    before = as_layout(block, block(inputs)).asnumpy()[:5]
    after = as_layout(block, block(as_layout(block, changed))).asnumpy()[:5]
    assert np.allclose(before, after, atol=2e-6) == block.causal


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


@pytest.mark.parametrize("flags", [{}, {"static_alloc": True}, {"static_alloc": True, "static_shape": True}])
def test_hybridized_is_imperative_in_every_call_form(block, flags):
    inputs, lengths = batch(block), mx.nd.array([7, 4, 1])
    begin = block.begin_state(3)
    forms = [(inputs,), (inputs, begin), (inputs, begin, lengths), (inputs, None, lengths)]
    imperative = [block(*form) for form in forms]
    if block.loops and "static_shape" in flags:
        with pytest.raises(ValueError, match="a loop, which gives wrong numbers with static_shape=True"):
            block.hybridize(**flags)
        return
    block.hybridize(**flags)
    for _ in range(2):                                                    # the second round finds every graph cached
        for form, want in zip(forms, imperative):
            got = block(*form)
            if isinstance(want, tuple):
                assert_same([got[0], *got[1]], [want[0], *want[1]])
            else:
                assert_same(got, want)


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
