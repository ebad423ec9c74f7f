"""How good a classifier is, in numbers and pictures, and what simple methods reach on the same data.

Metrics and baselines are scikit-learn's.
"""
import numpy as np
import pandas as pd

__all__ = ["baselines", "confusion", "draw", "scores", "write_predictions"]

#: inverse strengths of regularisation that the validation split chooses from
STRENGTHS = (0.1, 1.0, 10.0, 100.0)


def _sklearn():
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
    return {"loss": float(loss), **_accuracy_and_f1(targets, log_probabilities.argmax(axis=1), classes)}


def _accuracy_and_f1(targets, predicted, classes):
    metrics = _sklearn().metrics
    return {"accuracy": float(metrics.accuracy_score(targets, predicted)),
            "macro_f1": float(metrics.f1_score(targets, predicted, labels=classes, average="macro", zero_division=0))}


def confusion(targets, predicted, labels):
    """Return the confusion matrix as a data frame: rows are true classes, columns predicted ones."""
    counts = _sklearn().metrics.confusion_matrix(targets, predicted, labels=np.arange(len(labels)))
    return pd.DataFrame(counts, index=labels, columns=labels)


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


def write_predictions(path, items, targets, log_probabilities, labels):
    """Write a CSV with a row for each item: true and predicted class and the probability of the latter."""
    predicted = log_probabilities.argmax(axis=1)
    frame = pd.DataFrame({"item": items, "true": [labels[k] for k in targets],
                          "predicted": [labels[k] for k in predicted],
                          "probability": np.exp(log_probabilities.max(axis=1))})
    frame.to_csv(path, index=False, float_format="%.6g")


def baselines(data, split, fit=True):
    """Return {method: scores} of simple methods on a split of labelled `data`.

    Parameters
    ----------
    data : gluon_rnn.data.labelled.Labelled
    split : str
    fit : bool, default True
        Whether linear models are fitted, or only the most frequent class is answered.

    Notes
    -----
    Logistic regressions by scikit-learn, one class against the rest, fitted to the training split, their strength of
    regularisation chosen on the validation split: on words and on character n-grams (1 to 5, TF-IDF) of texts; on mean,
    deviation, first and last step of sequences of numbers.
    """
    targets, classes = data.targets(split), np.arange(len(data.labels))
    frequent = np.bincount(data.targets("train")).argmax()
    found = {"most frequent class": _accuracy_and_f1(targets, np.full(len(targets), frequent), classes)}
    for name, features in (_features(data).items() if fit else ()):
        predicted = _logistic_regression(features, data).predict(features(split))
        found[name] = _accuracy_and_f1(targets, predicted, classes)
    return found


def _features(data):
    """Return {name of a baseline: function from a split to its features (n, D)}."""
    if not hasattr(data, "vocab"):
        return {"logistic regression on means and deviations": lambda split: _summary(data.inputs(split))}
    text = _sklearn().feature_extraction.text
    kinds = {"bag-of-words logistic regression": dict(token_pattern=r"\S+"),
             "character n-gram logistic regression": dict(analyzer="char_wb", ngram_range=(1, 5))}
    return {name: _vectorized(text.TfidfVectorizer(sublinear_tf=True, **kind), data) for name, kind in kinds.items()}


def _vectorized(vectorizer, data):
    vectorizer.fit(data.items("train"))
    return lambda split: vectorizer.transform(data.items(split))


def _summary(sequences):
    return np.array([np.concatenate([sequence.mean(axis=0), sequence.std(axis=0), sequence[0], sequence[-1]])
                     for sequence in sequences])


def _logistic_regression(features, data):
    """Return the logistic regression whose strength of regularisation is best on the validation split."""
    sklearn = _sklearn()
    train, valid = features("train"), features("valid")
    # one class against the rest, by liblinear: a hundred times faster on n-grams than one softmax, and no worse
    models = [sklearn.multiclass.OneVsRestClassifier(sklearn.linear_model.LogisticRegression(
        C=strength, solver="liblinear")).fit(train, data.targets("train")) for strength in STRENGTHS]
    return max(models, key=lambda model: model.score(valid, data.targets("valid")))
