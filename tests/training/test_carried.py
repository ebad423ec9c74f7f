"""Carried states to a checkpoint and back, for the same and for another number of pieces."""
import types

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.distributed.alone import Alone
from gluon_rnn.nn import LSTM
from gluon_rnn.training.carried import all_of, restored

LAYER = LSTM(3, num_layers=2)
TASK = types.SimpleNamespace(begin_states=lambda rows, devices: [LAYER.begin_state(rows) for _ in devices])
WHOLE = [np.random.default_rng(seed).normal(size=(2, 4, 3)).astype("float32") for seed in (0, 1)]     # (layers, N, H)


def pieces(count):
    parts = zip(*(np.split(state, count, axis=1) for state in WHOLE))
    return [[mx.nd.array(state) for state in states] for states in parts]


def worker(rank, workers, others=None):
    """Return a worker that hears from the others what they would send."""
    found = Alone()
    found.rank, found.workers = rank, workers
    found.gather = lambda value: [*others, value]
    return found


def as_checkpoint(count):
    sent = []
    for rank, states in enumerate(pieces(count)[:-1]):
        one = worker(rank, count, others=[])
        one.gather = lambda value: sent.append(value) or []
        all_of([states], one)
    if count == 1:
        return all_of(pieces(1), Alone())
    return all_of([pieces(count)[-1]], worker(count - 1, count, sent))


@pytest.mark.parametrize("saved", [1, 2, 4])
@pytest.mark.parametrize("resumed", [1, 2, 4])
def test_states_come_back_in_as_many_pieces_as_there_are_now(saved, resumed):
    for rank, expected in enumerate(pieces(resumed)):
        (found,) = restored(as_checkpoint(saved), TASK, [mx.cpu()], worker(rank, resumed))
        assert all(np.array_equal(one.asnumpy(), other.asnumpy()) for one, other in zip(found, expected))


def test_nothing_is_carried_between_epochs():
    assert all_of(None, Alone()) == {} and restored({}, TASK, [mx.cpu()], Alone()) is None


def test_states_that_nobody_can_cut_are_refused():
    strange = {f"{piece}.0": mx.nd.zeros((2, 2)) for piece in range(2)}
    with pytest.raises(ValueError, match="by 2 devices and workers, and what it carries cannot be cut for 1; resume "):
        restored(strange, TASK, [mx.cpu()], Alone())
