"""A model is made of a run, whole or not at all, and made anew without losing what was written by hand."""
import hashlib
import json
import re
import shutil
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest

import gluon_rnn
from gluon_rnn.model_zoo import entries
from gluon_rnn.model_zoo.add import add
from gluon_rnn.model_zoo.cards import read_about
from gluon_rnn.model_zoo.weights import load_weights
from tests.model_zoo.conftest import NAME


def results_of(run):
    return json.loads((run / "results.json").read_text())


def test_the_card_has_what_the_runs_say(entry, runs):
    card, results = entry.card, [results_of(run) for run in runs]
    values = [result["scores"]["free_run_rmse"] for result in results]
    assert card.figure.mean == pytest.approx(np.mean(values))
    assert card.figure.sd == pytest.approx(np.std(values, ddof=1))
    assert card.figure.seeds == [0, 1] and card.figure.split == "test"
    assert card.figure.baselines == {name: scores["free_run_rmse"] for name, scores in results[0]["baselines"].items()}
    assert card.storage.float32 == pytest.approx(values[0], rel=1e-6) and card.storage.float16 != card.storage.float32
    assert card.parameters == results[0]["parameters"] and card.seed == 0 and card.family == ["NARX"]
    assert card.storage.allowed == pytest.approx(0.1 * card.figure.sd) and card.figure.tolerance == 0.01


def test_every_file_is_in_the_card_with_its_hash(entry):
    assert {path.name for path in entry.folder.iterdir()} == {*entry.card.files, "card.yaml"}
    for name, file in entry.card.files.items():
        assert entry.checked(name).stat().st_size == file.bytes
    assert "weights.params" in entry.card.files and "scaler.json" in entry.card.files


def test_weights_are_those_of_the_best_checkpoint_in_half_precision(entry, runs):
    exact = mx.nd.load(str(runs[0] / "best" / "parameters.params"))
    stored = mx.nd.load(str(entry.folder / "weights.params"))
    assert entry.card.storage.dtype == "float16" and set(stored) == set(exact)
    for name, array in stored.items():
        assert array.dtype == np.float16
        assert (array.asnumpy() == exact[name].asnumpy().astype(np.float16)).all()


def test_float32_is_stored_where_float16_costs_too_much(zoo, about, runs, tmp_path):
    table = tmp_path / "results.csv"
    table.write_text("recipe,variant,metric,value,seeds,published,source\n"
                     'identify/narma10_narx,,free_run_rmse,0.5 +- 1e-12,"3 (0, 1, 2)",0.4 (a net),a paper\n')
    entry = add(runs[0], NAME, about=about, results=table)
    card = entry.card
    assert card.storage.dtype == "float32" and card.figure.value == card.storage.float32
    assert card.figure.mean == 0.5 and card.figure.sd == 1e-12 and card.figure.seeds == [0, 1, 2]
    assert (card.figure.published, card.figure.published_source) == ("0.4 (a net)", "a paper")
    model = gluon_rnn.get_model(NAME)
    load_weights(entry.weights(), model)
    exact = mx.nd.load(str(runs[0] / "best" / "parameters.params"))
    for name, parameter in model._collect_params_with_prefix().items():
        assert (parameter.data().asnumpy() == exact[name].asnumpy()).all()


def test_a_value_that_float16_cannot_hold_keeps_float32(zoo, about, runs, tmp_path):
    run = tmp_path / "large"
    shutil.copytree(runs[0], run, symlinks=True)
    path = str(run / "best" / "parameters.params")
    arrays = mx.nd.load(path)
    name = next(name for name in arrays if name.endswith("weight"))
    arrays[name][0, 0] = 1e5
    mx.nd.save(path, arrays)
    manifest = json.loads((run / "best" / "manifest.json").read_text())
    manifest["files"]["parameters.params"]["sha256"] = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    (run / "best" / "manifest.json").write_text(json.dumps(manifest))
    text = about.read_text().replace("tolerance: 0.01", "tolerance: 1.0e+9")
    about.write_text(text)
    storage = add(run, NAME, about=about).card.storage
    assert storage.dtype == "float32" and storage.float16 is None


def test_made_anew_it_keeps_the_texts_and_takes_the_new_weights(entry, runs):
    path = entry.folder / "card.yaml"
    path.write_text(path.read_text().replace("For tests.", "For tests, said anew."))
    (entry.folder / "old_file.json").write_text("{}")
    first = entry.card
    second = add(runs[1], NAME, seeds=runs[:1]).card
    assert second.about.intended_use == "For tests, said anew." and second.seed == 1
    assert second.files["weights.params"].sha256 != first.files["weights.params"].sha256
    assert not (entry.folder / "old_file.json").exists()
    third = add(runs[1], NAME, seeds=runs[:1]).card
    assert third == second                                             # the same again, bit for bit


def test_a_draft_gives_the_texts_and_is_no_model(zoo, about, runs):
    (zoo / NAME).mkdir()
    draft = "about:\n" + "".join(f"  {line}\n" for line in about.read_text().strip().splitlines())
    (zoo / NAME / "card.yaml").write_text(draft)
    assert entries.names() == []
    assert add(runs[0], NAME).card.about == read_about(about)
    assert entries.names() == [NAME]


def test_nothing_of_the_machine_is_in_a_model(entry, runs):
    for path in entry.folder.iterdir():
        assert str(runs[0].parent).encode() not in path.read_bytes()
    assert "output_dir" not in (entry.folder / "recipe.yaml").read_text()


@pytest.mark.parametrize("name,about_text,message", [
    ("Narx", None, "a name has family, size and data"),
    (NAME, "metric: free_run_rmsee", "has no score 'free_run_rmsee'"),
    (NAME, "summry: x", r"summry: unknown key; did you mean 'summary'\?"),
    (NAME, "recipe: identify/nothing", "there is no recipe"),
])
def test_what_is_wrong_is_one_sentence_and_changes_nothing(zoo, about, runs, name, about_text, message):
    if about_text:
        key = about_text.split(":")[0]
        about.write_text(re.sub(f"^{key}:.*$", "", about.read_text(), flags=re.MULTILINE) + about_text)
    with pytest.raises(ValueError, match=message):
        add(runs[0], name, about=about)
    assert list(zoo.iterdir()) == []


def test_a_model_needs_texts_and_a_finished_run(zoo, about, runs, tmp_path):
    with pytest.raises(ValueError, match="pass --about"):
        add(runs[0], NAME)
    unfinished = tmp_path / "unfinished"
    shutil.copytree(runs[0], unfinished, symlinks=True)
    (unfinished / "results.json").unlink()
    with pytest.raises(ValueError, match="has not finished"):
        add(unfinished, NAME, about=about)
    with pytest.raises(ValueError, match="there is no run in"):
        add(tmp_path / "nothing", NAME, about=about)


def test_a_score_that_does_not_come_out_again_is_refused_and_the_old_model_stays(entry, about, runs, tmp_path):
    changed = tmp_path / "changed"
    shutil.copytree(runs[0], changed, symlinks=True)
    result = results_of(changed)
    result["scores"]["free_run_rmse"] += 0.02
    (changed / "results.json").write_text(json.dumps(result))
    before = {path.name: path.read_bytes() for path in entry.folder.iterdir()}
    with pytest.raises(ValueError, match="more than the tolerance of 0.01 apart"):
        add(changed, NAME, about=about)
    assert {path.name: path.read_bytes() for path in entry.folder.iterdir()} == before
    assert [path.name for path in entry.folder.parent.iterdir()] == [NAME]
