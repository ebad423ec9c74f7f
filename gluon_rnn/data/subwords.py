"""Sentences as subwords, which is in `gluon_rnn.answers.subwords`."""
from gluon_rnn.answers.subwords import SubwordTokenizer, tokenizer_of

__all__ = ["SubwordTokenizer", "tokenizer_of"]
