"""Plots of predictions and residuals; matplotlib's backend is left as the user has it."""
import re

import numpy as np

from gluon_rnn.diagnostics.residuals import correlate_residuals
from gluon_rnn.files import whole

__all__ = ["forecast_figure", "residual_figure"]

_LABELS = {"open_loop": "open loop", "free_run": "free run", "forecast": "forecast"}
#: rows above which lines lie on each other; so many of the last are drawn once more; all of them, in so many groups
_MANY, _ZOOM, _GROUPS = 2000, 400, 400
#: letters in a line beside a panel
_LETTERS = 24
_WAY = r"(open_loop|free_run|ahead_\d+|forecast)"


def forecast_figure(table, target_names, path=None, detail=None):
    """Draw measured values beside predictions, a panel for each target.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns "time" or "row"; of each target NAME, its measured values, missing where there are none; and
        NAME_open_loop, NAME_free_run, NAME_ahead_24, NAME_forecast, those that are there; and for a band around one of
        them NAME_free_run_lower and NAME_free_run_upper.
    target_names : list of str
    path : str or Path, optional
        Where a PNG is written.
    detail : int, optional
        Number of rows at the end that are drawn once more, beside all of them; by default 400 of a table of more than
        2,000, whose lines would lie on each other. There, ranges stand for lines: from the lowest to the highest value
        of each hundredth or so of the rows.

    Returns
    -------
    matplotlib.figure.Figure
    """
    places = next((key for key in ("time", "row") if key in table), None)
    if places is None:
        raise ValueError(f"the table needs a column time or row, got {', '.join(map(str, table.columns))}")
    if detail is None and len(table) > _MANY:
        detail = _ZOOM
    parts = [table] if detail is None else [table, table.tail(detail)]
    figure, panels = _panels(len(target_names), len(parts), (9, 3) if detail is None else (6.5, 3))
    for row, name in zip(panels, target_names):
        for axes, part in zip(row, parts):
            _draw(axes, part, places, name)
            axes.margins(x=0.01)
        row[0].set(ylabel=_fitted(name))
        # Above the panel, so off the curves; with the lines of the zoom, where ranges stand for lines.
        handles = row[-1].get_legend_handles_labels()[0][:len(row[0].get_legend_handles_labels()[1])]
        row[0].legend(handles, row[0].get_legend_handles_labels()[1], loc="lower left", bbox_to_anchor=(0, 1),
                      fontsize="small", ncols=2)
    for axes in panels[-1]:
        axes.set(xlabel=places)
    if places == "time":
        figure.autofmt_xdate()
    return _saved(figure, path)


def _draw(axes, table, places, name):
    """Draw one target of the table, and everything that was predicted of it."""
    _line(axes, table[places], table[name], color="black", linewidth=1.2, label="measured")
    ways = [match[1] for match in (re.fullmatch(re.escape(name) + "_" + _WAY, key) for key in table) if match]
    for number, way in enumerate(ways):
        label, values = _LABELS.get(way, "up to " + way.replace("ahead_", "") + " steps ahead"), table[f"{name}_{way}"]
        _line(axes, table[places], values, linewidth=1, alpha=0.85, color=f"C{number}",
              label=label + _error(table[name], values))
        if f"{name}_{way}_lower" in table and len(table) <= _MANY:
            axes.fill_between(table[places], table[f"{name}_{way}_lower"], table[f"{name}_{way}_upper"],
                              color=f"C{number}", alpha=0.2, linewidth=0, label=f"band, {label}")
    _limit(axes, table[name])
    axes.grid(alpha=0.3)


def _line(axes, places, values, **style):
    """Draw a line, or where there are too many rows the range of each group of them."""
    if len(values) <= _MANY:
        axes.plot(places, values, **style)
        return
    groups = np.arange(len(values)) // -(-len(values) // _GROUPS)
    numbers = values.astype(float).replace([np.inf, -np.inf], np.nan).groupby(groups)
    axes.fill_between(places.to_numpy()[np.searchsorted(groups, np.arange(groups[-1] + 1))], numbers.min(),
                      numbers.max(), color=style["color"], alpha=0.5, linewidth=0.3, label=style["label"])


def _fitted(name):
    """Return a name as a panel of three inches has room for, in two lines where it is long."""
    lines = [name[start:start + _LETTERS] for start in range(0, len(name), _LETTERS)]
    return "\n".join(lines[:2]) + ("..." if len(lines) > 2 else "")


def _error(measured, predicted):
    """Return the root mean square error as a label says it, over the rows that have both."""
    errors = (measured - predicted).to_numpy(dtype=float)
    errors = errors[~np.isnan(errors)]
    with np.errstate(over="ignore"):
        return f" (RMSE {np.sqrt(np.mean(errors ** 2)):.4g})" if len(errors) else ""


def _limit(axes, measured):
    """Keep a prediction that runs away from squeezing the measured values into a line."""
    low, high = np.nanmin(measured), np.nanmax(measured)
    room = max(high - low, 1e-12)
    bottom, top = axes.get_ylim()
    if not np.isfinite([bottom, top]).all() or bottom < low - 2 * room or top > high + 2 * room:
        axes.set_ylim(low - room, high + room)


def residual_figure(residuals, inputs, input_names, path=None, max_lag=25):
    """Draw residuals, their autocorrelation, and their cross-correlation with each input, with 95 % bands.

    Parameters
    ----------
    residuals : (T,) array, or list of them
        Measured less predicted, one step ahead, of one target.
    inputs : (T, Cx) array, or list of them
        Of the same rows; Cx may be 0.
    input_names : list of str
    path : str or Path, optional
        Where a PNG is written.
    max_lag : int, default 25

    Returns
    -------
    matplotlib.figure.Figure
    """
    found = correlate_residuals(residuals, inputs, input_names, max_lag)
    lags = np.arange(-found.max_lag, found.max_lag + 1)
    figure, panels = _panels(2 + len(found.cross), 1, (8, 2.2))
    panels = panels[:, 0]
    values = np.concatenate(residuals if isinstance(residuals, (list, tuple)) else [residuals])
    panels[0].plot(values, linewidth=0.8)
    panels[0].set(title="residuals, one step ahead", xlabel="row")
    _stems(panels[1], lags[found.max_lag + 1:], found.auto[1:], found.band)
    panels[1].set(title=f"autocorrelation; {found.outside['residuals']:.0%} of lags outside the 95 % band",
                  xlabel="lag")
    for axes, (name, correlations) in zip(panels[2:], found.cross.items()):
        _stems(axes, lags, correlations, found.band)
        axes.set(title=f"cross-correlation with {name}; {found.outside[name]:.0%} of lags outside the 95 % band",
                 xlabel="lag (above 0: the input comes first)")
    return _saved(figure, path)


def _stems(axes, lags, values, band):
    axes.axhspan(-band, band, color="C1", alpha=0.2, linewidth=0)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.vlines(lags, 0, values, color="C0", linewidth=1.5)
    axes.plot(lags, values, "o", color="C0", markersize=3)
    axes.margins(y=0.15)


def _panels(rows, columns, size):
    """Return a figure and its axes (rows, columns), each of `size` in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # no pyplot: that would choose a backend for everyone
    from matplotlib.figure import Figure
    figure = Figure(figsize=(size[0] * columns, size[1] * rows + 0.4), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _saved(figure, path):
    if path is not None:
        with whole(path) as partial:
            figure.savefig(partial, dpi=120)
    return figure
