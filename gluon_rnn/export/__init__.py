"""Ways out of the package, and in: symbol bundles (`bundle`), parameters of mxnet.gluon.rnn (`gluon_checkpoint`).

``gluon_rnn.export.load`` runs a bundle without any of the model classes, so nothing here imports them until it is used.
"""
from gluon_rnn.export.bundle import Bundle, BundleError, export, load

__all__ = ["Bundle", "BundleError", "export", "load", "from_gluon", "load_gluon_parameters", "to_gluon"]


def __getattr__(name):
    if name in ("from_gluon", "load_gluon_parameters", "to_gluon"):
        from gluon_rnn.export import gluon_checkpoint
        return getattr(gluon_checkpoint, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
