"""``gluon-rnn evaluate``: options that are all heeded or refused; scores of a run are in `test_train.py`."""
import re

import pytest

from gluon_rnn import runs
from gluon_rnn.cli.main import main


@pytest.mark.parametrize("words, sentence", [
    ("--cache 10 --save", "--save goes with --ensemble"),
    ("--bundle out --save", "--save goes with --ensemble"),
    ("--save", "--save goes with --ensemble"),
    ("--bundle out --checkpoint last", "--checkpoint last does not go with --bundle"),
    ("--bundle out --cache 10", "--cache and --bundle do not go together"),
    ("--ensemble other --cache 0", "--ensemble and --cache do not go together"),
    ("--beside other --bundle out", "--ensemble and --bundle do not go together"),
    ("--ensemble other --bundle out --cache 1", "--ensemble and --cache and --bundle do not go together")])
def test_what_does_not_go_together_is_refused_before_anything_is_read(words, sentence, capsys):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}[^\n]*$"):
        main(["evaluate", "nowhere", *words.split()])
    assert capsys.readouterr().out == ""


def test_a_cache_of_no_places_is_no_evaluation_without_one(monkeypatch, capsys):
    monkeypatch.setattr(runs, "evaluate_cached", lambda run, size, split, which: f"{run} {size} {split} {which}")
    assert main(["evaluate", "run", "--cache", "0", "--split", "valid", "--checkpoint", "last"]) == 0
    assert capsys.readouterr().out == "run 0 valid last\n"


def test_the_checkpoint_of_an_ensemble_and_of_a_run(monkeypatch, capsys):
    monkeypatch.setattr(runs, "evaluate_ensemble", lambda *given, **options: f"{given} {options}")
    monkeypatch.setattr(runs, "evaluate_run", lambda *given: f"{given}")
    assert main(["evaluate", "run", "--ensemble", "other", "--save", "--checkpoint", "last"]) == 0
    assert main(["evaluate", "run", "--split", "train"]) == 0
    assert capsys.readouterr().out == "(['run', 'other'], None, 'last') {'save': True}\n('run', 'train', 'best')\n"
