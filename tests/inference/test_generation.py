"""Whole sequences: greedy follows a chain, rows do not depend on each other, ends, excluded tokens."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.inference.generation import generate

V, END = 6, 5


class Chain:
    """A model without parameters: the next token is drawn from row `token` of a table, whatever came before."""

    def __init__(self, table):
        self.table = mx.nd.array(np.log(table))

    def state_info(self, batch_size=0):
        return [{"shape": (1, batch_size, 1), "__layout__": "LNC"}]

    def __call__(self, tokens, states):
        return mx.nd.take(self.table, tokens), states


def states(rows):
    return [mx.nd.zeros((1, rows, 1))]


def test_greedy_follows_the_most_probable():
    table = np.full((V, V), 0.01)
    for token, after in {END: 2, 2: 4, 4: 1, 1: END}.items():
        table[token, after] = 1
    found = generate(Chain(table), states(2), END, END, temperature=0)
    assert found == [([2, 4, 1], True)] * 2
    assert generate(Chain(table), states(1), END, END, temperature=0, max_length=2) == [([2, 4], False)]
    assert generate(Chain(table), states(1), END, END, temperature=0, exclude=[4], max_length=3)[0][0][0] == 2


def test_rows_draw_from_seeds_of_their_own():
    table = np.full((V, V), 1 / V)
    many = generate(Chain(table), states(20), END, END, seed=3)
    assert generate(Chain(table), states(5), END, END, seed=3) == many[:5]
    assert generate(Chain(table), states(20), END, END, seed=4) != many
    assert len({tuple(ids) for ids, _ in many}) > 15


def test_lengths_and_tokens_are_those_of_the_chain():
    table = np.full((V, V), 1e-9)
    table[:, [1, 2, END]] = 0.5, 0.25, 0.25
    found = generate(Chain(table), states(600), END, END, seed=0)
    tokens = [token for ids, _ in found for token in ids]
    assert all(finished for _, finished in found)
    assert set(tokens) == {1, 2}
    # geometric with mean 3: the mean of 600 has a standard deviation of 0.14; two of three tokens are 1
    assert np.mean([len(ids) for ids, _ in found]) == pytest.approx(3, abs=0.6)
    assert np.mean(np.array(tokens) == 1) == pytest.approx(2 / 3, abs=0.05)
    kept = generate(Chain(table), states(50), END, END, seed=0, top_k=1, max_length=4)
    assert kept == [([1, 1, 1, 1], False)] * 50


def test_errors():
    with pytest.raises(ValueError, match="max_length must be a whole number of at least 1"):
        generate(Chain(np.ones((V, V))), states(1), END, END, max_length=0)


@pytest.mark.parametrize("begin,end,exclude,wrong", [(V, END, [], V), (0, -1, [], -1), (0, END, [-2], -2),
                                                     (0, END, [V + 3], V + 3)])
def test_ids_outside_the_vocabulary(begin, end, exclude, wrong):
    with pytest.raises(ValueError, match=f"begin, end and exclude has the id {wrong}, outside the vocabulary of 6"):
        generate(Chain(np.ones((V, V))), states(1), begin, end, exclude=exclude)
