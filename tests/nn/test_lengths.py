"""Lengths that no sequence has: refused in a call, harmless in a graph; and lengths of every kind that are right.

A graph that reads past its arrays may well answer, or crash. So these tests compare with the same call on lengths that
were clamped beforehand, and look at what comes out.

Tests `arguments.py` and `graph_block.py` too.
"""
import itertools

import mxnet as mx
import numpy as np
import pytest
from mxnet import gluon

from gluon_rnn.models import CTCModel, Seq2Seq, SequenceClassifier, SequenceTagger
from gluon_rnn.models.decoding import ScheduledSampling, SourceEncoder
from gluon_rnn.nn import CRF, GRU, LSTM, RNN, TDNN, Bidirectional, CTCLoss, DelayLine, Jordan, Viterbi, functional
from gluon_rnn.nn.attention import BahdanauAttention, LuongAttention
from gluon_rnn.nn.pooling import POOLINGS, Pooling
from gluon_rnn.registry import encoders

STEPS, ROWS = 7, 4
WRONG, CLAMPED = [9, -1, float("nan"), 3], [7, 0, 0, 3]
SEQUENCE_BLOCKS = {name: (lambda name=name: encoders.build(name, hidden_size=6, input_size=3))
                   for name in encoders.names()}
SEQUENCE_BLOCKS.update({
    "bidirectional_rnn": lambda: RNN(6, 2, bidirectional=True, input_size=3),
    "bidirectional_lstm": lambda: LSTM(6, 2, bidirectional=True, input_size=3),
    "bidirectional_gru_ntc": lambda: GRU(6, bidirectional=True, input_size=3, layout="NTC"),
    "jordan_in_a_loop": lambda: Jordan(6, 2, input_size=3, activation="relu", output_activation="tanh"),
    "looks_ahead": lambda: TDNN(5, contexts=[[-2, 2], {-1, 2}], input_size=3),
    "both_directions": lambda: Bidirectional(Jordan(4, 2, input_size=3), TDNN(5, input_size=3)),
    "delay_line": lambda: DelayLine(3, input_size=3),
    "ctc_model": lambda: CTCModel(LSTM(5, bidirectional=True), 4, input_size=3),
    **{f"classifier_{kind}": lambda kind=kind: SequenceClassifier(LSTM(5, bidirectional=True), 3, input_size=3,
                                                                  pooling=kind) for kind in POOLINGS}})


@pytest.fixture(params=SEQUENCE_BLOCKS, ids=str)
def block(request):
    block = SEQUENCE_BLOCKS[request.param]()
    block.initialize()
    return block


def batch(block, steps=STEPS):
    inputs = mx.nd.random.normal(shape=(steps, ROWS, 3))
    return inputs if block.layout == "TNC" else inputs.swapaxes(0, 1)


class Inside(gluon.HybridBlock):
    """A larger network, in whose graph nobody reads the lengths that `call` passes on."""

    def __init__(self, block, call=None):
        super().__init__()
        self.block = block
        self._inner = call or (lambda block, *arguments: block(*arguments))

    def hybrid_forward(self, F, *arguments):
        return self._inner(self.block, *arguments)


def agree(graph, arguments, places, wrong=None, right=None):
    """Assert that `graph` answers to wrong lengths, at each of `places`, what it answers to clamped ones."""
    answers = []
    for lengths in (wrong or WRONG, right or CLAMPED):
        given = list(arguments)
        for place in places:
            given[place] = mx.nd.array(lengths)
        answers.append(_flat(graph(*given)))
    assert answers[0]
    for got, want in zip(*answers):
        np.testing.assert_array_equal(got.asnumpy(), want.asnumpy())


def _flat(results):
    if isinstance(results, mx.nd.NDArray):
        return [results]
    return list(itertools.chain.from_iterable(_flat(one) for one in results))


