"""Arguments of an exported graph, with a graph that adds up its input in NumPy; and `sessions.py`."""
import numpy as np
import pytest

from gluon_rnn.export.network import GraphNetwork
from gluon_rnn.export.sessions import Session, step_together


class Sums(GraphNetwork):
    """Running sums of what was read, padding left out: outputs (T, N, 2), state (1, N, 2)."""

    def __init__(self, **changes):
        super().__init__({
            "causal": True, "inputs": [{"name": "data", "shape": ["T", "N", 2], "dtype": "float64"}],
            "lengths": [{"name": "valid_length", "of": "data", "axis": 0, "dtype": "float32"}],
            "states": [{"name": "total", "shape": [1, "N", 2], "dtype": "float64"}],
            "outputs": [{"name": "outputs", "shape": ["T", "N", 2], "dtype": "float64"}],
            "next_states": [{"name": "total", "shape": [1, "N", 2], "dtype": "float64"}], **changes})
        self.fed = []

    def run(self, feed):
        self.fed.append(feed)
        data, lengths = feed["data"], feed["valid_length"]
        valid = np.arange(len(data))[:, None, None] < lengths[:, None]
        outputs = feed["total"] + np.cumsum(data * valid, axis=0)
        return [outputs * valid, outputs[-1:]]


IDS = {"inputs": [{"name": "data", "shape": ["T", "N"], "dtype": "int32", "below": 5}]}


def test_lengths_and_states_are_filled_in():
    network = Sums()
    outputs, states = network(np.ones((3, 2, 2)))
    np.testing.assert_array_equal(outputs[:, 0, 0], [1, 2, 3])
    np.testing.assert_array_equal(network.fed[0]["valid_length"], [3, 3])
    again, _ = network(np.ones((1, 2, 2)), states)
    np.testing.assert_array_equal(again[0], np.full((2, 2), 4))
    np.testing.assert_array_equal(network.outputs(np.ones((3, 2, 2)), [2, 0])[:, :, 0], [[1, 0], [2, 0], [0, 0]])


def test_rows_of_states():
    states = [np.arange(6.0).reshape(1, 3, 2)]
    found, = Sums().rows(states, [2, 0, 2])
    np.testing.assert_array_equal(found[0], [[4, 5], [0, 1], [4, 5]])


@pytest.mark.parametrize("lengths, message", [
    ([3, 4], "has 4 in row 1, and a length is a whole number from 0 to the 3 steps of 'data'"),
    ([-1, 3], "has -1 in row 0"), ([1.5, 2], r"has 1\.5 in row 0"), ([float("nan"), 2], "has nan in row 0"),
    ([3], r"has shape \(1,\), and 2 rows need \(2,\)"), ([[3, 3]], r"has shape \(1, 2\)")])
def test_lengths_that_do_not_fit(lengths, message):
    with pytest.raises(ValueError, match=f"'valid_length' {message}"):
        Sums()(np.ones((3, 2, 2)), None, lengths)


@pytest.mark.parametrize("inputs, message", [
    (np.ones((3, 2)), r"'data' has shape \(3, 2\), and this graph takes \(T, N, 2\)"),
    (np.ones((3, 2, 3)), r"'data' has shape \(3, 2, 3\)"), (np.ones((0, 2, 2)), "at least one step")])
def test_inputs_that_do_not_fit(inputs, message):
    with pytest.raises(ValueError, match=message):
        Sums()(inputs)


@pytest.mark.parametrize("ids, message", [([[5]], "has the id 5, and ids are 0 to 4"), ([[-1]], "has the id -1"),
                                          ([[0.5]], "no whole numbers")])
def test_ids_outside_of_the_vocabulary(ids, message):
    with pytest.raises(ValueError, match=f"'data' .*{message}"):
        Sums(**IDS)(ids)


@pytest.mark.parametrize("states, message", [
    ([], r"expected 1 states \(total\), got 0"),
    ([np.zeros((1, 3, 2))], r"state 'total' has shape \(1, 3, 2\), but inputs of batch size 2 need \(1, 2, 2\)")])
def test_states_that_do_not_fit(states, message):
    with pytest.raises(ValueError, match=message):
        Sums()(np.ones((3, 2, 2)), states)


def test_a_graph_that_looks_ahead_takes_no_states_and_no_session():
    network = Sums(causal=False)
    with pytest.raises(ValueError, match="looks ahead"):
        network(np.ones((3, 2, 2)), network.begin_state(2))
    with pytest.raises(ValueError, match="no stream can go through it"):
        Session(network)


def test_further_sequences_are_counted():
    with pytest.raises(ValueError, match=r"takes 0 further sequences \(none\), got 1"):
        Sums()(np.ones((3, 2, 2)), None, None, np.ones(3))


def test_a_session_goes_on_where_it_was():
    rng = np.random.default_rng(0)
    data, session = rng.standard_normal((7, 2)), Session(Sums())
    parts = [session.step(data[:3]), session.step(data[3:4]), session.step(data[4:])]
    np.testing.assert_allclose(np.concatenate(parts), np.cumsum(data, axis=0), rtol=0, atol=1e-14)
    assert session.steps == 7
    session.reset()
    np.testing.assert_array_equal(session.step(data[:1]), data[:1])


def test_many_sessions_in_one_call_are_each_by_itself():
    rng, network = np.random.default_rng(1), Sums()
    sessions, lone = ([Session(network) for _ in range(3)] for _ in range(2))
    for lengths in ((2, 5, 1), (1, 1, 4)):
        chunks = [rng.standard_normal((length, 2)) for length in lengths]
        calls = len(network.fed)
        together = step_together(sessions, chunks)
        assert len(network.fed) == calls + 1
        for found, session, chunk in zip(together, lone, chunks):
            np.testing.assert_allclose(found, session.step(chunk), rtol=0, atol=1e-14)


@pytest.mark.parametrize("order", [1, -1])
def test_chunks_of_several_types_keep_their_fractions(order):
    network, chunks = Sums(), [np.array([[1, 2]]), np.array([[0.75, 0.5]]), np.array([[2.5, 1]], dtype=np.float32)]
    found = step_together([Session(network) for _ in chunks], chunks[::order])
    np.testing.assert_array_equal(found, chunks[::order])


def test_sessions_that_do_not_go_together():
    one, network = Session(Sums()), Sums()
    two = Session(network)
    with pytest.raises(ValueError, match="got 2 of 2 networks"):
        step_together([one, two], [np.ones((1, 2))] * 2)
    with pytest.raises(ValueError, match="each once"):
        step_together([two, two], [np.ones((1, 2))] * 2)
    with pytest.raises(ValueError, match="1 sessions and 2 chunks"):
        step_together([two], [np.ones((1, 2))] * 2)
    with pytest.raises(ValueError, match="has shape"):
        step_together([two], [np.ones((1, 3))])
    assert two.steps == 0
