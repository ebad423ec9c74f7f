"""SequenceClassifier: a class for each sequence of words, characters or numbers."""
import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, column_or_1d, validate_data

from gluon_rnn.data.series_in_memory import arranged
from gluon_rnn.estimators.base import RunEstimator

__all__ = ["SequenceClassifier"]


class SequenceClassifier(ClassifierMixin, RunEstimator):
    """Classifier of texts, or of sequences of numbers.

    Arguments that are None leave what the recipe says.

    Parameters
    ----------
    encoder : str or dict, optional
        A name such as "gru", or a section of a recipe; default "lstm".
    hidden_size, embed_size : int, optional
        Units of the encoder, and of the embedding of texts; default 32.
    pooling : {"last", "mean", "max", ...}, optional
        See `gluon_rnn.nn.pooling`; default "last".
    unit : {"word", "character"}, optional
        What a token of a text is; default "word".
    epochs, learning_rate, batch_size : optional
        Of training; default 20, 0.01 and 32.
    seed : int, default 0
    validation_fraction : float in (0, 1), default 0.1
        Share of each class whose loss selects the epoch.
    recipe, overrides, output_dir : optional
        As for `gluon_rnn.estimators.Forecaster`.

    Attributes
    ----------
    classes_ : (K,) array
    n_features_in_ : int
        Of sequences of numbers: the numbers a step, or of a table the number of its columns.
    feature_names_in_ : array of str
        Where X was a DataFrame.
    metrics_, results_, run_, predictor_
        See `gluon_rnn.estimators.base.RunEstimator`.

    Notes
    -----
    `X` is a list of texts; a list of (T_i, C) or (T_i,) arrays; an array (n, T, C); or a table (n, T): an array, a list
    of lists of numbers or a DataFrame, whose columns are put in order by their names. Each row of a table is a sequence
    of T steps with one number each.
    """

    keys = {**RunEstimator.keys, "pooling": "model.pooling"}

    def __init__(self, encoder=None, *, hidden_size=None, embed_size=None, pooling=None, unit=None, epochs=None,
                 learning_rate=None, batch_size=None, seed=0, validation_fraction=0.1, recipe=None, overrides=None,
                 output_dir=None):
        self.encoder, self.hidden_size, self.embed_size, self.pooling = encoder, hidden_size, embed_size, pooling
        self.unit, self.epochs, self.learning_rate, self.batch_size = unit, epochs, learning_rate, batch_size
        self.seed, self.validation_fraction = seed, validation_fraction
        self.recipe, self.overrides, self.output_dir = recipe, overrides, output_dir

    def base_recipe(self):
        """Return the recipe where the user gives none."""
        return {"task": {"name": "classification", "baselines": False}, "data": {"batch_size": 32},
                "model": {"encoder": {"name": "lstm", "hidden_size": 32}},
                "training": {"epochs": 20, "clip_norm": 1.0, "schedule": {"name": "cosine"},
                             "optimizer": {"name": "adam", "learning_rate": 0.01}}}

    def fit(self, X, y, *, valid=None):
        """Train on sequences and their classes.

        Parameters
        ----------
        X : sequences
            See the class.
        y : (n,) array
        valid : (X, y), optional
            What selects the epoch, in the place of `validation_fraction`.

        Returns
        -------
        self
        """
        if y is None:
            raise ValueError("SequenceClassifier requires y to be passed, but the target y is None")
        sequences, y = self._sequences(X, y, first=True)
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"y holds one class, {self.classes_[0]!r}; a classifier needs examples of two or more")
        recipe, data = self._recipe(), {"train": (sequences, _names(y))}
        section = recipe["data"]
        for key in ("path", "split", "train", "valid", "test", "features"):
            section.pop(key, None)
        section.setdefault("name", "labelled_text" if self._of_texts else "trajectories")
        if self._of_texts:
            section.update({} if self.unit is None else {"unit": self.unit})
            recipe["model"].setdefault("embed_size", 32)
            recipe["model"].update({} if self.embed_size is None else {"embed_size": int(self.embed_size)})
        if valid is not None:
            data["valid"] = self._sequences(valid[0])[0], _names(valid[1])
        elif self._of_texts:
            section["split"], data = [1 - self.validation_fraction, self.validation_fraction], data["train"]
        else:
            section["valid"] = float(self.validation_fraction)
        return self._fit(recipe, data)

    def predict_proba(self, X):
        """Return the probability of each of `classes_`, (n, K) float64."""
        check_is_fitted(self)
        sequences, _ = self._sequences(X)
        items = sequences if self._of_texts else [sequence.astype(np.float64) for sequence in sequences]
        names = _names(self.classes_)
        return np.array([[found[name] for name in names] for found in self.predictor_.predict(items)])

    def predict(self, X):
        """Return the most probable class of each sequence, (n,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @property
    def _of_texts(self):
        return self._kind == "texts"

    # ---- what X may be ---------------------------------------------------------------------------------------------

    def _sequences(self, X, y=None, first=False):
        """Return a list of texts or of (T_i, C) arrays, and `y` as a checked array."""
        kind = _kind_of(X)
        if first:
            self._kind = kind
        elif (kind == "texts") != (self._kind == "texts"):
            raise ValueError(f"X is {kind}, and the model was fitted on {self._kind}; pass those")
        if self._kind == "table":
            return self._rows(X, y, first)
        found = list(X) if kind == "texts" else self._stepwise(check_array(X) if kind == "table" else X, first)
        return found, None if y is None else column_or_1d(y)

    def _stepwise(self, X, first):
        """Return sequences (T_i, C) as they are, after a check of C."""
        if not len(X):
            raise ValueError("X holds no sequences; pass at least one")
        found = [np.asarray(row, dtype=np.float64) for row in X]
        found = [row[:, None] if row.ndim == 1 else row for row in found]
        if first:
            self.n_features_in_ = found[0].shape[1]
        for number, row in enumerate(found):
            if row.ndim != 2 or row.shape[1] != self.n_features_in_ or not np.isfinite(row).all():
                raise ValueError(f"sequence {number} must be finite numbers of the shape (T, {self.n_features_in_}), "
                                 f"got {row.shape}")
        return found

    def _rows(self, X, y, first):
        """Return the rows of a table as sequences (T, 1), columns in order; scikit-learn checks the table."""
        if isinstance(X, pd.DataFrame) and not first and hasattr(self, "feature_names_in_"):
            X = arranged(X, list(self.feature_names_in_), "X: the columns")
        if y is None:
            table = validate_data(self, X, reset=first, dtype=np.float64)
        else:
            table, y = validate_data(self, X, y, reset=first, dtype=np.float64)
        return list(table[:, :, None]), y


def _kind_of(X):
    """Return "texts", "sequences" (a list of arrays, an array of three axes) or "table": what scikit-learn checks."""
    first = X[0] if isinstance(X, (list, tuple)) and len(X) else None
    if isinstance(first, (list, tuple)) and len(first) and np.ndim(first[0]) == 0:
        return "table"
    one_by_one = isinstance(X, (list, tuple, pd.Series)) or getattr(X, "ndim", 0) == 3 or (
        isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype.kind in "OU")
    if not one_by_one:
        return "table"
    return "texts" if len(X) and isinstance(next(iter(X)), str) else "sequences"


def _names(classes):
    """Return classes as the labels of a data set, texts."""
    return [str(label) for label in np.asarray(classes)]
