"""Generated expressions and graphs against plain evaluation, and files of trees.

Tests `structures.py`, `expressions.py`, `graph_questions.py` and `treebank.py`.
"""
import itertools
import re
import statistics

import numpy as np
import pytest

from gluon_rnn.answers.brackets import parse_tree
from gluon_rnn.answers.graphs import parse_graph
from gluon_rnn.data import GraphReachability, GraphShortestPath, ListOps, LogicTrees, Treebank
from gluon_rnn.data.expressions import evaluate_digits

SMALL = {"train": 40, "valid": 8, "test": 20}


def by_python(item, values):
    """Return the value of a logical expression by Python's own operators."""
    def written(tree):
        if not tree.children:
            return str(values[tree.symbol])
        parts = list(map(written, tree.children))
        return f"(not {parts[0]})" if tree.symbol == "not" else f"({f' {tree.symbol} '.join(parts)})"

    return eval(written(parse_tree(item)))


@pytest.mark.parametrize("variables", [0, 2])
def test_labels_of_logic_are_those_of_its_truth_table(variables):
    data = LogicTrees(variables=variables, **SMALL)
    for split in data.splits:
        for item, target, depth in zip(data.items(split), data.targets(split), data.groups(split)):
            assert parse_tree(item).height == depth
            table = {by_python(item, {"T": True, "F": False, **dict(zip("pqrs", row))})
                     for row in itertools.product((False, True), repeat=variables)}
            assert data.labels[target] == ("depends" if len(table) > 1 else str(table.pop()).lower())
    assert set(data.groups("train")) == {1, 2, 3, 4} and set(data.groups("test")) == {5, 6, 7, 8}


def test_labels_of_operations_are_those_of_pythons_functions():
    functions = {"MIN": min, "MAX": max, "SM": lambda values: sum(values) % 10,
                 "MED": lambda values: int(statistics.median(values))}

    def value(tree):
        return functions[tree.symbol](list(map(value, tree.children))) if tree.children else int(tree.symbol)

    data = ListOps(arguments=4, **SMALL)
    for item, target in zip(data.items("test"), data.targets("test")):
        assert data.labels[target] == str(value(parse_tree(item)))
    assert max(len(node.children) for item in data.items("test") for node in parse_tree(item).nodes()) == 4
    assert evaluate_digits(parse_tree("(MED 1 8 2 9)")) == 5


def test_the_same_items_are_read_as_words():
    tree, sequence = (ListOps(form=form, **SMALL) for form in ("tree", "sequence"))
    assert tree.items("test") == sequence.items("test") and sequence.structure == "sequence"
    np.testing.assert_array_equal(tree.targets("test"), sequence.targets("test"))
    words = sequence.reader.vocab.to_tokens(sequence.inputs("test")[0].tolist())
    assert words == sequence.items("test")[0].split()


def lengths_by_powers(graph, directed):
    """Return the least power of the matrix of edges that leads from the source to the target, 0 for none."""
    step = np.zeros((graph.size, graph.size), bool)
    for source, target, kind in graph.edges:
        step[source, target] |= kind == 0 or not directed
    reached = np.eye(graph.size, dtype=bool)
    for length in range(1, graph.size + 1):
        reached = reached @ step
        if reached[graph.source, graph.target]:
            return length
    return 0


@pytest.mark.parametrize("cls", [GraphReachability, GraphShortestPath])
def test_answers_on_graphs_are_those_of_powers_of_a_matrix(cls):
    data = cls(**SMALL)
    for split in data.splits:
        for item, target, nodes in zip(data.items(split), data.targets(split), data.groups(split)):
            graph = parse_graph(item)
            length = lengths_by_powers(graph, cls is GraphReachability)
            assert graph.size == nodes
            answer = ("yes" if length else "no") if cls is GraphReachability else str(length)
            assert data.labels[target] == answer
    assert set(data.groups("train")) == set(range(4, 11)) and max(data.groups("test")) <= 30


def test_data_are_those_of_their_seed():
    first, again, other = (GraphReachability(seed=seed, **SMALL) for seed in (1, 1, 2))
    assert first.items("train") == again.items("train") != other.items("train")
    assert first.keep_train(10, 0) == again.keep_train(10, 0) and len(first.groups("train")) == 10


def test_a_treebank_hides_its_labels(tmp_path):
    path = tmp_path / "trees.txt"
    path.write_text("(3 (2 It) (4 (4 works) (2 well)))\n(1 (2 It) (0 fails))\n(2 (2 -LRB-) (2 It))\n")
    data = Treebank(path, path, path, label_names={"3": "good", "1": "bad", 4: "good"}, phrases=True)
    assert data.items("valid") == ["( _ It ( _ works well ) )", "( _ It fails )"] and data.labels == ["bad", "good"]
    assert data.items("train") == ["( _ It ( _ works well ) )", "( _ works well )", "works", "( _ It fails )"]
    assert data.vocab == ["works", "It", "well", "fails"] and data.groups("valid") == [2, 1]
    words = Treebank(path, path, form="sequence", lower=True)
    assert words.items("train")[2] == "( It" and words.structure == "sequence"
    assert words.reader("IT").tolist() == words.reader("it").tolist() != words.reader("fails").tolist()


def test_what_cannot_be_is_named(tmp_path):
    path = tmp_path / "trees.txt"
    path.write_text("(3 a b)\n(4 a (c)")
    for make, sentence in (
            (lambda: LogicTrees(depth=[3]), r"depth must be two whole numbers, .* of at least 0, got \[3\]"),
            (lambda: LogicTrees(variables=5), "variables must be at most 4, got 5"),
            (lambda: ListOps(form="tre"), "form must be 'tree' or 'sequence', got 'tre'; did you mean 'tree'"),
            (lambda: ListOps(arguments=1), "arguments must be a whole number of at least 2, got 1"),
            (lambda: GraphReachability(nodes=[3, 3], degree=9), "degree 9 leaves hardly any two of 3 nodes without"),
            (lambda: GraphShortestPath(degree=0.5), "degree must be a number above 0.99, got 0.5"),
            (lambda: GraphShortestPath(longest=0), "longest must be"),
            (lambda: Treebank(path, path), re.escape(f"{path}, line 2, column 1: this bracket is never closed"))):
        with pytest.raises(ValueError, match=sentence):
            make()
    path.write_text("(3 a b)")
    with pytest.raises(ValueError, match="no tree has one of the labels 7; give label_names that the file has"):
        Treebank(path, path, label_names={"7": "x"})
    path.write_text("(3 a b) c")
    with pytest.raises(ValueError, match="tree 2 has no label at its root"):
        Treebank(path, path)
