"""Estimates beside those of a trained model: the mean of the training targets, a linear regression by scikit-learn."""
import numpy as np

from gluon_rnn.metrics.classes import scikit_learn
from gluon_rnn.metrics.values import value_scores

__all__ = ["baselines"]


def baselines(data, split, fit=True):
    """Return {method: scores} on a split of a `gluon_rnn.data.values.SequenceValues`.

    Parameters
    ----------
    data : SequenceValues
    split : str
    fit : bool, default True
        Whether the linear regression is fitted, on length, means, deviations, first and last step of a sequence, or
        only the mean of the training targets is answered.
    """
    targets, names = data.targets(split), data.target_names
    mean = np.broadcast_to(data.targets("train").mean(axis=0), targets.shape)
    found = {"mean of the training targets": value_scores(targets, mean, names)}
    if fit:
        model = scikit_learn().linear_model.LinearRegression().fit(_summary(data, "train"), data.targets("train"))
        predicted = model.predict(_summary(data, split)).reshape(targets.shape)
        found["linear regression on summaries"] = value_scores(targets, predicted, names)
    return found


def _summary(data, split):
    return np.array([np.concatenate([[len(steps)], steps.mean(axis=0), steps.std(axis=0), steps[0], steps[-1]])
                     for steps in data.inputs(split)], dtype=np.float64)
