"""Networks with memory for MXNet Gluon: recurrent layers, language models, training from a YAML file, and export.

Importing any part of the package prepares the process for MXNet first (`gluon_rnn.runtime.prepare`), so import it
before MXNet itself.
"""
from . import runtime

__version__ = "0.1.0"

runtime.prepare()
