"""Signals counted by hand, and units that are made to follow them."""
import numpy as np
import pytest

from gluon_rnn.diagnostics import UnitActivations, text_signals
from gluon_rnn.diagnostics.unit_activations import line_ends

TEXT = list('ab "c"\nd e')


def test_what_is_counted_in_characters():
    found = text_signals([TEXT], characters=True)
    assert found["position in line"].tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1, 2]
    assert found["position in word"].tolist() == [1, 2, 0, 0, 1, 0, 0, 1, 0, 1]
    assert found["within quotes"].tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def test_what_is_counted_in_words():
    found = text_signals([["the", "cat"], ["a", "<eos>", "dog"]], characters=False)
    assert {name: values.tolist() for name, values in found.items()} == {"position in line": [0, 1, 0, 1, 0]}
    assert text_signals([["one", "line", "alone"]], characters=False) == {}
    assert "within quotes" not in text_signals([list("ab"), list("c")], characters=True)


def test_lines_end_with_a_text_and_with_a_newline():
    assert line_ends([["a", "\n", "b"], [], ["c"]]).tolist() == [False, True, True, True]


@pytest.fixture
def found():
    """Return activations where unit 3 of h follows the position in the line but for noise, downwards."""
    signals = text_signals([TEXT], characters=True)
    values = {"layer 1 h": np.random.normal(size=(10, 5)), "layer 1 c": 3 * np.random.normal(size=(10, 4))}
    values["layer 1 h"][:, 3] = -2 * signals["position in line"] + 0.01 * np.random.normal(size=10)
    values["layer 1 h"][:, 4] = 7
    values["layer 1 c"][:, 1] = 100 * np.arange(10)
    return UnitActivations([TEXT], values, signals, "")


def test_correlations_are_pearsons(found):
    own = found.correlations("layer 1 h", "position in line")
    signal = found.signals["position in line"]
    np.testing.assert_allclose(own[:4], [np.corrcoef(found.values["layer 1 h"][:, unit], signal)[0, 1]
                                         for unit in range(4)])
    assert own[4] == 0                                                     # a unit that never changes


def test_units_that_follow_a_signal_and_that_vary_most(found):
    unit = found.tracking("position in line")
    assert (unit.state, unit.number, unit.why) == ("layer 1 h", 3, "correlation -1.00 with position in line")
    first, = found.most_varying("layer 1 c", 1)
    assert first.number == 1 and first.why == f"standard deviation {100 * np.arange(10).std():.2f}"
    found.choose()
    assert str(found.chosen[0]) == "layer 1 h, unit 3" and len(set(map(str, found.chosen))) == len(found.chosen)
    table = found.table()
    np.testing.assert_array_equal(table["layer 1 h, unit 3"], found.values["layer 1 h"][:, 3])
    assert table["token"].tolist() == TEXT and "layer 1 c, unit 1" in table


def test_units_may_be_chosen(found):
    assert list(map(str, found.choose("layer 1 h", [2, 0]).chosen)) == ["layer 1 h, unit 2", "layer 1 h, unit 0"]
    assert found.choose(numbers=[3]).summary() == "layer 1 c, unit 3: chosen"
    with pytest.raises(ValueError, match="no state 'layer 2 c'; choose one of 'layer 1 h', 'layer 1 c'"):
        found.choose("layer 2 c")
    with pytest.raises(ValueError, match="units of 'layer 1 c' are 0 to 3, got 4"):
        found.choose(numbers=[0, 4])
