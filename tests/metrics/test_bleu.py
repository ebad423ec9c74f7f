"""BLEU with several references, and the ways to translate without a model."""
import builtins

import pytest

from gluon_rnn.data import ParallelText
from gluon_rnn.metrics.baselines.translation import translation_baselines
from gluon_rnn.metrics.bleu import bleu

pytest.importorskip("sacrebleu", reason="sacrebleu is in the extra data")


def test_bleu_takes_the_best_of_several_references():
    wanted = [["Il est parti hier soir .", "Il partit hier au soir ."], ["Je ne sais pas du tout ."]]
    perfect = ["Il partit hier au soir .", "Je ne sais pas du tout ."]
    assert bleu(perfect, wanted) == pytest.approx(100)
    assert bleu(perfect, [row[:1] for row in wanted]) < 80
    assert bleu(["Va !", "Va !"], wanted) < 5


def test_bleu_by_hand():
    # precisions 5/6, 3/5, 1/4 and smoothed 1/(2 * 3) of no match in three 4-grams; no brevity penalty at equal length
    expected = 100 * (5 / 6 * 3 / 5 * 1 / 4 * 1 / 6) ** 0.25
    assert bleu(["the cat sat on the mat"], [["the cat lay on the mat"]]) == pytest.approx(expected)


def test_baselines(tmp_path):
    path, test = tmp_path / "train", tmp_path / "test"
    path.write_text("I see a dog now .\tJe vois un chien .\nI see a cat now .\tJe vois un chat noir .\n"
                    "We sleep at home .\tNous dormons chez nous .\nWe eat at home .\tNous dormons chez nous .\n")
    test.write_text("You see a cat ?\tJe vois un chat noir .\n")
    data = ParallelText(train=str(path), valid=str(test))
    found = translation_baselines(data, data.references("valid"))
    assert found["nearest training source"]["bleu"] == pytest.approx(100)
    assert found["most frequent target"]["bleu"] < 10
    assert found["copy of the source"]["bleu"] < 10


def test_without_sacrebleu_the_error_names_the_extra(monkeypatch):
    real = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "sacrebleu":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ValueError, match=r"install the extra of this package: pip install gluon_rnn\[data\]"):
        bleu(["a"], [["a"]])
