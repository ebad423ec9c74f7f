"""Scores of bundles are those of the runs: a classifier and a tagger on small files, a language model of a grammar."""
import re

import numpy as np
import pytest

import gluon_rnn
from gluon_rnn.export import export_run, load
from gluon_rnn.export.evaluation import evaluate_bundle
from gluon_rnn.runs import evaluate_run

TRAINING = {"epochs": 2, "optimizer": {"name": "adam", "learning_rate": 0.02}}


def classifier(folder):
    lines = [f"{'abcab'[number % 4:]} {'xy' * (number % 3)}\t{('up', 'down')[number % 2]}" for number in range(40)]
    (folder / "texts.tsv").write_text("\n".join(lines))
    return {"task": "classification", "data": {"name": "labelled_text", "path": str(folder / "texts.tsv"),
                                               "unit": "character", "split": [0.5, 0.3, 0.2], "eval_batch_size": 3},
            "model": {"embed_size": 4, "encoder": {"name": "gru", "hidden_size": 5}}}


def tagger(folder):
    sentences = ["\n".join(f"{place}\t{letter}\t_\t{'VOWEL' if letter in 'ae' else 'OTHER'}" + 6 * "\t_"
                           for place, letter in enumerate("abecab"[number % 5:], start=1)) for number in range(12)]
    (folder / "words.conllu").write_text("\n\n".join(sentences) + "\n\n")
    return {"task": "tagging", "data": {"name": "conllu", "train": str(folder / "words.conllu"),
                                        "valid": str(folder / "words.conllu"), "batch_size": 4, "eval_batch_size": 5},
            "model": {"embed_size": 4, "crf": True, "encoder": {"name": "lstm", "hidden_size": 3}}}


def language_model(folder):
    return {"task": "language_model", "data": {"name": "elman_grammar", "sentences": 400, "eval_batch_size": 4},
            "model": {"embed_size": 6, "encoder": {"name": "lstm", "hidden_size": 5}}}


def numbers(text):
    return {name: float(value) for name, value in re.findall(r"(\w+) ([0-9.]+)", text)}


@pytest.mark.parametrize("recipe", [classifier, tagger, language_model])
def test_scores_of_a_bundle_are_those_of_the_run(recipe, tmp_path):
    run = gluon_rnn.train({**recipe(tmp_path), "output_dir": str(tmp_path / "runs"), "training": TRAINING})
    export_run(run.predictor(), tmp_path / "bundle", format="onnx")
    bundle = load(tmp_path / "bundle")
    ours, theirs = numbers(evaluate_bundle(bundle, run.path)), numbers(evaluate_run(run.path))
    assert ours and ours == pytest.approx({name: theirs[name] for name in ours}, rel=1e-3)        # four digits
    one = numbers(evaluate_bundle(bundle, run.path, limit=1))
    assert one.keys() == ours.keys() and all(np.isfinite(list(one.values())))


def test_a_bundle_of_another_task_is_refused(tmp_path):
    export_run(gluon_rnn.load("elman_grammar"), tmp_path / "language_model", format="onnx")
    export_run(gluon_rnn.load("narx_narma10"), tmp_path / "narx", format="onnx")
    with pytest.raises(ValueError, match="of the task 'language_model', and the run in 'tdnn_names' of"):
        evaluate_bundle(load(tmp_path / "language_model"), "tdnn_names")
    with pytest.raises(ValueError, match="of the task 'forecasting' are not scored here, only those of classification"):
        evaluate_bundle(load(tmp_path / "narx"), "narx_narma10")
    with pytest.raises(ValueError, match="have no 'exam' split"):
        evaluate_bundle(load(tmp_path / "language_model"), "elman_grammar", split="exam")
