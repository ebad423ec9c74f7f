"""Symbol bundles: a sequence block as files that run without the class that made them.

A bundle is a folder with ``model-symbol.json`` (the graph, inputs and states as named arguments, T and N free),
``model-0000.params`` and ``manifest.json`` (what goes in and comes out, vocabulary or scaler, versions, hashes).
"""
import datetime
import hashlib
import json
import os
import pathlib
import shutil
import tempfile

import mxnet as mx
import numpy as np

__all__ = ["export", "load", "Bundle", "BundleError"]

SYMBOL, PARAMETERS, MANIFEST = "model-symbol.json", "model-0000.params", "manifest.json"
_FORMAT = "gluon_rnn bundle"


class BundleError(ValueError):
    """A bundle that cannot be written, or that is not what its manifest says."""


def export(model, directory, *, example, state_names=None, vocab=None, unit=None, separator=None, scaler=None,
           extras=None, tolerance=None):
    """Write `model` as a bundle, having checked that the bundle does what the live model does.

    Parameters
    ----------
    model : HybridBlock
        A block with the contract ``outputs, states = model(inputs, states)``, with `begin_state` and `state_info`,
        its parameters initialised.
    directory : str or path
        Where the bundle goes. A bundle there is replaced, at the very end; any other folder with files is refused.
    example : (T, N) or (T, N, C) NDArray
        Inputs that the model takes, such as token ids, in the model's layout.
    state_names : list of str, optional
        Names of the states in the graph; by default ``states_h`` and ``states_c``, or ``states_0``, ``states_1``, ...
    vocab : gluonnlp.Vocab, optional
        Stored with its `unit` ("word" or "character") and the `separator` that joins tokens to text.
    scaler, extras : dict, optional
        Anything else that JSON can hold.
    tolerance : float, optional
        Largest difference allowed, relative to the largest output if that is above 1. The default, 1e-5 in float32
        (1e-10 in float64, 1e-2 in float16), is room for other orders of summation.

    Returns
    -------
    float
        The largest absolute difference found, over outputs and states, whole and step by step, at another T and N.

    Raises
    ------
    BundleError
        If `directory` is not ours to replace, or the bundle and the model differ.
    """
    directory, stored = pathlib.Path(directory), {"scaler": scaler, "extras": extras}
    _refuse_foreign(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    partial = pathlib.Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        stored["vocabulary"] = _vocabulary(vocab, unit, separator)
        _write(model, partial, example, _state_names(model, state_names), stored)
        difference = _check(model, load(partial, example.context), example, tolerance)
        _put_in_place(partial, directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return difference


def _write(model, folder, example, state_names, stored):
    """Write symbol, parameters and manifest into `folder`; `stored` goes into the manifest as it is."""
    outputs, _ = model(example, _begin(model, example))
    manifest = _describe(model, example, outputs, state_names)
    _write_graph(model, manifest, folder)
    manifest.update(stored)
    manifest["sha256"] = {name: _sha256(folder / name) for name in (SYMBOL, PARAMETERS)}
    _write_text(folder / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


def load(directory, ctx=None):
    """Return the `Bundle` of `directory` on device `ctx` (CPU by default).

    Raises
    ------
    BundleError
        If there is no bundle, or a file of it is not the one that was exported; both hashes are named.
    """
    directory = pathlib.Path(directory)
    manifest = _read_manifest(directory)
    if manifest is None:
        raise BundleError(f"no bundle in {str(directory)!r}: expected {MANIFEST} of a {_FORMAT} there; "
                          "pass the folder that an export wrote")
    for name, expected in manifest["sha256"].items():
        if not (directory / name).is_file():
            raise BundleError(f"{str(directory / name)!r} is missing from the bundle; export it again")
        found = _sha256(directory / name)
        if found != expected:
            raise BundleError(f"{str(directory / name)!r} has sha256 {found}, but the manifest says {expected}; "
                              "the file was changed or damaged, export it again")
    return Bundle(directory, manifest, ctx or mx.cpu())


class Bundle:
    """An exported model: ``bundle(inputs)`` gives outputs, ``bundle(inputs, states)`` gives (outputs, states).

    Inputs
    ------
    inputs : (T, N) or (T, N, C) NDArray
        Any T and N.
    states : list of NDArray, optional
        From `begin_state` or from the call before, in the order of ``manifest["states"]``.

    Attributes
    ----------
    manifest : dict
    vocab : gluonnlp.Vocab or None
    """

    def __init__(self, directory, manifest, ctx):
        self.path, self.manifest, self.ctx, self._vocab = directory, manifest, ctx, None
        self._batch_axis = manifest["inputs"][0]["shape"].index("N")
        # What SymbolBlock.imports does, with the inputs' types known from the start: it would warn that it guesses.
        self._block = mx.gluon.SymbolBlock(mx.sym.load(str(directory / SYMBOL)), _variables(manifest))
        self._block.collect_params().load(str(directory / PARAMETERS), ctx, cast_dtype=True, dtype_source="saved")

    def __call__(self, inputs, states=None):
        if states is None:
            return self._run(inputs, self.begin_state(inputs.shape[self._batch_axis]))[0]
        if not self.manifest["causal"]:
            raise ValueError("this model looks ahead (causal is false), so states carried from chunk to chunk cannot "
                             "give what the whole sequence gives; pass the whole sequence and no states")
        return self._run(inputs, states)

    def _run(self, inputs, states):
        expected = [state["name"] for state in self.manifest["states"]]
        if len(states) != len(expected):
            raise ValueError(f"expected {len(expected)} states ({', '.join(expected)}), got {len(states)}")
        batch_size = inputs.shape[self._batch_axis]
        for entry, state in zip(self.manifest["states"], states):
            shape = _filled(entry["shape"], batch_size)
            if state.shape != shape:
                raise ValueError(f"state {entry['name']!r} has shape {state.shape}, but inputs of batch size "
                                 f"{batch_size} need {shape}; take it from begin_state({batch_size})")
        inputs = inputs.astype(self.manifest["inputs"][0]["dtype"], copy=False)
        outputs, *states = self._block(inputs, *states)
        return outputs, list(states)

    def begin_state(self, batch_size):
        """Return the states of `batch_size` sequences before their first step: zeros."""
        return [mx.nd.zeros(_filled(state["shape"], batch_size), ctx=self.ctx, dtype=state["dtype"])
                for state in self.manifest["states"]]

    @property
    def vocab(self):
        if self._vocab is None and self.manifest["vocabulary"]:
            import gluonnlp
            stored = self.manifest["vocabulary"]
            tokens = stored["tokens"]
            self._vocab = gluonnlp.Vocab.from_json(json.dumps(dict(
                stored["special"], idx_to_token=tokens, token_to_idx={token: i for i, token in enumerate(tokens)})))
        return self._vocab


def _state_names(model, names):
    """Return the states' names in the graph, the given ones or those that go with their number."""
    count = len(model.state_info(0))
    if names is None:
        return {1: ["states_h"], 2: ["states_h", "states_c"]}.get(count, [f"states_{i}" for i in range(count)])
    if len(names) != count:
        raise ValueError(f"state_names has {len(names)} names, but the model has {count} states")
    return list(names)


def _write_graph(model, manifest, folder):
    """Write the model's symbol, traced with the manifest's names, and the parameters that it uses."""
    from gluon_rnn.nn import graph_parameters, read_vectors  # late: bundles load without the blocks
    data, *begin = _variables(manifest)
    with read_vectors():
        outputs, states = model(data, begin)
    graph = mx.sym.Group([outputs, *states])
    parameters, given = graph_parameters(model), {variable.name for variable in (data, *begin)}
    stored = {f"arg:{name}": _on_cpu(parameters[name]) for name in graph.list_arguments() if name not in given}
    stored.update({f"aux:{name}": _on_cpu(parameters[name]) for name in graph.list_auxiliary_states()})
    graph.save(str(folder / SYMBOL), remove_amp_cast=False)
    mx.nd.save(str(folder / PARAMETERS), stored)


def _variables(manifest):
    """Return the graph's inputs as symbols: the data, then the states."""
    return [mx.sym.var(entry["name"], dtype=entry["dtype"]) for entry in manifest["inputs"] + manifest["states"]]


def _on_cpu(parameter):
    return parameter.data(parameter.list_ctx()[0]).as_in_context(mx.cpu())


def _layout(model):
    """Return "TN" or "NT", the order of the first two axes of inputs and outputs."""
    return getattr(model, "layout", "TNC")[:2]


def _many_to_one(model):
    """Tell whether the model has one output for a whole sequence, (N, K), rather than one for each step."""
    return getattr(model, "many_to_one", False)


def _begin(model, inputs):
    """Return the begin states of the live `model` for `inputs`."""
    return model.begin_state(inputs.shape[_layout(model).index("N")], ctx=inputs.context)


def _describe(model, example, outputs, names):
    """Return the manifest but for hashes and vocabulary; "T" and "N" stand for axes of any length."""
    import gluon_rnn
    states = model.begin_state(1, ctx=example.context)
    infos, axes = model.state_info(1), list(_layout(model))
    answers = ["N", *outputs.shape[1:]] if _many_to_one(model) else [*axes, *outputs.shape[2:]]
    return {
        "format": _FORMAT, "format_version": 1, "created": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "model": type(model).__name__, "causal": bool(getattr(model, "causal", True)),
        "inputs": [_entry("data", [*axes, *example.shape[2:]], example)],
        "outputs": [_entry("outputs", answers, outputs)],
        "states": [_entry(name, ["N" if axis == "N" else size for axis, size in zip(info["__layout__"], state.shape)],
                          state) for name, info, state in zip(names, infos, states)],
        "versions": {"gluon_rnn": gluon_rnn.__version__, "mxnet": mx.__version__, "numpy": np.__version__}}


def _entry(name, shape, array):
    return {"name": name, "shape": [axis if isinstance(axis, str) else int(axis) for axis in shape],
            "dtype": np.dtype(array.dtype).name}


def _filled(shape, batch_size):
    """Return a manifest's `shape` with the batch size put in."""
    return tuple(batch_size if axis == "N" else axis for axis in shape)


def _vocabulary(vocab, unit, separator):
    """Return the manifest's entry for `vocab`: the tokens in order of their ids, and which of them are special."""
    if vocab is None:
        return None
    stored = json.loads(vocab.to_json())
    tokens = stored.pop("idx_to_token")
    stored.pop("token_to_idx")  # the same once more, the other way round
    return {"unit": unit, "separator": separator, "tokens": tokens, "special": stored}


def _check(model, bundle, example, tolerance):
    """Return the largest difference between live `model` and `bundle`, at other T and N than the example's.

    First from the beginning, then from the states this leaves, so that states other than 0 go in as well.
    """
    shape = (example.shape[0] + 3, example.shape[1] + 2, *example.shape[2:])
    inputs = mx.nd.array(np.resize(example.asnumpy(), shape), ctx=example.context, dtype=example.dtype)
    states, worst, largest = _begin(model, inputs), 0.0, 0.0
    for _ in range(2 if bundle.manifest["causal"] else 1):
        live, live_states = model(inputs, states)
        routes = [_whole, _stepwise] if bundle.manifest["causal"] else [_whole]
        for outputs, ends in (route(bundle, inputs, states) for route in routes):
            for ours, theirs in zip([live, *live_states], [outputs, *ends]):
                worst = max(worst, _difference(ours, theirs))
                largest = max(largest, float(np.abs(ours.asnumpy()).max()))
        states = live_states
    limit = tolerance or {"float16": 1e-2, "float64": 1e-10}.get(bundle.manifest["outputs"][0]["dtype"], 1e-5)
    if not worst <= limit * max(1.0, largest):  # a NaN fails this as well
        raise BundleError(f"the exported model differs from the live one by {worst:.3g} where at most "
                          f"{limit * max(1.0, largest):.3g} was expected, for inputs of shape {shape}; nothing was "
                          "exported")
    return worst


def _whole(bundle, inputs, states):
    return bundle._run(inputs, states)


def _stepwise(bundle, inputs, states):
    """Return outputs and states of `bundle`, one call per step."""
    steps, axis = [], 1 - bundle._batch_axis
    for t in range(inputs.shape[axis]):
        output, states = bundle(inputs.slice_axis(axis=axis, begin=t, end=t + 1), states)
        steps.append(output)
    if "T" not in bundle.manifest["outputs"][0]["shape"]:
        return steps[-1], states                                          # the answer after the last step
    return mx.nd.concat(*steps, dim=axis), states


def _difference(a, b):
    """Return the largest absolute difference of two arrays of one shape; infinite if the shapes differ."""
    if a.shape != b.shape:
        return float("inf")
    return float(np.abs(a.asnumpy().astype("float64") - b.asnumpy()).max())


def _read_manifest(directory):
    """Return the manifest of the bundle in `directory`, None where there is none of ours."""
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("format") == _FORMAT else None


def _refuse_foreign(directory):
    if directory.exists() and not directory.is_dir():
        raise BundleError(f"cannot export to {str(directory)!r}: it is a file; name a folder")
    if directory.is_dir() and any(directory.iterdir()) and _read_manifest(directory) is None:
        raise BundleError(f"cannot export to {str(directory)!r}: the folder has files in it that are no bundle of "
                          "ours; name an empty or new one")


def _put_in_place(partial, directory):
    """Rename the finished `partial` to `directory`; a bundle that is there gives way only now."""
    for path in (partial, *partial.iterdir()):
        _sync(path)
    os.chmod(partial, 0o755)  # a temporary folder is readable by its owner alone
    old = None
    if directory.exists():
        old = pathlib.Path(tempfile.mkdtemp(prefix=f".{directory.name}-old-", dir=directory.parent))
        os.replace(directory, old)
    os.replace(partial, directory)
    _sync(directory.parent)
    if old is not None:
        shutil.rmtree(old)


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


def _write_text(path, text):
    path.write_text(text, encoding="utf-8")


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
