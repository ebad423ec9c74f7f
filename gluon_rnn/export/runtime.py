"""Bundles in ONNX, answered by ONNX Runtime: imports NumPy and onnxruntime only, neither MXNet nor model classes.

    from gluon_rnn.export import runtime
    bundle = runtime.load("DIR")
    bundle.predict("raw text")
"""
import pathlib

from gluon_rnn.export import manifest as manifests
from gluon_rnn.export.loaded import Bundle
from gluon_rnn.export.network import GraphNetwork

__all__ = ["OnnxNetwork", "load"]


class OnnxNetwork(GraphNetwork):
    """A graph in an ONNX file; see `GraphNetwork`.

    Parameters
    ----------
    graph : dict
        Of a manifest.
    directory : Path
    threads : int, optional
        Of one call; by default as many as ONNX Runtime chooses.
    """

    def __init__(self, graph, directory, threads=None):
        onnxruntime = _onnxruntime()
        super().__init__(graph)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3                                    # warnings are about what it optimised away
        if threads is not None:
            options.intra_op_num_threads = threads
        path, = graph["files"]
        self._session = onnxruntime.InferenceSession(str(directory / path), options,
                                                     providers=["CPUExecutionProvider"])
        self._taken_names = {entry.name for entry in self._session.get_inputs()}

    def run(self, feed):
        """Run the graph; see the base class."""
        if len(feed) != len(self._taken_names):                           # the translator leaves out what is not read
            feed = {name: values for name, values in feed.items() if name in self._taken_names}
        return self._session.run(None, feed)


def _onnxruntime():
    try:
        import onnxruntime
    except ModuleNotFoundError:
        raise manifests.BundleError("a bundle in ONNX is answered by onnxruntime, which is not installed; install it "
                                    "with pip install onnxruntime") from None
    return onnxruntime


def load(directory, threads=None):
    """Return the `Bundle` in a folder, with its graphs in ONNX Runtime.

    Parameters
    ----------
    directory : str or path
    threads : int, optional
        Of one call.

    Raises
    ------
    BundleError
        If it is no bundle, is damaged, of a newer format, or has MXNet's symbols: `gluon_rnn.export.load` runs these.
    """
    directory = pathlib.Path(directory)
    manifest = manifests.read(directory)
    if manifest["kind"] != "onnx":
        raise manifests.BundleError(f"{str(directory)!r} is a bundle of MXNet's symbols; load it by "
                                    "gluon_rnn.export.load, with MXNet installed, or export with --format onnx")
    networks = {name: OnnxNetwork(graph, directory, threads) for name, graph in manifest["graphs"].items()}
    return Bundle(directory, manifest, networks)
