"""Uses that no recipe has and every library meets: threads, copies, lists for arrays, arrays that do not fit, mx.np."""
import copy
import pickle
import subprocess
import sys

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.models import NARX, ClosedLoop, LanguageModel, Seq2Seq, SequenceClassifier
from gluon_rnn.nn import CRF, GRU, LSTM, TDNN, Bidirectional, CTCLoss, DelayLine, Jordan
from gluon_rnn.nn.attention import LuongAttention
from gluon_rnn.nn.pooling import Pooling
from gluon_rnn.registry import encoders
from tests.threads import in_threads

STEPS, ROWS = 6, 3
BLOCKS = {name: (lambda name=name: encoders.build(name, hidden_size=6, input_size=3)) for name in encoders.names()}
BLOCKS.update({
    "bidirectional_lstm": lambda: LSTM(6, 2, bidirectional=True, input_size=3),
    "gru_ntc": lambda: GRU(6, input_size=3, layout="NTC"),
    "both_directions": lambda: Bidirectional(Jordan(4, 2, input_size=3), TDNN(5, input_size=3)),
    "delay_line": lambda: DelayLine(3, input_size=3),
    "closed_loop": lambda: ClosedLoop(NARX(1, 2, input_delay=1, input_size=3, output_size=2)),
    "classifier": lambda: SequenceClassifier(GRU(5), 3, input_size=3)})


@pytest.fixture(params=BLOCKS, ids=str)
def block(request):
    block = BLOCKS[request.param]()
    block.initialize()
    return block


def batch(block, rows=ROWS, steps=STEPS):
    inputs = mx.nd.random.normal(shape=(steps, rows, 3))
    return inputs if block.layout == "TNC" else inputs.swapaxes(0, 1)


def numbers(results):
    if isinstance(results, mx.nd.NDArray):
        return [results.asnumpy()]
    return [values for one in results for values in numbers(one)]


def assert_same(got, want):
    got, want = numbers(got), numbers(want)
    assert len(got) == len(want) > 0
    for one, other in zip(got, want):
        np.testing.assert_array_equal(one, other)


# ---- threads -------------------------------------------------------------------------------------------------------


def _forms(block):
    """Four calls of four forms and sizes, one a thread."""
    for rows, lengths, with_states in ((1, False, False), (2, True, False), (3, False, True), (2, True, True)):
        yield (batch(block, rows), block.begin_state(rows) if with_states else None,
               mx.nd.array([STEPS, 2, 1][:rows]) if lengths else None)


@pytest.mark.parametrize("flags", [None, {}], ids=["imperative", "hybrid"])
def test_threads_get_the_numbers_of_one_thread(block, flags):
    calls = list(_forms(block))
    if flags is not None:
        block.hybridize(**flags)
    want = [numbers(block(*call)) for call in calls]
    if flags is not None:
        block.hybridize(**flags)                                          # forget the graphs: threads make them too

    def work(index):
        for repeat in range(20):
            at = (index + repeat) % len(calls)
            for got, expected in zip(numbers(block(*calls[at])), want[at]):
                np.testing.assert_array_equal(got, expected)

    in_threads(work)


@pytest.mark.parametrize("make", [lambda: LSTM(20, 2, bidirectional=True, input_size=3),
                                  lambda: encoders.build("peephole_lstm", hidden_size=20, input_size=3)],
                         ids=["lstm", "peephole_lstm"])
def test_two_hundred_calls_in_each_of_four_threads(make):
    block = make()
    block.initialize()
    block.hybridize()
    inputs = [batch(block, 4) for _ in range(4)]
    want = [block(one).asnumpy() for one in inputs]
    block.hybridize()

    def work(index):
        for _ in range(200):
            np.testing.assert_array_equal(block(inputs[index]).asnumpy(), want[index])

    in_threads(work)