# ---- sequence blocks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_states", [False, True])
@pytest.mark.parametrize("hybrid", [False, True])
def test_a_length_out_of_range_is_one_sentence(block, hybrid, with_states):
    if hybrid:
        block.hybridize()
    inputs, states = batch(block), block.begin_state(ROWS) if with_states else None
    block(inputs, states, mx.nd.array([7, 0, 3, 7]))
    for value, row in ((9, 2), (-1, 0), (float("nan"), 1), (2.5, 3), (float("inf"), 3)):
        lengths = [7, 5, 3, 1]
        lengths[row] = value
        for given in (lengths, np.array(lengths), mx.nd.array(lengths)):
            with pytest.raises(ValueError, match=f"valid_length must lie between 0 and T = 7, .* got {value:g} in row "
                                                 f"{row}$"):
                block(inputs, states, given)


@pytest.mark.parametrize("with_states", [False, True])
@pytest.mark.parametrize("flags", [{}, {"static_alloc": True}])
def test_inside_a_larger_graph_lengths_are_clamped(block, with_states, flags):
    graph = Inside(block)
    graph.hybridize(**flags)
    inputs = batch(block)
    states = block.begin_state(ROWS) if with_states else []
    if not with_states and not block.accepts_empty_states(True):
        graph = Inside(block, lambda block, inputs, _, lengths: block(inputs, None, lengths))
        graph.hybridize(**flags)
        states = block.begin_state(ROWS)
    agree(graph, [inputs, states, None], [2])


def test_an_exported_graph_clamps_to_the_length_it_is_given(block):
    states = [mx.sym.var(f"state_{i}") for i in range(len(block.state_info()))]
    outputs, finals = block(mx.sym.var("data"), states, mx.sym.var("valid_length"))
    graph = mx.sym.load_json(mx.sym.Group([outputs, *finals]).tojson())
    begins = {f"state_{i}": value for i, value in enumerate(block.begin_state(ROWS))}
    parameters = {p.name: p.data() for p in block.collect_params().values()}

    for steps in (STEPS, 4):
        inputs = batch(block, steps)

        def run(lengths, inputs=inputs):
            return graph.bind(mx.cpu(), {"data": inputs, "valid_length": lengths, **parameters, **begins}).forward()

        agree(run, [None], [0], right=np.clip(CLAMPED, 0, steps).tolist())


def test_gradients_with_clamped_lengths(block):
    if not block.collect_params().keys():
        pytest.skip("has no parameters")
    graph = Inside(block, lambda block, inputs, lengths: block(inputs, None, lengths))
    graph.hybridize()
    inputs, found = batch(block), []
    for lengths in (WRONG, CLAMPED):
        mx.random.seed(3)                                                 # the same masks where a block draws some
        with mx.autograd.record():
            loss = (graph(inputs, mx.nd.array(lengths)) ** 2).sum()
        loss.backward()
        found.append([p.grad().asnumpy().copy() for p in block.collect_params().values()])
    for got, want in zip(*found):
        assert np.isfinite(got).all()
        np.testing.assert_array_equal(got, want)


KINDS = {"list": list, "tuple": tuple, "numpy int64": np.array, "numpy float64": lambda v: np.array(v, "float64"),
         **{dtype: (lambda v, dtype=dtype: mx.nd.array(v, dtype=dtype))
            for dtype in ("float16", "float32", "float64", "int8", "uint8", "int32", "int64")}}


@pytest.mark.parametrize("hybrid", [False, True])
def test_lengths_of_every_kind(block, hybrid):
    inputs, lengths = batch(block), [7, 0, 3, 1]
    if hybrid:
        block.hybridize()
    want = _flat(block(inputs, block.begin_state(ROWS), mx.nd.array(lengths)))
    for kind, make in KINDS.items():
        got = _flat(block(inputs, block.begin_state(ROWS), make(lengths)))
        for one, other in zip(got, want):
            np.testing.assert_array_equal(one.asnumpy(), other.asnumpy(), err_msg=kind)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("make", [lambda: LSTM(3, bidirectional=True, input_size=3), lambda: TDNN(3, input_size=3),
                                  lambda: encoders.build("peephole_lstm", hidden_size=3, input_size=3)],
                         ids=["lstm", "tdnn", "peephole_lstm"])
