"""The form of a manifest: every key of the right type, names that are plain, shapes and states that fit each other.

Needs no MXNet and no library.
"""
import re

from gluon_rnn.export.reading import BundleError

__all__ = ["ASSETS", "check_form"]

ASSETS = "assets"
_KINDS = {"symbol": 2, "onnx": 1}                                         # and how many files a graph has
_DTYPES = ("float16", "float32", "float64", "int32", "int64", "int8", "uint8")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_NAME, _AXIS = re.compile(r"[A-Za-z0-9_]{1,200}"), re.compile(r"[A-Z][0-9]{0,3}")
_HASH = re.compile(r"[0-9a-f]{64}")
_LARGEST = 2**31 - 1
_TYPES = {"kind": str, "options": dict, "graphs": dict, "assets": list, "sha256": dict}
_GRAPH = {"files": list, "causal": bool, "inputs": list, "lengths": list, "states": list, "outputs": list,
          "next_states": list}
_IN_WORDS = {str: "a text", dict: "a mapping", list: "a list", bool: "true or false"}


def check_form(manifest, path):
    """Raise BundleError unless a manifest of the present version is what an export writes; its files are not read.

    Parameters
    ----------
    manifest : dict
    path : Path
        Named in messages.
    """
    form = _Form(path)
    form.types(manifest, _TYPES, "")
    if "task" not in manifest:
        form.refuse("has no 'task'")
    if not isinstance(manifest["task"], (str, type(None))):
        form.refuse("has a 'task' that is neither a name nor null")
    if manifest["kind"] not in _KINDS:
        form.refuse(f"is a bundle of kind {manifest['kind'][:40]!r}, expected one of {', '.join(_KINDS)}")
    if not manifest["graphs"]:
        form.refuse("has no graphs")
    for name, graph in manifest["graphs"].items():
        form.graph(name, graph, _KINDS[manifest["kind"]])
    form.files(manifest)


class _Form:
    """What is said of one manifest; every method raises BundleError where something is not as an export writes it."""

    def __init__(self, path):
        self._path = path

    def refuse(self, reason):
        place = f"{str(self._path)!r}{'' if reason[0] == ':' else ' '}"
        raise BundleError(f"{place}{reason}; the file is damaged, export again")

    def types(self, section, kinds, where):
        for key, kind in kinds.items():
            if key not in section:
                self.refuse(f"{where}has no {key!r}")
            if not isinstance(section[key], kind):
                self.refuse(f"{where}has a {key!r} that is not {_IN_WORDS[kind]}")

    def graph(self, name, graph, count):
        where = f": graph {name[:60]!r} "
        if not _NAME.fullmatch(name) or not isinstance(graph, dict):
            self.refuse(f"{where}has a graph that is no mapping, or whose name is no plain word")
        self.types(graph, _GRAPH, where)
        if len(graph["files"]) != count:
            self.refuse(f"{where}has {len(graph['files'])} files, expected {count}")
        for key in ("inputs", "states", "outputs", "next_states"):
            for entry in graph[key]:
                self.entry(entry, f"{where}{key}: ")
        if not graph["inputs"] or not graph["outputs"] + graph["next_states"]:
            self.refuse(f"{where}takes nothing or gives nothing")
        self.rows(graph, where)
        self.lengths(graph, where)
        names = [entry["name"] for key in ("inputs", "lengths", "states") for entry in graph[key]]
        if len(set(names)) < len(names):
            self.refuse(f"{where}has two inputs of one name")

    def entry(self, entry, where):
        """Check {"name", "shape", "dtype"} and perhaps "below"."""
        self.types(entry if isinstance(entry, dict) else {}, {"name": str, "shape": list, "dtype": str}, where)
        if not _NAME.fullmatch(entry["name"]) or entry["dtype"] not in _DTYPES:
            self.refuse(f"{where}has the name {entry['name'][:60]!r} of the type {entry['dtype'][:20]!r}")
        letters = [size for size in entry["shape"] if isinstance(size, str)]
        whole = all((type(size) is int and 0 < size <= _LARGEST) or (isinstance(size, str) and _AXIS.fullmatch(size))
                    for size in entry["shape"])
        if not whole or not 0 < len(entry["shape"]) <= 8 or len(set(letters)) < len(letters):
            self.refuse(f"{where}{entry['name']!r} has the shape {str(entry['shape'])[:60]}")
        below = entry.get("below")
        if below is not None and not (type(below) is int and 0 < below <= _LARGEST):
            self.refuse(f"{where}{entry['name']!r} has ids below {str(below)[:40]!r}")

    def rows(self, graph, where):
        """Check that the first input and all states have an axis of rows, and that states stay what they are."""
        for entry in (graph["inputs"][0], *graph["states"], *graph["next_states"]):
            if "N" not in entry["shape"]:
                self.refuse(f"{where}{entry['name']!r} has no axis 'N', the rows of a batch")
        before, after = ([(entry["shape"], entry["dtype"]) for entry in graph[key]]
                         for key in ("states", "next_states"))
        if before and before != after:
            self.refuse(f"{where}gives other states than it takes")

    def lengths(self, graph, where):
        inputs = {entry["name"]: entry for entry in graph["inputs"]}
        for entry in graph["lengths"]:
            self.types(entry if isinstance(entry, dict) else {}, {"name": str, "of": str, "dtype": str}, where)
            of, axis = inputs.get(entry["of"]), entry.get("axis")
            if not _NAME.fullmatch(entry["name"]) or of is None or entry["dtype"] not in _DTYPES:
                self.refuse(f"{where}has lengths {entry['name'][:60]!r} of {entry['of'][:60]!r}, which is no input")
            if type(axis) is not int or not 0 <= axis < len(of["shape"]) or "N" not in of["shape"]:
                self.refuse(f"{where}has lengths {entry['name']!r} of axis {str(axis)[:20]}")

    # ---- files -----------------------------------------------------------------------------------------------------

    def files(self, manifest):
        """Check that every file has a plain name and a hash, and no hash is of a file that nothing names."""
        assets = [self.plain(name) for name in manifest["assets"]]
        files = [self.plain(name) for graph in manifest["graphs"].values() for name in graph["files"]]
        files += [f"{ASSETS}/{name}" for name in assets]
        if len(set(files)) < len(files):
            self.refuse("names a file twice")
        for name, value in manifest["sha256"].items():
            self.plain(name[len(ASSETS) + 1:] if name.startswith(f"{ASSETS}/") else name)
            if not isinstance(value, str) or not _HASH.fullmatch(value):
                self.refuse(f"has a sha256 of {name!r} that is not 64 hexadecimal digits")
        unhashed = [name for name in files if name not in manifest["sha256"]]
        if unhashed:
            self.refuse(f"has no sha256 of {unhashed[0]!r}")
        unnamed = sorted(set(manifest["sha256"]) - set(files))
        if unnamed:
            self.refuse(f"has the sha256 of {unnamed[0]!r}, which is no file of the bundle")

    def plain(self, name):
        """Return the name of a file; BundleError unless it is one that an export writes, without a folder."""
        if not isinstance(name, str) or not _FILE.fullmatch(name) or ".." in name:
            raise BundleError(f"{str(self._path)!r} names the file {str(name)[:80]!r}, and a plain name was expected, "
                              "so that none lies outside of the bundle; take bundles from people you trust")
        return name
