"""Figures: what they show, where they are written, and that they leave pyplot alone."""
import ast
import pathlib
import sys

import numpy as np
import pandas as pd
import pytest

import gluon_rnn
from gluon_rnn.diagnostics import forecast_figure, residual_figure


def table(rows=30):
    frame = pd.DataFrame({"row": np.arange(rows), "y": np.random.randn(rows), "z": np.random.randn(rows)})
    for way in ("open_loop", "free_run", "ahead_24"):
        frame[f"y_{way}"] = frame["y"] + 0.5
    frame["y_free_run_lower"], frame["y_free_run_upper"] = frame["y"] - 1, frame["y"] + 2
    frame["z_free_run"] = frame["z"]
    return frame


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_forecast_figure_has_a_panel_for_each_target_and_a_line_for_each_way(tmp_path):
    frame = table()
    figure = forecast_figure(frame, ["y", "z"], tmp_path / "a.png")
    first, second = figure.axes
    for line, column in zip(first.lines, ("y", "y_open_loop", "y_free_run", "y_ahead_24")):
        np.testing.assert_array_equal(line.get_ydata(), frame[column])
    assert labels(first) == ["measured", "open loop (RMSE 0.5)", "free run (RMSE 0.5)", "band, free run",
                             "up to 24 steps ahead (RMSE 0.5)"]
    assert labels(second) == ["measured", "free run (RMSE 0)"]
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_rows_without_measured_values_are_the_forecast():
    frame = table()
    frame.loc[20:, "y"] = np.nan
    frame["y_free_run"] = 1.0
    axes = forecast_figure(frame, ["y"]).axes[0]
    assert np.isnan(axes.lines[0].get_ydata()[20:]).all() and (axes.lines[2].get_ydata() == 1).all()
    frame.loc[:19, "y_free_run"] = np.nan
    assert "free run" in labels(forecast_figure(frame, ["y"]).axes[0])          # no row has both: no error to name


def test_dates_on_the_axis():
    frame = table().rename(columns={"row": "time"})
    frame["time"] = pd.date_range("2020-01-01", periods=30)
    assert forecast_figure(frame, ["y"]).axes[0].get_xlabel() == "time"


@pytest.mark.parametrize("runaway", [1e6, np.inf])
def test_a_run_that_diverges_does_not_flatten_the_rest(runaway, tmp_path):
    frame = table()
    frame.loc[15:, "y_free_run"] = runaway
    figure = forecast_figure(frame, ["y"], tmp_path / "a.png")
    assert np.ptp(figure.axes[0].get_ylim()) < 30 and (tmp_path / "a.png").stat().st_size > 0


def test_table_without_a_place():
    with pytest.raises(ValueError, match="column time or row"):
        forecast_figure(table().drop(columns="row"), ["y"])


def test_residual_figure(tmp_path):
    residuals, inputs = np.random.randn(200), np.random.randn(200, 2)
    figure = residual_figure(residuals, inputs, ["u", "v"], tmp_path / "r.png", max_lag=20)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0].startswith("residuals") and titles[1].startswith("autocorrelation") and len(titles) == 4
    assert "with u" in titles[2] and "with v" in titles[3]
    drawn = figure.axes[1].lines[-1].get_xydata()
    np.testing.assert_array_equal(drawn[:, 0], np.arange(1, 21))                # lag 0 is always 1
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    assert len(residual_figure([residuals[:90], residuals[90:]], [inputs[:90, :0], inputs[90:, :0]], []).axes) == 2


def test_pyplot_is_never_loaded(monkeypatch):
    """Where it cannot be imported figures are drawn all the same, and no source file imports it."""
    for path in pathlib.Path(gluon_rnn.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
                assert not any("pyplot" in name or "pylab" in name for name in names), path
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pylab", None)
    assert residual_figure(np.random.randn(50), np.zeros((50, 0)), []).axes
    assert forecast_figure(table(), ["y"]).axes


def test_many_rows_are_an_overview_of_ranges_and_a_zoom():
    """Lines of 5,000 rows lie on each other: the lowest and highest of each group, and the last 400 as lines."""
    frame = table(5000)
    overview, zoom = forecast_figure(frame, ["y"]).axes
    assert not overview.lines and len(zoom.lines) == 4 and len(zoom.lines[0].get_ydata()) == 400
    edges = overview.collections[0].get_paths()[0].vertices[:, 1]
    groups = frame["y"].groupby(np.arange(5000) // 13)
    assert {*groups.min(), *groups.max()} <= {*edges} and len(groups) < 400
    assert labels(overview)[:2] == ["measured", "open loop (RMSE 0.5)"] and zoom.get_legend() is None


def test_a_legend_is_off_the_curves_and_a_long_name_in_two_lines():
    name = "flow of the second pump, in litres a minute"
    figure = forecast_figure(table().rename(columns=lambda column: column.replace("y", name)), [name])
    figure.canvas.draw()
    axes = figure.axes[0]
    assert axes.get_legend().get_window_extent().y0 >= axes.get_window_extent().y1
    assert axes.get_ylabel() == "flow of the second pump,\n in litres a minute"
