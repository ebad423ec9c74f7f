"""Trees as tables by height and as batches by level: each child is found where the delay line has it."""
import numpy as np
import pytest

from gluon_rnn.answers.brackets import parse_tree
from gluon_rnn.answers.trees import TreeReader, join_trees

READER = TreeReader("abcd", max_children=2)


def unfolded(batch):
    """Return the trees of a batch in brackets of ids, by a line that is shifted by a level as in a network."""
    roots, leaves, symbols, children = batch
    L, W, _ = children.shape
    line, table, levels = [None] * (L * W), [None, *map(str, leaves)], []
    for names, below in zip(symbols, children):
        rows = line + table
        level = [(str(name), [rows[place] for place in places if rows[place] is not None])
                 for name, places in zip(names, below)]
        level = [f"({name} {' '.join(parts)})" for name, parts in level]
        levels += level
        line = (level + line)[:L * W]
    return [(levels + list(map(str, leaves)))[root] for root in roots]


@pytest.mark.parametrize("padding", [{}, {"levels": 6, "width": 5}, {"max_children": 4}])
def test_a_batch_unfolds_to_its_trees(padding):
    items = ["(a b (c a d))", "d", "(a (a (a b c) b) (c (d a b) a))", "(b d)"]
    ids = {"a": 2, "b": 3, "c": 4, "d": 5}
    expected = ["".join(str(ids.get(letter, letter)) for letter in item) for item in items]
    assert unfolded(join_trees(list(map(READER, items)), **padding)) == expected


def test_a_treebank_shows_words_alone():
    reader = TreeReader(["it", "works"], inner=False, lower=True)
    table = reader("(3 (2 It) (4 (4 (2 works) (1 badly)) (2 it)))")
    assert [[symbol for symbol, _ in level] for level in table.levels] == [[2, 3, 1, 2], [0], [0], [0]]
    assert len(table) == 7 and table.max_children == 2
    again = TreeReader.from_json(reader.to_json())
    np.testing.assert_array_equal(again.batch([table])[1], reader.batch([table])[1])


def test_sizes_of_a_batch_are_those_that_are_needed():
    roots, leaves, symbols, children = READER.batch([READER("(a b c)"), READER("d")])
    assert (roots.shape, leaves.shape, symbols.shape, children.shape) == ((2,), (3,), (1, 1), (1, 1, 2))
    assert READER.batch([READER("(a b c d)")])[3].shape == (1, 1, 3) and len(READER.table(parse_tree("(a b)"))) == 2


def test_examples_are_of_symbols_that_are_known():
    for reader in (READER, TreeReader(["(", "/"], inner=False)):
        assert all(1 not in {symbol for level in reader(item).levels for symbol, _ in level}
                   for item in reader.examples())
