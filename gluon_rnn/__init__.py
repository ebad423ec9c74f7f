"""Networks with memory for MXNet Gluon: recurrent and delay networks, training from a YAML file, and export.

Importing any part of the package prepares the process for MXNet first (`gluon_rnn.runtime.prepare`), so import it
before MXNet itself.
"""
from gluon_rnn import runtime

__version__ = "0.1.0"

runtime.prepare()


def load(path, which="best", ctx=None, beside=()):
    """Return the trained model in the folder of a run; ``load(path).predict(...)`` applies it.

    See `gluon_rnn.runs.load_run`; the parts of the package that it needs are imported by this call.
    """
    from gluon_rnn.runs import load_run
    return load_run(path, which, ctx, beside)
