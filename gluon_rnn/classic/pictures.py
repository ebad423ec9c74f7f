"""What pictures of the experiments have in common."""

__all__ = ["axes_of", "save"]


def axes_of(width=6.0, height=4.0, **settings):
    """Return the axes of a new figure with `settings` such as ``xlabel``; no backend is chosen for anyone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set(**settings)
    return axes


def save(axes, path):
    """Write the figure of some axes to `path`, a PNG."""
    axes.figure.savefig(path, dpi=120)
