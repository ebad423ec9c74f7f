"""Minimum Bayes risk decoding, which is in `gluon_rnn.answers.minimum_risk`."""
from gluon_rnn.answers.minimum_risk import choose

__all__ = ["choose"]
