"""The command predict: one line of answers for each line of a file or of standard input, whatever stands in it.

How items of a command line are answered is in `tests/tasks/test_predictor.py`.
"""
import io
from types import SimpleNamespace

import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn import runs
from gluon_rnn.cli.main import main
from gluon_rnn.registry import tasks

REFUSED = "the line\nis refused"


def answering(task, predict, **data):
    """A predictor of a task whose `predict` is this function."""
    cls = tasks.get(task).predictor_class
    config = SimpleNamespace(task=SimpleNamespace(name=task, arguments={}), data=SimpleNamespace(arguments=data))
    model = SimpleNamespace(attention=None, crf=None, spelling=None)
    pipeline = type("FakePipeline", (cls.pipeline_class,), {"predict": predict})
    fake = {"predict": predict, "pipeline_class": pipeline,
            "pipeline": property(lambda self: pipeline(dict.fromkeys(pipeline.network_names), self.assets))}
    return type("Fake", (cls,), fake)("run", config, model, None)


def predict_upper(self, item, *others, **options):
    if item == "bad":
        raise ValueError(REFUSED)
    return item.upper()


@pytest.fixture
def ask(monkeypatch, capsys, tmp_path):
    """Return a function that answers with a predictor, and gives the status and the lines that were printed."""
    def asked(predictor, lines, by, encoding="utf-8"):
        monkeypatch.setattr(runs, "load_run", lambda *arguments, **options: predictor)
        arguments = ["predict", "run", "--output", str(tmp_path)]
        if by == "file":
            (tmp_path / "lines.txt").write_bytes(lines.encode(encoding))
            arguments += ["--file", str(tmp_path / "lines.txt")]
        else:
            monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        status = main(arguments)
        return status, capsys.readouterr().out.split("\n")[:-1]
    return asked


@pytest.mark.parametrize("by", ["file", "stdin"])
def test_one_line_in_one_line_out(ask, by):
    predictor = answering("language_model", predict_upper)
    assert ask(predictor, "one\n\n  \ntwo\n\nthree", by) == (0, ["ONE", "", "", "TWO", "", "THREE"])
    assert ask(predictor, "\ufeffone\r\n\r\ntwo\r\n" if by == "file" else "\ufeffone\n\ntwo\n", by) == (
        0, ["ONE", "", "TWO"])
    assert ask(predictor, "", by) == (0, [])


@pytest.mark.parametrize("by", ["file", "stdin"])
def test_a_refused_line_is_marked_in_its_place(ask, by):
    predictor = answering("language_model", predict_upper)
    assert ask(predictor, "one\nbad\ntwo\n", by) == (1, ["ONE", "error: the line is refused", "TWO"])


@pytest.mark.parametrize("task", [name for name in tasks.names() if name != "forecasting"])
def test_every_task_answers_in_line(ask, task):
    answer = {"classification": {"a": 0.5}, "ctc": {"labels": ["a", "b"]}, "frames": [[0]] * 3,
              "language_model": "a\nb", "regression": {"a": 1.5}, "conditional_language_model": ["X:1\nK:G\n"],
              "tagging": SimpleNamespace(words=["a", "b"], tags=["X", "Y"]),
              "translation": SimpleNamespace(text="a b", weights=None), "word_vectors": [("a", 0.5), ("b", 0.25)]}[task]
    predictor = answering(task, lambda self, item, *others, **options: answer)
    predictor.assets = SimpleNamespace(abc=False)
    status, lines = ask(predictor, "one\n\ntwo\n", "stdin")
    assert status == 0, lines
    assert len(lines) == 3 and lines[1] == "" and lines[0] and lines[0].count("\n") == 0
    if task == "tagging":
        assert lines[0] == "a/X b/Y"
    if task == "language_model":
        assert lines[0] == "a\\nb"


def test_a_file_is_read_in_the_encoding_of_the_data(ask):
    predictor = answering("language_model", predict_upper, encoding="latin-1")
    assert ask(predictor, "é\n\nü\n", "file", "latin-1") == (0, ["É", "", "Ü"])
    with pytest.raises(ValueError, match=r"byte 0 \(0xe9\) is not utf-8; set encoding"):
        ask(answering("language_model", predict_upper), "é\n", "file", "latin-1")


def test_a_task_that_answers_no_lines_says_what_to_use(ask):
    with pytest.raises(ValueError, match="use gluon-rnn forecast"):
        ask(answering("forecasting", predict_upper), "1\n", "stdin")
