"""The conditional language-model task: batches, words learnt by heart and drawn, tunes scored, prediction.

It covers the files of the task's folder: loss, batches, predictor and report too.

Tests `gluon_rnn/metrics/tunes.py` too.
"""
import functools
import json

import mxnet as mx
import numpy as np
import pytest

import gluon_rnn
from gluon_rnn.answers.conditional_language_model import ConditionalLanguageModelPipeline
from gluon_rnn.config import ConfigError
from gluon_rnn.metrics.tunes import phrases_copied, score_tunes
from gluon_rnn.models import ConditionalLanguageModel
from gluon_rnn.nn import GRU
from gluon_rnn.recipes import build_task
from gluon_rnn.registry import tasks
from gluon_rnn.tasks.conditional_language_model import predictor as conditional
from gluon_rnn.tasks.conditional_language_model.loss import ConditionalLoss
from gluon_rnn.tasks.conditional_language_model.report import classes_in_proportion
from gluon_rnn.training import train
from tests.recipes import changed
from tests.reference import EXACT

NAMES = {"Irish": "Murphy", "Italian": "Rossi", "Polish": "Nowak"}


@pytest.fixture
def make_config(tmp_path):
    path = tmp_path / "names.tsv"
    path.write_text("".join(f"{name}\t{label}\n" for label, name in NAMES.items()) * 20, encoding="utf-8")
    recipe = {"task": {"name": "conditional_language_model", "samples": 9, "temperature": 0.3},
              "output_dir": str(tmp_path / "runs"),
              "data": {"name": "labelled_text", "train": str(path), "valid": str(path), "unit": "character",
                       "batch_size": 10, "eval_batch_size": 30},
              "model": {"embed_size": 8, "encoder": {"name": "gru", "hidden_size": 24}},
              "training": {"epochs": 12, "optimizer": {"name": "adam", "learning_rate": 0.02}, "clip_norm": 1.0}}

    return functools.partial(changed, recipe)


def make_task(config):
    task = tasks.get(config.task.name)(config, **config.task.arguments)
    task.initialize([mx.cpu()])
    return task


def test_names_learnt_by_heart_and_drawn_by_class(make_config):
    path = train(build_task(make_config({"training.report": True})), "names")
    results = json.loads((path / "results.json").read_text())
    assert results["scores"]["loss"] < 0.1
    assert results["scores"]["finished"] == results["scores"]["copied"] == 1
    assert (path / "samples.txt").read_text(encoding="utf-8") == "".join(
        f"{label}\t{name}\n" * 3 for label, name in NAMES.items())
    run = gluon_rnn.load(path)
    for label, name in NAMES.items():
        assert run.predict(label, count=2) == [name, name]
    with pytest.raises(ValueError, match="no class 'Polnish'; did you mean 'Polish'?"):
        run.predict("Polnish")


def test_batches_and_loss(make_config):
    task = make_task(make_config({"model.encoder.dtype": "float64"}))
    boundary = len(task.assets.vocab)
    batches = list(task.train_batches(0))
    assert sum(batch.rows for batch in batches) == 60
    assert sum(batch.size for batch in batches) == 20 * (len("MurphyRossiNowak") + 3)
    for batch in batches:
        tokens, wanted, lengths, classes = (array.asnumpy() for array in batch.arrays)
        assert (tokens[0] == boundary).all()
        for row, length in enumerate(lengths.astype(int)):
            assert wanted[length - 1, row] == boundary
            text = task.assets.join(int(index) for index in wanted[:length - 1, row])
            assert text == NAMES[task.assets.labels[int(classes[row])]]
            assert (tokens[1:length, row] == wanted[:length - 1, row]).all()
    log_probs = mx.nd.log_softmax(task.model(batch.arrays[0], task.model.states_for(batch.arrays[3]))[0]).asnumpy()
    want = -sum(log_probs[t, row, int(wanted[t, row])] for row in range(batch.rows) for t in range(int(lengths[row])))
    assert task.graph(*batch.arrays).asscalar() == pytest.approx(want, rel=EXACT["atol"])
    assert isinstance(task.graph, ConditionalLoss)


