"""Graph encoders against loops over nodes and edges in NumPy, and what batches, padding and graphs must not change."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.answers.graphs import join_graphs, parse_graph
from gluon_rnn.nn import GatedGraphNetwork, MessagePassingNetwork
from gluon_rnn.registry import graph_encoders
from tests.gradients import assert_central_differences

C, H, R = 2, 4, 2
TEXTS = ["a>b b>c c-d a>d e; a d", "x; x x", "p>q q>p q>r; r p"]
MARKS = np.random.default_rng(5).standard_normal((4, C))
CASES = {"ggnn": {}, "message_passing": {"aggregation": "sum"}, "message_passing max": {"aggregation": "max"}}


def made(case):
    """Return an encoder with weights, biases too, that are all away from zero."""
    block = graph_encoders.get(case.split()[0])(H, edge_kinds=R, dtype="float64", **CASES[case])
    block.set_input_size(C)
    block.initialize()
    mx.random.seed(2)                  # no two messages to a node are equal then: of equal ones MXNet's max counts each
    for parameter in block.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.9, 0.9, parameter.shape, dtype="float64"))
    return block


def arrays(texts, **padding):
    """Return the arguments of an encoder for graphs in words."""
    queries, marks, active, *edges = join_graphs([parse_graph(text) for text in texts], **padding)
    return [mx.nd.array(queries, dtype="int32"), mx.nd.array(MARKS[marks], dtype="float64"),
            mx.nd.array(active, dtype="float64"), *(mx.nd.array(part, dtype="int32") for part in edges)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def reference(case, block, text, steps=None):
    """Return the state at the target, by loops over steps, nodes and edges."""
    w = {name.removeprefix(block.prefix): value.data().asnumpy() for name, value in block.collect_params().items()}
    graph = parse_graph(text)
    h = np.zeros((graph.size, H))
    for node in range(graph.size):
        h[node, :C] = MARKS[(node == graph.source) + 2 * (node == graph.target)]
    for _ in range(max(1, graph.size - 1) if steps is None else steps):
        h = np.stack([update(w, combined(case, w, h, graph, node), h[node]) for node in range(graph.size)])
    return h[graph.target]


def combined(case, w, h, graph, node):
    sent = [message(case, w, h[source], h[node], kind) for source, target, kind in graph.edges if target == node]
    if not sent:
        return np.zeros(H)
    return np.max(sent, axis=0) if case.endswith("max") else np.sum(sent, axis=0)


def message(case, w, source, target, kind):
    if case == "ggnn":                                                    # Li et al. (2016), equation (2)
        rows = slice(kind * H, (kind + 1) * H)
        return w["edge_weight"][rows] @ source + w["edge_bias"][rows]
    inner = np.maximum(0, w["source_weight"] @ source + w["target_weight"] @ target + w["kind_bias"][kind])
    return np.maximum(0, w["message_weight"] @ inner + w["message_bias"])


def update(w, a, h):
    """Li et al. (2016), equations (3) to (6)."""
    (wr, wz, wn), (ur, uz, un), (br, bz, bn) = (np.split(w[name], 3)
                                                for name in ("i2h_weight", "h2h_weight", "i2h_bias"))
    z, r = sigmoid(wz @ a + uz @ h + bz), sigmoid(wr @ a + ur @ h + br)
    return (1 - z) * h + z * np.tanh(wn @ a + un @ (r * h) + bn)


def test_every_encoder_has_a_case():
    assert {case.split()[0] for case in CASES} == set(graph_encoders.names())


@pytest.mark.parametrize("case", CASES)
def test_states_are_those_of_loops_over_nodes_and_edges(case):
    block = made(case)
    expected = np.stack([reference(case, block, text) for text in TEXTS])
    for hybridized in (False, True):
        block.hybridize(hybridized)
        # some hundred float64 operations on numbers near 1
        np.testing.assert_allclose(block(*arrays(TEXTS)).asnumpy(), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("case", CASES)
def test_neither_other_graphs_nor_padding_change_an_answer(case):
    block = made(case)
    block.hybridize()
    together = block(*arrays(TEXTS)).asnumpy()
    padded = block(*arrays(TEXTS, more_nodes=3, more_edges=4, more_steps=2)).asnumpy()
    alone = np.concatenate([block(*arrays([text])).asnumpy() for text in TEXTS])
    np.testing.assert_allclose(padded, together, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(alone, together, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_central_differences(case):
    block, (queries, nodes, *others) = made(case), arrays(TEXTS)
    assert_central_differences(lambda: [block(queries, nodes, *others)], block, [nodes])


@pytest.mark.parametrize("case", CASES)
def test_a_hybridized_block_has_the_gradients_of_an_eager_one(case):
    found = []
    for flags in ({"active": False}, {"static_alloc": True}):
        block = made(case)
        block.hybridize(**flags)
        with mx.autograd.record():
            loss = mx.nd.square(block(*arrays(TEXTS))).sum()
        loss.backward()
        found.append(np.concatenate([part.grad().asnumpy().ravel() for part in block.collect_params().values()]))
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("case", CASES)
def test_names_of_nodes_and_the_order_of_edges_do_not_matter(case):
    block = made(case)
    first, second = (block(*arrays([text])).asnumpy() for text in ("a>b b>c a>c c>d; a d", "z>w y>z x>y x>z; x w"))
    np.testing.assert_allclose(first, second, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", CASES)
def test_a_symbol_takes_any_sizes(case):
    block, given = made(case), arrays(TEXTS, more_steps=1)
    expected = block(*given).asnumpy()
    names = ["queries", "nodes", "active", "sources", "targets", "kinds", "incoming"]
    graph = block(*map(mx.sym.var, names))
    feed = {**dict(zip(names, given)), **{key: value.data() for key, value in block.collect_params().items()}}
    np.testing.assert_allclose(graph.bind(mx.cpu(), feed).forward()[0].asnumpy(), expected, rtol=1e-13, atol=1e-14)


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match=r"input_size 5 must not be above hidden_size 4; raise it"):
        GatedGraphNetwork(H, 5)
    with pytest.raises(ValueError, match="unknown aggregation 'mean'; known: max, sum"):
        MessagePassingNetwork(H, aggregation="mean")
    with pytest.raises(ValueError, match=r"does not know how many kinds of edges there are; give edge_kinds="):
        GatedGraphNetwork(H)(*arrays(TEXTS))
    with pytest.raises(ValueError, match=r"has weights for 2 kinds of edges \(edge_kinds\), got 3"):
        made("ggnn").set_edge_kinds(3)
    queries, nodes, active, *edges = arrays(TEXTS)
    with pytest.raises(ValueError, match=r"expects nodes \(M, C\), active \(S, M\) and incoming \(M, D\), got"):
        made("ggnn")(queries, nodes[:4], active, *edges)
