"""The part of ``make rough`` that alters bundles notices what it is there to notice."""
import json
import os
import pathlib
import shutil
import time

import numpy as np
import pytest

from gluon_rnn.export import manifest
from scripts.rough import bundles

OLD = pathlib.Path(__file__).resolve().parents[2] / "export" / "bundle_v1"


def test_every_alteration_changes_the_folder(tmp_path):
    for number in range(40):
        path = tmp_path / str(number)
        shutil.copytree(OLD, path)
        before = {file.name: file.read_bytes() for file in path.iterdir()}
        said = bundles._altered(path, np.random.default_rng(number), honest=number % 2 == 0)
        plain = {file.name: file.read_bytes() for file in path.iterdir() if file.is_file() and not file.is_symlink()}
        assert plain != before or "bytes changed" in said or "changed" in said, said


def test_a_strangers_hashes_are_right(tmp_path):
    shutil.copytree(OLD, tmp_path / "bundle")
    parameters = tmp_path / "bundle" / "model-0000.params"
    parameters.write_bytes(parameters.read_bytes() + b"\0")
    bundles._hashed(tmp_path / "bundle")
    content = json.loads((tmp_path / "bundle" / "manifest.json").read_text(encoding="utf-8"))
    assert content["sha256"][parameters.name] == manifest.sha256(parameters)


@pytest.mark.parametrize("asked, expected", [
    (lambda *_: ("passed", "answered"), "passed"), (lambda *_: ("wrong", "answered 3"), "wrong"),
    (lambda *_: os.abort(), "crash"), (lambda *_: time.sleep(60), "crash")])
def test_what_a_child_does_is_counted(monkeypatch, asked, expected):
    monkeypatch.setattr(bundles, "_asked", asked)
    monkeypatch.setattr(bundles, "_SECONDS", 1)
    assert bundles._in_a_child(None, None, None)[0] == expected


def test_another_answer_is_a_wrong_one_and_rounding_is_none(monkeypatch):
    class Bundle:
        def predict(self, item):
            return {"a": [0.30001, item]}

    monkeypatch.setattr("gluon_rnn.export.load", lambda path: Bundle())
    assert bundles._asked("x", (1, {}), {"a": [0.300012, 1]}) == ("passed", "answered")
    assert bundles._asked("x", (1, {}), {"a": [0.31, 1]})[0] == "wrong"
    assert bundles._asked("x", (1, {}), None)[0] == "passed"
    monkeypatch.setattr("gluon_rnn.export.load", lambda path: None)
    assert bundles._asked("x", (1, {}), None)[0] == "traceback"
