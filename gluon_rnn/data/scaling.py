"""Scaling of columns to a common range, fitted on training data only; the scalers are in `gluon_rnn.answers`."""
from gluon_rnn.answers.scaling import KINDS, Scaler
from gluon_rnn.answers.series import SeriesScaler

__all__ = ["KINDS", "Scaler", "SeriesScaler"]
