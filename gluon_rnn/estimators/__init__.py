"""Estimators with the habits of scikit-learn: fit, predict, score, get_params, clone, searches and cross-validation."""
try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError("gluon_rnn.estimators needs scikit-learn; install gluon_rnn[data]") from error

from gluon_rnn.estimators.classifier import SequenceClassifier
from gluon_rnn.estimators.forecaster import Forecaster
from gluon_rnn.estimators.tagger import SequenceTagger

__all__ = ["Forecaster", "SequenceClassifier", "SequenceTagger"]
