"""Reber strings against an acceptor of its own: a regular expression, and the language it describes, enumerated."""
import doctest
import itertools
import re

import numpy as np
import pytest

from gluon_rnn.data import Reber, reber
from gluon_rnn.data.reber import SYMBOLS, draw_reber
from gluon_rnn.registry import datasets

# Read off the drawing of the grammar, not the code's table: from the node before "X" or "S" on the right,
# "XT*VP" comes back to it, and "S" or "XT*VV" leads to the end.
REST = "(?:XT*VP)*(?:S|XT*VV)"
PLAIN = re.compile(f"B(?:TS*X{REST}|PT*V(?:P{REST}|V))E")
EMBEDDED = re.compile(f"B(T|P){PLAIN.pattern}\\1E")


@pytest.fixture(scope="module")
def language():
    """Return all strings of the plain grammar with at most nine symbols, found by trying every one."""
    return [string for size in range(3, 8) for middle in itertools.product("TPSXV", repeat=size)
            if PLAIN.fullmatch(string := f"B{''.join(middle)}E")]


def test_example_and_name():
    assert doctest.testmod(reber).failed == 0 and datasets.get("reber") is Reber


@pytest.mark.parametrize("embedded, acceptor", [(False, PLAIN), (True, EMBEDDED)], ids=["plain", "embedded"])
def test_every_string_is_accepted(embedded, acceptor):
    data = Reber(embedded=embedded, train=400, test=100)
    assert all(acceptor.fullmatch(string) for split in data.splits for string in data.strings(split))
    assert not acceptor.fullmatch("BTXSE"[:-1]) and not EMBEDDED.fullmatch("BTBTXSEPE")
    assert len(set(data.strings("train"))) > 50


def test_short_strings_have_the_probabilities_of_the_graph(language):
    rng = np.random.default_rng(0)
    drawn = [draw_reber(rng)[0] for _ in range(4000)]
    assert {string for string in drawn if len(string) <= 7} == {string for string in language if len(string) <= 7}
    # BTXSE takes the right arc at three nodes, one in eight: a deviation of sqrt(4000 * 7/64) = 21
    assert abs(drawn.count("BTXSE") - 500) < 5 * 21


def test_possible_symbols_are_those_that_some_string_of_the_language_goes_on_with(language):
    data = Reber(embedded=False, train=300, test=50)
    checked = 0
    for string, sets in zip(data.strings("train"), data.possible("train")):
        assert sets.shape == (len(string) - 1, len(SYMBOLS))
        for place in range(1, min(len(string), 6)):                       # then three more symbols lead to an end
            wanted = {other[place] for other in language if len(other) > place and other.startswith(string[:place])}
            assert {symbol for symbol, may in zip(SYMBOLS, sets[place - 1]) if may} == wanted, string[:place]
            checked += 1
    assert checked > 1000


def test_possible_symbols_of_embedded_strings():
    data = Reber(train=50, test=10)
    for string, sets in zip(data.strings("test"), data.possible("test")):
        named = ["".join(symbol for symbol, may in zip(SYMBOLS, row) if may) for row in sets]
        assert named[:2] == ["TP", "B"] and named[-2:] == [string[1], "E"]
        assert all(string[place + 1] in each for place, each in enumerate(named)) and len(named) == len(string) - 1


def test_frames_and_splits():
    data = Reber(train=4, test=3)
    assert data.strings("valid") == data.strings("train") + data.strings("test")
    roll, string = data.rolls("train")[0], data.strings("train")[0]
    assert (roll.sum(axis=1) == 1).all() and "".join(SYMBOLS[index] for index in roll.argmax(axis=1)) == string
    assert len(Reber(train=4, valid=6, test=3).strings("valid")) == 6
    assert Reber(train=4, seed=1).strings("train") != data.strings("train") == Reber(train=4, test=3).strings("train")
    with pytest.raises(ValueError, match="valid must be a number of strings, or 0"):
        Reber(valid=-1)
