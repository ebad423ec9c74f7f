"""All instruments on small models of each task, those without states among them, and the command.

Tests `gluon_rnn/diagnose/diagnosis.py`, `gluon_rnn/diagnose/problems.py`, `gluon_rnn/cli/diagnose.py` and
`scripts/diagnose.py`; what looks inside states is tested in `tests/diagnose`.
"""
import mxnet as mx
import numpy as np
import pandas as pd
import pytest

import scripts.diagnose
from gluon_rnn import diagnose, diagnostics, recipes
from gluon_rnn.cli.main import main
from tests.data.small_files import write_files
from tests.recipes import make_config  # noqa: F401  a fixture
from tests.test_python_api import CONDITIONAL, KINDS, LSTM, recipe_of, with_paths

GATES = ["layer 1 forget", "layer 1 input", "layer 1 output"]


def problem(config, split="valid", steps=None):
    """Return the problem of a task that has its first parameters."""
    task = recipes.build_task(config)
    task.initialize([mx.cpu()])
    return diagnose.problem_of(task, split, steps)


def small(name, folder, kind=None, **model):
    """Return the recipe of a small task of `tests/test_python_api.py`, its model changed."""
    recipe = with_paths(recipe_of(name, kind or KINDS[name], folder), write_files(folder))
    recipe["model"].update(model)
    return recipes.from_dict(recipe)


@pytest.mark.parametrize("name, model, at_last", [
    ("characters", {}, True), ("labelled_text", {}, True), ("labelled_text", {"pooling": "mean"}, False),
    ("trajectories", {}, True), ("trajectory_values", {}, True), ("parallel_text", {}, False),
    ("conditional", {}, True),
    ("conllu", {"encoder": {**LSTM, "bidirectional": False}}, True),
    ("conllu", {"encoder": {"name": "peephole_lstm", "hidden_size": 3}}, True)])
def test_a_small_lstm_of_each_task(name, model, at_last, tmp_path):
    name, kind = ("labelled_text", CONDITIONAL) if name == "conditional" else (name, KINDS[name])
    posed = problem(small(name, tmp_path, kind, **model))
    assert posed.at_last is at_last and posed.bptt == (5 if name == "characters" else None)
    found = diagnose.examine(posed)
    assert list(found.parts) == ["gradient", "jacobian", "gates", "truncation"] and not found.left_out
    assert list(found.gradient.norms) == ["layer 1 h", "layer 1 c"] and list(found.gates.mean) == GATES
    assert found.gradient.quantile("layer 1 h", 0.5)[0] > 0
    assert found.truncation.cosine[-1] == pytest.approx(1)


FORECASTER = {"lstm": {"name": "forecaster", "encoder": LSTM}, "jordan": {"name": "forecaster", "encoder": {
    "name": "jordan", "hidden_size": 4}}, "simulation": {"name": "forecaster", "encoder": LSTM, "feedback": False},
    "horizon": {"name": "forecaster", "encoder": LSTM, "horizon": 2}}


@pytest.fixture
def series(tmp_path):
    """Return a function from a model to the recipe of a forecasting task on 120 rows."""
    u = np.random.uniform(-1, 1, 240)
    pd.DataFrame({"u": u, "y": np.convolve(u, [0.5, 0.3, 0.2])[:240]}).to_csv(tmp_path / "plant.csv", index=False)
    return lambda model: recipes.from_dict({
        "task": {"name": "forecasting", "washout": 3}, "model": model, "output_dir": str(tmp_path),
        "data": {"name": "time_series", "path": str(tmp_path / "plant.csv"), "split": [0.5, 0.25, 0.25],
                 "inputs": ["u"], "targets": ["y"], "bptt": 6, "batch_size": 2, "eval_batch_size": 2}})


@pytest.mark.parametrize("name", FORECASTER)
def test_forecasters(name, series):
    posed = problem(series(FORECASTER[name]))
    found = diagnose.examine(posed)
    assert posed.at_last and found.truncation.bptt == 6
    assert found.truncation.steps == 3 + 24 and 6 in found.truncation.k  # washout, and 4 times bptt
    assert found.gradient.norms["layer 1 output" if name == "jordan" else "layer 1 h"].shape == (27, 16)
    assert found.left_out == (["Jordan has no gates; their saturation is left out"] if name == "jordan" else [])


@pytest.mark.parametrize("model, sentence", [
    ({"name": "narx", "input_lag": 1, "output_lag": 2}, "NARX has no recurrent states: what it looks"),
    ({"name": "forecaster", "encoder": {"name": "tdnn", "hidden_size": 3}}, "TDNN has no recurrent states")])
