"""The sub-sampled TDNN: the full-rate network at every k-th step, its contract at two rates, and what it computes."""
import math

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.nn import TDNN, SubsampledTDNN
from tests.gradients import assert_central_differences

CAUSAL = [[-2, 0], {-3, 0}, {-4, -1}]
AHEAD = [[-2, 2], {-1, 2}, {-3, 3}, {-7, 2}, {0}]                         # the network of Peddinti et al.


def make(contexts, k, **kwargs):
    network = TDNN(4, contexts=contexts, input_size=3, dtype="float64", **kwargs)
    network.initialize()
    for parameter in network.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, shape=parameter.shape, dtype="float64"))
    return network, SubsampledTDNN(4, k, contexts=contexts, input_size=3, dtype="float64", prefix=network.prefix,
                                   params=network.params, **kwargs)


def batch(steps=13, rows=3):
    return mx.nd.random.normal(shape=(steps, rows, 3), dtype="float64")


def assert_same(got, want):
    np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("contexts", [CAUSAL, AHEAD, [[0, 2], {1}]], ids=["causal", "peddinti", "ahead_only"])
@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_is_every_kth_output_of_the_full_rate(contexts, k, hybrid):
    network, sub = make(contexts, k)
    if hybrid:
        sub.hybridize()
    for steps in (13, 12, 2, 1):
        inputs = batch(steps)
        assert_same(sub(inputs), network(inputs)[::k])


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("contexts", [CAUSAL, AHEAD], ids=["causal", "peddinti"])
@pytest.mark.parametrize("filler", [99.0, float("nan")])
def test_a_padded_row_is_the_row_alone(contexts, filler, hybrid):
    network, sub = make(contexts, 3)
    if hybrid:
        sub.hybridize()
    inputs, counts = batch(), [13, 7, 5, 0]
    inputs = mx.nd.concat(inputs, batch(13, 1), dim=1)
    for row, count in enumerate(counts):
        inputs[count:, row] = filler
    outputs, _ = sub(inputs, sub.begin_state(4), mx.nd.array(counts))
    assert sub.output_lengths(mx.nd, mx.nd.array(counts)).asnumpy().tolist() == [5, 3, 2, 0]
    for row, count in enumerate(counts):
        length = math.ceil(count / 3)
        if count:
            assert_same(outputs[:length, row:row + 1], network(inputs[:count, row:row + 1])[::3])
        assert not outputs.asnumpy()[length:, row].any()


@pytest.mark.parametrize("k", [2, 3])
def test_chunks_of_multiples_of_k_are_the_whole(k):
    _, sub = make(CAUSAL, k)
    inputs, states, chunks = batch(25), sub.begin_state(3), []
    for begin, end in ((0, k), (k, 4 * k), (4 * k, 25)):
        chunk, states = sub(inputs[begin:end], states)
        chunks.append(chunk)
    assert_same(mx.nd.concat(*chunks, dim=0), sub(inputs))


def test_rows_that_end_in_a_multiple_of_k_leave_their_states():
    _, sub = make(CAUSAL, 3)
    inputs, counts = batch(12), [12, 6, 0]
    begin = [mx.nd.random.normal(shape=info["shape"], dtype="float64") for info in sub.state_info(3)]
    _, states = sub(inputs, begin, mx.nd.array(counts))
    for row, count in enumerate(counts):
        alone = [state[:, row:row + 1] for state in begin]
        want = sub(inputs[:count, row:row + 1], alone)[1] if count else alone
        for got, expected in zip(states, want):
            assert_same(got[:, row:row + 1], expected)


def test_carried_states_are_refused_where_it_looks_ahead():
    for contexts in (AHEAD, [[0, 2], {1}]):
        _, sub = make(contexts, 3)
        _, states = sub(batch(), sub.begin_state(3))
        with pytest.raises(ValueError, match="not causal: it reads"):
            sub(batch(), states)


def test_computes_nothing_that_is_not_needed():
    """Rows that go through each layer's product, from the shapes in the graph: T * N at the full rate."""
    _, sub = make(AHEAD, 3)
    # from the top: phase 0; {0}: 0; {-7, 2}: both of phase 2; {-3, 3}: the same; {-1, 2}: 1; [-2, 2]: all three
    assert sub.computed_phases == [(0, 1, 2), (1,), (2,), (2,), (0,), (0,)]
    graph = sub(mx.sym.var("data")).get_internals()
    _, shapes, _ = graph.infer_shape(data=(30, 2, 3))
    products = [shape for name, shape in zip(graph.list_outputs(), shapes)
                if "fullyconnected" in name and name.endswith("_output")]
    assert [shape[0] * shape[1] for shape in products] == [10 * 2] * 5


def test_layouts_and_export(tmp_path):
    network, _ = make(CAUSAL, 1)
    sub = SubsampledTDNN(4, 3, contexts=CAUSAL, input_size=3, dtype="float64", layout="NTC", prefix=network.prefix,
                         params=network.params)
    for steps, rows in ((13, 3), (7, 2)):
        inputs = batch(steps, rows)
        assert_same(sub(inputs.swapaxes(0, 1)).swapaxes(0, 1), network(inputs)[::3])
        graph = mx.sym.load_json(sub(mx.sym.var("data", dtype="float64")).tojson())
        bound = {"data": inputs.swapaxes(0, 1), **{p.name: p.data() for p in sub.collect_params().values()}}
        assert_same(graph.bind(mx.cpu(), bound).forward()[0].swapaxes(0, 1), network(inputs)[::3])


@pytest.mark.parametrize("lengths", [None, [5, 2]])
def test_gradients_are_central_differences(lengths):
    sub = SubsampledTDNN(2, 2, contexts=[[-1, 1], {-2, 1}], input_size=2, dtype="float64")
    sub.initialize()
    inputs = mx.nd.random.normal(shape=(5, 2, 2), dtype="float64")
    lengths = None if lengths is None else mx.nd.array(lengths)
    assert_central_differences(lambda: [sub(inputs, None, lengths)], sub, [inputs])


@pytest.mark.parametrize("k", [0, 1.5, True])
def test_wrong_input_costs_one_sentence(k):
    with pytest.raises(ValueError, match="subsampling must be a whole number of at least 1"):
        SubsampledTDNN(4, k)
