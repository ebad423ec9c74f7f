"""Sampling: the filters against brute force, frequencies, seeds, streaming, the prefix, errors; whole sequences."""
import itertools

import numpy as np
import pytest

from gluon_rnn.answers.network import Network
from gluon_rnn.answers.sampling import filter_logits, generate, sample
from gluon_rnn.answers.vocabulary import Vocabulary


def make_vocab(tokens="abcdef", eos_token=None):
    return Vocabulary([*([] if eos_token is None else [eos_token]), *tokens], eos_token=eos_token)


class Recorder(Network):
    """A network that keeps what it was shown; its state counts the steps, its logits favour the token after."""

    def __init__(self, size, logits=None):
        self.size, self.logits, self.seen = size, logits, []

    def begin_state(self, batch_size):
        return [np.zeros((1, batch_size, 1))]

    def __call__(self, tokens, states=None, valid_length=None, *signals):
        assert tokens.shape == (1, 1) and tokens.dtype == np.int32
        token = int(tokens[0, 0])
        assert int(states[0].item()) == len(self.seen), "the states that go in are not those that came out"
        self.seen.append(token)
        logits = self.logits if self.logits is not None else 50.0 * (np.arange(self.size) == (token + 1) % self.size)
        return np.array(logits).reshape((1, 1, -1)), [states[0] + 1]


def brute_force(logits, temperature, top_k, top_p):
    """Rank by repeated search for the largest, keep while the rules allow, in plain Python."""
    if temperature == 0:
        return [float(i == int(np.argmax(logits))) for i in range(len(logits))]
    weights = [np.exp((value - max(logits)) / temperature) for value in logits]
    left, kept = list(range(len(logits))), []
    while left and (top_k is None or len(kept) < top_k):
        kept.append(max(left, key=lambda i: (logits[i], -i)))
        left.remove(kept[-1])
    if top_p is not None:
        total = sum(weights[i] for i in kept)
        size = next(n for n in range(1, len(kept) + 1)
                    if sum(weights[i] for i in kept[:n]) >= top_p * total * (1 - 1e-12))
        kept = kept[:size]
    total = sum(weights[i] for i in kept)
    return [weights[i] / total if i in kept else 0.0 for i in range(len(logits))]


@pytest.mark.parametrize("temperature, top_k, top_p", list(itertools.product(
    [0, 0.3, 1.0, 2.5], [None, 1, 3, 50], [None, 0.01, 0.5, 0.9, 1.0])))
def test_filter_against_brute_force(temperature, top_k, top_p):
    for size in (1, 7, 20):
        logits = np.random.normal(scale=2, size=size).round(1)   # rounded: ties happen
        np.testing.assert_allclose(filter_logits(logits, temperature, top_k, top_p),
                                   brute_force(logits, temperature, top_k, top_p), rtol=1e-10, atol=1e-15)


def test_nucleus_by_hand():
    logits = np.log([0.1, 0.5, 0.15, 0.25])
    np.testing.assert_allclose(filter_logits(logits, top_p=0.6), [0, 2 / 3, 0, 1 / 3])
    np.testing.assert_allclose(filter_logits(logits, top_p=0.75), [0, 2 / 3, 0, 1 / 3])   # exactly reached: no third
    np.testing.assert_allclose(filter_logits(logits, top_p=0.76), [0, 5 / 9, 1.5 / 9, 2.5 / 9])
    np.testing.assert_allclose(filter_logits(logits, top_k=2, top_p=0.6), [0, 1, 0, 0])   # 2/3 of what top_k left


def test_minus_infinity_rules_out_and_extremes_do_not_overflow():
    np.testing.assert_allclose(filter_logits([-np.inf, 0.0, 0.0]), [0, 0.5, 0.5])
    np.testing.assert_allclose(filter_logits([1e30, -1e30, 0.0], temperature=1e-300), [1, 0, 0])


@pytest.mark.parametrize("logits", [[0.0, np.nan], [-np.inf, -np.inf], [0.0, np.inf], [[1.0, 2.0]], []])
def test_logits_that_are_no_distribution(logits):
    with pytest.raises(ValueError, match="logits must be one row of numbers"):
        filter_logits(logits)


def test_frequencies_are_the_probabilities():
    probabilities = np.array([0.5, 0.2, 0.15, 0.1, 0.04, 0.01])
    drawn = list(sample(Recorder(6, np.log(probabilities)), make_vocab(), [0], 4000, seed=7))
    counts = np.bincount(drawn, minlength=6)
    # chi square with 5 degrees of freedom exceeds 25.7 with probability 1e-4; the seed is fixed
    assert ((counts - 4000 * probabilities) ** 2 / (4000 * probabilities)).sum() < 25.7


def test_prefix_is_read_in_order_with_the_states_and_each_token_is_fed_back():
    model = Recorder(6)
    assert list(sample(model, make_vocab(), [4, 2, 3], 5, temperature=0)) == [4, 5, 0, 1, 2]
    assert model.seen == [4, 2, 3, 4, 5, 0, 1]


def test_tokens_come_one_by_one():
    model = Recorder(6)
    stream = sample(model, make_vocab(), [0], 10**9, temperature=0)
    assert [next(stream), next(stream)] == [1, 2] and model.seen == [0, 1]


@pytest.mark.parametrize("vocab, seen", [(make_vocab("abc", eos_token="<eos>"), 0), (make_vocab("\nab"), 0)])
def test_empty_prefix_starts_behind_the_end_of_a_line(vocab, seen):
    model = Recorder(len(vocab))
    assert list(sample(model, vocab, [], 2, temperature=0)) == [1, 2] and model.seen[0] == seen


