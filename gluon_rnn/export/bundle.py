"""Writing of bundles: a trained model as files that answer without the classes that made it.

A bundle is a folder with a graph or several (MXNet's symbol and parameters, or ONNX), the assets that turn raw input
into arrays, and ``manifest.json``, which says what goes in and comes out: see `gluon_rnn.export.manifest`.
"""
import contextlib
import datetime
import importlib.util
import json
import os
import pathlib
import shutil
import tempfile

import mxnet as mx
import numpy as np

from gluon_rnn.export import manifest as manifests
from gluon_rnn.export.graphs import graphs_of
from gluon_rnn.export.manifest import ASSETS, MANIFEST, BundleError
from gluon_rnn.export.verification import compare_answers, compare_arrays
from gluon_rnn.files import write_text
from gluon_rnn.nn import functional, graph_parameters, read_vectors

__all__ = ["export", "export_run"]

FORMATS = ("symbol", "onnx")


def export(model, directory, *, example, format="symbol", quantize=False, state_names=None, extras=None, assets=None,
           task=None, options=None, tolerance=None):
    """Write `model` as a bundle, having checked that the bundle does what the live model does.

    Parameters
    ----------
    model : HybridBlock
        A block with the contract ``outputs, states = model(inputs, states, valid_length)``, or a `Seq2Seq`, its
        parameters initialised.
    directory : str or path
        Where the bundle goes. A bundle there is replaced, at the very end; any other folder with files is refused.
    example : (T, N) or (T, N, C) NDArray, or a tuple of NDArrays
        Inputs that the model takes, such as token ids, in the model's layout, and the further sequences of its call.
    format : {"symbol", "onnx"}, default "symbol"
        For MXNet, or for ONNX Runtime and all that read ONNX (needs the extra `onnx`).
    quantize : bool, default False
        Whether weights in ONNX become integers of 8 bits, inputs of products being rounded as they come (ONNX Runtime's
        dynamic quantisation). Answers differ a little then: the default `tolerance` is infinite.
    state_names : list of str, optional
        Names of the states in the graph; by default ``states_h`` and ``states_c``, or ``states_0``, ``states_1``, ...
    extras : dict, optional
        Anything that JSON can hold; kept in the manifest.
    assets : dict of str to str, optional
        {file name: text} of what turns raw input into arrays, for a `task` as its predictor has them.
    task, options : str and dict, optional
        Of `gluon_rnn.answers.open_pipeline`, which answers raw input then.
    tolerance : float, optional
        Largest difference allowed, relative to the largest output if that is above 1. The default, 1e-5 in float32
        (1e-10 in float64, 1e-2 in float16), is room for other orders of summation.

    Returns
    -------
    float
        The largest absolute difference found, over outputs and states, whole and step by step, at another T and N,
        with rows of all lengths.

    Raises
    ------
    BundleError
        If `directory` is not ours to replace, a parameter of the model is in no graph, or the bundle and the model
        differ.
    """
    graphs = graphs_of(model, example, state_names)
    described = {"model": type(model).__name__, "task": task, "options": options or {}, "extras": extras or {}}
    return _written(model, directory, graphs, _kind(format, quantize), described, assets or {},
                    lambda bundle: compare_arrays(graphs, bundle, _limit(tolerance, quantize)))


def export_run(predictor, directory, *, format="symbol", quantize=False, tolerance=None):
    """Write the model of a `gluon_rnn.tasks.predictor.Predictor` as a bundle that answers as it does.

    Beside arrays, answers to raw input are compared, but for quantised weights: classes, tags, translations, forecasts,
    texts.

    Parameters
    ----------
    predictor : Predictor
        As `gluon_rnn.load` gives it.
    directory, format, quantize, tolerance
        As for `export`, which see for the errors too.

    Returns
    -------
    float
        The largest difference of arrays.
    """
    graphs = graphs_of(predictor.model, predictor.example())
    described = {"model": type(predictor.model).__name__, "task": predictor.config.task.name,
                 "options": predictor.pipeline_options(), "extras": {}}

    def verify(bundle):
        worst = compare_arrays(graphs, bundle, _limit(tolerance, quantize))
        if not quantize:
            compare_answers(predictor, bundle)
        return worst

    return _written(predictor.model, directory, graphs, _kind(format, quantize), described, predictor.assets.texts(),
                    verify)


