"""The classification task: batches, scores, report, baselines, a run from recipe to prediction, resume, messages.

It covers the files of the task's folder: loss, batches, predictor and report too.

Tests `gluon_rnn/metrics/classes.py`, `gluon_rnn/metrics/baselines/classes.py` and `gluon_rnn/cli/predict.py` too.
"""
import doctest
import functools
import json
import pathlib

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
import scipy.special

import gluon_rnn
from gluon_rnn import export
from gluon_rnn.config import ConfigError
from gluon_rnn.metrics import classes as class_report
from gluon_rnn.metrics.baselines import classes as baselines
from gluon_rnn.recipes import build_task
from gluon_rnn.registry import tasks
from gluon_rnn.runs import evaluate_run, load_run
from gluon_rnn.tasks.classification import task as classification
from gluon_rnn.tasks.classification.loss import ClassificationLoss, class_weights
from gluon_rnn.tasks.classification.predictor import ClassifierAssets
from gluon_rnn.training import train
from scripts import evaluate, predict
from tests.recipes import changed
from tests.reference import EXACT

pytest.importorskip("sklearn", reason="scikit-learn is not installed")

WORDS = {"good": ["fine", "great", "lovely"], "bad": ["awful", "dull", "poor"]}
FILLERS = ["the", "film", "was", "and", "very", "a"]


@pytest.fixture
def recipe(tmp_path):
    """60 sentences whose class one word decides, wherever it stands, and a model that learns them at once."""
    rng, lines = np.random.default_rng(0), []
    for number in range(60):
        label = ("good", "bad")[number % 2]
        words = rng.choice(FILLERS, rng.integers(1, 8)).tolist() + [str(rng.choice(WORDS[label]))]
        lines.append(" ".join(rng.permutation(words)) + f"\t{label}")
    (tmp_path / "films.tsv").write_text("\n".join(lines))
    return {
        "task": {"name": "classification", "selection": "accuracy"}, "output_dir": str(tmp_path / "runs"),
        "data": {"name": "labelled_text", "path": str(tmp_path / "films.tsv"), "split": [0.6, 0.2, 0.2],
                 "batch_size": 8},
        "model": {"pooling": "max", "embed_size": 8, "encoder": {"name": "lstm", "hidden_size": 8}},
        "training": {"epochs": 16, "optimizer": {"name": "adam", "learning_rate": 0.02}},
    }


@pytest.fixture
def make(recipe):
    """Return a function that gives the recipe with dotted keys changed."""
    return functools.partial(changed, recipe)


def task_of(config, ready=True):
    task = tasks.get(config.task.name)(config, **config.task.arguments)
    if ready:
        task.initialize([gluon_rnn.runtime.devices("cpu")[0]])
    return task


def test_batches_hold_every_sequence_once_with_its_target(make):
    task = task_of(make(), ready=False)
    for epoch in (0, 1):
        batches = list(task.train_batches(epoch))
        assert sum(batch.size for batch in batches) == 36 and len(batches) == len(task.train_batches(0)) == 5
        seen = []
        for batch in batches:
            inputs, lengths, targets, weights = (array.asnumpy() for array in batch.arrays)
            assert inputs.shape[1] == len(lengths) == len(targets) == batch.rows == batch.size
            assert batch.axes == (1, 0, 0, 0) and (weights == 1).all()
            seen += [(*inputs[:int(length), row], targets[row]) for row, length in enumerate(lengths)]
        want = [(*ids, target) for ids, target in zip(task.data.inputs("train"), task.data.targets("train"))]
        assert sorted(seen) == sorted(want)
    first, again, other = (np.concatenate([b.arrays[2].asnumpy() for b in task.train_batches(e)]) for e in (0, 0, 1))
    assert (first == again).all() and (first != other).any()
    assert "padding" in task.describe() and "without buckets" in task.describe()


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_loss_is_the_sum_of_smoothed_cross_entropies(make, smoothing):
    task = task_of(make({"model.encoder.dtype": "float64"}))
    batch = next(iter(task.train_batches(0)))
    logits = task.model(batch.arrays[0], None, batch.arrays[1]).asnumpy()
    scores = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    target = np.full((batch.size, 2), smoothing / 2)
    target[np.arange(batch.size), batch.arrays[2].asnumpy().astype(int)] += 1 - smoothing
    for strength in (0.0, 4.0):                                           # without dropout two runs say the same
        loss = ClassificationLoss(task.model, smoothing, strength)(*batch.arrays)
        assert loss.asscalar() == pytest.approx(-(target * scores).sum(), rel=EXACT["atol"])


