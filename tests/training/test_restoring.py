"""A resume compares checkpoint, recipe and model before it writes; what does not fit is one sentence.

Tests `gluon_rnn/training/manifest.py` and `outcome.py` too.
"""
import contextlib
import json
import math
import os
import shutil
from pathlib import Path

import mxnet as mx
import pytest

import gluon_rnn
from gluon_rnn.recipes import build_task
from gluon_rnn.training import TrainingError, checkpoints, outcome, restoring, train
from gluon_rnn.training.manifest import NAME
from gluon_rnn.training.position import Position
from tests.recipes import RECIPE, changed


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return (recipe, folder) of a run of two epochs with averaged weights; its tests change copies."""
    recipe = {**RECIPE, "output_dir": str(tmp_path_factory.mktemp("runs"))}
    config = changed(recipe, {"training.epochs": 2, "training.average": 0.9, "training.report": False})
    return recipe, train(build_task(config), "small")


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained[1], tmp_path / "small-1", symlinks=True)


def resume(trained, path, **changes):
    changes = {"training.epochs": 3, "training.average": 0.9, "training.report": False, **changes}
    return train(build_task(changed(trained[0], changes)), "small", resume=path)


def contents(path):
    return {file.relative_to(path): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


def renamed(path, old, new):
    """Rename an array in a file of parameters, and put the new hash into the manifest, as a foreign file has it."""
    arrays = {name.replace(old, new): array for name, array in mx.nd.load(str(path)).items()}
    mx.nd.save(str(path), arrays)
    (path.parent / NAME).unlink()
    position = json.loads((path.parent / "position.json").read_text())
    (path.parent / "position.json").write_text(json.dumps({**position, "format": 2}))


def test_a_checkpoint_says_what_all_its_files_and_arrays_are(run):
    last = run / "last"
    manifest = json.loads((last / NAME).read_text())
    assert set(manifest["files"]) == {path.name for path in last.iterdir()} - {NAME}
    assert manifest["arrays"] == list(mx.nd.load(str(last / "training.params")))
    assert manifest["parameters"] == list(mx.nd.load(str(last / "parameters.params")))


@pytest.mark.parametrize("name", ["parameters.params", "training.params", "position.json", "config.yaml", "vocab.json",
                                  "metrics.csv", NAME])
@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_a_damaged_file_is_named_and_nothing_is_written(trained, run, name, damage):
    path = run / "last" / name
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        middle = len(content) // 2
        path.write_bytes(content[:middle] if damage == "cut" else
                         content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1:])
    before = contents(run)
    with pytest.raises(ValueError, match=r"\.(params|json|csv|yaml)") as caught:
        resume(trained, run)
    assert "\n" not in str(caught.value) and contents(run) == before


@pytest.mark.parametrize("old, new, sentence", [
    ("weight:embedding_weight", "weight:embedding_weigh_", "'embedding_weigh_' among its weights"),
    ("weight:", "average:", "among its weights"), ("average:embedding_weight", "average:other", "among its averages"),
    ("optimizer:0.0", "optimizer:0.7", "the optimiser's state in .* does not fit")])
def test_a_name_that_does_not_fit_is_refused_without_hashes_too(trained, run, old, new, sentence):
    """The last line of defence, for checkpoints of earlier versions, which have no manifest."""
    renamed((run / "last").resolve() / "training.params", old, new)
    before = contents(run)
    with pytest.raises(ValueError, match=sentence):
        resume(trained, run)
    assert contents(run) == before


def test_a_checkpoint_of_an_earlier_version_loads_and_resumes_to_the_same(trained, run, tmp_path):
    old = shutil.copytree(run, tmp_path / "old-1", symlinks=True)
    for name in ("best", "last"):
        if (old / name / NAME).exists():
            renamed((old / name).resolve() / "training.params", "none", "none")
        (old / name / "metrics.csv").unlink(missing_ok=True)
    assert gluon_rnn.load(old).position["format"] == 2
    results = [mx.nd.load(str(resume(trained, path) / "last" / "training.params")) for path in (run, old)]
    assert all((results[0][name] == results[1][name]).asnumpy().all() for name in results[0])


def test_another_optimiser_is_refused_before_the_recipe_is_written(trained, run):
    before = contents(run)
    with pytest.raises(ValueError, match="training.optimizer.name is 'sgd' but the run to resume has 'adam'"):
        resume(trained, run, **{"training.optimizer": {"name": "sgd", "learning_rate": 0.01}})
    assert contents(run) == before
    resume(trained, run, **{"training.optimizer.learning_rate": 0.001})


def test_a_best_score_of_another_name_is_refused():
    position = Position(selection="loss", best=1.8, best_epoch=1)
    restoring.check_selection(position, ("loss", "min"))
    restoring.check_selection(Position(best=1.8), ("accuracy", "max"))    # of an earlier version
    with pytest.raises(ValueError, match="selected by 'accuracy', but by 'loss' in the run to resume"):
        restoring.check_selection(position, ("accuracy", "max"))


def test_within_an_epoch_the_order_of_batches_may_not_change(trained, run):
    path = run / "last" / "position.json"
    saved = json.loads(path.read_text())
    saved["position"]["step_in_epoch"] = 1
    path.write_text(json.dumps({**saved, "format": 2}))
    (run / "last" / NAME).unlink()
    with pytest.raises(ValueError, match="seed is 1, and the run was stopped within an epoch of 0"):
        resume(trained, run, seed=1)


def test_a_recipe_that_was_cut_off_is_refused_and_a_changed_one_is_said(trained, run, caplog):
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text[:text.index("  weight_decay")])
    with pytest.raises(ValueError, match="config.yaml lacks .*training.average.* copy .*last"):
        resume(trained, run)
    (run / "config.yaml").write_text(text.replace("embed_size: 6", "embed_size: 7"))
    with pytest.raises(ValueError, match="model.embed_size is 7 but the checkpoint .* has 6"):
        gluon_rnn.load(run)
    (run / "config.yaml").write_text(text)
    with caplog.at_level("INFO", "gluon_rnn"):
        resume(trained, run)
    assert "changed since the checkpoint: training.epochs 2 -> 3" in caplog.text


def test_a_damaged_metrics_file_is_made_anew_from_the_checkpoint(trained, run):
    rows = (run / "metrics.csv").read_text().splitlines()
    (run / "metrics.csv").write_bytes(b"\xff\0nothing")
    resume(trained, run)
    assert (run / "metrics.csv").read_text().splitlines()[:3] == rows


def test_odd_names_and_links_that_became_folders(trained, run):
    for name in ("\u00b2", "notes", "-1"):
        (run / "checkpoints" / name).mkdir()
    target = (run / "last").resolve()
    (run / "last").unlink()
    shutil.copytree(target, run / "last")
    resume(trained, run)
    assert (run / "last").is_symlink() and checkpoints.load(run, "last").position["position"]["epoch"] == 3
    assert {"\u00b2", "notes", "-1"} <= {path.name for path in (run / "checkpoints").iterdir()}


@pytest.mark.parametrize("which", ["replace", "fsync"])
def test_a_full_disk_leaves_the_last_checkpoint_and_says_what_is_needed(trained, run, monkeypatch, which):
    def full(*_):
        raise OSError(28, "No space left on device")
    before = contents(run / "checkpoints")
    with monkeypatch.context() as patch:
        patch.setattr(os, which, full)
        with pytest.raises(OSError, match="No space left") as caught:
            resume(trained, run)
    assert str(run) in str(caught.value.filename)
    if which == "fsync":
        assert "a checkpoint needs about 0.1 MB" in caught.value.strerror and "--resume" in caught.value.strerror
    assert contents(run / "checkpoints") == before


def test_a_diverged_run_is_none():
    assert outcome.improves({"loss": math.nan}, ("loss", "min"), None)
    assert outcome.improves({"loss": 3.0}, ("loss", "min"), math.nan)
    assert not outcome.improves({"loss": math.nan}, ("loss", "min"), 3.0)


def test_a_run_whose_perplexity_overflows_fails(make_config):
    """Losses of thousands of nats are numbers, their perplexities are none."""
    config = make_config({"training.optimizer": {"name": "sgd", "learning_rate": 1e6}, "training.clip_norm": 1.0,
                          "training.epochs": 2, "training.report": False})
    with pytest.raises(TrainingError, match="perplexity is inf after step .*there is no checkpoint yet"):
        train(build_task(config), "small")


@pytest.mark.parametrize("first, losses, fails", [(5.5, [1e12, 6000.0], True), (5.5, [1e12, 4000.0], False),
                                                  (1e-15, [0.001], False), (-3.5, [1e12, 6000.0], True),
                                                  (None, [1e12], False)])
def test_a_loss_that_stays_far_above_the_first_is_a_divergence(tmp_path, first, losses, fails):
    rows = [{"train_loss": loss} for loss in losses]
    message = f"was 6000 in its best epoch and {first} at the first step; lower .* no checkpoint"
    with pytest.raises(TrainingError, match=message) if fails else contextlib.nullcontext():
        outcome.check_learnt(first, rows, tmp_path)


def test_a_run_with_huge_but_finite_losses_fails_also_after_a_resume(make_config):
    config = make_config({"task": "regression", "model": {"encoder": {"name": "rnn", "hidden_size": 3}},
                          "data": {"name": "adding_problem", "length": 3, "train": 40, "valid": 10, "test": 10,
                                   "batch_size": 10},
                          "training.optimizer": {"name": "sgd", "learning_rate": 1e6}, "training.clip_norm": 1.0,
                          "training.epochs": 2, "training.report": False})
    with pytest.raises(TrainingError, match=r"training diverged: .* in its best epoch and .*the last checkpoint is "):
        train(build_task(config), "small")
    with pytest.raises(TrainingError, match="in its best epoch"):
        train(build_task(config), "small", resume=Path(config.output_dir) / "small-1")
