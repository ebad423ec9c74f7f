"""Copy memory: every sequence against an independent acceptor, the loss without memory against the count of answers."""
import doctest
import math

import numpy as np
import pytest

from gluon_rnn.data import CopyMemory, copying
from gluon_rnn.registry import datasets


def accepts(words, tags, delay, copied, symbols):
    """Tell whether a sequence is one of the problem, letter by letter and without the generator's arithmetic."""
    words, tags = list(words), list(tags)
    said = words[:copied]
    rest = ["."] * (delay - 1) + ["?"] + ["."] * copied
    return (all(letter in "abcdefghijklmnopqrstuvwxyz"[:symbols] for letter in said) and words[copied:] == rest
            and tags == ["."] * (delay + copied) + said)


def test_example_and_name():
    assert doctest.testmod(copying).failed == 0
    assert datasets.get("copy_memory") is CopyMemory


@pytest.mark.parametrize("delay, copied, symbols", [(1, 1, 2), (7, 3, 4), (20, 10, 8)])
def test_every_sequence_is_one_of_the_problem(delay, copied, symbols):
    data = CopyMemory(delay, copied, symbols, train=50, valid=5, test=9)
    assert [len(data.sequences(split)) for split in data.splits] == [50, 5, 9]
    for split in data.splits:
        assert all(accepts(*sentence, delay, copied, symbols) for sentence in data.sequences(split))
    assert data.encoder.tags == [".", *"abcdefgh"[:symbols]]
    used = {word for sentence in data.sequences("train") for word in sentence.words}
    assert used <= set(data.encoder.words.idx_to_token)


def test_symbols_are_uniform_and_independent():
    inputs, _ = copying.draw_copies(20_000, 1, 2, 4, np.random.default_rng(0))
    counts = np.bincount(4 * inputs[:, 0] + inputs[:, 1], minlength=16)
    # 16 pairs of the same probability: chi squared with 15 degrees of freedom passes 38 once in a thousand times
    assert len(counts) == 16 and ((counts - 1250) ** 2 / 1250).sum() < 38


def test_loss_without_memory_is_that_of_the_best_blind_answer():
    data = CopyMemory(delay=6, copied=3, symbols=5, train=40, valid=1, test=1)
    # the best answer that has seen nothing: blanks for certain, then each symbol with probability 1/5
    nats = [0.0 if tag == "." else -math.log(1 / 5) for sentence in data.sequences("train") for tag in sentence.tags]
    assert data.baseline == pytest.approx(np.mean(nats), rel=1e-12)
    assert copying.memoryless_loss(1000) == pytest.approx(10 * math.log(8) / 1020, rel=1e-12)


def test_seeds_and_duplicates():
    first, again, other = (CopyMemory(3, 4, train=30, valid=9, test=9, seed=seed) for seed in (1, 1, 2))
    assert all(first.sequences(split) == again.sequences(split) != other.sequences(split) for split in first.splits)
    few = CopyMemory(2, 1, 2, train=50, valid=8, test=4)                  # two different rows in all
    assert few.duplicates == {"valid": 8, "test": 4}


@pytest.mark.parametrize("arguments, message", [
    ({"delay": 0}, "delay must be"), ({"symbols": 27}, "symbols must be a whole number from 2 to 26.*got 27"),
    ({"symbols": True}, "symbols must be"), ({"test": 0}, "test must be")])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CopyMemory(**arguments)


def test_unknown_split():
    with pytest.raises(ValueError, match="no split 'tset' in this data set; did you mean 'test'"):
        CopyMemory(2, 1, 2, train=2, valid=1, test=1).sequences("tset")
