"""Files in, predictions out: measured rows as `predict` says, the rows behind them as a free run says; odd files."""
import numpy as np
import pytest

from gluon_rnn.answers.series_file import SeriesLayout
from gluon_rnn.models import AR, NARX
from tests.answers.test_forecasting import WASHOUT, assets, pipeline_of, recording, run_of


@pytest.fixture
def run():
    return run_of(NARX(1, 2, (4,), input_size=2, output_size=2))


def written(path, x, y, known, header="u1,y1,other,y0,u0", separator=","):
    """Write a file in which rows from `known` on have inputs only."""
    lines = [header]
    for row, (inputs, targets) in enumerate(zip(x.tolist(), y.tolist())):
        shown = [repr(value) if row < known else "" for value in targets]
        lines.append(separator.join([repr(inputs[1]), shown[1], "-", shown[0], repr(inputs[0])]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("steps_ahead", [1, 5, None])
def test_measured_rows_and_the_rows_behind_them(run, tmp_path, steps_ahead):
    (x, y), known = recording(2, 30), 24
    path = written(tmp_path / "a.csv", x, y, known)
    for answering in (run, pipeline_of(run)):
        found = answering.predict_file(path, steps_ahead)
        want = np.concatenate([answering.predict(x[:known], y[:known], steps_ahead),
                               answering.predict(x, y, None, known)])
        np.testing.assert_array_equal(found.predictions, want)
        np.testing.assert_array_equal(found.measured, y[:known])
        assert (found.start, found.names) == (WASHOUT, ["y0", "y1"]) and len(want) == 30 - WASHOUT
        short = answering.predict_file(path, steps_ahead, horizon=2)
        np.testing.assert_array_equal(short.predictions, want[:-4])
        assert len(answering.predict_file(str(path), horizon=0).predictions) == known - WASHOUT


def test_the_table_has_empty_cells_where_nothing_was_measured(run, tmp_path):
    x, y = recording(2, 12)
    found = run.predict_file(written(tmp_path / "a.csv", x, y, 10))
    header, *rows = str(found).splitlines()
    assert header == "row,y0,y1,y0_predicted,y1_predicted" and len(rows) == 5
    first, last = rows[0].split(","), rows[-1].split(",")
    assert first[0] == "7" and float(first[1]) == y[7, 0] and float(first[4]) == found.predictions[0, 1]
    assert last[:3] == ["11", "", ""] and float(last[3]) == found.predictions[-1, 0]


def test_a_model_without_inputs_forecasts_as_far_as_asked(tmp_path):
    run, (_, y) = run_of(AR(2, 2)), recording(0, 15)
    path = tmp_path / "a.csv"
    path.write_text("y0,y1\n" + "\n".join(f"{a!r},{b!r}" for a, b in y.tolist()))
    found = pipeline_of(run).predict_file(path, horizon=9)
    whole = np.concatenate([y, np.full((9, 2), np.nan)])
    np.testing.assert_array_equal(found.predictions[15 - WASHOUT:], pipeline_of(run).predict(None, whole, None, 15))
    assert pipeline_of(run).predict_file(path).predictions.shape == (15 - WASHOUT, 2)


def test_files_are_read_as_those_of_the_run(tmp_path, run):
    x, y = recording(2, 12)
    layout = SeriesLayout((4, 0), (3, 1), header=False, separator=";")
    stored = assets(2, formats={"train": layout})
    run.assets = type(run.assets).from_texts(stored.texts().__getitem__)
    path = tmp_path / "a.txt"
    written(path, x, y, 12, separator=";")
    path.write_text(path.read_text().split("\n", 1)[1])                   # without the header
    np.testing.assert_array_equal(pipeline_of(run).predict_file(path).predictions, run.predict(x, y))
    with pytest.raises(ValueError, match="read no files of its own for the split 'tests'; known: train"):
        run.predict_file(path, split="tests")


@pytest.mark.parametrize("horizon, steps, message", [
    (3, 12, "2 rows with inputs follow the last measured target, and a forecast of 3 rows needs as many"),
    (-1, 12, "horizon must be a whole number of at least 0, got -1"),
    (None, 8, "must be at least the run's washout of 7 and below the 6 rows of y; pass more rows")])
def test_too_few_rows(run, tmp_path, horizon, steps, message):
    path = written(tmp_path / "a.csv", *recording(2, steps), steps - 2)
    with pytest.raises(ValueError, match=message):
        run.predict_file(path, horizon=horizon)


def test_a_file_that_is_not_there_or_has_other_columns(run, tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        run.predict_file(tmp_path / "none.csv")
    (tmp_path / "b.csv").write_text("u0,u1,y0,y2\n1,2,3,4\n")
    with pytest.raises(ValueError, match="b.csv: no column 'y1'"):
        run.predict_file(tmp_path / "b.csv")