@pytest.fixture
def quick_turns():
    """Let Python's threads take turns every ten microseconds, so that a place without a lock is met."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("hybrid", [False, True])
def test_threads_may_make_the_first_call_of_all(hybrid, quick_turns):
    """The size of the inputs is found out once, and the parameters are drawn once."""
    for _ in range(20):
        block = LSTM(6, 2)
        block.initialize()
        block.hybridize(hybrid)
        inputs, found = batch(block), [None] * 4

        def work(index, block=block, inputs=inputs, found=found):
            found[index] = block(inputs).asnumpy()

        in_threads(work)
        for one in found:
            np.testing.assert_array_equal(one, block(inputs).asnumpy())


# ---- copies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda block: pickle.loads(pickle.dumps(block))],
                         ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("hybrid", [False, True])
def test_a_copy_is_a_network_of_its_own(block, hybrid, duplicate):
    block.hybridize(hybrid)
    inputs, lengths = batch(block), mx.nd.array([STEPS, 2, 0])
    forms = [(inputs,), (inputs, block.begin_state(ROWS)), (inputs, None, lengths)]
    want = [numbers(block(*form)) for form in forms]
    other = duplicate(block)
    for form, expected in zip(forms, want):
        assert_values(other(*form), expected)
    for parameter in other.collect_params().values():
        parameter.set_data(parameter.data() * 0)
    for form, expected in zip(forms, want):
        assert_values(block(*form), expected)
    if other.collect_params().keys():
        assert not np.array_equal(numbers(other(inputs))[0], want[0][0])


def assert_values(got, want):
    for one, other in zip(numbers(got), want):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("hybrid", [False, True])
def test_models_that_are_no_sequence_blocks_can_be_copied(hybrid):
    model, crf = Seq2Seq(9, 8, GRU(6), GRU(6), embed_size=5), CRF(3)
    model.initialize()
    crf.initialize()
    tokens, emissions = mx.nd.ones((4, 2), dtype="int32"), mx.nd.random.normal(shape=(4, 2, 3))
    for block, arguments in ((model, (tokens, tokens)), (crf, (emissions, tokens)), (Pooling("max", 3), (emissions,))):
        block.hybridize(hybrid)
        want = numbers(block(*arguments))
        assert_values(copy.deepcopy(block)(*arguments), want)


# ---- lists and NumPy arrays ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("hybrid", [False, True])
def test_lists_and_numpy_arrays_for_inputs_and_states(block, hybrid):
    block.hybridize(hybrid)
    inputs, states = batch(block), block.begin_state(ROWS)
    want = block(inputs, states)
    values, begins = inputs.asnumpy(), [state.asnumpy() for state in states]
    assert_same(block(values, begins), want)
    assert_same(block(values.astype("float64"), states), want)
    assert_same(block(values.tolist(), [begin.astype("float64") for begin in begins]), want)
    assert_same(block(inputs, begins), want)
    assert_same(block(list(inputs)), block(inputs))
    if len(begins) == 1:
        assert_same(block(inputs, begins[0]), want)


def test_token_ids_as_lists():
    model = LanguageModel(9, LSTM(4), embed_size=3)
    model.initialize()
    ids = [[1, 2], [3, 4], [8, 0]]
    want = model(mx.nd.array(ids, dtype="int32"))
    assert_same(model(ids), want)
    assert_same(model(np.array(ids)), want)


def test_what_holds_no_numbers_is_refused_in_one_sentence(block):
    name = type(block).__name__
    with pytest.raises(TypeError, match=f"{name} expects inputs as an mx.nd array, a NumPy array or a list .* got "
                                        "builtins.str"):
        block("abc")
    with pytest.raises(ValueError, match=f"{name} expects inputs whose rows are equally long"):
        block([[[1.0, 2.0, 3.0]], [[1.0]]])
    with pytest.raises(TypeError, match="expects states as an mx.nd array"):
        block(batch(block), [None] * len(block.state_info()))


# ---- arrays that do not fit ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("hybrid", [False, True])
def test_states_of_another_dtype_or_device_are_one_sentence(block, hybrid):
    block.hybridize(hybrid)
    inputs = batch(block)
    for _ in range(2):                                                    # before and after the graph is made
        with pytest.raises(ValueError, match="holds float32, got state 0 of float64; cast it by astype"):
            block(inputs, block.begin_state(ROWS, dtype="float64"))
        with pytest.raises(ValueError, match=r"got inputs on cpu\(0\) and state 0 on cpu\(1\); move one"):
            block(inputs, block.begin_state(ROWS, ctx=mx.cpu(1)))
        with pytest.raises(ValueError, match=r"got inputs on cpu\(0\) and valid_length on cpu\(1\); move one"):
            block(inputs, block.begin_state(ROWS), mx.nd.array([1, 2, 3], ctx=mx.cpu(1)))
        block(inputs, block.begin_state(ROWS))
        block(inputs, block.begin_state(ROWS), mx.nd.array([1, 2, 3]))


@pytest.mark.parametrize("shape", [(0, 3, 3), (6, 0, 3), (6, 3, 0)])
def test_empty_arrays_are_refused(block, shape):
    with pytest.raises(ValueError, match="with at least one number on each axis, got shape"):
        block(np.zeros(shape))
    with mx.util.np_shape(True), pytest.raises(ValueError, match="at least one step, row and feature, got shape"):
        block(mx.nd.zeros(shape))


@pytest.mark.parametrize("hybrid", [False, True])
def test_gradients_go_through_views_of_an_input(block, hybrid):
    block.hybridize(hybrid)
    whole = batch(block, steps=STEPS, rows=ROWS)
    part = whole.copy()[1:3].copy()
    whole.attach_grad()
    part.attach_grad()
    for view in (lambda: whole[1:3], lambda: part):
        mx.random.seed(4)                                                 # the same masks where a block draws some
        with mx.autograd.record():
            loss = (block(view()) ** 2).sum()
        loss.backward()
    np.testing.assert_array_equal(whole.grad[1:3].asnumpy(), part.grad.asnumpy())
    assert not whole.grad[3:].asnumpy().any()
    assert part.grad.asnumpy().any()


# ---- sizes found out late ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_states", [False, True])
@pytest.mark.parametrize("options", [{"bidirectional": True}, {"weight_drop": 0.2},
                                     {"bidirectional": True, "weight_drop": 0.2, "num_layers": 2, "layout": "NTC"}],
                         ids=["bidirectional", "weight_drop", "both"])
@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_the_first_call_of_a_deferred_layer_may_have_lengths(name, options, hybrid, with_states):
    layer = encoders.build(name, hidden_size=6, **options)
    layer.initialize()
    layer.hybridize(hybrid)
    inputs, lengths = batch(layer), mx.nd.array([STEPS, 2, 0])
    found = layer(inputs, layer.begin_state(ROWS) if with_states else None, lengths)
    assert layer.input_size == 3
    known = encoders.build(name, hidden_size=6, input_size=3, **options)
    known.initialize()
    for mine, other in zip(known.collect_params().values(), layer.collect_params().values()):
        mine.set_data(other.data())
    known.hybridize(hybrid)
    assert_same(found, known(inputs, known.begin_state(ROWS) if with_states else None, lengths))


# ---- mx.np ---------------------------------------------------------------------------------------------------------


def test_arrays_of_mx_np_are_refused_in_one_sentence(block):
    inputs, states = batch(block), block.begin_state(ROWS)
    for hybrid in (False, True):
        block.hybridize(hybrid)
        want = block(inputs, states)
        with pytest.raises(TypeError, match="mx.nd arrays, got inputs of mx.np; pass inputs.as_nd_ndarray"):
            block(inputs.as_np_ndarray())
        with pytest.raises(TypeError, match="mx.nd arrays, got states of mx.np; pass states.as_nd_ndarray"):
            block(inputs, [state.as_np_ndarray() for state in states])
        with pytest.raises(TypeError, match="mx.nd arrays, got valid_length of mx.np"):
            block(inputs, states, mx.nd.array([1, 2, 3]).as_np_ndarray())
        assert_same(block(inputs.as_np_ndarray().as_nd_ndarray(), states), want)


def test_other_blocks_refuse_arrays_of_mx_np():
    sequence, lengths = mx.nd.ones((4, 2, 3)), mx.nd.array([4, 1])
    tokens = mx.nd.ones((4, 2))
    seq2seq = Seq2Seq(9, 8, GRU(6), GRU(6), embed_size=5)
    for block, arguments in ((CRF(3), (sequence, tokens)), (Pooling("mean", 3), (sequence, lengths)),
                             (LuongAttention(3, 3), (sequence, sequence)), (seq2seq, (tokens, tokens)),
                             (CTCLoss(), (sequence, tokens.T, lengths, lengths))):
        block.initialize()
        with pytest.raises(TypeError, match="computes with mx.nd arrays, got .* of mx.np; pass"):
            block(*(array.as_np_ndarray() for array in arguments))


_UNDER_SET_NP = """
import gluon_rnn.nn
import mxnet as mx
from gluon_rnn.models import Seq2Seq, SequenceClassifier
from gluon_rnn.nn import CRF, GRU, LSTM
from gluon_rnn.nn.pooling import Pooling
from gluon_rnn.registry import encoders

