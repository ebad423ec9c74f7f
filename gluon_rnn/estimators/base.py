"""What the estimators share: from their arguments to a recipe, a run, and a model that is kept in memory.

A fitted estimator holds the files of its best checkpoint. It is pickled, copied and sent to other processes with them;
the model itself is built from them where it is first asked for.
"""
import contextlib
import copy
import tempfile
from pathlib import Path

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from gluon_rnn import recipes
from gluon_rnn.python_api import train
from gluon_rnn.runs import load_run

__all__ = ["RunEstimator"]

#: files of a checkpoint that only training goes on from
_OF_TRAINING = ("training.params",)


class RunEstimator(BaseEstimator):
    """Base of the estimators: a subclass has `base_recipe` and `keys`, and passes its data to `_fit`.

    Attributes
    ----------
    keys : dict
        Of the constructor's arguments that are keys of a recipe, their dotted names there.
    metrics_ : pandas.DataFrame
        The rows of ``metrics.csv`` of the run.
    results_ : dict
        What ``results.json`` of the run holds; its scores are those of the validation part.
    run_ : gluon_rnn.runs.Run
        Where `output_dir` was given.
    """

    keys = {"hidden_size": "model.encoder.hidden_size", "epochs": "training.epochs", "seed": "seed",
            "learning_rate": "training.optimizer.learning_rate", "batch_size": "data.batch_size"}

    def base_recipe(self):
        """Return the recipe where the user gives none, a nested dict."""
        raise NotImplementedError(f"{type(self).__name__} must define base_recipe()")

    def _recipe(self, **changes):
        """Return the recipe of this estimator: recipe, then its arguments that are not None, `changes`, overrides."""
        own = {key: getattr(self, name) for name, key in self.keys.items() if getattr(self, name) is not None}
        if isinstance(getattr(self, "encoder", None), str):
            own["model.encoder.name"] = self.encoder
        elif getattr(self, "encoder", None) is not None:
            own.update({f"model.encoder.{key}": value for key, value in self.encoder.items()})
        base = self.base_recipe() if self.recipe is None else self.recipe
        return {"data": {}, "model": {}, **recipes.read(copy.deepcopy(base), {**_numbers(own), **changes})}

    def _fit(self, recipe, data):
        """Train by a recipe on data in memory, and keep what `predict` needs."""
        with contextlib.ExitStack() as stack:
            where = self.output_dir or stack.enter_context(tempfile.TemporaryDirectory(prefix="gluon_rnn-"))
            kept = {"training__report": bool(self.output_dir), "output_dir": str(where)}
            run = train(recipe, data, **{**kept, **(self.overrides or {})})
            self.metrics_, self.results_ = run.metrics, run.results
            self._fitted = _Fitted(run.path)
        if self.output_dir:
            self.run_ = run
        return self

    @property
    def predictor_(self):
        """The predictor of the task, with everything that the estimator does not show: bands, streams, export."""
        check_is_fitted(self)
        return self._fitted.predictor()

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_fitted")


class _Fitted:
    """The files of a run's best checkpoint, and the predictor that is made of them when it is first asked for."""

    def __init__(self, path):
        best = [file for file in sorted((path / "best").iterdir()) if file.name not in _OF_TRAINING]
        self._files = {"config.yaml": (path / "config.yaml").read_bytes(),
                       **{f"best/{file.name}": file.read_bytes() for file in best}}
        self._predictor = None

    def predictor(self):
        """Return the predictor; the folder that it is read from is gone again."""
        if self._predictor is None:
            with tempfile.TemporaryDirectory(prefix="gluon_rnn-") as folder:
                (Path(folder) / "best").mkdir()
                for name, content in self._files.items():
                    (Path(folder) / name).write_bytes(content)
                self._predictor = load_run(folder)
        return self._predictor

    def __getstate__(self):
        return {**vars(self), "_predictor": None}


def _numbers(values):
    """Return values with NumPy's numbers, which a search over parameters passes, as those of Python."""
    return {key: value.item() if hasattr(value, "item") else value for key, value in values.items()}
