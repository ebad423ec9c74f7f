"""Answers of trained models to single lines: the text of each, and the refusal of tasks that have none.

Tests `task.py` too.
"""
from types import SimpleNamespace

import numpy as np
import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.answers.translation import Translation, TranslationPipeline
from gluon_rnn.recipes import build_task
from gluon_rnn.registry import tasks
from gluon_rnn.runs import load_run
from gluon_rnn.training import train
from gluon_rnn.cli import predict
from gluon_rnn.cli.main import main


def fake_predictor(monkeypatch, task, predicted, **assets):
    """A predictor of a task whose model says `predicted`, and that notes what it was asked."""
    cls, asked = tasks.get(task).predictor_class, []

    def predict_one(self, item, **options):
        asked.append((item, options))
        return predicted

    for answering in filter(None, (cls, cls.pipeline_class)):
        monkeypatch.setattr(answering, "predict", predict_one)
    config = SimpleNamespace(task=SimpleNamespace(name=task, arguments={}))
    model = SimpleNamespace(attention=object(), crf=None, spelling=None)
    return cls("run", config, model, SimpleNamespace(**assets)), asked


def test_a_label_comes_with_its_probability_and_the_next_ones(monkeypatch, tmp_path):
    probabilities = {"Irish": 0.75, "Scottish": 0.2, "English": 0.04, "Dutch": 0.01}
    predictor, _ = fake_predictor(monkeypatch, "classification", probabilities)
    assert predictor.answer("O'Neil", tmp_path) == "Irish 75.0% (Scottish 20.0%, English 4.0%)"


def test_pictures_and_tunes_have_numbers(monkeypatch, tmp_path):
    found = Translation("yes", "oui", -1.0, ["yes", "<eos>"], ["oui", "<eos>"], np.eye(2))
    predictor, asked = fake_predictor(monkeypatch, "translation", found)
    predictor.networks = lambda: dict.fromkeys(TranslationPipeline.network_names)
    for number, word in enumerate(("yes", "no"), start=1):
        picture = tmp_path / "new" / f"attention-{number}.png"
        assert predictor.answer(word, tmp_path / "new", number) == f"oui    ({picture})" and picture.is_file()
    assert [item for item, _ in asked] == ["yes", "no"]
    predictor, _ = fake_predictor(monkeypatch, "conditional_language_model", ["X:1"], abc=True)
    tune = predictor.answer("6/8", tmp_path)
    assert tune.startswith(f"X:1\n({tmp_path / 'tune-1.abc'}")            # and the .mid, where music21 is installed


def test_tasks_without_answers_say_what_to_use(monkeypatch, tmp_path):
    predictor, _ = fake_predictor(monkeypatch, "forecasting", None)
    with pytest.raises(ValueError, match="task 'forecasting' does not answer line by line; use gluon-rnn forecast"):
        predictor.answer("1", tmp_path)
    predictor, _ = fake_predictor(monkeypatch, "translation", None)
    with pytest.raises(ValueError, match="task 'translation' does not answer step by step; leave --stream out"):
        predictor.stream_answers("yes")


def test_the_command_continues_a_line_of_a_file(make_config, tmp_path, capsys):
    run = train(build_task(make_config({"training.epochs": 1})), "a")
    vocab = load_run(run).assets.vocab
    word = next(token for token in vocab.idx_to_token if token.isalpha())
    (tmp_path / "lines.txt").write_text(f"{word}\n\n{word}\n")
    assert main(["predict", str(run), "--file", str(tmp_path / "lines.txt")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith(word) for line in lines) >= 2
    assert main(["predict", str(run), "--checkpoint", "last", word]) == 0    # an option between the run and the line
    assert capsys.readouterr().out.startswith(word)


def test_lines_are_answered_one_by_one(monkeypatch, tmp_path):
    predictor, asked = fake_predictor(monkeypatch, "tagging", "DET NOUN")
    answers = predict._answered(predictor, iter(["the cat", "the dog"]), tmp_path)
    assert next(answers) == "DET NOUN" and len(asked) == 1                # the second line has not been read yet
