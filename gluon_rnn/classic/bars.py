"""A bar for each case of an experiment, for experiments whose rows have one figure that counts."""
import statistics

from gluon_rnn.classic.pictures import axes_of, save

__all__ = ["bars", "means"]


def means(rows, column):
    """Return {label: values of a column}, in the order of the rows; cases that failed are left out.

    >>> means([{"label": "a", "x": 1.0}, {"label": "b", "error": "lost"}, {"label": "a", "x": 3.0}], "x")
    {'a': [1.0, 3.0]}
    """
    found = {}
    for row in rows:
        if column in row:
            found.setdefault(row["label"], []).append(row[column])
    return found


def bars(path, rows, column, lines=None, limits=None, logarithmic=False):
    """Draw a bar for each label, as long as the mean over its seeds, with a dot for each seed.

    Parameters
    ----------
    path : str or Path
        Of the PNG. None is written where no row has the column.
    rows : list of dict
    column : str
    lines : dict of str to float, optional
        Values that are drawn across all bars, with their names.
    limits : (float, float), optional
        Of the axis.
    logarithmic : bool, default False

    Returns
    -------
    matplotlib.figure.Figure or None
    """
    found = means(rows, column)
    if not found:
        return None
    axes = axes_of(7, 0.8 + 0.3 * len(found))
    places = range(len(found))
    axes.barh(places, [statistics.fmean(values) for values in found.values()], color="C0", alpha=0.6)
    for place, values in zip(places, found.values()):
        axes.plot(values, [place] * len(values), "o", color="black", markersize=3)
    for number, (name, value) in enumerate((lines or {}).items()):
        axes.axvline(value, color=f"C{number + 1}", linestyle="--", linewidth=1.2, label=name)
    axes.set(yticks=places, yticklabels=list(found), xlabel=column, xscale="log" if logarithmic else "linear")
    axes.invert_yaxis()
    if limits:
        axes.set_xlim(*limits)
    if lines:
        axes.legend(fontsize="small")
    save(axes, path)
    return axes.figure
