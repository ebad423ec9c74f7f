"""Predictions of recordings: the pipeline over live networks against runs, and against equations by hand."""
import json

import mxnet as mx
import numpy as np
import pandas as pd
import pytest

from gluon_rnn.answers import open_pipeline
from gluon_rnn.answers.forecasting import SeriesAssets
from gluon_rnn.answers.scaling import Scaler
from gluon_rnn.answers.series import SeriesScaler
from gluon_rnn.models import AR, NARX, Forecaster
from gluon_rnn.nn import GRU, LSTM, TDNN
from gluon_rnn.tasks.forecasting.predictor import ForecastingPredictor
from tests.answers.networks import Linear
from tests.reference import EXACT, rounding

T, WASHOUT = 41, 7
MODELS = {
    "narx": lambda: NARX(2, 3, (4,), input_delay=1, input_size=2, output_size=2),
    "narx_skip_loop": lambda: NARX(0, 2, (4, 3), "softsign", input_size=2, output_size=2, skip=True),
    "ar": lambda: AR(3, 2),
    "gru": lambda: Forecaster(GRU(5), input_size=2, output_size=2, hidden_sizes=(4,), residual=True, input_delay=2),
    "lstm_gaussian": lambda: Forecaster(LSTM(4, num_layers=2), input_size=2, output_size=2, distribution="gaussian"),
    "gru_student": lambda: Forecaster(GRU(4), output_size=2, distribution="student_t", residual=True),
    "tdnn_quantile": lambda: Forecaster(TDNN(4, contexts=[[-2, 0]]), input_size=2, output_size=2,
                                        distribution="quantile", quantiles=[0.1, 0.3, 0.5, 0.9]),
    "gru_horizon": lambda: Forecaster(GRU(5), input_size=2, output_size=2, horizon=4, distribution="gaussian"),
    "gru_horizon_no_inputs": lambda: Forecaster(GRU(5), output_size=2, horizon=3, residual=True),
    "gru_no_feedback": lambda: Forecaster(GRU(5), input_size=2, output_size=2, feedback=False),
}


def assets(inputs, targets=2, formats=None):
    random = np.random.default_rng(5)
    scalers = [Scaler().fit([random.normal(3, 2, size=(50, columns))]) for columns in (inputs, targets)]
    names = [f"u{index}" for index in range(inputs)], [f"y{index}" for index in range(targets)]
    return SeriesAssets(SeriesScaler(*scalers, *names), WASHOUT, None, formats or {})


def run_of(*models):
    """Return a predictor of live models, as one of a run."""
    for model in models:
        model.initialize()
        for parameter in model.collect_params().values():
            parameter.set_data(mx.nd.random.uniform(-0.4, 0.4, shape=parameter.shape))
        model.hybridize()
    return ForecastingPredictor(None, None, models[0], assets(models[0].input_size), ensemble=models[1:])


def pipeline_of(run):
    return open_pipeline("forecasting", run.networks(), run.assets.texts().__getitem__,
                         json.loads(json.dumps(run.pipeline_options())))


def recording(inputs, steps=T):
    x, y = (np.random.normal(3, 2, size=(steps, columns)) for columns in (inputs, 2))
    return x if inputs else None, y


@pytest.mark.parametrize("name", MODELS)
def test_a_pipeline_predicts_what_the_run_predicts(name):
    run = run_of(MODELS[name]())
    pipeline, (x, y) = pipeline_of(run), recording(run.model.input_size)
    for steps_ahead in (1, 2, 5, 30, 50, None):
        for start in (None, WASHOUT + 4):
            got, want = (each.predict(x, y, steps_ahead, start) for each in (pipeline, run))
            assert got.shape == want.shape == (T - (start or WASHOUT), 2) and got.dtype == np.float64
            # the same calls of the same blocks; batches of other sizes may sum in another order: some ten terms a step
            np.testing.assert_allclose(got, want, rtol=0, atol=rounding("float32", 10 * T, want))


@pytest.mark.parametrize("name", MODELS)
def test_a_stream_predicts_each_row_before_its_targets_are_known(name):
    run = run_of(MODELS[name]())
    x, y = recording(run.model.input_size)
    rows = list(zip([None] * T if x is None else x, y))
    found = list(run.stream(rows))
    assert found[:WASHOUT] == [None] * WASHOUT
    want = run.predict(x, y)
    # one step a call instead of one call: some ten terms a step in another order
    np.testing.assert_allclose(found[WASHOUT:], want, rtol=0, atol=rounding("float32", 10 * T, want))
    asked_twice = list(run.stream([each for u, v in rows for each in [(u, None), (u, v)]]))
    for unmeasured, measured, once in zip(asked_twice[::2], asked_twice[1::2], found):
        np.testing.assert_array_equal(unmeasured, measured)               # the row's own y changes nothing
        np.testing.assert_array_equal(measured, once)


def test_a_stream_of_an_ensemble_is_the_median_and_wrong_rows_are_named():
    run = run_of(*(MODELS["gru"]() for _ in range(3)))
    x, y = recording(2)
    want = run.predict(x, y)
    np.testing.assert_allclose(list(run.stream(zip(x, y)))[WASHOUT:], want, rtol=0,
                               atol=rounding("float32", 10 * T, want))
    for row, message in [((None, y[0]), "x of row 1 needs 2 finite numbers, got None"),
                         ((x[0], [1.0]), r"y of row 1 needs 2 finite numbers, got \[1.0\]"),
                         ((x[0], [1.0, np.nan]), "y of row 1 needs 2 finite numbers")]:
        with pytest.raises(ValueError, match=message):
            list(run.stream([(x[0], y[0]), row]))


