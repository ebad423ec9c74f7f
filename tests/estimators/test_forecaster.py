"""Forecaster: against the run that it is made of, in searches and cross-validation, as users of SysIdentPy know it."""
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator

import gluon_rnn
from gluon_rnn.estimators import Forecaster

NEEDS_Y = "it calls predict(X), and a prediction needs measured outputs"
SHORT = "its records are too short for lags, windows and the linear model to compare with"
#: checks of scikit-learn that cannot hold, with the reason
IMPOSSIBLE = {
    **dict.fromkeys(["check_dtype_object", "check_estimators_pickle", "check_f_contiguous_array_estimator",
                     "check_regressors_train", "check_regressor_data_not_an_array", "check_supervised_y_2d",
                     "check_regressors_int", "check_methods_sample_order_invariance", "check_dict_unchanged",
                     "check_methods_subset_invariance", "check_fit_idempotent", "check_fit2d_predict1d",
                     "check_readonly_memmap_input", "check_array_api_input", "check_pipeline_consistency",
                     "check_n_features_in_after_fitting", "check_fit_check_is_fitted",
                     "check_estimators_unfitted"], NEEDS_Y),
    **dict.fromkeys(["check_positive_only_tag_during_fit", "check_estimators_dtypes", "check_fit2d_1sample",
                     "check_regressors_no_decision_function", "check_requires_y_none"], SHORT),
    "check_estimators_nan_inf": "what a missing value means is a key of the recipe, and its sentence says so",
    "check_dataframe_column_names_consistency": "columns in another order are put in order, not refused",
}


def checks():
    return [check for _, check in estimator_checks_generator(Forecaster())
            if check.func.__name__ not in IMPOSSIBLE]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("check", checks(), ids=lambda check: check.func.__name__)
def test_checks_of_scikit_learn(check):
    check(small(overrides={"data__bptt": 2, "training__eval_interval": 2}))


def small(**arguments):
    return Forecaster(**{"hidden_size": 3, "epochs": 2, **arguments})


@pytest.fixture(scope="module")
def system():
    """Return inputs (T, 2) and outputs (T,) of y_t = 0.5 y_{t-1} - 0.3 y_{t-2} + u_t - 0.5 v_{t-1}."""
    rng = np.random.default_rng(0)
    u, y = rng.uniform(-1, 1, (200, 2)), np.zeros(200)
    for t in range(2, 200):
        y[t] = 0.5 * y[t - 1] - 0.3 * y[t - 2] + u[t, 0] - 0.5 * u[t - 1, 1]
    return u, y


@pytest.fixture(scope="module")
def fitted(system):
    return small().fit(*system)


def test_predictions_are_those_of_the_run(fitted, system, tmp_path):
    u, y = system
    model = small(output_dir=tmp_path).fit(u, y)
    run = gluon_rnn.Run(model.run_.path)
    for steps in (1, 4, None):
        found = model.predict(u, y, steps_ahead=steps)
        assert np.array_equal(found[2:], run.predict(u, y, steps_ahead=steps)[:, 0])
        assert np.array_equal(found[:2], y[:2])
        assert np.array_equal(found, fitted.predict(u, y, steps_ahead=steps))
    assert model.washout_ == 2 and model.score(u, y) == r2_score(y[2:], model.predict(u, y)[2:]) > 0.99
    assert model.score(u, y, steps_ahead=1) > model.score(u, y) - 1e-3


def test_a_free_run_reads_the_first_outputs_only(fitted, system):
    u, y = system
    assert np.array_equal(fitted.predict(u, y[:2]), fitted.predict(u, y))
    with pytest.raises(ValueError, match="y has 1 rows, and a prediction begins from the first 2"):
        fitted.predict(u, y[:1])
    with pytest.raises(ValueError, match="predict needs y"):
        fitted.predict(u)
    with pytest.raises(ValueError, match="y has 200 rows and X has 199"):
        fitted.predict(u[1:], y)
    with pytest.raises(ValueError, match="X is None, and the model has 2 inputs"):
        fitted.predict(None, y)
    with pytest.raises(ValueError, match="X has 1 features, but Forecaster is expecting 2"):
        fitted.predict(u[:, :1], y)