def test_two_runs_under_dropout_are_held_to_one_answer(make):
    """The loss is half of the sum over both copies and a quarter of the strength times their divergence both ways."""
    task = task_of(make({"model.dropout": 0.5, "data.batch_size": 6, "model.encoder.dtype": "float64"}))
    batch = next(iter(task.train_batches(0)))
    twins = [array.repeat(2, axis=axis) for array, axis in zip(batch.arrays, batch.axes)]
    found = []
    for strength in (1e-20, 3.0):                                         # 0 would not double the batch
        mx.random.seed(0)
        with mx.autograd.train_mode():
            found.append(ClassificationLoss(task.model, r_drop=strength)(*batch.arrays).asscalar())
    mx.random.seed(0)
    with mx.autograd.train_mode():
        logits = task.model(twins[0], None, twins[1]).asnumpy()
    scores = scipy.special.log_softmax(logits, axis=1)
    one, other = scores[::2], scores[1::2]
    assert abs(one - other).max() > 1e-3
    right = scores[np.arange(len(scores)), twins[2].asnumpy().astype(int)]
    assert found[0] == pytest.approx(-right.sum() / 2, rel=EXACT["atol"])
    both_ways = ((np.exp(one) - np.exp(other)) * (one - other)).sum()
    assert found[1] - found[0] == pytest.approx(3 / 4 * both_ways, abs=EXACT["atol"])


def test_rare_classes_may_count_more(make):
    assert doctest.testmod(classification).failed == 0
    plain, half = (class_weights(np.array([0] * 16 + [1] * 4), 2, balance) for balance in (0.0, 0.5))
    assert plain.tolist() == [1, 1] and half[1] / half[0] == pytest.approx(2) and half @ [0.8, 0.2] == pytest.approx(1)
    task = task_of(make({"task.balance": 1.0, "model.encoder.dtype": "float64"}))
    batch = next(iter(task.train_batches(0)))
    losses = [task.graph(*(array[:, row:row + 1] if axis else array[row:row + 1]
                           for array, axis in zip(batch.arrays[:3], batch.axes)), mx.nd.ones(1)).asscalar()
              for row in range(batch.rows)]
    doubled = task.graph(*batch.arrays[:3], 2 * batch.arrays[3]).asscalar()
    assert doubled == pytest.approx(2 * batch.arrays[3].asnumpy() @ losses, rel=EXACT["atol"])


def test_a_class_that_training_lacks_weighs_as_one_with_one_example():
    found = class_weights(np.array([0, 0, 0, 2]), 3, balance=1.0)
    assert found == pytest.approx([2 / 3, 2, 2]) and found[[0, 0, 0, 2]].mean() == pytest.approx(1)


def test_an_ensemble_answers_with_the_mean_of_its_probabilities(make, tmp_path, capsys):
    paths = [str(train(build_task(make({"seed": seed, "training.epochs": 1, "training.report": True})), f"seed{seed}"))
             for seed in (0, 1, 2)]
    line = "the film was great"
    alone = [gluon_rnn.load(path).predict(line) for path in paths]
    ensemble = gluon_rnn.load(paths[0], ensemble=paths[1:])
    found = ensemble.predict(line)
    assert found == pytest.approx({name: np.mean([one[name] for one in alone]) for name in found}, abs=1e-9)
    assert len({one["good"] for one in alone}) == 3
    evaluate.main([paths[0], "--ensemble", *paths[1:], "--save"])
    scores = json.loads((pathlib.Path(paths[0]) / "results.json").read_text())["scores"]
    assert {"accuracy", "accuracy_of_3", "macro_f1_of_3", "loss_of_3"} <= set(scores)
    assert f"accuracy_of_3 {scores['accuracy_of_3']:.4g}" in capsys.readouterr().out
    # By hand: the log of the mean of what each of them says of the test split.
    items = pd.read_csv(pathlib.Path(paths[0]) / "predictions.csv")
    answers = ensemble.predict(items["item"].tolist())
    right = [answer[name] for answer, name in zip(answers, items["true"])]
    assert scores["loss_of_3"] == pytest.approx(-np.log(right).mean(), rel=1e-6)
    assert predict.main([paths[0], line, "--ensemble", paths[1], "--output", str(tmp_path)]) == 0
    with pytest.raises(ValueError, match="one run streams, got an ensemble of 3"):
        next(iter(ensemble.stream([line])))


