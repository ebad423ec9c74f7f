"""The task of label strings: batches, loss, scores, report, a run from recipe to prediction, streams, messages."""
import functools
import json

import mxnet as mx
import numpy as np
import pandas as pd
import pytest
import scipy.special

import gluon_rnn
from gluon_rnn import export
from gluon_rnn.config import ConfigError
from gluon_rnn.inference import best_path
from gluon_rnn.metrics.label_errors import string_scores
from gluon_rnn.recipes import build_task
from gluon_rnn.runs import evaluate_run, load_run
from gluon_rnn.tasks.ctc.predictor import LabelStringAssets
from gluon_rnn.training import train
from scripts import predict
from tests.recipes import changed
from tests.reference import assert_rounded, rounding
from tests.tones import PATTERN, SETTINGS, write_tones

pytest.importorskip("librosa", reason="librosa is not installed")
pytest.importorskip("rapidfuzz", reason="rapidfuzz is not installed")

#: roundings of float32 in a step: the sums of an LSTM of 12 units with 8 inputs, and of the loss or the output layer
TERMS = 12 + 8 + 12


@pytest.fixture
def make(tmp_path):
    """Return a function that gives a small recipe of strings of tones with dotted keys changed."""
    recipe = {
        "task": "ctc", "output_dir": str(tmp_path / "runs"),
        "data": {"name": "joined_audio", "path": str(write_tones(tmp_path / "tones")), "pattern": PATTERN,
                 "test": {"index": 0}, "valid": {"index": 1}, "words": [1, 3], "noise": 0.001, "train_strings": 24,
                 "valid_strings": 6, "test_strings": 10, "batch_size": 6, "eval_batch_size": 4, **SETTINGS},
        "model": {"encoder": {"name": "lstm", "hidden_size": 12}},
        "training": {"epochs": 1, "optimizer": {"name": "adam", "learning_rate": 0.02}, "clip_norm": 1.0},
    }
    return functools.partial(changed, recipe)


def task_of(config):
    task = build_task(config)
    task.initialize([mx.cpu()])
    return task


def test_batches_hold_every_string_once_with_its_labels(make):
    task = build_task(make())
    for split, batches in (("train", task.train_batches(0)), ("test", task.eval_batches("test"))):
        seen, size = [], 0
        for batch in batches:
            inputs, lengths, labels, label_lengths = (array.asnumpy() for array in batch.arrays)
            assert batch.axes == (1, 0, 0, 0) and batch.rows == batch.size == len(labels) == len(lengths)
            assert inputs.shape == (lengths.max(), batch.size, 8) and labels.shape[1] == label_lengths.max()
            seen += [tuple(row[:int(length)]) for row, length in zip(labels, label_lengths)]
            size += batch.size
        assert size == {"train": 24, "test": 10}[split]
    assert sorted(seen) == sorted(tuple(labels) for labels in task.data.targets("test"))
    strings = [[batch.arrays[2].asnumpy().tolist() for batch in task.train_batches(epoch)] for epoch in (0, 0, 1)]
    assert strings[0] == strings[1] != strings[2]                         # an epoch has its own strings, every time
    assert "padding" in task.describe() and task.data.describe() in task.describe()


def test_loss_is_the_sum_over_all_paths(make):
    """Against the forward variables of Graves et al. (2006), equations 5 to 8, in float64."""
    task = task_of(make())
    batch = next(iter(task.train_batches(0)))
    inputs, lengths, labels, label_lengths = batch.arrays
    logits = task.model(inputs, None, lengths).asnumpy().astype(np.float64)
    scores, want = scipy.special.log_softmax(logits, axis=2), 0.0
    for row in range(batch.size):
        path = [3]                                                        # the blank between all labels
        for label in labels.asnumpy()[row, :int(label_lengths.asnumpy()[row])].astype(int):
            path += [label, 3]
        alpha = np.full(len(path), -np.inf)
        alpha[:2] = scores[0, row, path[:2]]
        for step in scores[1:int(lengths.asnumpy()[row]), row]:
            before, alpha = alpha, np.empty(len(path))
            for place, label in enumerate(path):
                ways = [before[place], *before[place - 1:place]]
                if place > 1 and label not in (3, path[place - 2]):
                    ways.append(before[place - 2])
                alpha[place] = scipy.special.logsumexp(ways) + step[label]
        want -= scipy.special.logsumexp(alpha[-2:])
    assert task.graph(*batch.arrays).asscalar() == pytest.approx(want, rel=rounding("float32", 4 * len(logits)))


def test_scores_do_not_depend_on_batches_and_are_those_of_the_best_path(make):
    task = task_of(make())
    whole = task.evaluate("test")
    alone = [task.model(mx.nd.array(steps[:, None])) for steps in task.data.inputs("test")]
    recognised = [best_path(logits)[0] for logits in alone]
    right = [tuple(labels.tolist()) for labels in task.data.targets("test")]
    assert whole == {"loss": whole["loss"], **string_scores(right, recognised)}
    losses = [task.loss_of_each(logits, mx.nd.array([labels]), mx.nd.array([len(logits)]), mx.nd.array([len(labels)]))
              for logits, labels in zip(alone, right)]
    assert whole["loss"] == pytest.approx(np.mean([loss.asscalar() for loss in losses]),
                                         rel=rounding("float32", TERMS * max(map(len, alone))))
    assert len(task.recognised("test", limit=1).rows) == 4


@pytest.fixture
def trained(make):
    changes = {"training.epochs": 12, "training.eval_interval": 6, "data.train_strings": 60, "training.report": True}
    return train(build_task(make(changes)), "tones")


