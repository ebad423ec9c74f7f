"""A neural cache beside its equation, term by term; and what it does for a language model of a repetitive text."""
import math
import re

import numpy as np
import pytest

import gluon_rnn
from gluon_rnn.inference.neural_cache import cache_probabilities
from gluon_rnn.runs import evaluate_cached, evaluate_run


def by_the_equation(hidden, tokens, size, theta):
    """One step at a time, in Python's own numbers."""
    found = []
    for t in range(len(hidden)):
        kept = range(max(0, t - size), t)
        weights = [math.exp(theta * sum(a * b for a, b in zip(hidden[t].tolist(), hidden[i].tolist()))) for i in kept]
        same = [weight for weight, i in zip(weights, kept) if tokens[i + 1] == tokens[t + 1]]
        found.append(sum(same) / sum(weights) if weights else 0.0)
    return found


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_equation(size):
    rng = np.random.default_rng(0)
    hidden, tokens = rng.standard_normal((600, 3)), rng.integers(4, size=601)
    found = cache_probabilities(hidden, tokens, size, [0.3, 1.0])
    for row, theta in zip(found, (0.3, 1.0)):
        # products of 3 numbers in float32, in the exponent: 1e-5 where they are about 10
        np.testing.assert_allclose(row, by_the_equation(hidden, tokens, size, theta), rtol=1e-4, atol=1e-7)


def test_one_token_only_is_certain():
    found = cache_probabilities(np.ones((5, 2)), np.zeros(6, int), 3, [0.5])
    np.testing.assert_allclose(found[0], [0, 1, 1, 1, 1], rtol=0, atol=1e-12)


def test_a_language_model_with_a_cache(tmp_path):
    """A text of which each part repeats words of its own: a model that has hardly learnt gains by what was read."""
    rng, parts = np.random.default_rng(0), []
    for _ in range(40):
        few = rng.choice(list("abcdefghijklmnopqrst"), 3, replace=False)
        parts.append(" ".join(rng.choice(few, 40)))
    (tmp_path / "text.txt").write_text("\n".join(parts))
    run = gluon_rnn.train({"task": "language_model", "output_dir": str(tmp_path / "runs"),
                           "data": {"name": "words", "path": str(tmp_path / "text.txt"), "split": [0.5, 0.25, 0.25],
                                    "batch_size": 4, "bptt": 10, "eval_batch_size": 1},
                           "model": {"embed_size": 4, "encoder": {"name": "gru", "hidden_size": 4}},
                           "training": {"epochs": 1}})
    plain = float(re.search(r"perplexity ([0-9.]+)", evaluate_run(run.path))[1])
    text = evaluate_cached(run.path, 20)
    assert text.startswith("test perplexity ") and "with a cache of 20 places, theta" in text
    assert float(re.search(r"perplexity ([0-9.]+)", text)[1]) < 0.7 * plain
    with pytest.raises(ValueError, match="at least 1, got 0"):
        evaluate_cached(run.path, 0)
    with pytest.raises(ValueError, match="goes with a language model, and the task of 'narx_narma10' is"):
        evaluate_cached("narx_narma10", 20)