def test_small_integers_do_not_overflow_where_there_are_more_steps_than_they_hold(make, dtype):
    block, lengths = make(), [127, 2, 0, 126]
    block.initialize()
    inputs = mx.nd.random.normal(shape=(300, ROWS, 3))
    for hybrid in (False, True):
        block.hybridize(hybrid)
        for recording in (False, True):                                   # loops run in chunks where they are recorded
            with mx.autograd.record() if recording else mx.autograd.pause():
                want = block(inputs, block.begin_state(ROWS), mx.nd.array(lengths))
                got = block(inputs, block.begin_state(ROWS), mx.nd.array(lengths, dtype=dtype))
            for one, other in zip(_flat(got), _flat(want)):
                np.testing.assert_array_equal(one.asnumpy(), other.asnumpy())


def test_float16_lengths_that_cannot_be_exact_are_refused():
    block = TDNN(2, input_size=1)
    block.initialize()
    inputs = mx.nd.ones((2050, 1, 1))
    assert block(inputs, None, mx.nd.array([2050])).shape == (2050, 1, 2)
    with pytest.raises(ValueError, match="valid_length of float16 cannot tell all lengths up to T = 2050 apart"):
        block(inputs, None, mx.nd.array([2050], dtype="float16"))


def test_one_number_for_all_rows_and_other_things_are_refused(block):
    inputs = batch(block)
    with pytest.raises(ValueError, match=r"shape \(4,\), one length a row, got the number 5; pass \[5\]"):
        block(inputs, None, 5)
    with pytest.raises(ValueError, match=r"valid_length of shape \(4,\), one length a row"):
        block(inputs, None, [[7], [3], [2], [1]])
    with pytest.raises(TypeError, match="expects valid_length .* a list of numbers, got builtins.str"):
        block(inputs, None, "7321")
    with pytest.raises(TypeError, match="expects valid_length that hold numbers"):
        block(inputs, None, ["a", "b", "c", "d"])


def test_lengths_are_trusted_for_one_call_only():
    """The same array is checked anew by the next call, whose T is another, and after its numbers have changed."""
    block = LSTM(3, input_size=3)
    block.initialize()
    lengths = mx.nd.array([7, 0, 3, 1])
    block(batch(block), None, lengths)
    with pytest.raises(ValueError, match="between 0 and T = 5, .* got 7 in row 0"):
        block(batch(block, 5), None, lengths)
    lengths[3] = 8
    with pytest.raises(ValueError, match="between 0 and T = 7, .* got 8 in row 3"):
        block(batch(block), None, lengths)


def test_clamp_is_the_same_in_all_three_ways():
    lengths, sequence = np.array([9, -1, np.nan, np.inf, -np.inf, 3, 0, 7], "float32"), np.zeros((7, 8, 2), "float32")
    want = [7, 0, 0, 7, 0, 3, 0, 7]
    symbol = functional.clamp(mx.sym, mx.sym.var("lengths"), mx.sym.var("sequence"))
    arrays = {"lengths": mx.nd.array(lengths), "sequence": mx.nd.array(sequence)}
    assert symbol.bind(mx.cpu(), arrays).forward()[0].asnumpy().tolist() == want
    assert functional.clamp(mx.nd, *arrays.values()).asnumpy().tolist() == want
    assert functional.clamp(None, lengths, sequence).tolist() == want


# ---- blocks that are none ------------------------------------------------------------------------------------------


def ids(high, *shape):
    return mx.nd.array(np.random.RandomState(0).randint(0, high, shape), dtype="int32")


def seq2seq(attention, **options):
    model = Seq2Seq(9, 8, GRU(6, bidirectional=True), GRU(6), attention=attention, embed_size=5, **options)
    model.initialize()
    return model


def _crf(_=None):
    crf = CRF(3)
    crf.initialize(mx.init.Uniform(1.0))
    return crf


