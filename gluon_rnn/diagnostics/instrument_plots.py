"""Pictures of gradients through time, Jacobians, gates and truncation; matplotlib's backend is left alone."""
import numpy as np

from gluon_rnn.diagnostics.gates import OPEN, SHUT
from gluon_rnn.diagnostics.gradient_flow import FADED
from gluon_rnn.diagnostics.plots import _panels, _saved
from gluon_rnn.diagnostics.truncation import ENOUGH

__all__ = ["gate_figure", "gradient_figure", "jacobian_figure", "truncation_figure"]

# Of a band that ends in 0 a logarithmic axis would show hundreds of decades.
_DECADES = 1e-12


def gradient_figure(found, path=None):
    """Draw the norm of dL_T/dh_t by lag, a line and a band (median, 5 to 95 %) for each state, on a log axis.

    Parameters
    ----------
    found : gluon_rnn.diagnostics.GradientThroughTime
    path : str or Path, optional
        Where a PNG is written.

    Returns
    -------
    matplotlib.figure.Figure
        A dot marks the memory length of a state.
    """
    figure, panels = _panels(1, 1, (8, 4))
    axes, top = panels[0, 0], 0.0
    for number, state in enumerate(found.norms):
        median = found.quantile(state, 0.5)
        top = max(top, np.nanmax(median, initial=0.0))
        length, colour = found.memory_length(state), f"C{number}"
        label = state + (", more than 1 % to the end" if length is None else f", {length} steps")
        axes.plot(found.lags, median, color=colour, label=label)
        axes.fill_between(found.lags, found.quantile(state, 0.05), found.quantile(state, 0.95), color=colour,
                          alpha=0.15, linewidth=0)
        if length:
            axes.plot(length, median[length], "o", color=colour)
    if top:
        axes.set_yscale("log")
        axes.set_ylim(bottom=max(axes.get_ylim()[0], _DECADES * top))
        axes.set_xlim(0, max(np.flatnonzero(found.quantile(state, 0.5) > _DECADES * top).max(initial=1)
                             for state in found.norms))
    axes.set(xlabel="lag T - t in steps", ylabel="norm of dL_T / dh_t",
             title=f"gradient through time; a memory ends under {FADED:.0%} of lag 0")
    return _finished(figure, axes, path)


def jacobian_figure(found, path=None):
    """Draw the spectral radius of the state Jacobian along a sequence, a line for each layer; see `gradient_figure`.

    `found` is a `gluon_rnn.diagnostics.StateJacobian`.
    """
    figure, panels = _panels(1, 1, (8, 3))
    axes = panels[0, 0]
    for name, radii in found.radii.items():
        axes.plot(found.steps, radii, "o-", markersize=3, linewidth=1, label=name)
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set(xlabel="step", ylabel="spectral radius", title="Jacobian of the state by the state one step before")
    return _finished(figure, axes, path)


def gate_figure(found, path=None):
    """Draw the shares of shut, open and other gates as a bar for each gate; see `gradient_figure`.

    `found` is a `gluon_rnn.diagnostics.GateSaturation`.
    """
    table = found.table()[::-1]                                           # bars go up
    figure, panels = _panels(1, 1, (8, 0.8 + 0.35 * len(table)))
    axes, left = panels[0, 0], np.zeros(len(table))
    between = 1 - table["shut"] - table["open"]
    for label, shares, colour in ((f"below {SHUT}", table["shut"], "C3"), ("between", between, "lightgrey"),
                                  (f"above {OPEN}", table["open"], "C0")):
        axes.barh(table["gate"], shares, left=left, color=colour, label=label)
        left = left + shares.to_numpy()
    axes.set(xlim=(0, 1), xlabel="share of units and steps", title="saturation of gates")
    return _finished(figure, axes, path, loc="upper left", bbox_to_anchor=(1, 1))         # beside the bars


def truncation_figure(found, path=None):
    """Draw cosine and ratio of norms of truncated and full gradient by k; see `gradient_figure`.

    `found` is a `gluon_rnn.diagnostics.Truncation`.
    """
    figure, panels = _panels(1, 1, (8, 3.5))
    axes = panels[0, 0]
    lines = (("cosine", found.cosine, "C0o-"), ("ratio of norms", found.norm_ratio, "C1o-"),
             ("cosine, encoder alone", found.encoder_cosine, "C0:"),
             ("ratio of norms, encoder alone", found.encoder_norm_ratio, "C1:"))
    for label, values, style in lines:
        axes.plot(found.k, values, style, markersize=3, label=label)
    axes.axhline(ENOUGH, color="black", linewidth=0.8)
    if found.bptt is not None and found.bptt <= found.steps:
        axes.axvline(found.bptt, color="C3", linewidth=1, label=f"bptt {found.bptt}")
    axes.set_xscale("log", base=2)
    axes.set(xlabel="k, steps that the gradient goes back",
             title=f"truncated beside full gradient ({found.steps} steps)")
    return _finished(figure, axes, path)


def _finished(figure, axes, path, **legend):
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", **legend)
    return _saved(figure, path)