makers = {name: (lambda name=name: encoders.build(name, hidden_size=4, input_size=3)) for name in encoders.names()}
makers.update(crf=lambda: CRF(3), pooling=lambda: Pooling("max", 3),
              seq2seq=lambda: Seq2Seq(9, 8, GRU(6), GRU(6), embed_size=5))
arguments = {"crf": (mx.nd.ones((4, 2, 3)), mx.nd.ones((4, 2))), "seq2seq": (mx.nd.ones((4, 2)), mx.nd.ones((4, 2)))}


def refused(name, call):
    try:
        call()
    except TypeError as error:
        assert "while npx.set_np() is in force; call npx.reset_np() first" in str(error), (name, error)
        assert len(str(error).splitlines()) == 1
        return
    raise AssertionError(f"{name} was not refused")


blocks = {name: make() for name, make in makers.items()}
for block in blocks.values():
    block.initialize()
before = {}
for hybrid in (False, True):
    for name, block in blocks.items():
        block.hybridize(hybrid)
        given = arguments.get(name, (mx.nd.ones((4, 2, 3)),))
        before[name] = block(*given)
        mx.npx.set_np()
        refused(name, lambda: block(*given))
        refused(name, lambda: block(*(array.as_np_ndarray() for array in given)))
        refused(name, makers[name])
        mx.npx.reset_np()
        block(*given)
print("all refused")
"""


def test_every_block_refuses_to_be_made_or_called_under_set_np():
    done = subprocess.run([sys.executable, "-c", _UNDER_SET_NP], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "all refused" in done.stdout
