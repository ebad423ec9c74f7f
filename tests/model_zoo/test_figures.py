"""Means and deviations over seeds: of runs, and of a row of the results table."""
import pytest

from gluon_rnn.model_zoo.cards import read_about
from gluon_rnn.model_zoo.figures import (Seeds, allowed_difference, finished, published_row, seeds_of_row,
                                         seeds_of_runs, tolerance_of)
from gluon_rnn.recipe_files import results_file


@pytest.mark.parametrize("value,seeds,expected", [
    ("1.413 +- 0.013", "3 (0, 1, 2)", Seeds(1.413, 0.013, [0, 1, 2])),
    ("7e-05 +- 1.3e-05", "2 (4, 9)", Seeds(7e-5, 1.3e-5, [4, 9])),
    ("35.55", "1 (0)", Seeds(35.55, None, [0])),
    ("1.4199", "1 (seed 0)", None),
    ("0.8467 +- 0.087", "2 (george, theo)", None),
])
def test_seeds_of_a_row(value, seeds, expected):
    assert seeds_of_row({"value": value, "seeds": seeds}) == expected


def test_the_row_of_a_recipe_variant_and_metric(about):
    text = about.read_text()
    for recipe, variant, metric, start in (("identify/narma10_narx", "", "free_run_nrmse", "0.03"),
                                           ("tag/ewt_upos_chars", "with a CRF", "accuracy", "0.9478")):
        about.write_text(text.replace("identify/narma10_narx", recipe).replace("free_run_rmse", metric)
                         + f"variant: '{variant}'\n")
        assert published_row(results_file(), read_about(about))["value"].startswith(start)
    about.write_text(text)
    assert published_row(results_file(), read_about(about)) is None


def test_runs_have_to_be_repetitions(runs):
    found = seeds_of_runs(runs, "loss")
    values = [finished(run, "loss")["scores"]["loss"] for run in runs]
    assert found.mean == pytest.approx(sum(values) / 2) and found.seeds == [0, 1]
    assert found.sd == pytest.approx(abs(values[0] - values[1]) / 2**0.5)
    assert seeds_of_runs(runs[:1], "loss").sd is None
    with pytest.raises(ValueError, match="are no repetitions"):
        seeds_of_runs([runs[0], runs[0]], "loss")
    with pytest.raises(ValueError, match=r"results.json has no score 'bleu'.*it has loss"):
        finished(runs[0], "bleu")


def test_what_float16_and_verify_may_differ_by(about):
    texts = read_about(about)
    assert allowed_difference(Seeds(10, 0.5, [0, 1])) == pytest.approx(0.05)
    assert allowed_difference(Seeds(-10, None, [0])) == pytest.approx(0.001)
    assert tolerance_of(texts, Seeds(10, 0.5, [0, 1])) == 0.01
    texts.tolerance = None
    assert tolerance_of(texts, Seeds(10, 0.5, [0, 1])) == pytest.approx(0.05)
    assert tolerance_of(texts, Seeds(10, 0.0, [0, 1])) == pytest.approx(0.001)