def test_classes_are_drawn_as_often_as_in_training(make_config, tmp_path):
    path = tmp_path / "uneven.tsv"
    path.write_text("a\tA\n" * 30 + "b\tB\n" * 10, encoding="utf-8")
    task = make_task(make_config({"data.train": str(path), "data.valid": str(path), "task.samples": 20}))
    assert np.bincount(classes_in_proportion(task, 20)).tolist() == [15, 5]


TUNE = "L:1/8\nK:G\n" + "GAB|" * 8


def test_tunes_are_scored_and_written(make_config, tmp_path):
    pytest.importorskip("music21", reason="music21 is in the extra music")
    path = tmp_path / "tunes.abc"
    text = "".join(f"X:{n}\nM:{metre}\n{TUNE if metre == '3/8' else TUNE.replace('GAB|', 'G2AB|')}\n\n"
                   for n in range(10) for metre in ("3/8", "2/4"))
    path.write_text(text, encoding="utf-8")
    config = make_config({"training.report": True,
                          "data": {"name": "abc_tunes", "train": str(path), "valid": str(path), "batch_size": 4},
                          "training.epochs": 1, "task.samples": 4, "task.max_length": 40})
    folder = train(build_task(config), "tunes")
    results = json.loads((folder / "results.json").read_text())
    assert results["baselines"]["tunes of valid and test"]["keeps_metre"] == 1
    assert set(results["scores"]) == {"loss", "bits", "finished", "copied", "parses", "keeps_metre", "right_bars",
                                      "phrases_copied"}
    rows = (folder / "tunes.csv").read_text().split("\n")
    assert rows[0] == "tune,parses,keeps_metre,bars,full_bars,reason" and len(rows) == 6
    assert (folder / "tunes.abc").read_text().count("X:") == sum("has no end" not in row for row in rows[1:5])


def test_tunes_are_predicted_and_written(make_config, tmp_path, monkeypatch):
    pytest.importorskip("music21", reason="music21 is in the extra music")
    monkeypatch.setattr(ConditionalLanguageModelPipeline, "draw", lambda *_, **__: [(TUNE, True), (TUNE[:-1], True)])
    assets = conditional.ConditionalAssets(None, ["3/8"], "character", True)
    run = conditional.ConditionalPredictor(tmp_path, make_config(), None, assets)
    texts = run.predict("3/8", count=2, path=tmp_path / "tune.abc", midi=tmp_path / "tune.mid")
    assert texts == [f"X:1\nT:Untitled\nM:3/8\n{TUNE}\n", f"X:2\nT:Untitled\nM:3/8\n{TUNE[:-1]}\n"]
    assert (tmp_path / "tune.abc").read_text() == "\n".join(texts)
    assert (tmp_path / "tune.mid").read_bytes()[:4] == b"MThd"


def test_shares_of_tunes():
    pytest.importorskip("music21", reason="music21 is in the extra music")
    good = f"X:1\nM:3/8\n{TUNE}\n"
    checks, shares = score_tunes([good, good.replace("GAB|", "GA|", 1).replace("GAB", "AB", 1), None, good])
    assert [bool(check and check.keeps_metre) for check in checks] == [True, False, False, True]
    assert shares["parses"] == 0.75 and shares["keeps_metre"] == 0.5
    assert shares["right_bars"] == 23 / 24                                # the first of them may be short


def test_phrases_copied():
    seen = {"K:G\nab cd|ef|ga|bc:|\nde|fg|"}
    assert phrases_copied(["L:1/8\nK:D\nabcd|ef|[1 ga|bc|"], seen) == 1
    assert phrases_copied(["L:1/8\nK:D\nab|"], seen) == 0
    assert phrases_copied(["K:D\nab cd|ef|ga|bc|de|gf|"], seen, bars=4) == pytest.approx(2 / 3)


def test_a_vector_model_needs_no_classes():
    model = ConditionalLanguageModel(5, GRU(4), vector_size=3)
    assert model.num_classes is None


@pytest.mark.parametrize("changes, message", [
    ({"task.samples": 0}, "task.samples must be a whole number of at least 1"),
    ({"task.top_p": 1.5}, "task: temperature must be at least 0 and top_p above 0"),
    ({"model.num_classes": 4}, "model.num_classes: unknown key"),
    ({"model.inject": "all"}, "model: inject must be one of")])
def test_mistakes_in_a_recipe_name_the_path(make_config, changes, message):
    with pytest.raises(ConfigError, match=message):
        build_task(make_config(changes))
