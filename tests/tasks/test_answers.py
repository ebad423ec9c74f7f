"""Answers of trained models to single lines: the text of each, and the refusal of tasks that have none."""
from types import SimpleNamespace

import pytest

from gluon_rnn.runs import load_run
from gluon_rnn.training import train
from gluon_rnn.tasks.answers import answers, stream_answers
from gluon_rnn.recipes import build_task
from scripts import predict


def fake_run(task, predicted, **assets):
    """A run of a task whose model says `predicted`, and that notes what it was asked."""
    asked = []

    def predict_one(item, **options):
        asked.append((item, options))
        return predicted

    return SimpleNamespace(config=SimpleNamespace(task=SimpleNamespace(name=task)), predict=predict_one, asked=asked,
                           assets=SimpleNamespace(**assets), model=SimpleNamespace(attention=object()))


def test_a_label_comes_with_its_probability_and_the_next_ones(tmp_path):
    run = fake_run("classification", {"Irish": 0.75, "Scottish": 0.2, "English": 0.04, "Dutch": 0.01})
    assert list(answers(run, ["O'Neil"], tmp_path)) == ["Irish 75.0% (Scottish 20.0%, English 4.0%)"]


def test_pictures_and_tunes_have_numbers(tmp_path):
    run = fake_run("translation", SimpleNamespace(text="oui"))
    assert [text.split()[0] for text in answers(run, ["yes", "no"], tmp_path / "new")] == ["oui", "oui"]
    assert [options["picture"].name for _, options in run.asked] == ["attention-1.png", "attention-2.png"]
    tunes = fake_run("conditional_language_model", ["X:1"], abc=True)
    tune, = answers(tunes, ["6/8"], tmp_path)
    assert tune.startswith(f"X:1\n({tmp_path / 'tune-1.abc'}")            # and the .mid, where music21 is installed


def test_answers_are_given_one_by_one(tmp_path):
    run = fake_run("tagging", "DET NOUN")
    stream = answers(run, iter(["the cat", "the dog"]), tmp_path)
    assert next(stream) == "DET NOUN" and len(run.asked) == 1             # the second line has not been read yet


def test_a_task_without_answers_says_what_to_use(tmp_path):
    with pytest.raises(ValueError, match="task 'forecasting' does not answer line by line; use .*scripts.forecast"):
        list(answers(fake_run("forecasting", None), ["1"], tmp_path))


def test_the_command_continues_a_line_of_a_file(make_config, tmp_path, capsys):
    run = train(build_task(make_config({"training.epochs": 1})), "a")
    vocab = load_run(run).assets.vocab
    word = next(token for token in vocab.idx_to_token if token.isalpha())
    (tmp_path / "lines.txt").write_text(f"{word}\n\n{word}\n")
    assert predict.main([str(run), "--file", str(tmp_path / "lines.txt")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith(word) for line in lines) >= 2
    assert predict.main([str(run), "--checkpoint", "last", word]) == 0    # an option between the run and the line
    assert capsys.readouterr().out.startswith(word)


def test_a_task_that_does_not_stream_says_so():
    with pytest.raises(ValueError, match="task 'translation' does not answer step by step; leave --stream out"):
        list(stream_answers(fake_run("translation", None), ["yes"]))
