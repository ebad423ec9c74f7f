"""The form of a graph that other frameworks know: what their operators do by themselves is not built around them.

MXNet's fused operator ignores lengths on a CPU, its reversal of rows is slow, and a few of its gradients need help; so
graphs have more in them than the network's equations (`gluon_rnn.nn.fused_run`). Other frameworks' recurrent operators
take lengths. A symbol that is made within `interchange_form` has them as inputs of the operators, one operator for
both directions, and nothing for gradients. MXNet can infer its shapes, save it and read it, but not run it on a CPU.

What such a recurrent operator promises, as ONNX's does: a row's outputs past its length are 0, whatever the inputs are
there, NaN included; the backward direction begins at the row's last valid step; last states are those behind each row's
last valid step. Those of a row without any step are not defined.
"""
import contextlib
import threading

import mxnet as mx

__all__ = ["interchange_form", "is_interchange_form", "keep_empty_rows"]

_context = threading.local()


@contextlib.contextmanager
def interchange_form(active=True):
    """Return a context in which symbolic calls of blocks, in this thread, give graphs to translate; `active` or not."""
    before = getattr(_context, "active", False)
    _context.active = active
    try:
        yield
    finally:
        _context.active = before


def is_interchange_form(F):
    """Return whether what is made with `F`, mx.nd or mx.sym, is a graph to translate."""
    return F is mx.sym and getattr(_context, "active", False)


def keep_empty_rows(F, finals, begins, valid_length):
    """Return the states `finals` (L, N, H), with those of `begins` in rows (N,) whose `valid_length` is 0."""
    valid = F.reshape(valid_length, shape=(1, -1, 1)) > 0
    return [F.where(F.broadcast_like(valid, begin), final, begin) for final, begin in zip(finals, begins)]
