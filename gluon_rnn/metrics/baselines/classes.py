"""Simple classifiers beside a trained one: the most frequent class, and logistic regressions by scikit-learn."""
import logging

import numpy as np

from gluon_rnn.metrics.classes import accuracy_and_f1, scikit_learn

__all__ = ["baselines"]

#: inverse strengths of regularisation that the validation split chooses from
STRENGTHS = (0.1, 1.0, 10.0, 100.0)
#: classes; each takes regressions of its own, so that 1,500 of them take minutes
MOST_CLASSES = 300
_log = logging.getLogger(__name__)


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
    deviation, first and last step of sequences of numbers; none on graphs, and none of more than
    `MOST_CLASSES` classes.
    """
    targets, classes = data.targets(split), np.arange(len(data.labels))
    frequent = np.bincount(data.targets("train")).argmax()
    found = {"most frequent class": accuracy_and_f1(targets, np.full(len(targets), frequent), classes)}
    if fit and len(classes) > MOST_CLASSES:
        _log.info("no logistic regressions beside the model: %d classes take one each, and more than %d take long",
                  len(classes), MOST_CLASSES)
        fit = False
    for name, features in (_features(data).items() if fit else ()):
        predicted = _logistic_regression(features, data).predict(features(split))
        found[name] = accuracy_and_f1(targets, predicted, classes)
    return found


def _features(data):
    """Return {name of a baseline: function from a split to its features (n, D)}."""
    if getattr(data, "structure", None) == "graph":
        return {}
    if not hasattr(data, "vocab"):
        return {"logistic regression on means and deviations": lambda split: _summary(data.inputs(split))}
    text = scikit_learn().feature_extraction.text
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
    library = scikit_learn()
    train, valid = features("train"), features("valid")
    # one class against the rest, by liblinear: a hundred times faster on n-grams than one softmax, and no worse
    models = [library.multiclass.OneVsRestClassifier(library.linear_model.LogisticRegression(
        C=strength, solver="liblinear")).fit(train, data.targets("train")) for strength in STRENGTHS]
    return max(models, key=lambda model: model.score(valid, data.targets("valid")))
