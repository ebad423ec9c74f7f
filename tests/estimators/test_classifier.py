"""SequenceClassifier: scikit-learn's own checks, the forms of X, classes in their own type, columns by name.

Tests `base.py` too: copies, pickles, folders.
"""
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator

from gluon_rnn.estimators import SequenceClassifier

TEXTS = ["good film", "bad film", "very good", "very bad"] * 6
LABELS = [1, 0, 1, 0] * 6
FAST = {"training__eval_interval": 6}

#: checks of scikit-learn that cannot hold, with the reason
IMPOSSIBLE = {
    "check_dataframe_column_names_consistency": "columns in another order are put in order, not refused",
}


def small(**arguments):
    return SequenceClassifier(**{"hidden_size": 4, "epochs": 6, "learning_rate": 0.05, "validation_fraction": 0.3,
                                 "overrides": FAST, **arguments})


def checks():
    """Return each check once: some come again with other types of input, which no code here tells apart."""
    return list({check.func: check for _, check in estimator_checks_generator(small(hidden_size=8))}.values())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", checks(), ids=lambda check: check.func.__name__)
def test_checks_of_scikit_learn(check):
    if check.func.__name__ in IMPOSSIBLE:
        with pytest.raises(AssertionError):
            check(small(hidden_size=8))
    else:
        check(small(hidden_size=8))


@pytest.fixture(scope="module")
def fitted():
    return small(epochs=10).fit(TEXTS, LABELS)


def test_texts(fitted):
    assert fitted.classes_.tolist() == [0, 1] and fitted.predict(["good", "bad"]).tolist() == [1, 0]
    probabilities = fitted.predict_proba(["good", "bad"])
    assert probabilities.shape == (2, 2) and np.allclose(probabilities.sum(axis=1), 1)
    named = fitted.predictor_.predict("good")
    assert probabilities[0].tolist() == [named["0"], named["1"]]
    assert fitted.score(TEXTS, LABELS) == 1 and "valid_accuracy" in fitted.metrics_
    characters = small(unit="character", embed_size=3, encoder={"name": "gru"}, epochs=1).fit(TEXTS, LABELS)
    section = characters.predictor_.config
    assert section.data.arguments["unit"] == "character" and section.model.arguments["encoder"]["name"] == "gru"


def test_copies_answer_alike(fitted):
    expected = fitted.predict_proba(TEXTS[:4])
    for copy in (pickle.loads(pickle.dumps(fitted)), clone(fitted).fit(TEXTS, LABELS)):
        assert np.array_equal(copy.predict_proba(TEXTS[:4]), expected)
    assert not hasattr(fitted, "run_")


def test_a_run_stays_where_it_is_asked_for(tmp_path):
    model = small(output_dir=tmp_path, epochs=1).fit(TEXTS, LABELS)
    assert model.run_.path.parent == tmp_path and model.run_.scores == model.results_["scores"]


def test_sequences_of_different_lengths():
    rng = np.random.default_rng(0)
    y = np.array(["up", "down"] * 20)
    X = [np.cumsum(rng.standard_normal((rng.integers(5, 9), 1)) + (1 if label == "up" else -1), axis=0) for label in y]
    model = small().fit(X, y, valid=(X[:8], y[:8]))
    assert model.score(X, y) > 0.9 and model.n_features_in_ == 1 and model.classes_.tolist() == ["down", "up"]
    with pytest.raises(ValueError, match="sequence 0 must be finite numbers of the shape \\(T, 1\\)"):
        model.predict([np.zeros((3, 2))])
    with pytest.raises(ValueError, match="X is texts, and the model was fitted on sequences"):
        model.predict(["a"])
    cube = np.stack([row[:5] for row in X])
    assert small(epochs=1).fit(np.repeat(cube, 2, axis=2), y).n_features_in_ == 2


def test_columns_of_a_table_by_name():
    table = pd.DataFrame(np.random.standard_normal((30, 4)), columns=list("abcd"))
    y = np.where(table["d"] > 0, "p", "n")
    model = small(epochs=2).fit(table, y)
    assert model.feature_names_in_.tolist() == list("abcd") and model.n_features_in_ == 4
    assert np.array_equal(model.predict_proba(table[list("dbca")]), model.predict_proba(table))
    with pytest.raises(ValueError, match="X: the columns have no column 'b'; known: a, c, d"):
        model.predict(table.drop(columns="b"))


def test_mistakes_are_one_sentence():
    with pytest.raises(ValueError, match="requires y to be passed"):
        small().fit(TEXTS, None)
    with pytest.raises(ValueError, match="y holds one class"):
        small().fit(TEXTS, [0] * 24)
    with pytest.raises(ValueError, match="encoder.name: unknown encoder 'lstn'; did you mean 'lstm'"):
        small(encoder="lstn").fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match="model.encoder: this key is required"):
        SequenceClassifier(recipe={"task": "classification"}).fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match="training.epoch: unknown key"):
        small(overrides={"training__epoch": 1}).fit(TEXTS, LABELS)


def test_cross_validation():
    assert cross_val_score(small(epochs=8), TEXTS, LABELS, cv=2, error_score="raise").mean() == 1
