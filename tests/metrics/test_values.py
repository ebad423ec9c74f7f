"""Scores of real numbers against scikit-learn's, and the baselines beside them."""
import math
from types import SimpleNamespace

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from gluon_rnn.metrics.baselines.values import baselines
from gluon_rnn.metrics.values import r2, value_scores


def test_scores_are_scikit_learns():
    rng = np.random.default_rng(0)
    measured, predicted = rng.normal(size=(2, 30, 2))
    found = value_scores(measured, predicted, ["mass", "age"])
    for column, name in enumerate(("mass", "age")):
        pair = measured[:, column], predicted[:, column]
        assert found[f"mse_{name}"] == pytest.approx(mean_squared_error(*pair), rel=1e-12)
        assert found[f"rmse_{name}"] == pytest.approx(mean_squared_error(*pair) ** 0.5, rel=1e-12)
        assert found[f"mae_{name}"] == pytest.approx(mean_absolute_error(*pair), rel=1e-12)
        assert found[f"r2_{name}"] == pytest.approx(r2_score(*pair), rel=1e-12)
    assert list(value_scores(measured[:, :1], predicted[:, :1], ["mass"])) == ["mse", "rmse", "mae", "r2"]


def test_nothing_is_explained_where_nothing_varies():
    assert math.isnan(r2(np.ones(3), np.zeros(3))) and r2(np.array([0.0, 2]), np.ones(2)) == 0


def test_baselines_find_a_linear_rule_and_the_mean():
    rng = np.random.default_rng(0)
    inputs = {name: [rng.normal(size=(rng.integers(2, 9), 2)) for _ in range(40)] for name in ("train", "test")}
    targets = {name: np.array([[3 * len(steps) - steps[-1, 0] + steps[:, 1].mean()] for steps in inputs[name]])
               for name in inputs}
    data = SimpleNamespace(inputs=inputs.get, targets=targets.get, target_names=["y"])
    found = baselines(data, "test")
    assert found["linear regression on summaries"]["mse"] < 1e-20
    want = np.mean((targets["test"] - targets["train"].mean()) ** 2)
    assert found["mean of the training targets"]["mse"] == pytest.approx(want)
    assert list(baselines(data, "test", fit=False)) == ["mean of the training targets"]
