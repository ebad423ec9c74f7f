"""Sentences as words and punctuation, which is in `gluon_rnn.answers.sentences`."""
from gluon_rnn.answers.sentences import MARK, SentenceTokenizer, normalise

__all__ = ["MARK", "SentenceTokenizer", "normalise"]
