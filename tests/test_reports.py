"""Pages by hand: of a run anew, of a model of the zoo, of several compared; the commands, and what goes wrong.

Tests `gluon_rnn/cli/report.py` and `gluon_rnn/cli/compare.py` too.
"""
import json
import shutil

import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn import recipes, reports
from gluon_rnn.cli.main import main
from gluon_rnn.model_zoo import entries
from gluon_rnn.training import train
from tests.recipes import make_config  # noqa: F401  a fixture
from tests.report import pages


@pytest.fixture
def run(make_config):  # noqa: F811
    return train(recipes.build_task(make_config({"training.epochs": 2, "data.sentences": 300,
                                                  "training.report": True})), "small")


def test_a_page_anew_is_the_one_of_the_training(run, capsys):
    before = (run / "report.html").read_text(encoding="utf-8")
    (run / "report.html").unlink()
    assert main(["report", str(run)]) == 0
    assert capsys.readouterr().out == f"{run / 'report.html'}\n"
    assert (run / "report.html").read_text(encoding="utf-8") == before


def test_a_model_of_the_zoo_has_the_figure_of_its_card(tmp_path):
    found = pages.check(reports.write_report("tdnn_names", tmp_path / "new" / "zoo.html").read_text(encoding="utf-8"))
    card = entries.get("tdnn_names").card
    assert found.texts("h1") == ["tdnn_names"] and card.about.summary in "".join(found.texts("pre"))
    assert f"{card.figure.value:.4g}" in found.texts("td") and f"{card.parameters:,}" in found.texts("dd")
    assert set(card.figure.baselines) <= set(found.texts("th"))


def test_runs_and_models_compared(run, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "other", symlinks=True)
    results = json.loads((run / "results.json").read_text())
    (tmp_path / "other" / "results.json").write_text(json.dumps({**results, "scores": {"loss": 0.125}}))
    output = tmp_path / "new" / "compare.html"
    assert main(["compare", str(run), str(tmp_path / "other"), "elman_grammar", "--output", str(output)]) == 0
    text = capsys.readouterr().out
    assert f"{results['scores']['loss']:.4g}" in text and "0.125" in text and text.endswith(f"\n{output}\n")
    found = pages.check(output.read_text(encoding="utf-8"))
    assert [name for name in found.texts("th") if name in (run.name, "other", "elman_grammar")][:3] == [
        run.name, "other", "elman_grammar"]
    assert "Validation loss" in found.texts("figcaption")


@pytest.mark.parametrize("words, sentence", [
    (["compare", "tdnn_names"], "two runs or more, got 1"), (["report", "tdnn_nams"], "the nearest are tdnn_names"),
    (["compare", "tdnn_names", "no/such/run"], "there is no run in 'no/such/run'")])
def test_mistakes_cost_a_sentence(words, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=sentence):
        main(words)
    assert not list(tmp_path.iterdir())
