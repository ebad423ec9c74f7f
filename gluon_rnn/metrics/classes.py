"""How good a classifier is, in numbers and pictures, by the metrics of scikit-learn."""
import numpy as np
import pandas as pd

#: classes of a confusion matrix and its picture
MOST_SHOWN = 50

__all__ = ["MOST_SHOWN", "accuracy_and_f1", "confusion", "draw", "scores", "scikit_learn"]


def scikit_learn():
    """Return scikit-learn with the modules that this package uses; ValueError where it is not installed."""
    try:
        import sklearn.feature_extraction.text
        import sklearn.linear_model
        import sklearn.metrics
        import sklearn.multiclass
    except ImportError:
        raise ValueError("scores of classes need scikit-learn, which is not installed; "
                         "pip install 'gluon_rnn[data]'") from None
    return sklearn


def scores(targets, log_probabilities):
    """Return {"loss", "accuracy", "macro_f1"} of log-probabilities (n, K) for targets (n,).

    loss is the mean of -log p_target in nats; macro_f1 the mean of the F1 of all K classes, 0 for a class that is
    neither there nor predicted.
    """
    loss = -log_probabilities[np.arange(len(targets)), targets].mean()
    classes = np.arange(log_probabilities.shape[1])
    return {"loss": float(loss), **accuracy_and_f1(targets, log_probabilities.argmax(axis=1), classes)}


def accuracy_and_f1(targets, predicted, classes):
    """Return {"accuracy", "macro_f1"} of predicted classes (n,) for targets (n,)."""
    metrics = scikit_learn().metrics
    return {"accuracy": float(metrics.accuracy_score(targets, predicted)),
            "macro_f1": float(metrics.f1_score(targets, predicted, labels=classes, average="macro", zero_division=0))}


def confusion(targets, predicted, labels, most=MOST_SHOWN):
    """Return the confusion matrix as a data frame: rows are true classes, columns predicted ones.

    Of more than `most` classes it has those that are most often taken for another one or another one for them.
    """
    shown = np.arange(len(labels))
    if len(labels) > most:
        wrong = targets != predicted
        errors = sum(np.bincount(part[wrong], minlength=len(labels)) for part in (targets, predicted))
        shown = np.sort(np.argsort(-errors, kind="stable")[:most])
    # Pairs with a class that is not shown are left out before counting: a matrix of all classes may not fit in.
    kept = np.isin(targets, shown) & np.isin(predicted, shown)
    counts = np.zeros((len(shown), len(shown)), dtype=np.int64)
    np.add.at(counts, (np.searchsorted(shown, targets[kept]), np.searchsorted(shown, predicted[kept])), 1)
    names = [labels[number] for number in shown]
    return pd.DataFrame(counts, index=names, columns=names)


def draw(matrix, path=None):
    """Draw a confusion matrix, colours by the share of each row; return the figure, written to `path` if given."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # no pyplot: that would choose a backend for everyone
    from matplotlib.figure import Figure
    size = max(4, 0.4 * len(matrix) + 2)
    figure = Figure(figsize=(size + 1, size), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    counts = matrix.to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    picture = axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    if len(matrix) <= 20:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                axes.text(column, row, count, ha="center", va="center", fontsize=8,
                          color="white" if shares[row, column] > 0.5 else "black")
    ticks = np.arange(len(matrix))
    axes.set_xticks(ticks, matrix.columns, rotation=90)
    axes.set_yticks(ticks, matrix.index)
    axes.set(xlabel="predicted", ylabel="true")
    figure.colorbar(picture, label="share of the true class")
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure
