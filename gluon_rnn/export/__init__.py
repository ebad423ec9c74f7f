"""Ways out of the package: symbol bundles (`bundle`). Ways in are in `gluon_rnn.convert`; three of its names stay here.

``gluon_rnn.export.load`` runs a bundle without any of the model classes, so nothing here imports them until it is used.
"""
from gluon_rnn.export.bundle import Bundle, BundleError, export, load

__all__ = ["Bundle", "BundleError", "export", "load", "from_gluon", "load_gluon_parameters", "to_gluon"]


def __getattr__(name):
    if name in ("from_gluon", "load_gluon_parameters", "to_gluon"):
        from gluon_rnn import convert
        return getattr(convert, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
