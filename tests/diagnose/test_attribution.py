"""Attributions of small models of each task: sums by other calls of the model, and a linear model in closed form."""
import mxnet as mx
import numpy as np
import pandas as pd
import pytest

from gluon_rnn import recipes
from gluon_rnn.diagnose.attribution import attribute
from tests.diagnose.test_inside import task_of
from tests.test_python_api import LSTM


def log_softmax(values):
    return values - np.log(np.exp(values).sum(axis=-1, keepdims=True))


def complete(found):
    """Check that sums are differences from the baseline, and that padding has nothing."""
    assert found.found.complete
    for row, length in enumerate(found.question.lengths):
        assert not found.found.integrated[length:, row].any() and found.found.integrated[:length, row].any()
    return found


def test_a_classifier_of_texts(tmp_path):
    task = task_of("labelled_text", tmp_path)
    found = complete(attribute(task, "train"))
    ids = {token: index for index, token in enumerate(task.assets.reader.vocab.idx_to_token)}
    for row, (tokens, title) in enumerate(zip(found.question.tokens, found.question.titles)):
        scores = task.model(mx.nd.array([[ids[token]] for token in tokens], dtype="int32")).asnumpy()[0]
        assert title.startswith(f"{task.assets.labels[scores.argmax()]} with probability ")
        assert found.found.answers[row] == pytest.approx(log_softmax(scores).max(), abs=1e-5)
    table = found.table()
    assert table["token"].tolist() == sum(found.question.tokens, [])
    assert table["integrated"].sum() == pytest.approx((found.found.answers - found.found.baseline_answers).sum(),
                                                      abs=0.02 * np.abs(table["integrated"]).sum())


def test_a_classifier_of_numbers(tmp_path):
    task = task_of("trajectories", tmp_path)
    found = complete(attribute(task, "train"))
    assert set(found.table()["channel"]) == {"feature 1", "feature 2"}
    zeros = task.model(mx.nd.zeros_like(found.question.inputs), None, mx.nd.array(found.question.lengths)).asnumpy()
    for answer, scores in zip(found.found.baseline_answers, zeros):
        assert np.abs(log_softmax(scores) - answer).min() < 1e-5


def test_a_regressor_in_units_of_the_data(tmp_path):
    task = task_of("trajectory_values", tmp_path)
    found = complete(attribute(task, "train"))
    inputs, lengths = found.question.inputs, mx.nd.array(found.question.lengths)
    values = task.assets.scaler.inverse(task.model(inputs, None, lengths).asnumpy())[:, 0]
    zeros = task.assets.scaler.inverse(task.model(mx.nd.zeros_like(inputs), None, lengths).asnumpy())[:, 0]
    np.testing.assert_allclose(found.found.integrated.sum(axis=(0, 2)), values - zeros,
                               atol=0.01 * np.abs(found.found.integrated).sum(axis=(0, 2)).max())


@pytest.mark.parametrize("spells", [False, True])
def test_a_tagger_through_words_and_letters(spells, tmp_path):
    options = {"char_encoder": {"name": "lstm", "hidden_size": 3}, "char_embed_size": 2} if spells else {}
    task = task_of("conllu", tmp_path, **options)
    found = complete(attribute(task, "train"))
    groups = list(task.eval_batches("train").groups)
    rows = groups[len(groups) // 2]
    assert found.question.tokens == [list(task.data.sequences("train")[row].words) for row in rows]
    middle = (len(found.question.tokens[0]) - 1) // 2
    assert found.question.titles[0].startswith(f"{found.question.tokens[0][middle]!r} is ")
    assert (found.found.answers <= 0).all()


def test_a_language_model(tmp_path):
    task = task_of("characters", tmp_path)
    found = complete(attribute(task, "train"))
    vocab, model = task.assets.vocab, task.model
    for tokens, title, answer in zip(found.question.tokens, found.question.titles, found.found.answers):
        scores = model(mx.nd.array([[vocab[token]] for token in tokens], dtype="int32")).asnumpy()[-1, 0]
        assert title.startswith(f"next: {vocab.idx_to_token[scores.argmax()]!r}, ")
        assert answer == pytest.approx(log_softmax(scores).max(), abs=1e-5)


@pytest.fixture
def forecaster(tmp_path):
    """Return a function from a model to a forecasting task on 300 rows, with its first parameters."""
    u = np.random.uniform(-1, 1, 300)
    frame = pd.DataFrame({"u": u, "y": 7 + 3 * np.convolve(u, [0.5, 0.3, 0.2])[:300]})
    frame.to_csv(tmp_path / "plant.csv", index=False)

    def made(model):
        task = recipes.build_task(recipes.from_dict({
            "task": {"name": "forecasting"}, "model": model, "output_dir": str(tmp_path),
            "data": {"name": "time_series", "path": str(tmp_path / "plant.csv"), "split": [0.5, 0.25, 0.25],
                     "inputs": ["u"], "targets": ["y"], "bptt": 6}}))
        task.initialize([mx.cpu()])
        return task

    return made


def test_a_linear_model_of_lags_in_closed_form(forecaster):
    """y_t = a_1 y_(t-1) + a_2 y_(t-2) + b_0 u_t + b_1 u_(t-1): each lag has its weight times what was there."""
    task = forecaster({"name": "narx", "input_lag": 1, "output_lag": 2, "hidden_sizes": []})
    found = complete(attribute(task, "valid"))
    scaler, inputs = task.assets.scaler, found.question.inputs.asnumpy()
    weights = {name: parameter.data().asnumpy().ravel() for name, parameter in task.model._reg_params.items()}
    scale = float(scaler.inverse_deviations(np.ones(1))[0])
    lags = found.found.integrated[::-1]
    steps = np.abs(lags).max(axis=(1, 2)) > 1e-6
    assert steps.tolist() == [True] * 3 + [False] * (len(steps) - 3)
    x, y = (next(values for name, values in weights.items() if name.startswith(start) and name.endswith("weight"))
            for start in ("x", "y"))
    reversed_inputs = inputs[::-1]
    for lag in range(2):                                                   # the newest first
        np.testing.assert_allclose(lags[lag, :, 0], scale * x[lag] * reversed_inputs[lag, :, 0], atol=1e-5)
        np.testing.assert_allclose(lags[lag + 1, :, 1], scale * y[lag] * reversed_inputs[lag + 1, :, 1], atol=1e-5)
    np.testing.assert_allclose(found.found.integrated, found.found.gradient_input, atol=1e-5)
    shares = np.cumsum(np.abs(lags).sum(axis=(1, 2)))
    assert f"within {np.argmax(shares >= shares[-1] / 2)} steps of the prediction" in found.summary()


@pytest.mark.parametrize("model", [{"encoder": LSTM}, {"encoder": LSTM, "feedback": False},
                                   {"encoder": LSTM, "horizon": 3}])
def test_a_forecaster(model, forecaster):
    task = forecaster({"name": "forecaster", **model})
    found = attribute(task, "valid")
    assert found.by_lag and found.found.complete
    assert found.question.channels == ["u", "y, measured before"]
    inputs, washout = found.question.inputs, task.assets.washout
    if "feedback" in model:                                                # measured outputs set the first states only
        assert not found.found.integrated[washout:, :, 1].any()
    else:
        raw = task.model(inputs).asnumpy()[-1, :, -1]
        scale = float(task.assets.scaler.inverse_deviations(np.ones(1))[0])
        np.testing.assert_allclose(found.found.answers, raw * scale, rtol=1e-5)
        assert not found.found.integrated[-1, :, 1].any()                  # what is predicted was not seen
