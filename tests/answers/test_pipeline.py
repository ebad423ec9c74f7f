"""Opening pipelines: what is missing or unknown is named; networks made by hand keep the protocol.

Tests `network.py` and `streaming.py` too.
"""
import numpy as np
import pytest

from gluon_rnn.answers import PIPELINES, open_pipeline
from gluon_rnn.answers.network import Network
from gluon_rnn.answers.pipeline import Pipeline
from gluon_rnn.answers.streaming import outputs, require_causal, require_one
from tests.answers.networks import RunningSums


def test_unknown_tasks_networks_and_options_are_named():
    with pytest.raises(ValueError, match="unknown task 'tagger'; did you mean 'tagging'"):
        open_pipeline("tagger", {}, None)
    read = {"frames.json": '{"num_keys": 3}'}.__getitem__
    with pytest.raises(ValueError, match="the task 'frames' needs the network 'model', got step"):
        open_pipeline("frames", {"step": None}, read)
    with pytest.raises(ValueError, match="task 'frames' has no option 'paht'; did you mean 'path'"):
        open_pipeline("frames", {"model": RunningSums(np.eye(3))}, read, {"paht": "x"})
    assert open_pipeline("frames", {"model": RunningSums(np.eye(3))}, read).assets.num_keys == 3


def test_every_task_of_the_package_has_a_pipeline():
    from gluon_rnn import tasks  # noqa: F401  registers them
    from gluon_rnn.registry import tasks as registered
    assert sorted(PIPELINES) == registered.names()


def test_a_pipeline_without_an_answer_says_so():
    pipeline = Pipeline({"model": Network()}, None)
    for call, words in ((pipeline.predict, "has no predict"), (lambda: pipeline.answer("x"), "line by line"),
                        (lambda: pipeline.stream([]), "step by step; use predict"),
                        (lambda: pipeline.stream_answers("x"), "leave --stream out")):
        with pytest.raises(ValueError, match=words):
            call()


def test_states_are_carried_from_piece_to_piece():
    steps = np.random.randn(7, 1, 3).astype(np.float32)
    network = RunningSums(np.random.randn(3, 2))
    found = np.concatenate(list(outputs(network, [(steps[:2],), (steps[2:3],), (steps[3:],)])))
    np.testing.assert_allclose(found, network.outputs(steps), rtol=1e-5, atol=1e-6)   # other orders of float32 sums


def test_what_cannot_stream_is_refused_by_its_name():
    network = RunningSums(np.eye(2), causal=False)
    with pytest.raises(ValueError, match="the model answers after the whole sequence, .*; do that"):
        require_causal(network, "do that")
    with pytest.raises(ValueError, match="one run streams, got an ensemble of 2"):
        require_one([network, network])


def test_the_base_class_has_nothing_to_answer_with():
    for call in (lambda network: network.begin_state(1), lambda network: network(np.zeros((1, 1))),
                 lambda network: network.outputs(np.zeros((1, 1))), lambda network: network.rows([], [0])):
        with pytest.raises(NotImplementedError, match="Network must define"):
            call(Network())