@pytest.mark.parametrize("name", ["narx", "gru", "gru_horizon"])
def test_what_is_not_read_may_be_missing(name):
    run = run_of(MODELS[name]())
    pipeline, (x, y) = pipeline_of(run), recording(2)
    want = pipeline.predict(x, y, None, 20)
    y[20:] = np.nan
    np.testing.assert_array_equal(pipeline.predict(x, y, None, 20), want)
    np.testing.assert_allclose(run.predict(x, y, None, 20), want, rtol=0, atol=rounding("float32", 10 * T, want))
    with pytest.raises(ValueError, match="row 20 of y is not finite, and this prediction reads the first 40 rows"):
        pipeline.predict(x, y)
    with pytest.raises(ValueError, match="first row to predict is 3, and must be at least the run's washout of 7"):
        pipeline.predict(x, y, None, 3)
    for start in (30.0, "30", True, -1):
        with pytest.raises(ValueError, match=f"start must be a whole number of at least 0, got {start!r}"):
            pipeline.predict(x, y, None, start)


@pytest.mark.parametrize("finite_memory", [True, False])
@pytest.mark.parametrize("steps_ahead", [1, 2, 6, 40, None])
def test_equations_by_hand(steps_ahead, finite_memory):
    stored = assets(1, 1)
    options = {"memory": 2, "finite_memory": finite_memory, "parameters_per_output": 2, "mean": 1, "dtype": "float64"}
    pipeline = open_pipeline("forecasting", {"open_loop": Linear(False), "closed_loop": Linear(True)},
                             stored.texts().__getitem__, options)
    x, y = (np.random.normal(size=(T, 1)) for _ in range(2))
    u, v = stored.scaler.x.transform(x)[:, 0], stored.scaler.y.transform(y)[:, 0]
    want = []
    for t in range(WASHOUT, T):
        if (t - WASHOUT) % (steps_ahead or T) == 0:
            known = list(v[:t])
        known.append(0.5 * u[t] - 0.3 * known[-1] + 0.2 * known[-2])
        want.append(known[-1])
    got = pipeline.predict(x[:, 0], y[:, 0], steps_ahead)
    np.testing.assert_allclose(got, stored.scaler.y.inverse(np.array(want)[:, None]), **EXACT)


def test_an_ensemble_predicts_the_median():
    models = [MODELS["narx"]() for _ in range(3)]
    run = run_of(*models)
    pipeline, (x, y) = pipeline_of(run), recording(2)
    members = []
    for model in models:
        run.model, run.ensemble = model, []
        members.append(pipeline_of(run).predict(x, y, None))
    np.testing.assert_allclose(pipeline.predict(x, y, None), np.median(members, axis=0), rtol=0, atol=1e-12)


def test_an_ensemble_outvotes_a_member_that_gives_nan():
    models = [MODELS["ar"]() for _ in range(3)]
    run = run_of(*models)
    models[1].collect_params()[models[1].prefix + "bias"].set_data(mx.nd.full((2,), np.nan))
    _, y = recording(0)
    pipeline, members = pipeline_of(run), []
    for model in (models[0], models[2]):
        run.model, run.ensemble = model, []
        members.append(pipeline_of(run).predict(None, y))
    found, streamed = pipeline.predict(None, y), list(pipeline.stream((None, row) for row in y))[WASHOUT:]
    # each step is a call of the network or part of one
    for got in (found, streamed):
        np.testing.assert_allclose(got, np.max(members, axis=0), rtol=0, atol=rounding("float32", 10, found))


def test_options_and_networks_are_checked():
    run = run_of(MODELS["narx"]())
    networks, read, options = run.networks(), run.assets.texts().__getitem__, run.pipeline_options()
    with pytest.raises(ValueError, match="needs the option memory"):
        open_pipeline("forecasting", networks, read)
    with pytest.raises(ValueError, match="needs the network 'closed_loop', got open_loop"):
        open_pipeline("forecasting", {"open_loop": networks["open_loop"]}, read, options)
    with pytest.raises(ValueError, match="does not answer line by line"):
        open_pipeline("forecasting", networks, read, options).answer("1,2")
    with pytest.raises(ValueError, match="the scaler was fitted on 2 columns, got shape"):
        open_pipeline("forecasting", networks, read, options).predict(np.ones((T, 3)), np.ones((T, 2)))


@pytest.mark.parametrize("name", ["narx", "gru_horizon"])
def test_columns_of_tables_are_found_by_their_names(name):
    run = run_of(MODELS[name]())
    x, y = recording(2)
    inputs, targets = run.assets.scaler.input_names, run.assets.scaler.target_names
    x_table, y_table = pd.DataFrame(x, columns=inputs), pd.DataFrame(y, columns=targets)
    for each in (run, pipeline_of(run)):
        want = each.predict(x, y)
        np.testing.assert_array_equal(each.predict(x_table[inputs[::-1]], y_table[targets[::-1]]), want)
        with pytest.raises(ValueError, match="x has no column"):
            each.predict(x_table.rename(columns={inputs[0]: "other"}), y_table)


def test_a_missing_input_is_refused_and_not_carried_into_every_prediction():
    run = run_of(MODELS["narx"]())
    x, y = recording(2)
    x[11, 1] = np.nan
    for each in (run, pipeline_of(run)):
        for steps_ahead in (1, 5, None):
            with pytest.raises(ValueError, match=r"row and column of x: the number at \[11, 1\] is nan; this"):
                each.predict(x, y, steps_ahead)