def test_a_run_from_recipe_to_prediction(trained, make, tmp_path, capsys):
    results = json.loads((trained / "results.json").read_text())
    scores, others = results["scores"], results["baselines"]
    assert results["split"] == "test" and scores["label_error_rate"] < 0.1 and scores["beam_label_error_rate"] < 0.1
    assert set(others) == {"most frequent label", "the same, by duration", "frequencies"}
    assert others["most frequent label"]["label_error_rate"] > 0.4 and others["frequencies"]["loss"] > scores["loss"]
    table = pd.read_csv(trained / "predictions.csv", dtype=str)
    assert len(table) == 10
    again = string_scores([row.split() for row in table["true"]], [row.split() for row in table["beam"]])
    assert {f"beam_{name}": value for name, value in again.items()}.items() <= scores.items()
    assert evaluate_run(trained).startswith(f"test loss {scores['loss']:.4g}, label_error_rate ")

    files = sorted((trained / "strings").glob("*.wav"))
    assert len(files) == 3
    run = gluon_rnn.load(trained)
    for file, beam in zip(files, table["beam"]):
        answer = run.predict(str(file))
        assert answer["labels"] == beam.split() and -20 < answer["score"] < 0
    assert run.predict([str(file) for file in files])[2] == answer and run.predict([]) == []
    assert predict.main([str(trained), str(files[0])]) == 0
    assert capsys.readouterr().out == table["beam"][0] + "\n"
    bundle = _exported(run, tmp_path)
    frames = run.assets.reader(str(files[0]))
    logits = bundle(mx.nd.array(frames[:, None])).asnumpy()
    assert_rounded([logits], [run.model(mx.nd.array(frames[:, None]))], TERMS * len(frames))
    assert bundle.predict(str(files[0]))["labels"] == run.predict(str(files[0]))["labels"]


def _exported(run, tmp_path):
    export.export_run(run, tmp_path / "export")
    return export.load(tmp_path / "export")


def test_streamed_labels_are_those_of_the_best_path(trained, capsys):
    run, file = gluon_rnn.load(trained), next(iter((trained / "strings").glob("*.wav")))
    frames = run.assets.reader(str(file))
    streamed = list(run.stream(frames))
    assert len(streamed) == len(frames)
    want = [run.assets.labels[label] for label in best_path(run.model(mx.nd.array(frames[:, None])))[0]]
    assert [label for begun in streamed for label in begun] == want
    assert [label for begun in run.stream(np.array_split(frames, 5)) for label in begun] == want
    assert predict.main([str(trained), str(file), "--stream"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    times = [float(time.removesuffix(" s")) for time, _ in lines]
    assert [label for _, label in lines] == want and times == sorted(times)
    step = next(number for number, begun in enumerate(streamed) if begun)
    assert times[0] == pytest.approx(step * 0.016, abs=0.005)


def test_a_model_that_looks_ahead_does_not_stream(make):
    run = gluon_rnn.load(train(build_task(make({"model.encoder.bidirectional": True})), "tones", steps=2))
    with pytest.raises(ValueError, match="cannot answer step by step; train one with an encoder that reads forwards"):
        next(run.stream([np.zeros(8)]))


def test_resumed_is_uninterrupted(make):
    changes = {"model.dropout": 0.3, "data.augment": {"stretch": 0.1, "speeds": [0.9, 1.1]}}
    whole = train(build_task(make({**changes, "training.epochs": 3})), "whole")
    half = train(build_task(make({**changes, "training.epochs": 1})), "half")
    train(build_task(make({**changes, "training.epochs": 3})), "half", resume=half)
    rows = [pd.read_csv(path / "metrics.csv").drop(columns=["seconds", "strings_per_second", "steps_per_second"])
            for path in (whole, half)]
    pd.testing.assert_frame_equal(*rows, check_exact=True)


def test_the_run_folder_is_enough(make, tmp_path):
    path = train(build_task(make()), "tones", steps=2)
    assert json.loads((path / "results.json").read_text())["baselines"] == {}              # a dry run fits nothing
    file = tmp_path / "tone.wav"
    file.write_bytes((tmp_path / "tones" / "0_ann_0.wav").read_bytes())
    for old in (tmp_path / "tones").iterdir():
        old.unlink()
    run = load_run(path)
    assert set(run.predict(str(file))) == {"labels", "score"}
    assert run.predict(file.read_bytes()) == run.predict(str(file))
    again = LabelStringAssets.from_texts(run.assets.texts().__getitem__)
    assert again.texts() == run.assets.texts() and again.labels == ["0", "1", "2"]
    with pytest.raises(ValueError, match="form no ensemble"):
        load_run(path, ensemble=[path])


@pytest.mark.parametrize("changes, message", [
    ({"task": {"name": "ctc", "selection": "cer"}}, "task.selection: unknown score 'cer'; known: label_error_rate, "),
    ({"task": {"name": "ctc", "beam_size": 0}}, "task.beam_size must be a whole number"),
    ({"data": {"name": "audio_folder", "path": "nowhere", "pattern": PATTERN}},
     "data.name: 'audio_folder' has no label strings; known: joined_audio"),
    ({"data.word": [1, 2]}, "data.word: unknown key; did you mean 'words'"),
    ({"model.num_labels": 3}, "model.num_labels: unknown key"), ({"model.dropout": 1.0}, "model: dropout must be"),
    ({"data.num_buckets": 0}, "data.num_buckets: ")])
def test_mistakes_are_found_before_data_are_read(make, changes, message):
    with pytest.raises(ConfigError, match=message):
        build_task(make({"data.path": "nowhere", **changes}))
