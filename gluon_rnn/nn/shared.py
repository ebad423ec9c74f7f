"""What several classes have in common without writing it twice: arguments of constructors, properties of a child."""
import functools
import inspect

__all__ = ["extends", "of_child"]

_POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD
_KEYWORD = inspect.Parameter.KEYWORD_ONLY
_LAST = ("dtype", "backend", "prefix", "params")


def extends(base, without=(), **defaults):
    """Return a decorator of ``__init__(self, *args, own=..., **options)`` that adds the arguments of `base`.

    Its signature, which `help` and the schema of recipes read, is written out: the keyword-only arguments of the
    constructor of `base` stand in the place of ``**options``, its positional ones in that of ``*args`` if there is one.

    Parameters
    ----------
    base : class
    without : sequence of str
        Keyword-only arguments of `base` that are left out.
    **defaults
        Defaults of keyword-only arguments of `base` that are other ones here.

    Raises
    ------
    TypeError
        In a call with an unknown keyword, as without the decorator.
    """
    def decorate(init):
        signature = _merged(inspect.signature(init), inspect.signature(base.__init__), without, defaults)

        @functools.wraps(init)
        def constructor(self, *args, **kwargs):
            for name in kwargs:
                if name not in signature.parameters:
                    raise TypeError(f"{type(self).__name__}() got an unexpected keyword argument {name!r}")
            return init(self, *args, **{**defaults, **kwargs})

        constructor.__signature__ = signature
        return constructor

    return decorate


def _merged(own, inherited, without, defaults):
    """Return the signature `own` with the arguments of `inherited`; dtype, backend, prefix and params at its end."""
    takes_args = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in own.parameters.values())
    found = {name: parameter for name, parameter in own.parameters.items() if parameter.kind in (_POSITIONAL, _KEYWORD)}
    for name, parameter in inherited.parameters.items():
        if parameter.kind is _KEYWORD and name not in without or parameter.kind is _POSITIONAL and takes_args:
            found.setdefault(name, parameter.replace(default=defaults.get(name, parameter.default)))
    order = sorted(found.values(), key=lambda parameter: (parameter.kind, parameter.name in _LAST))
    return own.replace(parameters=order)


def of_child(child, name, doc):
    """Return a property that is attribute `name` of the block in attribute `child`; `doc` is its docstring."""
    return property(lambda self: getattr(getattr(self, child), name), doc=doc)