def test_an_autoregression_forecasts_behind_its_record():
    y = np.sin(np.arange(120) * 0.3)
    model = Forecaster("ar", output_lag=2, epochs=1).fit(None, y)
    found = model.predict(None, y[:60], forecast_horizon=5)
    assert len(found) == 65 and np.allclose(found[60:], y[60:65], atol=1e-3) and np.array_equal(found[:60], y[:60])
    assert model.n_features_in_ == 0


def test_columns_by_name_and_several_outputs(system):
    u, y = system
    table, outputs = pd.DataFrame(u, columns=["u", "v"]), pd.DataFrame({"y": y, "z": 2 * y})
    model = small(epochs=1).fit(table, outputs)
    assert model.feature_names_in_.tolist() == ["u", "v"]
    assert model.predictor_.assets.scaler.input_names == ["u", "v"]
    assert model.predictor_.assets.scaler.target_names == ["y", "z"]
    found = model.predict(table[["v", "u"]], outputs)
    assert found.shape == (200, 2) and np.array_equal(found, model.predict(table, outputs))
    with pytest.raises(ValueError, match="X: the inputs have no column 'v'; known: u"):
        model.predict(table[["u"]], outputs)


def test_recordings_encoders_and_recipes(system):
    u, y = system
    several = small(encoder="gru", epochs=1).fit([u[:100], u[100:]], [y[:100], y[100:]], valid=(u, y))
    assert several.predictor_.config.model.name == "forecaster"
    assert len(several.predictor_.config.data.arguments["train"]) == 2
    with pytest.raises(ValueError, match="the model 'ar' has no hidden layer"):
        small(model="ar").fit(None, y)
    with pytest.raises(ValueError, match="2 recordings of y need a list of as many of X"):
        small().fit(u, [y, y])
    packaged = Forecaster(recipe="identify/gas_furnace_narx", epochs=1, overrides={"data__bptt": 10}).fit(u, y)
    assert packaged.predictor_.config.model.name == "narx" and packaged.results_["epochs"] == 1


def test_copies(fitted, system):
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict(*system), fitted.predict(*system))
    assert clone(fitted).set_params(output_lag=3).get_params()["output_lag"] == 3


def test_cross_validation_and_search(system):
    u, y = system
    split = TimeSeriesSplit(2)
    assert cross_val_score(small(), u, y, cv=split, error_score="raise").min() > 0.9
    search = GridSearchCV(small(), {"output_lag": np.array([1, 2])}, cv=split, error_score="raise").fit(u, y)
    assert search.best_params_ == {"output_lag": 2} and search.score(u, y) > 0.99


@pytest.mark.slow
def test_a_search_in_parallel_finds_what_it_finds_alone(system):
    def scores(jobs):
        search = GridSearchCV(small(epochs=1), {"output_lag": [1, 2]}, cv=TimeSeriesSplit(2), n_jobs=jobs, refit=False,
                              error_score="raise")
        return search.fit(*system).cv_results_["mean_test_score"]
    assert np.array_equal(scores(2), scores(None))


@pytest.mark.real_data
def test_a_search_on_the_gas_furnace(data_root):
    table = pd.read_csv(next((data_root / "sysid" / "gas_furnace").glob("*.csv")))
    u, y = table.iloc[:, [0]], table.iloc[:, 1]
    search = GridSearchCV(small(), {"input_lag": [1, 6]}, cv=TimeSeriesSplit(2), error_score="raise").fit(u, y)
    assert search.best_params_ == {"input_lag": 6}                        # the gas acts after some 27 s, three rows


def test_without_scikit_learn_one_sentence_says_what_to_install():
    code = "import sys; sys.modules['sklearn'] = None\nimport gluon_rnn.estimators"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stderr.strip().endswith("gluon_rnn.estimators needs scikit-learn; install gluon_rnn[data]")