def test_models_without_states_are_left_out_in_a_sentence(model, sentence, series):
    try:
        found = diagnose.examine(problem(series(model)))
        assert not found.parts and len(found.left_out) == 1
        text = found.summary()
    except diagnostics.NotRecurrentError as error:
        text = str(error)
    assert text.startswith(sentence)


def test_a_bidirectional_tagger_is_left_out(tmp_path):
    encoder = {"name": "lstm", "hidden_size": 3, "bidirectional": True}
    found = diagnose.examine(problem(small("conllu", tmp_path, encoder=encoder)))
    assert not found.parts and found.summary().startswith("LSTM reads sequences from both ends")


def test_steps(make_config, tmp_path):  # noqa: F811
    posed = problem(make_config(), steps=25)
    assert diagnose.examine(posed).truncation.steps == 25 and posed.bptt == 10
    with pytest.raises(ValueError, match="steps must be from 2 to the [0-9]+ that the data have room for, got 1"):
        problem(make_config(), steps=1)
    with pytest.raises(ValueError, match="steps are for language models and forecasters, and the task here is"):
        problem(small("conllu", tmp_path), steps=7)


def test_the_loss_of_the_last_step_is_that_of_its_token_alone(make_config):  # noqa: F811
    """The gradient by the last output of the encoder, from scores and softmax in NumPy."""
    posed = problem(make_config({"model.dropout": 0, "model.encoder.num_layers": 1}), steps=12)
    found, seen = diagnose.examine(posed).gradient, []
    original = posed.model.loss

    def noted(tokens, target, states, *arrays, **options):
        seen.extend([posed.model.hidden_and_scores(tokens, states)[1].asnumpy()[-1], target.asnumpy()[-1]])
        return original(tokens, target, states, *arrays, **options)

    posed.model.loss = noted
    posed.loss()
    scores, target = seen
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    chances[np.arange(len(target)), target] -= 1
    expected = np.linalg.norm(chances @ posed.model.output_weight.data().asnumpy(), axis=1)
    np.testing.assert_allclose(found.norms["layer 1 h"][0], expected, rtol=1e-4)


def test_the_command_on_a_model_of_the_zoo(tmp_path, capsys):
    assert main(["diagnose", "elman_grammar", "--data", "valid", "--steps", "40", "--output", str(tmp_path / "a")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:25] for line in lines] == [
        "layer 1 h: the gradient c", "layer 1: spectral radius ", "your bptt of 35 is long e",
        "mean states of 29 words o",
        "nearest vectors, by cosin", lines[5][:25], lines[6][:25], "saliency of 6 answers, lo",
        "RNN has no gates; their s"]
    assert lines[5].startswith("layer 1 h, unit ") and lines[6].startswith("layer 1 h, unit ")
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(
        [f"{name}.{kind}" for kind in ("csv", "png") for name in diagnose.INSTRUMENTS if name != "gates"]
        + ["states_dendrogram.png", "states_linkage.csv", "embeddings_neighbours.csv", "units.html", "saliency.html"])
    table = pd.read_csv(tmp_path / "a" / "gradient.csv")
    assert table["lag"].tolist() == list(range(40)) and (table["rows"] == 16).all()
    assert pd.read_csv(tmp_path / "a" / "truncation.csv")["k"].tolist() == [1, 2, 4, 8, 16, 32, 35, 40]
    pairs = pd.read_csv(tmp_path / "a" / "states_linkage.csv")
    assert ["dragon", "lion"] in pairs[["left", "right"]].apply(sorted, axis=1).tolist()       # the same follows them


def test_some_instruments_alone(tmp_path, capsys):
    words = ["cat", "dog", "eat"]
    options = ["--only", "embeddings", "--words", *words, "--output", str(tmp_path)]
    assert main(["diagnose", "elman_grammar", *options]) == 0
    assert capsys.readouterr().out.startswith("nearest vectors, by cosine")
    assert pd.read_csv(tmp_path / "embeddings.csv")["word"].tolist() == words
    with pytest.raises(ValueError, match="there is no instrument 'state'; did you mean 'states'"):
        diagnose.diagnose("elman_grammar", only=["state"])


def test_the_command_knows_all_instruments():
    from gluon_rnn.cli.diagnose import INSTRUMENTS                        # written again there: help loads no MXNet
    assert INSTRUMENTS == diagnose.INSTRUMENTS


def test_the_module_is_the_command(capsys):
    with pytest.raises(SystemExit):
        scripts.diagnose.main(["--help"])
    assert "python -m scripts.diagnose runs/quickstart-1 --data valid" in capsys.readouterr().out
