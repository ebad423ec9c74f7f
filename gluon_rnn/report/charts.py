"""Which curves the rows of ``metrics.csv`` give: losses, scores, learning rate, norms, speed."""
import itertools

from gluon_rnn.report.curves import Series, chart

__all__ = ["charts_beside", "charts_of"]

_NAMES = {"learning_rate": "learning rate", "grad_norm": "norm of the gradient", "param_norm": "norm of the parameters",
          "clipped": "share of clipped steps", "train_loss": "training loss", "valid_loss": "validation loss"}
#: of each row, but no curve: where it stands, and what another column says as well
_NO_CURVE = {"epoch", "step", "seconds", "train_loss", "valid_loss", "steps_per_second"}


def charts_of(record):
    """Return the charts of one run, losses first; columns that are 0 throughout have none.

    Parameters
    ----------
    record : gluon_rnn.report.record.Record
    """
    rows, label = record.rows, record.beginning.get("loss_label", "loss")
    if not rows:
        return []
    best = record.beginning.get("best_loss")
    losses = [_series(rows, "train_loss", "training"), _series(rows, "valid_loss", "validation")]
    found = [chart("Loss", losses, y_label=label, level=None if best is None else ("best possible", best))]
    for name in _columns([record]):
        if any(row[name] for row in rows):
            found.append(chart(_title(name), [_series(rows, name, _title(name))], log=_log_of(name)))
    return [each for each in found if each is not None]


def charts_beside(records, names):
    """Return the charts of several runs, a line a run, of all columns that at least two of them have.

    Parameters
    ----------
    records : list of gluon_rnn.report.record.Record
        Those with rows.
    names : list of str
        What to call each.
    """
    charts = [_beside(records, names, "valid_loss"), _beside(records, names, "train_loss")]
    seconds = [Series(name, list(itertools.accumulate(row["seconds"] for row in record.rows)),
                      [row["valid_loss"] for row in record.rows]) for record, name in zip(records, names)]
    charts.append(chart("Validation loss over time", seconds, "seconds of training"))
    charts += [_beside(records, names, column) for column in _columns(records)]
    return [each for each in charts if each is not None]


def _beside(records, names, column):
    having = [(record, name) for record, name in zip(records, names) if column in record.rows[0]]
    if len(having) < 2 or not any(row[column] for record, _ in having for row in record.rows):
        return None
    return chart(_title(column), [_series(record.rows, column, name) for record, name in having], log=_log_of(column))


def _series(rows, column, name):
    return Series(name, [row["epoch"] for row in rows], [row[column] for row in rows])


def _columns(records):
    """Return the columns that have a curve of their own, in the order of the file."""
    return list(dict.fromkeys(name for record in records for name in record.rows[0] if name not in _NO_CURVE))


def _title(name):
    """Return the words for a column: "valid_macro_f1" is "Validation macro f1"."""
    words = _NAMES.get(name, name.replace("valid_", "validation ", 1).replace("_", " "))
    return words[0].upper() + words[1:]


def _log_of(name):
    """Whether the axis of a column is logarithmic; None: as the numbers want it, which speeds and shares never do."""
    return None if name in ("learning_rate", "grad_norm") else False
