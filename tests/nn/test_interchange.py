"""Graphs to translate: what is in them, and that nothing else is made differently. `tests/export/onnx/` runs them."""
import json
import threading

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.models import NARX, ClosedLoop
from gluon_rnn.nn import GRU, LSTM, RNN, TDNN, Bidirectional, DelayLine, Jordan, PeepholeLSTM, interchange_form
from gluon_rnn.nn.interchange import is_interchange_form, keep_empty_rows

LAYERS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


def traced(block, with_lengths=True):
    """Return the symbol of a call with states."""
    states = [mx.sym.var(f"state_{number}") for number in range(len(block.state_info()))]
    outputs, finals = block(mx.sym.var("data"), states, *([mx.sym.var("valid_length")] if with_lengths else []))
    return mx.sym.Group([outputs, *finals])


def nodes(symbol):
    return [node for node in json.loads(symbol.tojson())["nodes"] if node["op"] != "null"]


def operators(symbol):
    return [node["op"] for node in nodes(symbol)]


def ready(block):
    block.initialize()
    return block


@pytest.mark.parametrize("name", LAYERS)
def test_lengths_go_into_one_operator_a_layer(name):
    block = ready(LAYERS[name](4, 2, bidirectional=True, input_size=3))
    with interchange_form():
        symbol = traced(block)
    found = [node for node in nodes(symbol) if node["op"] == "RNN"]
    assert [node["attrs"]["use_sequence_length"] for node in found] == ["True"] * 2
    assert {"SequenceMask", "SequenceReverse", "SequenceLast", "gather_nd"}.isdisjoint(operators(symbol))
    assert operators(traced(block)).count("RNN") == 4                     # outside: one a direction
    _, shapes, _ = symbol.infer_shape(data=(5, 2, 3), valid_length=(2,),
                                      **{f"state_{number}": (4, 2, 4) for number in range(len(block.state_info()))})
    assert shapes == [(5, 2, 8), *[(4, 2, 4)] * len(block.state_info())]


def test_a_sigmoid_layer_masks_what_it_makes_of_zeros():
    """Its operator is one of tanh, whose 0 on padding means 0.5."""
    with interchange_form():
        symbol = traced(ready(RNN(4, activation="sigmoid", input_size=3)))
    assert operators(symbol).count("SequenceMask") == 1


def test_networks_with_feedback_are_loops():
    for block in (Jordan(4, 2, input_size=3), ClosedLoop(NARX(1, 2, input_size=3, output_size=2))):
        with interchange_form():
            symbol = traced(ready(block))
        assert "_foreach" in operators(symbol) and "RNN" not in operators(symbol)
        assert "RNN" in operators(traced(block))


RUN_BY_MXNET = {
    "delay_line": lambda: DelayLine(3, input_size=3, dtype="float64"),
    "tdnn": lambda: TDNN(5, contexts=[[-2, 2], [-1, 2]], input_size=3, dtype="float64"),
    "both_directions": lambda: Bidirectional(PeepholeLSTM(4, input_size=3, dtype="float64"),
                                             Jordan(4, 2, input_size=3, dtype="float64")),
    "narx": lambda: NARX(2, 3, (5,), input_size=1, output_size=2, dtype="float64"),
}


@pytest.mark.parametrize("name", RUN_BY_MXNET)
def test_what_mxnet_can_run_gives_the_same_numbers(name):
    block = ready(RUN_BY_MXNET[name]())
    inputs, lengths = mx.nd.random.normal(shape=(7, 3, 3), dtype="float64"), mx.nd.array([7, 4, 1])
    states = [mx.nd.random.normal(shape=state.shape, dtype="float64") for state in block.begin_state(3)]
    outputs, finals = block(inputs, states, lengths)
    with interchange_form():
        symbol = traced(block)
    given = {"data": inputs, "valid_length": lengths, **{f"state_{i}": state for i, state in enumerate(states)}}
    given.update((parameter.name, parameter.data()) for parameter in block.collect_params().values())
    for got, want in zip(symbol.bind(mx.cpu(), given).forward(), [outputs, *finals]):
        np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), rtol=0, atol=1e-10)


def test_graphs_that_are_run_are_never_in_this_form():
    """Neither a hybridized block's, whose graph is made when it is first called, nor an eager call."""
    block = ready(LSTM(4, bidirectional=True, input_size=3))
    inputs, lengths = mx.nd.random.normal(shape=(5, 2, 3)), mx.nd.array([5, 2])
    want = block(inputs, None, lengths).asnumpy()
    with interchange_form():
        np.testing.assert_array_equal(block(inputs, None, lengths).asnumpy(), want)
        block.hybridize()
        np.testing.assert_allclose(block(inputs, None, lengths).asnumpy(), want, rtol=0, atol=1e-6)


def test_the_form_belongs_to_a_context_and_to_a_thread():
    seen = []
    with interchange_form():
        thread = threading.Thread(target=lambda: seen.append(is_interchange_form(mx.sym)))
        thread.start()
        thread.join()
        assert is_interchange_form(mx.sym) and not is_interchange_form(mx.nd) and seen == [False]
        with interchange_form(False):
            assert not is_interchange_form(mx.sym)
        assert is_interchange_form(mx.sym)
    assert not is_interchange_form(mx.sym)
    with pytest.raises(KeyError), interchange_form():
        raise KeyError
    assert not is_interchange_form(mx.sym)


def test_rows_without_a_step_keep_their_states():
    final, begin = mx.nd.ones((2, 3, 4)), mx.nd.full((2, 3, 4), float("nan"))
    kept, = keep_empty_rows(mx.nd, [final], [begin], mx.nd.array([1, 0, 2]))
    np.testing.assert_array_equal(np.isnan(kept.asnumpy()), np.broadcast_to([[[False], [True], [False]]], (2, 3, 4)))
