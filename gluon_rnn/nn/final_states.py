"""Marks on the states that a block returned, which tell carried states from initial ones.

A bidirectional network can begin with any states, learnt ones included, but its last states cannot be carried into the
next chunk: the backward direction would have to begin there. Values do not tell one from the other. So the arrays (or
symbols) that such a block returns are of a class of their own, which `detach`, `copy`, slices and moves to another
device or dtype keep; what an operator computes from them is an ordinary array. No value is read, and nothing is kept on
the block but the class.

The class of an array is no part of a graph: where a hybridized block of Gluon's contains the block, its outputs are
ordinary arrays, and an exported graph takes any states.
"""
import weakref

__all__ = ["are_of", "mark"]

_KEPT_BY = ("detach", "copy", "copyto", "astype", "as_in_context", "as_in_ctx", "__getitem__")
_classes = weakref.WeakKeyDictionary()


class _EqualToItsKind(type):
    """Class of classes: MXNet asks ``type(value) == NDArray`` of what is assigned, and a marked array is one."""

    def __eq__(cls, other):
        return other is cls or other is cls.kind

    def __hash__(cls):
        return type.__hash__(cls)


class _FinalState:
    """Mixin of the classes of marked arrays and symbols."""

    __slots__ = ()


def mark(block, states, given=()):
    """Return `states`, marked as those that `block` returned; states that are among those `given` stay as they are."""
    for state in states:
        if not any(state is one for one in given):
            state.__class__ = _class_of(block, type(state))
    return states


def are_of(block, states):
    """Return whether `block` returned any of the `states`."""
    return any(isinstance(state, _FinalState) and type(state) in _classes.get(block, {}).values() for state in states)


def _class_of(block, kind):
    """Return the class of final states of `block` that are `kind`, an array or symbol class, otherwise."""
    while issubclass(kind, _FinalState):                                  # of a block inside this one
        kind = kind.__mro__[kind.__mro__.index(_FinalState) + 1]
    classes = _classes.setdefault(block, {})
    if kind not in classes:
        methods = {name: _keeping(name) for name in _KEPT_BY if hasattr(kind, name)}
        members = {"__slots__": (), "__module__": __name__, "kind": kind, **methods}
        classes[kind] = _EqualToItsKind("FinalState", (_FinalState, kind), members)
    return classes[kind]


def _keeping(name):
    """Return the method `name`, its result being marked as the array is."""
    def method(self, *args, **kwargs):
        result = getattr(super(type(self), self), name)(*args, **kwargs)
        # An array of somebody else's that is written to stays what it is.
        if type(result) is type(self).__mro__[2] and not (args and result is args[0]):
            result.__class__ = type(self)
        return result

    method.__name__ = name
    return method
