"""Committees: the median of the members, whatever is predicted; one that goes astray is outvoted."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.data import Recording, SeriesScaler
from gluon_rnn.inference.forecast_ensemble import MedianPredictor, predictor_of
from gluon_rnn.inference.forecasts import ModelPredictor
from gluon_rnn.models import AR, NARX, Forecaster


@pytest.fixture
def recording():
    return Recording("r", np.random.uniform(-1, 1, (30, 1)), np.random.uniform(-1, 1, (30, 2)), start=6)


def initialized(model):
    model.initialize(mx.init.Uniform(0.4))
    return model


def test_one_model_is_no_committee():
    model = initialized(NARX(1, 2, input_size=1, output_size=2))
    assert isinstance(predictor_of([model], None, 2), ModelPredictor)
    assert isinstance(predictor_of([model, model], None, 2), MedianPredictor)


def test_median_of_predictions_whichever_way(recording):
    scaler = SeriesScaler.fit([recording], ["u"], ["y", "z"])
    models = [initialized(NARX(1, 2, input_size=1, output_size=2, hidden_sizes=[3])) for _ in range(4)]
    for way in (1, 5, None):
        each = np.sort([ModelPredictor(model, scaler, 2)(recording, way) for model in models], axis=0)
        np.testing.assert_allclose(predictor_of(models, scaler, 2)(recording, way), (each[1] + each[2]) / 2)


def test_median_of_horizons_and_quantiles(recording):
    models = [initialized(Forecaster(nn.GRU(4), input_size=1, output_size=2, horizon=3, distribution="gaussian"))
              for _ in range(3)]
    members, levels = [ModelPredictor(model, None, 6) for model in models], (0.1, 0.5, 0.9)
    for ask in (lambda member: member.horizons(recording, 3), lambda member: member.quantiles(recording, 1, levels),
                lambda member: member.horizon_quantiles(recording, levels)):
        found = ask(MedianPredictor(members))
        np.testing.assert_array_equal(found, np.sort([ask(member) for member in members], axis=0)[1])
    assert (np.diff(found, axis=-1) > 0).all()            # quantiles stay in their order


def test_one_that_diverges_is_outvoted(recording):
    models = [initialized(NARX(1, 2, input_size=1, output_size=2, skip=True)) for _ in range(3)]
    for parameter in models[1].collect_params().values():
        parameter.set_data(mx.nd.full(parameter.shape, 5.0))              # grows without bounds
    each = [ModelPredictor(model, None, 2)(recording, None) for model in models]
    assert abs(each[1]).max() > 1e6
    assert abs(predictor_of(models, None, 2)(recording, None)).max() <= max(abs(each[0]).max(), abs(each[2]).max())


def test_one_that_overflows_to_nan_is_outvoted():
    models = [initialized(AR(2, 1)) for _ in range(3)]
    for model, weights in zip(models, ([0.5, 0.1], [0.5, 0.2], [-3.0, 3.0])):
        model.y_weight.set_data(mx.nd.array([weights]))
    recording = Recording("r", np.zeros((290, 0)), np.random.uniform(0.5, 1, (290, 1)), start=2)
    each = [ModelPredictor(model, None, 2)(recording, None) for model in models]
    gone = np.isnan(each[2])                              # infinity less infinity
    assert gone.any()
    np.testing.assert_array_equal(predictor_of(models, None, 2)(recording, None)[gone], np.maximum(*each[:2])[gone])


def test_models_of_different_horizons_are_refused():
    models = [initialized(Forecaster(nn.GRU(4), output_size=2, horizon=horizon)) for horizon in (1, 3)]
    with pytest.raises(ValueError, match="an ensemble needs models of one horizon, got horizons 1, 3"):
        predictor_of(models, None, 6)
