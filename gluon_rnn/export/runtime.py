"""Bundles in ONNX, answered by ONNX Runtime: imports NumPy and onnxruntime only, neither MXNet nor model classes.

    from gluon_rnn.export import runtime
    bundle = runtime.load("DIR")
    bundle.predict("raw text")
"""
import pathlib

from gluon_rnn.export import manifest as manifests
from gluon_rnn.export.loaded import Bundle
from gluon_rnn.export.network import GraphNetwork
from gluon_rnn.export.onnx_file import checked_model

__all__ = ["OnnxNetwork", "load"]

#: ONNX Runtime's words for types
_TYPES = {"float32": "float", "float64": "double"}


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
        path = directory / graph["files"][0]
        content = checked_model(path)                                     # what was checked is what is run
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no class in common; all mean: no model that it can run
            raise manifests.BundleError(f"{str(path)!r} is no model that ONNX Runtime can run "
                                        f"({_first_line(error)}); export again") from None
        _check_session(self._session, graph, path)
        self._taken_names = {entry.name for entry in self._session.get_inputs()}

    def run(self, feed):
        """Run the graph; see the base class."""
        if len(feed) != len(self._taken_names):                           # the translator leaves out what is not read
            feed = {name: values for name, values in feed.items() if name in self._taken_names}
        return self._session.run(None, feed)


def _first_line(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _check_session(session, graph, path):
    """Raise BundleError unless what an ONNX model takes and gives is what the manifest says of it."""
    taken = {entry["name"]: entry for key in ("inputs", "states") for entry in graph[key]}
    taken.update({entry["name"]: {**entry, "shape": ["N"]} for entry in graph["lengths"]})
    given = [*graph["outputs"], *graph["next_states"]]
    unknown = [entry.name for entry in session.get_inputs() if entry.name not in taken]
    if unknown:
        raise manifests.BundleError(f"{str(path)!r} takes {unknown[0][:60]!r}, which the manifest does not name; "
                                    "export again")
    if len(session.get_outputs()) != len(given):
        raise manifests.BundleError(f"{str(path)!r} gives {len(session.get_outputs())} arrays, and the manifest says "
                                    f"{len(given)}; export again")
    pairs = [*((entry, taken[entry.name]) for entry in session.get_inputs()), *zip(session.get_outputs(), given)]
    for found, said in pairs:
        fits = len(found.shape) == len(said["shape"]) and all(
            one == other for one, other in zip(found.shape, said["shape"])
            if isinstance(one, int) and isinstance(other, int))
        if not fits or found.type != f"tensor({_TYPES.get(said['dtype'], said['dtype'])})":
            raise manifests.BundleError(f"{str(path)!r} has {said['name']!r} as {found.type} of shape {found.shape}, "
                                        f"and the manifest says {said['dtype']} of shape {said['shape']}; export again")


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