def test_scores_by_hand():
    """Three classes; true 0 0 1 1, predicted 0 1 1 1: F1 is 2/3, 4/5 and 0 of the class that never occurs."""
    probabilities = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.1, 0.7, 0.2], [0.1, 0.5, 0.4]])
    scores = class_report.scores(np.array([0, 0, 1, 1]), np.log(probabilities))
    assert scores["accuracy"] == 0.75 and scores["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 3)
    assert scores["loss"] == pytest.approx(-np.log([0.8, 0.3, 0.7, 0.5]).mean())
    assert list(scores) == ["loss", "accuracy", "macro_f1"]


def test_evaluation_does_not_depend_on_batches(make):
    exact = {"model.encoder.dtype": "float64"}
    one, other = task_of(make(exact)), task_of(make({**exact, "data.eval_batch_size": 5}))
    for name, parameter in other.model._collect_params_with_prefix().items():
        parameter.set_data(one.model._collect_params_with_prefix()[name].data())
    for split in ("valid", "test"):
        first, second = one.evaluate(split), other.evaluate(split)
        assert first["accuracy"] == second["accuracy"]
        assert first["loss"] == pytest.approx(second["loss"], rel=EXACT["atol"])
    indices, scores = other.probabilities("test", limit=1)
    assert len(indices) == len(scores) == 5


def test_a_run_from_recipe_to_prediction(make, tmp_path):
    path = train(build_task(make({"training.report": True})), "films")
    results = json.loads((path / "results.json").read_text())
    assert results["scores"]["accuracy"] == 1.0 and results["split"] == "test"   # one word decides, and all are known
    assert set(results["baselines"]) == {"most frequent class", "bag-of-words logistic regression",
                                         "character n-gram logistic regression"}
    assert results["baselines"]["most frequent class"]["accuracy"] == 0.5
    assert results["baselines"]["bag-of-words logistic regression"]["accuracy"] > 0.8
    assert (path / "confusion.png").stat().st_size > 1000
    predictions = pd.read_csv(path / "predictions.csv")
    assert len(predictions) == 12 and (predictions["true"] == predictions["predicted"]).all()

    run = gluon_rnn.load(path)
    answers = run.predict(["the film was great", "a dull film"])
    assert [next(iter(answer)) for answer in answers] == ["good", "bad"]
    assert all(sum(answer.values()) == pytest.approx(1) for answer in answers)
    alone = run.predict("a dull film")
    assert alone == pytest.approx(answers[1], abs=1e-6) and set(alone) == {"good", "bad"}
    assert set(run.predict("unheard words")) == {"good", "bad"} and run.predict([]) == []
    export.export_run(run, tmp_path / "export")
    bundle = export.load(tmp_path / "export")
    assert bundle.predict("a dull film") == pytest.approx(alone, abs=1e-6)
    (tmp_path / "films.tsv").unlink()                                      # the run folder is enough
    assert next(iter(load_run(path).predict("very poor"))) == "bad"


def test_an_evaluation_of_the_run_repeats_its_scores(make):
    path = train(build_task(make({"training.epochs": 2, "task.baselines": False, "training.report": True})), "films")
    results = json.loads((path / "results.json").read_text())
    assert set(results["baselines"]) == {"most frequent class"}
    assert evaluate_run(path).startswith(f"test loss {results['scores']['loss']:.4g}, accuracy ")


def test_resumed_is_uninterrupted(make):
    changes = {"model.dropout": 0.3, "model.drop_e": 0.1, "task.baselines": False}
    whole = train(build_task(make({**changes, "training.epochs": 4})), "whole")
    half = train(build_task(make({**changes, "training.epochs": 2})), "half")
    train(build_task(make({**changes, "training.epochs": 4})), "half", resume=half)
    rows = [pd.read_csv(path / "metrics.csv").drop(columns=["seconds", "sequences_per_second", "steps_per_second"])
            for path in (whole, half)]
    pd.testing.assert_frame_equal(*rows, check_exact=True)


def test_assets_survive_their_texts(make):
    assets = task_of(make(), ready=False).assets
    texts = assets.texts()
    again = ClassifierAssets.from_texts(texts.__getitem__)
    assert again.labels == ["bad", "good"] and again.texts().keys() == texts.keys()
    assert again.reader("a great film").tolist() == assets.reader("a great film").tolist()


def test_dry_run_is_short_and_fits_nothing(make):
    path = train(build_task(make({"training.report": True})), "dry", steps=2)
    assert set(json.loads((path / "results.json").read_text())["baselines"]) == {"most frequent class"}


def test_many_classes_have_no_regressions_beside_them(make, monkeypatch, caplog):
    monkeypatch.setattr(baselines, "MOST_CLASSES", 1)
    with caplog.at_level("INFO", "gluon_rnn"):
        found = baselines.baselines(task_of(make(), ready=False).data, "valid")
    assert set(found) == {"most frequent class"} and "2 classes take one each, and more than 1 take long" in caplog.text


def test_trajectories_and_an_encoder_that_looks_ahead(make, tmp_path):
    rng = np.random.default_rng(0)
    rows = [[*rng.normal(loc=label, size=rng.integers(2, 6) * 2), label] for label in (0, 3) * 20]
    (tmp_path / "rows.csv").write_text("\n".join(",".join(map(str, row)) for row in rows))
    config = make({"data": {"name": "trajectories", "train": str(tmp_path / "rows.csv"), "valid": 0.3},
                   "model": {"pooling": "mean", "encoder": {"name": "tdnn", "hidden_size": 4, "contexts": [[-1, 1]]}},
                   "training.report": True})
    path = train(build_task(config), "rows")
    results = json.loads((path / "results.json").read_text())
    assert results["split"] == "valid" and results["scores"]["accuracy"] > 0.9
    assert "logistic regression on means and deviations" in results["baselines"]
    run = gluon_rnn.load(path)
    assert next(iter(run.predict("3.1, 2.9, 3.0, 3.2"))) == "3"
    export.export_run(run, tmp_path / "export")
    assert next(iter(export.load(tmp_path / "export").predict("3.1, 2.9, 3.0, 3.2"))) == "3"


@pytest.mark.parametrize("changes, message", [
    ({"task.selection": "f1"}, "task.selection: unknown score 'f1'; known: accuracy, loss, macro_f1"),
    ({"task.balance": 1.5}, "task.balance: expected a number from 0 to 1, got 1.5"),
    ({"task.label_smoothing": 1.0}, "task.label_smoothing must be a rate"),
    ({"task.r_drop": -1}, "task.r_drop: expected at least 0, got -1"),
    ({"data.name": "characters"}, "data.name: 'characters' has no classes; known: .*labelled_text"),
    ({"data.lowr": True}, "data.lowr: unknown key; did you mean 'lower'"),
    ({"model.pooling": "first"}, "model: pooling must be one of"),
    ({"model.num_classes": 3}, "model.num_classes: unknown key"), ({"data.num_buckets": 0}, "data.num_buckets: "),
    ({"model.input_size": 3}, "model.input_size: unknown key"),
])
def test_mistakes_are_found_before_data_are_read(make, changes, message):
    with pytest.raises(ConfigError, match=message):
        build_task(make({"data.path": "nowhere.tsv", **changes}))


def test_training_needs_a_valid_split(make, tmp_path):
    path = str(tmp_path / "films.tsv")
    with pytest.raises(ConfigError, match="data: given: train; give either path and split"):
        task_of(make({"data": {"name": "labelled_text", "train": path}}))


def test_streamed_answers_end_with_the_answer_for_the_whole(make):
    run = gluon_rnn.load(train(build_task(make({"model.pooling": "last", "model.encoder.dtype": "float64"})), "films"))
    words = ["the", "film", "was", "great"]
    streamed = list(run.stream(words))
    assert len(streamed) == 4
    for count, answer in enumerate(streamed, start=1):                     # sums in another order
        assert answer == pytest.approx(run.predict(" ".join(words[:count])), abs=EXACT["atol"])
    assert list(run.stream_answers("the film"))[1].startswith("film\t" + next(iter(streamed[1])))


def test_a_classifier_of_whole_sequences_does_not_stream(make):
    run = gluon_rnn.load(train(build_task(make({"training.epochs": 1})), "films"))
    with pytest.raises(ValueError, match="so it cannot answer step by step; train one with pooling last"):
        next(run.stream(["fine"]))


def test_fewer_training_sentences_are_drawn_by_the_seed(make):
    first, again, other = (build_task(make({"data.train_limit": 10, "seed": seed})).data.items("train")
                           for seed in (0, 0, 1))
    assert first == again != other and len(first) == len(other) == 10
    with pytest.raises(ConfigError, match="data.train_limit must be from 2, one example a class, to the 36 .* got 50"):
        build_task(make({"data.train_limit": 50}))
