"""The pipeline of regressors: values by hand in units of the targets, streams, ensembles, a live model."""
import mxnet as mx
import numpy as np
import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.answers import open_pipeline
from gluon_rnn.answers.regression import ValueAssets
from gluon_rnn.answers.scaling import Scaler
from gluon_rnn.answers.trajectories import TrajectoryReader
from gluon_rnn.inference.live import LiveNetwork
from gluon_rnn.models import SequenceRegressor
from gluon_rnn.nn import GRU
from gluon_rnn.tasks.regression.predictor import RegressionPredictor
from tests.answers.networks import RunningSums

#: of values up to 20 from float32 sums of three products
ROUNDING = {"abs": 1e-5}
ASSETS = ValueAssets(["sum", "half"], Scaler().fit([np.array([[1.0, 0], [5, 4]])]), TrajectoryReader(1, [1.0], [2.0]))
WEIGHT = np.array([[1.0, 0.5]])


def open_values(*weights):
    networks = [RunningSums(weight, many_to_one=True) for weight in weights or [WEIGHT]]
    return open_pipeline("regression", {"model": networks}, ASSETS.texts().__getitem__)


def by_hand(row, weight=WEIGHT):
    total = sum((x - 1) / 2 for x in row)
    return {"sum": 3 + 2 * total * weight[0, 0], "half": 2 + 2 * total * weight[0, 1]}


def test_rows_of_different_lengths_in_batches_of_two():
    rows = [(3.0,), (1.0, 2.5, 7.0), (0.0, 0.0)]
    for row, found in zip(rows, open_values().predict(rows, batch_size=2)):
        assert found == pytest.approx(by_hand(row), **ROUNDING)
    assert open_values().predict("1, 2.5, 7") == pytest.approx(by_hand(rows[1]), **ROUNDING)
    assert open_values(WEIGHT, 3 * WEIGHT).predict(rows[1]) == pytest.approx(by_hand(rows[1], 2 * WEIGHT), **ROUNDING)
    assert open_values().answer("3") == "sum 5, half 3"


def test_values_after_each_step():
    row = (1.0, 2.5, 7.0)
    found = list(open_values().stream(ASSETS.reader(row)))
    for step in (1, 2, 3):
        assert found[step - 1] == pytest.approx(by_hand(row[:step]), **ROUNDING)
    assert list(open_values().stream_answers("3,3")) == ["1\tsum 5, half 3", "2\tsum 7, half 4"]
    with pytest.raises(ValueError, match="one run streams, got an ensemble of 2"):
        next(open_values(WEIGHT, WEIGHT).stream(ASSETS.reader(row)))


def test_a_live_model_answers_as_its_own_call():
    model = SequenceRegressor(GRU(4), 2, input_size=1)
    model.initialize(mx.init.Normal(1))
    run = RegressionPredictor(None, None, model, ASSETS)
    rows = [(3.0,), (1.0, 2.5, 7.0)]
    for row, found in zip(rows, run.predict(rows)):
        scaled = model(mx.nd.array((np.array(row)[:, None, None] - 1) / 2))[0].asnumpy()
        assert found == pytest.approx(dict(zip(ASSETS.target_names, [3, 2] + 2 * scaled)), **ROUNDING)
    bundle = open_pipeline("regression", {"model": LiveNetwork(model)}, ASSETS.texts().__getitem__,
                           run.pipeline_options())
    assert bundle.predict(rows) == run.predict(rows)
    assert list(bundle.stream(ASSETS.reader(rows[1]))) == list(run.stream(ASSETS.reader(rows[1])))
