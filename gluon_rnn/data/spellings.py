"""Characters of the words of a batch as arrays; they are made in `gluon_rnn.answers.spellings`."""
from gluon_rnn.answers.spellings import GROUPS, dense_spellings, grouped_spellings

__all__ = ["GROUPS", "dense_spellings", "grouped_spellings"]
