"""Graphs in words as edges, nodes and questions, and several as one batch."""
import numpy as np
import pytest

from gluon_rnn.answers.graphs import GraphReader, join_graphs, parse_graph


def test_words_become_edges_both_ways():
    graph = parse_graph("a>b b-c d; c a")
    assert graph.size == len(graph) == 4 and (graph.source, graph.target) == (2, 0)
    assert graph.edges.tolist() == [[0, 1, 0], [1, 0, 1], [1, 2, 0], [2, 1, 0]]


def test_a_batch_is_the_disjoint_union():
    graphs = list(map(parse_graph, ("a>b b>c c>a; a c", "x; x x", "p-q; q p")))
    queries, marks, active, sources, targets, kinds, incoming = join_graphs(graphs)
    assert queries.tolist() == [2, 3, 4] and marks.tolist() == [1, 0, 2, 3, 2, 1]
    assert active.tolist() == [[1] * 6, [1, 1, 1, 0, 0, 0]]
    for node, row in enumerate(incoming):                                 # the table has each edge once, where it ends
        assert sorted(row[row > 0] - 1) == np.flatnonzero(targets == node).tolist()
    ways = {(int(a), int(b), int(kind)) for a, b, kind in zip(sources, targets, kinds)}
    assert ways == {(0, 1, 0), (1, 0, 1), (1, 2, 0), (2, 1, 1), (2, 0, 0), (0, 2, 1), (4, 5, 0), (5, 4, 0)}


def test_a_reader_comes_back_from_its_text_and_has_its_own_number_of_steps():
    reader = GraphReader.from_json(GraphReader(5).to_json())
    assert reader.batch([reader("a>b; a b")])[2].shape == (5, 2)
    assert GraphReader.from_json(GraphReader().to_json()).steps is None


def test_a_graph_without_edges_has_arrays_that_can_be_gathered_from():
    *_, sources, targets, kinds, incoming = join_graphs([parse_graph("a b; a b")])
    assert len(sources) == len(targets) == len(kinds) == 1 and not incoming.any()


@pytest.mark.parametrize("text, sentence", [
    ("a>b", "with two nodes behind one semicolon, got 'a>b'"),
    ("a>b; a", "with two nodes behind one semicolon"),
    ("a>b b>>c; a b", "word 2 of a graph must be an edge a>b or a-b, or a node a, got 'b>>c'"),
    ("a>b; a z", "the graph has no node 'z', which is asked about; known: a, b"),
])
def test_what_is_no_graph_is_named(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_graph(text)
