"""Pictures of input saliency: time steps and channels, and the mean by lag; matplotlib's backend is left alone."""
import numpy as np

from gluon_rnn.diagnostics.plots import _panels, _saved

__all__ = ["channel_figure", "lag_figure"]

_WAYS = (("integrated gradients", "integrated"), ("gradient times input", "gradient_input"))
#: channels that are lines; more are rows of a heat map
_LINES = 6
#: share of all attributions that a picture by lag shows
_SHOWN = 0.995


def channel_figure(found, titles, lengths, channels, path=None):
    """Draw attributions of each row by step and channel, integrated gradients beside gradient times input.

    Parameters
    ----------
    found : gluon_rnn.diagnostics.InputSaliency
    titles : list of N str
    lengths : (N,) int array
        Steps of each row.
    channels : list of C str
    path : str or Path, optional
        Where a PNG is written.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, panels = _panels(len(titles), 2, (5.5, 2.2))
    for number, (row, title, length) in enumerate(zip(panels, titles, lengths)):
        for axes, (label, name) in zip(row, _WAYS):
            values = getattr(found, name)[:length, number]
            (_lines if len(channels) <= _LINES else _heat)(axes, values, channels)
            axes.set_title(f"{title}\n{label}", fontsize=9, parse_math=False)
        if not number and len(channels) <= _LINES:
            row[1].legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1, 1))
    for axes in panels[-1]:
        axes.set(xlabel="step")
    return _saved(figure, path)


def _lines(axes, values, channels):
    axes.axhline(0, color="black", linewidth=0.8)
    for column, channel in zip(values.T, channels):
        axes.plot(column, "o-" if len(column) < 30 else "-", markersize=3, linewidth=1, label=channel)
    axes.grid(alpha=0.3)


def _heat(axes, values, channels):
    limit = np.abs(values).max() or 1.0
    axes.imshow(values.T, aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest",
                origin="lower")
    axes.set(ylabel="channel")


def lag_figure(found, channels, answer, path=None):
    """Draw the mean size of attributions over rows by lag, a line for each channel and way.

    Parameters
    ----------
    found : gluon_rnn.diagnostics.InputSaliency
        Of the answer at the last step of each row.
    channels : list of C str
    answer : str
        What is attributed.
    path : str or Path, optional

    Returns
    -------
    matplotlib.figure.Figure
        Lags until 99.5 % of what is attributed has been shown; channels without attributions are left out.
    """
    sizes = {name: np.abs(getattr(found, name)).mean(axis=1)[::-1] for _, name in _WAYS}       # (K, C) by lag
    reached = np.cumsum(sizes["integrated"].sum(axis=1))
    count = max(2, 1 + int(np.searchsorted(reached, _SHOWN * reached[-1])))
    figure, panels = _panels(1, 1, (8, 4))
    axes = panels[0, 0]
    for number, channel in enumerate(channels):
        if not sizes["integrated"][:, number].any():
            continue                                                      # a free run reads no measured outputs
        for (label, name), style in zip(_WAYS, ("-", ":")):
            axes.plot(np.arange(count), sizes[name][:count, number], style, marker="o" if count < 40 else None,
                      markersize=3, color=f"C{number % 10}", label=f"{channel}, {label}")
    axes.set(xlabel="lag in steps before the prediction", ylabel="mean absolute attribution", ylim=(0, None))
    axes.set_title(f"attributions of {answer}", parse_math=False)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    return _saved(figure, path)
