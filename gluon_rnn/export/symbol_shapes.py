"""Whether a checked symbol gives what its manifest says, by MXNet's inference of shapes, without computing anything."""
import secrets
from math import prod

import mxnet as mx

from gluon_rnn.export.bounded_lengths import with_bounds
from gluon_rnn.export.reading import BundleError
from gluon_rnn.export.symbol_file import as_text, outputs_of, read_symbol
from gluon_rnn.params_file import ParamsFileError, read_header

__all__ = ["load_symbol"]

#: numbers that a call of two steps of two rows may make, in all: 2 GB in float32
_MOST_NUMBERS = 2**29
#: of the sizes that are drawn for each free axis; what fits at these, which nobody knows before, fits
_TRIALS, _SIZES = 4, range(40, 400)


def load_symbol(graph, directory):
    """Return the symbol of a graph, checked against its parameters and what the manifest says of it.

    Parameters
    ----------
    graph : dict
        Of a manifest; its files are ``*-symbol.json`` and ``*-0000.params``.
    directory : Path

    Returns
    -------
    mxnet.symbol.Symbol

    Raises
    ------
    BundleError
        If an operator is none that an export writes, a parameter is missing, too much or of another shape, or outputs
        and states are not those of the manifest.
    """
    path, parameters = (directory / name for name in graph["files"])
    symbol, header = read_symbol(path), _header(parameters)
    taken = {entry["name"]: entry for entry in (*graph["inputs"], *graph["lengths"], *graph["states"])}
    _check_names(symbol, header, taken, path)
    check = _Check(symbol, header, graph, path)
    check.small()
    shapes = [check.shapes(check.drawn()) for _ in range(_TRIALS)]
    return mx.sym.load_json(as_text(with_bounds(symbol, shapes)))


def _header(path):
    """Return {name: (shape, dtype)} of a graph's parameters, ``arg:`` left out."""
    try:
        header = read_header(path)
    except ParamsFileError as error:
        raise BundleError(str(error)) from None
    wrong = next((name for name in header if not name.startswith("arg:")), None)
    if wrong is not None:
        raise BundleError(f"{str(path)!r} has the array {wrong[:60]!r}, whose name does not begin with arg:; export "
                          "again")
    return {name[4:]: value for name, value in header.items()}


def _check_names(symbol, header, taken, path):
    variables = {symbol["nodes"][number]["name"] for number in symbol["arg_nodes"]}
    unknown = sorted(variables - set(taken) - set(header)) or sorted(set(header) - variables)
    if unknown or set(header) & set(taken):
        name = (unknown or sorted(set(header) & set(taken)))[0]
        raise BundleError(f"{str(path)!r} and its parameters do not fit: {name[:60]!r} must be in the symbol, and "
                          "either an input in the manifest or an array in the file of parameters; export again")


class _Check:
    """Shapes and types of one symbol at sizes of the free axes."""

    def __init__(self, symbol, header, graph, path):
        self._graph, self._path, self._header = graph, path, header
        self._places = [(number, output) for number, node in enumerate(symbol["nodes"])
                        for output in range(outputs_of(node))]
        self._results = [(source, output) for source, output, _ in symbol["heads"]]
        heads = [[number, output, 0] for number, output in self._places]
        try:
            self._all = mx.sym.load_json(as_text({**symbol, "heads": heads}))
        except mx.MXNetError as error:
            raise self._refused(error) from None
        self._letters = sorted({size for entry in (*graph["inputs"], *graph["states"]) for size in entry["shape"]
                                if isinstance(size, str)})

    def drawn(self):
        """Return a size for each free axis."""
        return dict(zip(self._letters, secrets.SystemRandom().sample(_SIZES, len(self._letters))))

    def small(self):
        """Raise BundleError where types do not fit, or a small call would take much memory."""
        shapes = self.shapes(dict.fromkeys(self._letters, 2))
        total = sum(prod(shape) for shape in shapes.values())
        if total > _MOST_NUMBERS:
            raise BundleError(f"{str(self._path)!r} would make {total:,} numbers of two steps of two rows, and at most "
                              f"{_MOST_NUMBERS:,} are allowed; the file is damaged or made to harm")
        self._check_types()

    def shapes(self, sizes):
        """Return {(node, output): shape}, having compared outputs and next states with the manifest."""
        def whole(entry):
            return tuple(sizes.get(size, size) for size in entry["shape"])

        given = {entry["name"]: whole(entry) for entry in (*self._graph["inputs"], *self._graph["states"])}
        given.update({entry["name"]: (sizes["N"],) for entry in self._graph["lengths"]})
        given.update({name: shape for name, (shape, _) in self._header.items()})
        known = set(self._all.list_arguments())
        try:
            _, found, _ = self._all.infer_shape(**{name: shape for name, shape in given.items() if name in known})
        except mx.MXNetError as error:
            raise self._refused(error) from None
        if found is None or any(0 in shape or not shape for shape in found):
            raise self._refused("it does not say all shapes")
        shapes = dict(zip(self._places, map(tuple, found)))
        self._compare([shapes[place] for place in self._results], whole)
        return shapes

    def _compare(self, found, whole):
        said = [*self._graph["outputs"], *self._graph["next_states"]]
        if len(found) != len(said):
            raise BundleError(f"{str(self._path)!r} gives {len(found)} arrays, and the manifest says {len(said)}; "
                              "export again")
        for shape, entry in zip(found, said):
            expected = whole(entry)
            # a letter that no input has, such as the steps of states that an encoder makes, may be any size
            if len(shape) != len(expected) or any(a != b for a, b in zip(shape, expected) if not isinstance(b, str)):
                raise BundleError(f"{str(self._path)!r} gives {entry['name']!r} of shape {shape} where the manifest "
                                  f"says {entry['shape']}; export again")

    def _check_types(self):
        given = {entry["name"]: entry["dtype"] for key in ("inputs", "lengths", "states") for entry in self._graph[key]}
        given.update({name: dtype for name, (_, dtype) in self._header.items()})
        known = set(self._all.list_arguments())
        try:
            self._all.infer_type(**{name: dtype for name, dtype in given.items() if name in known})
        except (mx.MXNetError, TypeError) as error:
            raise self._refused(error) from None

    def _refused(self, error):
        reason = next((line.strip() for line in reversed(str(error).strip().splitlines()) if line.strip()), "unknown")
        return BundleError(f"{str(self._path)!r} does not fit its parameters or its manifest ({reason[:200]}); export "
                           "again")
