"""Experiments of long memory: `adding.py`, `copy_memory.py`, `pixel_digits.py`: recipes, measures, tiny cases."""
import doctest
import math

import numpy as np
import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn import recipes, runtime
from gluon_rnn.classic import copy_memory
from gluon_rnn.classic.adding import Adding
from gluon_rnn.classic.copy_memory import CopyMemoryExperiment
from gluon_rnn.classic.pixel_digits import PixelDigitsExperiment
from gluon_rnn.runs import Run
from gluon_rnn.training import train

EXPERIMENTS = [Adding(), CopyMemoryExperiment(), PixelDigitsExperiment()]


def test_examples():
    assert doctest.testmod(copy_memory).failed == 0


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda experiment: experiment.name)
def test_every_case_is_a_recipe_that_builds_its_network(experiment):
    labels = [case.label for case in experiment.cases()]
    assert len(set(labels)) == len(labels)
    for case in experiment.cases():
        encoder = recipes.load(case.recipe, case.overrides).model.arguments["encoder"]
        name = case.label.split(",")[0].split(" ")[0].lower()
        assert encoder["name"] == {"irnn": "rnn"}.get(name, name)
        assert ("chrono" in case.label) == (isinstance(encoder.get("i2h_bias_initializer"), dict))


def test_an_irnn_begins_as_the_identity():
    case = Adding().case("IRNN, T = 100")
    sizes = ["data.length=3", "data.train=20", "data.valid=1", "data.test=1"]
    config = recipes.load(case.recipe, [*case.overrides, *sizes])
    task = recipes.build_task(config)
    task.initialize(runtime.devices("cpu"))
    encoder = task.model.encoder
    np.testing.assert_array_equal(encoder.l0_h2h_weight.data().asnumpy(), np.eye(64))
    # of 128 normal numbers the deviation is known to 1 / sqrt(256) of itself
    assert encoder.l0_i2h_weight.data().asnumpy().std() == pytest.approx(0.03, rel=4 / 16)


def trained(recipe, folder, *overrides):
    small = [f"output_dir={folder}", "training.epochs=1", "training.report=false", *overrides]
    task = recipes.build_task(recipes.load(recipe, small))
    return Run(train(task, "run")), task.data


def test_adding_measures_its_error_beside_the_variance(tmp_path):
    run, data = trained("classic/adding", tmp_path, "data.length=5", "data.train=40", "data.valid=20", "data.test=90")
    found = Adding().measure(run, Adding().cases()[0])
    sums = data.targets("test")[:, 0]
    rows = [np.stack([steps[:, 0], steps[:, 1]], axis=1) for steps in data.inputs("test")]
    errors = np.array([answer["sum"] for answer in run.predict(rows)]) - sums
    # float32 outputs of about 1, whose error of 1e-7 is small beside errors of about 0.4
    expected = {"mse": np.mean(errors ** 2), "of_variance": np.mean(errors ** 2) / sums.var()}
    assert found == pytest.approx(expected, rel=1e-5)


def test_copy_memory_measures_symbols_and_not_blanks(tmp_path):
    run, data = trained("classic/copy_memory", tmp_path, "data.delay=3", "data.copied=2", "data.symbols=2",
                        "data.train=400", "data.valid=4", "data.test=100", "model.embed_size=4",
                        "model.encoder.hidden_size=4")
    found = CopyMemoryExperiment().measure(run, CopyMemoryExperiment().cases()[0])
    assert found["memoryless"] == pytest.approx(2 * math.log(2) / 7, rel=1e-12)
    assert found["of_memoryless"] == pytest.approx(run.scores["loss"] / found["memoryless"], rel=1e-12)
    words, tags = zip(*data.sequences("test"))
    said = np.array([tagged.tags for tagged in run.predict([" ".join(row) for row in words])])
    right = said == np.array(tags)                                        # (100, 7), the symbols at the end
    assert found["symbols_right"] == pytest.approx(right[:, 5:].mean(), rel=1e-12)
    assert run.scores["accuracy"] == pytest.approx(right.mean(), rel=1e-12)


def test_pictures_and_measures_of_rows(tmp_path):
    rows = [{"label": "RNN", "seed": 1, "mse": 0.16, "of_memoryless": 1.0, "accuracy": 0.3},
            {"label": "b", "seed": 1, "error": "diverged"}]
    for experiment in EXPERIMENTS:
        experiment.draw(rows, tmp_path / f"{experiment.name}.png")
        assert (tmp_path / f"{experiment.name}.png").stat().st_size > 1000
