"""Decoding of a network trained with CTC; the searches are in `gluon_rnn.answers.ctc_decoding`."""
from gluon_rnn.answers.ctc_decoding import best_path, collapse, prefix_beam_search

__all__ = ["best_path", "collapse", "prefix_beam_search"]