def _others():
    """name -> (function that makes the block, arguments, places of lengths)."""
    sequence, labels = mx.nd.random.normal(shape=(STEPS, ROWS, 3)), ids(3, STEPS, ROWS)
    source, target = ids(9, STEPS, ROWS), ids(8, STEPS, ROWS)
    tagger = SequenceTagger(LSTM(5, bidirectional=True), 3, vocab_size=9, embed_size=4)
    yield "crf", _crf, [sequence, labels, None], [2]
    yield "viterbi", lambda: Viterbi(_crf()), [sequence, None], [1]
    yield "tagger", lambda: tagger, [labels, tagger.begin_state(ROWS), None], [2]
    for kind in POOLINGS:
        yield f"pooling_{kind}", lambda kind=kind: Pooling(kind, 3), [sequence, None], [1]
    yield "luong", lambda: LuongAttention(3, 3), [sequence, sequence, None], [2]
    yield "bahdanau", lambda: BahdanauAttention(3, 3), [sequence, sequence, None], [2]
    yield "ctc", CTCLoss, [sequence, ids(2, ROWS, STEPS), None, mx.nd.array([2, 0, 1, 1])], [2]
    yield "ctc_labels", CTCLoss, [sequence, ids(2, ROWS, STEPS), mx.nd.array([7, 0, 5, 7]), None], [3]
    for attention in ("none", "luong", "bahdanau"):
        yield f"seq2seq_{attention}", lambda kind=attention: seq2seq(kind), [source, target, None, None], [2, 3]
        yield f"source_{attention}", lambda kind=attention: SourceEncoder(seq2seq(kind)), [source, None], [1]
    coins = mx.nd.ones((STEPS, ROWS))
    yield "sampling", lambda: ScheduledSampling(seq2seq("luong")), [source, target, None, None, coins], [2, 3]


OTHERS = ["crf", "viterbi", "tagger", *(f"pooling_{kind}" for kind in POOLINGS), "luong", "bahdanau", "ctc",
          "ctc_labels", *(f"{kind}_{name}" for name in ("none", "luong", "bahdanau") for kind in ("seq2seq", "source")),
          "sampling"]


@pytest.fixture(params=OTHERS)
def other(request):
    make, arguments, places = {name: found for name, *found in _others()}[request.param]
    block = make()
    block.initialize()
    return block, arguments, places


def test_others_refuse_lengths_out_of_range(other):
    block, arguments, places = other
    for hybrid in (False, True):
        block.hybridize(hybrid)
        for place, value in itertools.product(places, (9, -1, float("nan"))):
            for make in (list, np.array, mx.nd.array):
                given = [make([7, 5, 3, 1]) if argument is None else argument for argument in arguments]
                given[place] = make([7, 5, value, 1])
                with pytest.raises(ValueError, match=f"must lie between 0 and . = 7, .* got {value:g} in row 2"):
                    block(*given)


def test_others_clamp_lengths_in_a_larger_graph(other):
    block, arguments, places = other

    def call(block, *given):
        answer = block(*given)
        return [one for one in answer if one is not None] if isinstance(answer, tuple) else answer

    graph = Inside(block, call)
    graph.hybridize()
    agree(graph, arguments, places)


def test_others_take_lists(other):
    block, arguments, places = other
    given = [[7, 0, 3, 1] if argument is None else argument for argument in arguments]
    as_arrays = [mx.nd.array(one) if isinstance(one, list) and one and isinstance(one[0], int) else one
                 for one in given]
    for got, want in zip(_flat(_some(block(*given))), _flat(_some(block(*as_arrays)))):
        np.testing.assert_array_equal(got.asnumpy(), want.asnumpy())


def _some(answer):
    return [one for one in answer if one is not None] if isinstance(answer, tuple) else [answer]


def test_letters_of_a_tagger_are_clamped():
    tagger = SequenceTagger(LSTM(5), 3, vocab_size=9, embed_size=4, char_encoder=LSTM(3, bidirectional=True),
                    char_vocab_size=6, char_embed_size=3)
    tagger.initialize()
    words, chars, lengths = ids(9, STEPS, ROWS), ids(6, STEPS, ROWS, 5), mx.nd.array([7, 0, 3, 1])
    answers = []
    for value in (99, 5):
        letters = mx.nd.full((STEPS, ROWS), value)
        answers.append(tagger(words, None, lengths, chars, letters).asnumpy())
    np.testing.assert_array_equal(*answers)
