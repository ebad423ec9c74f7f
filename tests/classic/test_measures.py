"""What the experiments measure, on networks whose answers are known, and each of them on a run of a few updates.

Tests `parity.py`, `xor_stream.py`, `letters.py`, `lexical_classes.py`, `embedded_reber.py`, `temporal_order.py`,
`counting.py` and `pictures.py`.
"""
import types

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import recipes
from gluon_rnn.classic import experiments
from gluon_rnn.classic.counting import longest_accepted
from gluon_rnn.classic.letters import errors_of
from gluon_rnn.classic.lexical_classes import classes_of, groups_of, pure_at, purity, states_behind
from gluon_rnn.classic.parity import shares_right
from gluon_rnn.classic.xor_stream import probabilities_of_one
from gluon_rnn.runs import Run
from gluon_rnn.training import train


def tagger(answer):
    """Return a `predict` that tags each text with ``answer(symbols)``."""
    return lambda texts: [types.SimpleNamespace(tags=answer(text.split())) for text in texts]


def parity(bits):
    return ["odd" if bits[:place].count("1") % 2 else "even" for place in range(1, len(bits) + 1)]


def test_shares_of_right_strings():
    assert shares_right(tagger(parity), 30) == (1, 1)
    assert shares_right(tagger(lambda bits: [*parity(bits)[:-1], "?"]), 30) == (0, 0)
    right_last = shares_right(tagger(lambda bits: ["?", *parity(bits)[1:]]), 30)
    assert right_last == (0, 1)
    every, last = shares_right(tagger(lambda bits: ["even"] * len(bits)), 30)
    assert every == 0 and last == pytest.approx(0.5, abs=5 * np.sqrt(0.25 / 200))


@pytest.mark.parametrize("letters, last", [("ab", 7), ("abc", 33), ("ab", 0)])
def test_the_longest_n_that_is_accepted(letters, last):
    def accept(symbols):
        n = symbols.count("a")
        tags = [letters[0], *[letters[:2]] * n, *[letters[1]] * (n - 1), *[letters[2:]] * (n * len(letters[2:])), "T"]
        return tags if n <= last else tags[:-1] + ["a"]

    assert longest_accepted(tagger(accept), letters, limit=50) == last
    assert longest_accepted(tagger(accept), letters, limit=5) == min(last, 5)


class Copies:
    """A network whose scores say that the next token is the present one, and whose states are its tokens."""

    def begin_state(self, batch_size):
        return []

    def __call__(self, tokens, states):
        return self.hidden_and_scores(tokens, states)[1:]

    def hidden_and_scores(self, tokens, states):
        scores = 2 * mx.nd.one_hot(tokens, 2)
        return mx.nd.one_hot(tokens, 3) * 3, scores, states


def test_probabilities_of_a_stream():
    found = probabilities_of_one(Copies(), np.array([0, 1, 1, 0, 1]))
    low, high = 1 / (1 + np.exp(2)), 1 / (1 + np.exp(-2))
    np.testing.assert_allclose(found, [low, high, high, low], rtol=1e-6)


def test_mean_states_are_those_behind_each_word():
    found = states_behind(Copies(), np.array([2, 1, 1, 2, 2, 0]), ["a", "b", "c"])
    assert found.names == ["c", "b", "a"]
    np.testing.assert_allclose(found.means, [[0, 0, 3], [0, 3, 0], [3, 0, 0]])


def test_errors_of_frames():
    def model(frames, states):
        return mx.nd.where(frames > 0, mx.nd.full(frames.shape, 50), mx.nd.zeros(frames.shape)), states

    model.begin_state = lambda batch_size: []
    frames = np.array([[1, 0], [1, 1], [0, 0]], dtype=np.float32)
    # expected 1 where the frame before had 1, else 1/2
    np.testing.assert_allclose(errors_of(model, frames), [[0, 0.25], [1, 1]], atol=1e-12)


def test_clustering_and_purity():
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(0, 0.1, (5, 3)), rng.normal(4, 0.1, (7, 3))])
    groups = groups_of(vectors, 2)
    assert purity(groups, ["a"] * 5 + ["b"] * 7) == 1 and len(set(groups)) == 2
    assert purity(groups, ["a"] * 6 + ["b"] * 6) == pytest.approx(11 / 12)
    line = np.array([[0.0], [1], [10], [11], [30]])                       # its tree: ((0 1) (10 11)) 30
    assert pure_at(line, ["a"] * 4 + ["b"]) == 2 and pure_at(line, list("aabbb")) == 3 and pure_at(line, ["a"] * 5) == 1
    assert classes_of({"x": "NOUN-HUM", "y": "VERB-EAT/VERB-AGPAT", "z": "NOUN-FOOD"}) == {
        "x": "animate", "y": "verb", "z": "inanimate"}


TINY = {
    "parity": ["data.train=20", "data.valid=4", "data.test=4"],
    "xor_stream": ["data.train=200", "data.valid=40", "data.test=40"],
    "letters": ["data.train=4", "data.valid=2", "data.test=2", "data.syllables=12"],
    "lexical_classes": ["data.sentences=1500", "training.schedule.warmup_steps=1"],
    "embedded_reber": ["data.train=4", "data.test=4", "training.stop_at=null"],
    "temporal_order": ["data.train=50", "data.valid=8", "data.test=20"],
    "counting": ["data.train=20", "data.beyond=2"],
}
NOT_YET = {"embedded_reber": {"strings"}, "temporal_order": {"strings"}}


@pytest.mark.parametrize("name", TINY)
def test_an_experiment_measures_all_its_columns_and_draws(name, tmp_path):
    experiment = experiments.get(name)()
    case = experiment.cases()[0]
    overrides = [*case.overrides, *TINY[name], "training.epochs=1", "device=cpu"]
    folder = tmp_path / "elman-rnn-seed1"
    path = train(recipes.build_task(recipes.load(case.recipe, [*overrides, f"output_dir={folder}"])), "run")
    found = experiment.measure(Run(path), case)
    assert set(found) == set(experiment.columns) - NOT_YET.get(name, set())
    assert all(np.isfinite(value) for value in found.values())
    experiment.draw([{"label": case.label, "seed": 1, **found}, {"label": "lost", "seed": 1, "error": "?"}],
                    tmp_path / "picture.png")
    assert (tmp_path / "picture.png").exists() == (type(experiment).draw is not experiments.get("parity").draw)
