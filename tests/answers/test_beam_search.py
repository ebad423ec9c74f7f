"""Beam search in NumPy against gluonnlp's sampler, against all sequences there are, and by hand.

With trained-like decoders it is tested in ``tests/inference/test_beam_search.py``.
"""
import itertools

import mxnet as mx
import numpy as np
import pytest
from gluonnlp.model.sequence_sampler import BeamSearchSampler, BeamSearchScorer

from gluon_rnn.answers.beam_search import _largest, beam_search, length_penalty
from tests.answers.networks import Automaton
from tests.reference import rounding

BEGIN, END = 0, 1


def by_gluonnlp(network, counts, *, beam_size, max_length, alpha, exclude):
    """Return (ids, score, finished) of all beams of each row as the sampler of gluonnlp finds them."""
    def step(token, states):
        logits, after = network(token.asnumpy(), [states[0].asnumpy()])
        log_p = mx.nd.log_softmax(mx.nd.array(logits)).asnumpy()
        log_p[:, list(exclude)] = -1e18
        return mx.nd.array(log_p), [mx.nd.array(after[0])]

    sampler = BeamSearchSampler(beam_size, step, END, BeamSearchScorer(alpha, 5.0), max_length)
    begin = mx.nd.full((len(counts),), BEGIN, dtype="int32")
    found = [array.asnumpy() for array in sampler(begin, [mx.nd.array(counts)])]
    return [[(ids[1:length - 1].tolist(), score, bool(length < max_length + 2))
             for ids, score, length in zip(*row) if score > -1e12] for row in zip(*found)]


@pytest.mark.parametrize("size, beam_size, max_length, alpha, exclude", [
    (6, 1, 7, 1.0, []), (6, 4, 7, 0.0, [BEGIN]), (7, 5, 9, 0.6, [BEGIN, 3]), (5, 40, 3, 1.0, [BEGIN]),
    (230, 3, 12, 1.0, [BEGIN, 200]), (230, 5, 8, 2.0, []), (130, 1, 6, 0.6, [BEGIN])])
def test_finds_what_the_sampler_of_gluonnlp_finds(size, beam_size, max_length, alpha, exclude):
    network, counts = Automaton(size, size), np.arange(6.0) * 7
    options = {"beam_size": beam_size, "max_length": max_length, "alpha": alpha, "exclude": exclude}
    got = beam_search(network, [counts], np.full(6, BEGIN), END, **options)
    want = by_gluonnlp(network, counts, **options)
    assert [len(row) for row in got] == [len(row) for row in want] and len(want) == 6
    bound = rounding("float32", 3 * max_length, 100)      # sums of at most 12 log-probabilities down to about -25
    for ours, theirs in zip(got, want):
        assert [(one.ids, one.finished) for one in ours] == [(ids, finished) for ids, _, finished in theirs]
        np.testing.assert_allclose([one.score for one in ours], [score for _, score, _ in theirs], rtol=0, atol=bound)
    assert all(type(one.finished) is bool and type(one.score) is float for row in got for one in row)


def test_a_beam_that_holds_everything_is_exhaustive_search():
    network, longest, allowed = Automaton(5, 3), 4, [2, 3, 4]
    (found,), scores = beam_search(network, [np.zeros(1)], [BEGIN], END, beam_size=150, max_length=longest, alpha=0.7,
                                   exclude=[BEGIN]), {}
    for length in range(longest + 1):
        for ids in itertools.product(allowed, repeat=length):
            written = [*ids, *([END] if length < longest else [])]
            states, token, total = [np.zeros(1)], BEGIN, 0.0
            for after in written:
                logits, states = network(np.array([token]), states)
                logits = logits[0].astype(np.float64)
                total, token = total + logits[after] - np.log(np.exp(logits).sum()), after
            scores[ids] = total / length_penalty(len(written), 0.7)
    assert [tuple(one.ids) for one in found] == sorted(scores, key=scores.get, reverse=True)
    bound = rounding("float32", 2 * longest, 40)          # the sums are in float64, each logit less its sum is not
    np.testing.assert_allclose([one.score for one in found], sorted(scores.values(), reverse=True), rtol=0, atol=bound)


@pytest.mark.parametrize("beam_size", [1, 4, 40])
def test_each_row_stops_at_a_length_of_its_own(beam_size):
    network, counts, longest = Automaton(6, 3), np.arange(6.0) * 7, np.array([1, 9, 2, 5, 3, 3])
    network.tables[:, :, END] -= 3                        # most sequences are cut off
    found = beam_search(network, [counts], np.full(6, BEGIN), END, beam_size=beam_size, max_length=longest)
    alone = [beam_search(network, [counts[[row]]], [BEGIN], END, beam_size=beam_size, max_length=int(longest[row]))[0]
             for row in range(6)]
    assert found == alone
    assert {one.finished for row in found for one in row} == {True, False}
    assert max(len(one.ids) for one in found[1]) == 9
    for wrong, message in [(longest[:5], r"one for each of the 6 rows, got the shape \(5,\)"),
                           (longest - 1, "max_length must be a whole number of at least 1, got 0"),
                           (longest / 2, "max_length must be a whole number of at least 1, got 0.5")]:
        with pytest.raises(ValueError, match=message):
            beam_search(network, [counts], np.full(6, BEGIN), END, max_length=wrong)


@pytest.mark.parametrize("rows, size, count", [(3, 5, 5), (2, 64, 3), (4, 1000, 4), (2, 1003, 7), (1, 64 * 20, 9)])
def test_the_largest_values_are_found_in_groups(rows, size, count):
    values = np.random.default_rng(size).normal(size=(rows, size)).astype(np.float32)
    values[:, -1] = 9                                     # behind the last whole group
    places = _largest(values, count)
    assert places.shape == (rows, count)
    np.testing.assert_array_equal(np.sort(np.take_along_axis(values, places, axis=1)), np.sort(values)[:, -count:])


def test_a_decoder_that_is_not_finite_is_refused():
    network = Automaton(5, 0)
    network.tables[:] = np.nan
    with pytest.raises(ValueError, match="the decoder's outputs are not finite; train with a lower learning rate"):
        beam_search(network, [np.zeros(1)], [BEGIN], END)