def _kind(format, quantize):
    """Return "symbol", "onnx" or "onnx, quantized"; BundleError for anything else."""
    if format not in FORMATS:
        raise BundleError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    if format == "onnx" and not all(map(importlib.util.find_spec, ("onnx", "onnxruntime"))):
        raise BundleError("an export to ONNX needs onnx and onnxruntime, which are not installed; install them with "
                          "pip install 'gluon_rnn[onnx]'")
    if quantize and format != "onnx":
        raise BundleError(f"weights are quantised in ONNX only, and the format is {format!r}; pass format='onnx'")
    return "onnx, quantized" if quantize else format


def _limit(tolerance, quantize):
    return float("inf") if quantize and tolerance is None else tolerance


def _written(model, directory, graphs, kind, described, assets, verify):
    """Write all files beside `directory`, verify them, and put them in its place; return what `verify` gives."""
    from gluon_rnn.export import load
    _refuse_foreign(pathlib.Path(directory))
    directory = pathlib.Path(directory).resolve()                         # what a link points to is replaced
    _refuse_left_out(model, graphs)
    directory.parent.mkdir(parents=True, exist_ok=True)
    partial = pathlib.Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        _write_files(model, partial, graphs, kind, described, assets)
        found = verify(load(partial))
        _put_in_place(partial, directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return found


def _write_files(model, folder, graphs, kind, described, assets):
    write = {"symbol": _write_symbol, "onnx": _write_onnx, "onnx, quantized": _write_quantized}[kind]
    entries = {}
    for name, graph in graphs.items():
        entries[name] = _described(graph, length_type="float32")
        entries[name]["files"] = write(model, graph, entries[name], folder, name)
    if assets:
        (folder / ASSETS).mkdir()
    for name, text in assets.items():
        write_text(folder / ASSETS / name, text)
    files = [*sum((entry["files"] for entry in entries.values()), []), *(f"{ASSETS}/{name}" for name in assets)]
    manifest = {"format": manifests.FORMAT, "format_version": manifests.VERSION, "kind": kind.split(",")[0],
                "quantized": "quantized" in kind, **described, "graphs": entries,
                "created": datetime.datetime.now(datetime.timezone.utc).isoformat(),
                "assets": list(assets), "versions": _versions(),
                "sha256": {name: manifests.sha256(folder / name) for name in files}}
    write_text(folder / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


def _described(graph, length_type):
    """Return what the manifest says of a graph, but for its files."""
    state_type = {}
    if graph.states:
        state_type = {name: state.dtype for (name, _), state in zip(graph.states, graph.begin(1))}
    dtype = np.dtype(next((entry.example.dtype for entry in graph.inputs
                           if entry.below is None and np.dtype(entry.example.dtype).kind == "f"), np.float32))

    def entries(pairs):
        return [{"name": name, "shape": list(axes), "dtype": np.dtype(state_type.get(name, dtype)).name}
                for name, axes in pairs]

    return {"causal": graph.causal, "inputs": [one.entry for one in graph.inputs],
            "lengths": [{"name": one.name, "of": one.of, "axis": one.axis, "dtype": length_type}
                        for one in graph.lengths],
            "states": entries(graph.states), "outputs": entries(graph.outputs),
            "next_states": entries(graph.next_states)}


def _versions():
    import gluon_rnn
    return {"gluon_rnn": gluon_rnn.__version__, "mxnet": mx.__version__, "numpy": np.__version__}


# ---- graphs --------------------------------------------------------------------------------------------------------


def _traced(graph, entry, lengths_are_right=False):
    """Return a graph as a symbol whose arguments have the manifest's names; one whose lengths need no bounds."""
    def variables(entries):
        return [mx.sym.var(one["name"], dtype=one["dtype"]) for one in entries]

    inputs, lengths, states = (variables(entry[kind]) for kind in ("inputs", "lengths", "states"))
    trust = functional.trusted(lengths[0], inputs[0]) if lengths and lengths_are_right else contextlib.nullcontext()
    with read_vectors(), trust:
        outputs, states = graph.run(inputs, lengths, states)
    return mx.sym.Group([*outputs, *states])


def _parameters(model, symbol, entry):
    """Return {``arg:`` or ``aux:`` name: NDArray on the CPU} of all that a symbol reads besides its inputs."""
    given = {one["name"] for one in (*entry["inputs"], *entry["lengths"], *entry["states"])}
    parameters = graph_parameters(model)
    stored = {f"arg:{name}": _on_cpu(parameters[name]) for name in symbol.list_arguments() if name not in given}
    stored.update({f"aux:{name}": _on_cpu(parameters[name]) for name in symbol.list_auxiliary_states()})
    return stored


def _on_cpu(parameter):
    return parameter.data(parameter.list_ctx()[0]).as_in_context(mx.cpu())


def _write_symbol(model, graph, entry, folder, name):
    symbol = _traced(graph, entry)
    files = [f"{name}-symbol.json", f"{name}-0000.params"]
    symbol.save(str(folder / files[0]), remove_amp_cast=False)
    mx.nd.save(str(folder / files[1]), _parameters(model, symbol, entry))
    return files


def _write_onnx(model, graph, entry, folder, name):
    import onnx

    from gluon_rnn.export.onnx import convert
    from gluon_rnn.nn import interchange_form
    with interchange_form():
        symbol = _traced(graph, entry, lengths_are_right=True)            # the runtime has checked them
    taken = {one["name"]: (tuple(one["shape"]), one["dtype"]) for one in (*entry["inputs"], *entry["states"])}
    taken.update({one["name"]: (("N",), one["dtype"]) for one in entry["lengths"]})
    given = [*(one["name"] for one in entry["outputs"]), *(f"{one['name']}_next" for one in entry["next_states"])]
    found = convert(symbol, _parameters(model, symbol, entry), taken, outputs=given, name=name)
    onnx.save(found, str(folder / f"{name}.onnx"))
    return [f"{name}.onnx"]


def _write_quantized(model, graph, entry, folder, name):
    from onnxruntime.quantization import QuantType, quantize_dynamic
    files = _write_onnx(model, graph, entry, folder, name)
    path = folder / files[0]
    whole = path.with_suffix(".float.onnx")
    path.rename(whole)
    quantize_dynamic(str(whole), str(path), weight_type=QuantType.QInt8)
    whole.unlink()
    return files


def _refuse_left_out(model, graphs):
    """Raise BundleError if parameters of the model are in no graph, such as those of a CRF beside the scores."""
    used = set()
    for graph in graphs.values():
        symbol = _traced(graph, _described(graph, "float32"))
        used.update(symbol.list_arguments(), symbol.list_auxiliary_states())
    left_out = sorted(set(graph_parameters(model)) - used)
    if left_out:
        raise BundleError(f"{type(model).__name__} has parameters that no exported graph reads, first of all "
                          f"{left_out[0]!r}, so that a bundle would not answer as the model does; export the run that "
                          "the model is of, or a block whose call uses all of its children")


# ---- places --------------------------------------------------------------------------------------------------------


def _refuse_foreign(directory):
    if directory.exists() and not directory.is_dir():
        raise BundleError(f"cannot export to {str(directory)!r}: it is a file; name a folder")
    if directory.is_dir() and any(directory.iterdir()) and manifests.read_if_any(directory) is None:
        raise BundleError(f"cannot export to {str(directory)!r}: the folder has files in it that are no bundle of "
                          "ours; name an empty or new one")
    if directory.is_dir() and (os.path.samefile(directory, os.curdir) or os.path.ismount(directory)):
        raise BundleError(f"cannot export to {str(directory)!r}: no other folder can take the place of the current "
                          "one, or of one that something is mounted on; name a folder within it")


def _put_in_place(partial, directory):
    """Rename the finished `partial` to `directory`; a bundle that is there gives way only now."""
    for path in (partial, *partial.rglob("*")):
        _sync(path)
    os.chmod(partial, 0o755)  # a temporary folder is readable by its owner alone
    aside = pathlib.Path(tempfile.mkdtemp(prefix=f".{directory.name}-old-", dir=directory.parent))
    old = aside / directory.name
    try:
        if directory.exists():
            os.replace(directory, old)
        os.replace(partial, directory)
    except OSError:
        if old.exists():
            os.replace(old, directory)
        aside.rmdir()
        raise
    _sync(directory.parent)
    shutil.rmtree(aside)


def _sync(path):
    """Ask the system to have `path` on the disk, as far as it can do so for a folder."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:  # folders cannot be opened everywhere
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
