"""`files.py`: a text file is written whole, or the old one stays."""
import os

import pytest
import yaml

from gluon_rnn.files import read_yaml, write_text


def test_a_text_takes_the_place_of_another_one(tmp_path):
    for text in ("one\n", "zwei ä\n"):
        write_text(tmp_path / "a.txt", text)
        assert (tmp_path / "a.txt").read_text(encoding="utf-8") == text
    assert os.listdir(tmp_path) == ["a.txt"]


def test_the_old_file_stays_where_writing_breaks_off(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "old"


def test_yaml_gives_plain_types_and_names_the_place_of_a_fault():
    assert read_yaml("a: [1, 2.5, yes, null, 'no']\nb: {c: ä}\n") == {"a": [1, 2.5, True, None, "no"], "b": {"c": "ä"}}
    with pytest.raises(yaml.YAMLError, match="line 2, column"):
        read_yaml("a: 1\n]")
    with pytest.raises(yaml.YAMLError, match="python/object"):
        read_yaml("!!python/object:os.system {}")
