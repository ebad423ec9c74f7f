"""Names to classes: what a YAML file may say after ``name:``.

A class's own signature is the schema of its section in a configuration file, so that there is no second list of keys
to keep in step with the code.
"""
import difflib
import fnmatch
import inspect

__all__ = ["Registry", "encoders", "models", "datasets", "tasks", "outputs", "tree_encoders", "graph_encoders",
           "suggest"]

#: constructor arguments of every `mxnet.gluon.Block`
_OF_GLUON = ("prefix", "params")


def suggest(wrong, known):
    """Return the hint of an error message: the nearest right spelling of `wrong`, or all the `known` ones.

    >>> suggest("lstn", ["gru", "lstm"])
    "did you mean 'lstm'?"
    """
    near = difflib.get_close_matches(str(wrong), known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"


class Registry:
    """One kind of part (an encoder, a model, a data set), each member under a unique name.

    Parameters
    ----------
    kind : str
        What the members are, as error messages call them.
    """

    def __init__(self, kind):
        self.kind = kind
        self._classes = {}

    def register(self, name):
        """Return a class decorator that files the class under `name`; a name taken already is a ValueError."""
        def add(cls):
            if name in self._classes:
                raise ValueError(f"{self.kind} {name!r} is registered twice: {self._classes[name]} and {cls}")
            self._classes[name] = cls
            return cls
        return add

    def names(self, pattern="*"):
        """Return the sorted names that match a shell `pattern` such as ``"*lstm*"``."""
        return sorted(fnmatch.filter(self._classes, pattern))

    def get(self, name):
        """Return the class called `name`; ValueError with the nearest name if there is none."""
        if name not in self._classes:
            raise ValueError(f"unknown {self.kind} {name!r}; {suggest(name, list(self._classes))}")
        return self._classes[name]

    def name_of(self, cls):
        """Return the name `cls` is registered under."""
        return next(name for name, member in self._classes.items() if member is cls)

    def parameters(self, name):
        """Return the named constructor parameters of `name`: its own and, through ``**kwargs``, its base classes'.

        Positional-only arguments of a base class are left out: those a subclass fills in itself. So are the ``prefix``
        and ``params`` that every Gluon block takes: they are of no use in a file.
        """
        found, hidden = {}, _OF_GLUON if _is_gluon_block(self.get(name)) else ()
        for cls in self.get(name).__mro__:
            if cls.__module__.split(".")[0] in ("builtins", "mxnet") or "__init__" not in vars(cls):
                continue
            signature = inspect.signature(cls.__init__).parameters.values()
            for parameter in list(signature)[1:]:
                named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
                if named and parameter.name not in hidden:
                    found.setdefault(parameter.name, parameter)
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature):
                break
        return found

    def build(self, name, **arguments):
        """Construct the class called `name`; an argument it does not take is a ValueError naming the nearest one."""
        known = self.parameters(name)
        for key in arguments:
            if key not in known:
                raise ValueError(f"{self.kind} {name!r} has no argument {key!r}; {suggest(key, list(known))}")
        return self.get(name)(**arguments)


def _is_gluon_block(cls):
    # By name, for reading a file does not need MXNet.
    return any(base.__module__ == "mxnet.gluon.block" for base in cls.__mro__)


encoders = Registry("encoder")
tree_encoders = Registry("tree encoder")
graph_encoders = Registry("graph encoder")
models = Registry("model")
outputs = Registry("output layer")
datasets = Registry("data set")
tasks = Registry("task")
