"""Small recipes of several tasks, and what running them answers."""
import contextlib
import io
import logging

import numpy as np

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
import gluon_rnn.runs  # noqa: F401  loaded once, before children of this process are
import gluon_rnn.training  # noqa: F401

__all__ = ["RECIPES", "answers", "arrays", "command", "write_data"]

_TRAINING = {"epochs": 3, "optimizer": {"name": "adam", "learning_rate": 0.01}, "average": 0.9, "report": False}


def write_data(folder):
    """Write the data of the recipes into `folder`, from no chance at all."""
    names = "\n".join(f"{word}{end}\t{label}" for word in ("ab", "cd", "ef", "gh", "ij") for end, label in
                      (("aa", "x"), ("bo", "y"), ("ca", "x"), ("do", "y")))
    (folder / "names.tsv").write_text(names + "\n")
    (folder / "text.txt").write_text("the old man sees a dog\na dog sees the man\nthe dog runs\n" * 30)
    steps = np.arange(160)
    rows = "\n".join(f"{np.sin(step / 5):.6f},{np.cos(step / 7):.6f}" for step in steps)
    (folder / "series.csv").write_text("u,y\n" + rows + "\n")


def _recipes(folder):
    return {
        "language_model": {
            "task": {"name": "language_model", "samples": 1, "sample_length": 3}, "data": {
                "name": "words", "path": str(folder / "text.txt"), "split": [0.8, 0.1, 0.1], "batch_size": 4,
                "bptt": 10, "eval_batch_size": 2},
            "model": {"embed_size": 4, "dropout": 0.1, "encoder": {"name": "lstm", "hidden_size": 5}}},
        "classification": {
            "task": {"name": "classification"}, "data": {
                "name": "labelled_text", "train": str(folder / "names.tsv"), "valid": str(folder / "names.tsv"),
                "batch_size": 4},
            "model": {"embed_size": 4, "encoder": {"name": "gru", "hidden_size": 4}}},
        "forecasting": {
            "task": {"name": "forecasting", "washout": 4}, "data": {
                "name": "time_series", "path": str(folder / "series.csv"), "inputs": ["u"], "targets": ["y"],
                "split": [0.6, 0.2, 0.2], "batch_size": 4, "bptt": 12},
            "model": {"name": "forecaster", "encoder": {"name": "rnn", "hidden_size": 4}}}}


class RECIPES:
    """The recipes, with data in one folder and runs in another."""

    names = ("language_model", "classification", "forecasting")

    def __init__(self, folder):
        write_data(folder)
        self._all = _recipes(folder)

    def write(self, name, folder):
        """Write a recipe into `folder`, where its runs go too, and return its path."""
        import yaml
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump({**self._all[name], "training": _TRAINING, "output_dir": str(folder)}))
        return path


def command(*words):
    """Run a command in this process and return what it printed, log lines and all; what it raises is let through."""
    from gluon_rnn.cli.main import main
    text = io.StringIO()
    handler, log = logging.StreamHandler(text), logging.getLogger("gluon_rnn")
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        main([str(word) for word in words])
    return text.getvalue()


def arrays(run):
    """Return the bytes of everything that the last checkpoint of a run holds for training, by name."""
    import mxnet as mx
    return {name: array.asnumpy().tobytes() for name, array in
            mx.nd.load(str(run / "last" / "training.params")).items()}


def answers(run):
    """Return the bytes of the parameters of the best checkpoint, as a predictor has them."""
    from gluon_rnn.runs import load_run
    return {name: array.asnumpy().tobytes() for name, array in load_run(run).arrays().items()}
