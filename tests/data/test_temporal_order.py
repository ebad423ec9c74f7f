"""Temporal order: classes, places and lengths read back from the strings themselves."""
import doctest
import re

import numpy as np
import pytest

from gluon_rnn.data import TemporalOrder, temporal_order
from gluon_rnn.registry import datasets


def test_example_and_name():
    assert doctest.testmod(temporal_order).failed == 0 and datasets.get("temporal_order") is TemporalOrder


@pytest.mark.parametrize("relevant, ranges", [(2, [(10, 20), (50, 60)]), (3, [(10, 20), (33, 43), (66, 76)])])
def test_the_class_is_the_order_of_what_is_relevant(relevant, ranges):
    data = TemporalOrder(relevant=relevant, train=400, valid=5, test=10)
    assert len(data.labels) == 2 ** relevant
    places, sizes = [], set()
    for text, target in zip(data.items("train"), data.targets("train")):
        assert re.fullmatch("E[abcdXY]+B", text) and re.sub("[^XY]", "", text) == data.labels[target]
        places.append([match.start() + 1 for match in re.finditer("[XY]", text)])
        sizes.add(len(text))
    assert sizes == set(range(100, 111))
    for column, (first, last) in zip(np.array(places).T, ranges):
        assert set(column) == set(range(first, last + 1))


def test_inputs_are_the_symbols_by_number():
    data = TemporalOrder(train=30, valid=3, test=3)
    tokens = data.reader.vocab.idx_to_token
    assert ["".join(tokens[index] for index in row) for row in data.inputs("test")] == data.items("test")


def test_seeds():
    first, again, other = (TemporalOrder(train=40, valid=5, test=5, seed=seed).items("train") for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("arguments, message", [
    ({"relevant": 4}, "relevant must be 2 or 3, got 4"), ({"train": 0}, "train must be"),
    ({"lengths": [50, 60]}, r"lengths must be two whole numbers \[first, last\] from 61 on")])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        TemporalOrder(**arguments)
