"""Trees in brackets: what is read, what is written and read back, and where a mistake is said to be."""
import numpy as np
import pytest

from gluon_rnn.answers.brackets import Tree, parse_tree, parse_trees, without_unary, write_tree


def drawn(depth, rng):
    """Return a random tree, some of whose symbols have to be escaped."""
    symbols = ["a", "(", ")", "1/2", "*", "'s", "{", "-", "é"]
    if depth == 0 or rng.random() < 0.2:
        return Tree(str(rng.choice(symbols)))
    return Tree(str(rng.choice(symbols + [""])), [drawn(depth - 1, rng) for _ in range(rng.integers(2, 5))])


def test_the_form_of_the_stanford_treebank():
    tree = parse_tree("(3 (2 It) (4 (2 's) (4 (3 -LRB-) (2 1\\/2))))")
    assert (tree.symbol, tree.height) == ("3", 4)
    assert without_unary(tree).leaves() == ["It", "'s", "(", "1/2"] and tree.children[1].symbol == "4"
    assert write_tree(without_unary(tree)) == "( 3 It ( 4 's ( 4 -LRB- 1\\/2 ) ) )"


def test_the_form_of_the_penn_treebank_has_an_outer_bracket_without_a_symbol():
    tree = parse_tree("( (S\n  (NP (PRP It)) (VP (VBZ works))) )")
    assert tree.symbol == "" and [node.symbol for node in tree.children] == ["S"]
    assert without_unary(tree).leaves() == ["It", "works"]


@pytest.mark.parametrize("seed", range(5))
def test_what_is_written_reads_back(seed):
    trees = [drawn(4, np.random.default_rng([seed, number])) for number in range(20)]
    assert parse_trees(" ".join(map(write_tree, trees))) == trees


def test_nodes_come_children_first_and_from_left_to_right():
    tree = parse_tree("(r (a b c) d)")
    assert [node.symbol for node in tree.nodes()] == ["b", "c", "a", "d", "r"] and tree.leaves() == ["b", "c", "d"]


def test_depth_has_no_bound():
    deep = parse_tree("(not " * 5000 + "T" + ")" * 5000)
    assert deep.height == 5000 and len(write_tree(deep).split()) == 15001 and without_unary(deep) == Tree("T")


@pytest.mark.parametrize("text, sentence", [
    ("(a b\n  (c d)", "the text, line 1, column 1: this bracket is never closed"),
    ("(a b)\n (c d))", r"the text, line 2, column 7: '\)' closes nothing"),
    ("(a b)\n(c ())", "the text, line 2, column 4: these brackets hold nothing"),
])
def test_a_mistake_has_a_place(text, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse_trees(text)


@pytest.mark.parametrize("text, count", [("", 0), ("a b", 2), ("(a b) (c d)", 2)])
def test_one_tree_is_asked_for(text, count):
    with pytest.raises(ValueError, match=f"the tree: expected one tree, got {count}"):
        parse_tree(text)
