"""Ways out of the package: bundles for MXNet and for ONNX Runtime; `gluon_rnn.convert` has the ways in.

``gluon_rnn.export.load`` answers with a bundle without any of the model classes, and for ONNX without MXNet, so nothing
here imports either until it is used.
"""
import importlib
import pathlib

from gluon_rnn.export.manifest import BundleError

__all__ = ["Bundle", "BundleError", "export", "export_run", "load", "from_gluon", "load_gluon_parameters", "to_gluon"]

_PLACES = {"Bundle": "export.loaded", "export": "export.bundle", "export_run": "export.bundle", "from_gluon": "convert",
           "load_gluon_parameters": "convert", "to_gluon": "convert"}


def load(directory, ctx=None, threads=None):
    """Return the `Bundle` of `directory`.

    Parameters
    ----------
    directory : str or path
    ctx : mxnet.Context, optional
        Where MXNet's symbols run, the CPU by default; ONNX Runtime takes the CPU.
    threads : int, optional
        Of one call of ONNX Runtime; MXNet's are set for the process.

    Raises
    ------
    BundleError
        If there is no bundle, it is of a newer format, or a file of it is not the one that was exported.
    """
    from gluon_rnn.export import manifest as manifests
    directory = pathlib.Path(directory)
    manifest = manifests.read(directory)
    if manifest["kind"] == "onnx":
        from gluon_rnn.export import runtime
        return runtime.load(directory, threads)
    import mxnet as mx

    from gluon_rnn.export.loaded import Bundle
    from gluon_rnn.export.symbol_network import SymbolNetwork
    return Bundle(directory, manifest, {name: SymbolNetwork(graph, directory, ctx or mx.cpu())
                                        for name, graph in manifest["graphs"].items()})


def __getattr__(name):
    if name in _PLACES:
        return getattr(importlib.import_module(f"gluon_rnn.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