def test_empty_prefix_without_an_end_token_draws_the_first():
    streams = [list(sample(Recorder(6), make_vocab(), [], 4, temperature=0, seed=seed)) for seed in range(40)]
    assert all(stream == [(stream[0] + i) % 6 for i in range(4)] for stream in streams)
    assert {stream[0] for stream in streams} == set(range(6))   # one misses a token in 1 of 240 choices of seeds
    assert all(token != 3 for token in next(zip(*[sample(Recorder(6), make_vocab(), [], 1, seed=seed, exclude=[3])
                                                  for seed in range(40)])))


def test_length_zero_asks_nothing_of_the_model():
    model = Recorder(6)
    assert list(sample(model, make_vocab(), [1, 2], 0)) == [] and model.seen == []


def test_excluded_ids_never_come():
    drawn = list(sample(Recorder(6, np.zeros(6)), make_vocab(), [0], 300, seed=0, exclude=[1, 5]))
    assert set(drawn) == {0, 2, 3, 4}


@pytest.mark.parametrize("options, message", [
    ({"temperature": -0.1}, "temperature must be a finite number, at least 0"),
    ({"temperature": float("nan")}, "temperature must be"),
    ({"top_k": 0}, "top_k must be a whole number, at least 1, got 0"),
    ({"top_k": 2.5}, "top_k must be"),
    ({"top_p": 0.0}, "top_p must be above 0 and at most 1, got 0.0"),
    ({"top_p": 1.2}, "top_p must be"),
    ({"length": -1}, "length must be a whole number"),
    ({"prefix_ids": [0, 6]}, r"prefix_ids has the id 6, outside the vocabulary of 6 tokens \(0 to 5\)"),
    ({"exclude": [9]}, "exclude has the id 9"),
    ({"exclude": range(6)}, "exclude rules out all 6 tokens"),
])
def test_wrong_options_are_refused_before_the_first_token(options, message):
    arguments = {"prefix_ids": [0], "length": 5, **options}
    with pytest.raises(ValueError, match=message):
        sample(Recorder(6), make_vocab(), arguments.pop("prefix_ids"), arguments.pop("length"), **arguments)


# ---- whole sequences ------------------------------------------------------------------------------------------------


V, END = 6, 5


class Chain(Network):
    """A network without memory: the next token is drawn from row `token` of a table, whatever came before."""

    def __init__(self, table):
        self.table = np.log(table)

    def __call__(self, tokens, states=None, valid_length=None, *signals):
        return np.take(self.table, tokens, axis=0, mode="clip"), states    # as networks look ids up


def test_greedy_follows_the_most_probable():
    table = np.full((V, V), 0.01)
    for token, after in {END: 2, 2: 4, 4: 1, 1: END}.items():
        table[token, after] = 1
    found = generate(Chain(table), [], 2, END, END, temperature=0)
    assert found == [([2, 4, 1], True)] * 2
    assert generate(Chain(table), [], 1, END, END, temperature=0, max_length=2) == [([2, 4], False)]
    assert generate(Chain(table), [], 1, END, END, temperature=0, exclude=[4], max_length=3)[0][0][0] == 2


def test_rows_draw_from_seeds_of_their_own():
    table = np.full((V, V), 1 / V)
    many = generate(Chain(table), [], 20, END, END, seed=3)
    assert generate(Chain(table), [], 5, END, END, seed=3) == many[:5]
    assert generate(Chain(table), [], 20, END, END, seed=4) != many
    assert len({tuple(ids) for ids, _ in many}) > 15


def test_lengths_and_tokens_are_those_of_the_chain():
    table = np.full((V, V), 1e-9)
    table[:, [1, 2, END]] = 0.5, 0.25, 0.25
    found = generate(Chain(table), [], 600, END, END, seed=0)
    tokens = [token for ids, _ in found for token in ids]
    assert all(finished for _, finished in found)
    assert set(tokens) == {1, 2}
    # geometric with mean 3: the mean of 600 has a standard deviation of 0.14; two of three tokens are 1
    assert np.mean([len(ids) for ids, _ in found]) == pytest.approx(3, abs=0.6)
    assert np.mean(np.array(tokens) == 1) == pytest.approx(2 / 3, abs=0.05)
    kept = generate(Chain(table), [], 50, END, END, seed=0, top_k=1, max_length=4)
    assert kept == [([1, 1, 1, 1], False)] * 50


def test_generate_refuses_a_wrong_length():
    with pytest.raises(ValueError, match="max_length must be a whole number of at least 1"):
        generate(Chain(np.ones((V, V))), [], 1, END, END, max_length=0)


def test_generate_refuses_to_exclude_the_end():
    with pytest.raises(ValueError, match=f"the end token {END} is among the excluded tokens; take it out of exclude"):
        generate(Chain(np.ones((V, V))), [], 1, END, END, exclude=[0, END])


@pytest.mark.parametrize("begin,end,exclude,wrong", [(V, END, [], V), (0, -1, [], -1), (0, END, [-2], -2),
                                                     (0, END, [V + 3], V + 3)])
def test_generate_refuses_ids_outside_the_vocabulary(begin, end, exclude, wrong):
    with pytest.raises(ValueError, match=f"begin, end and exclude has the id {wrong}, outside the vocabulary of 6"):
        generate(Chain(np.ones((V, V))), [], 1, begin, end, exclude=exclude)
