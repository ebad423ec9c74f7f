"""Operators of MXNet's that are written in NumPy and run on the thread that calls them: for networks of few operations.

MXNet can call Python in three ways. A `CustomOp` or an `autograd.Function` runs on a thread of its own, behind two
queues: 1 ms, there and back. The oldest way, the operator ``_NDArray``, runs where it is called as soon as its inputs
are there, on the memory of MXNet's arrays: a quarter of that. Its limits:

- It cannot add to gradients (``grad_req="add"``). Whoever uses it sees to that, see `gluon_rnn.nn.grad_req`.
- All arrays have one dtype, and parameters their shapes: it is no part of a larger graph, where these may be found out.
- MXNet knows it by its address, so it stays in memory for good: make few.
"""
import ctypes
import math
import threading
import traceback

import mxnet as mx
import numpy as np
from mxnet.base import _LIB, check_call

__all__ = ["DirectOperator"]

_Ints = ctypes.POINTER(ctypes.c_int)
_Names = ctypes.POINTER(ctypes.c_char_p)
_Arrays = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), _Ints, ctypes.c_void_p)
_Shapes = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_int, _Ints, ctypes.POINTER(_Ints), ctypes.c_void_p)
_List = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.POINTER(_Names), ctypes.c_void_p)
_Needs = ctypes.CFUNCTYPE(ctypes.c_bool, _Ints, _Ints, _Ints, _Ints, ctypes.POINTER(_Ints), ctypes.c_void_p)
# Forward passes that may wait for their backward pass; of older ones the trace is made again. Views that are kept.
_TRACES, _VIEWS = 8, 64


class _Callbacks(ctypes.Structure):
    """MXNet's NDArrayOpInfo: six functions, and for each a pointer that it is handed."""

    _fields_ = [("forward", _Arrays), ("backward", _Arrays), ("infer_shape", _Shapes), ("list_outputs", _List),
                ("list_arguments", _List), ("declare_backward_dependency", _Needs),
                *((f"data_{place}", ctypes.c_void_p) for place in range(6))]


class DirectOperator:
    """A function of one array and of parameters, and its gradients; for CPUs, float32.

    Parameters
    ----------
    shapes : list of tuple
        Those of the parameters. Only the array may have another shape at each call.
    """

    def __init__(self, shapes):
        self._shapes, self._traces, self._views = [tuple(shape) for shape in shapes], {}, {}
        self._read_next = threading.local()                               # what MXNet reads when a callback is over
        self._inputs, self._outputs = _names([f"input{place}" for place in range(len(shapes) + 1)]), _names(["output"])
        self._callbacks = _Callbacks(
            _Arrays(_guarded(self._forward)), _Arrays(_guarded(self._backward)), _Shapes(_guarded(self._infer_shape)),
            _List(_guarded(lambda out, _: _give(out, self._outputs))),
            _List(_guarded(lambda out, _: _give(out, self._inputs))), _Needs(_guarded(self._needs)))
        _forever.append(self)

    def graph(self):
        """Return a call, with the array and the parameters, of a graph of this operator alone."""
        symbols = [mx.sym.var(name.decode()) for name in self._inputs[:-1]]
        output = mx.sym._internal._NDArray(*symbols, info=f"{ctypes.addressof(self._callbacks):x}")
        # To plan it costs no memory, and to call it without a plan four times as much time.
        flags = {"static_alloc": True, "static_shape": True, "data_indices": [0],
                 "param_indices": list(range(1, len(symbols)))}
        return mx.nd.CachedOp(output, [(name, str(value)) for name, value in flags.items()])

    def output_shape(self, shape):
        """Return the shape of the output for an array of a `shape`."""
        raise NotImplementedError(f"{type(self).__name__} must define output_shape()")

    def compute(self, array, parameters):
        """Return the output, in NumPy as all arrays here, and a trace: a list of whatever `gradients` needs."""
        raise NotImplementedError(f"{type(self).__name__} must define compute()")

    def gradients(self, array, parameters, trace, head):
        """Return the gradients of the array and of each parameter, for `head`, that of the output."""
        raise NotImplementedError(f"{type(self).__name__} must define gradients()")

    def _infer_shape(self, _, dimensions, shapes, __):
        array = tuple(shapes[0][:dimensions[0]])
        found = [(ctypes.c_int * len(shape))(*shape) for shape in self._all_shapes(array)]
        for place, shape in enumerate(found):
            dimensions[place], shapes[place] = len(shape), ctypes.cast(shape, _Ints)
        self._read_next.shapes = found                                    # the caller copies them

    def _all_shapes(self, shape):
        """Return the shapes of all inputs and of the output."""
        return [shape, *self._shapes, self.output_shape(shape)]

    def _needs(self, heads, inputs, outputs, count, needs, _):
        found = (ctypes.c_int * (len(self._shapes) + 3))(heads[0], *inputs[:len(self._shapes) + 1], outputs[0])
        count[0], needs[0] = len(found), ctypes.cast(found, _Ints)
        self._read_next.needs = found

    def _forward(self, _, handles, *__):
        shapes = self._all_shapes(_shape(handles[0]))
        addresses = _addresses(handles, len(shapes))
        array, *parameters, output = map(self._view, addresses, shapes)
        output[...], trace = self.compute(array, parameters)
        self._traces.pop(addresses[-1], None)
        if len(self._traces) == _TRACES:
            self._traces.pop(next(iter(self._traces)), None)
        self._traces[addresses[-1]] = trace

    def _backward(self, _, handles, *__):
        """Take the inputs, the output, the gradients of the inputs, and that of the output."""
        shapes = self._all_shapes(_shape(handles[0]))
        count = len(shapes)
        addresses = _addresses(handles, 2 * count)
        arrays = list(map(self._view, addresses, shapes * 2))
        array, *parameters = arrays[:count - 1]
        # The output's memory, which is its own until now, tells whose trace it is; after retain_graph it is made anew.
        trace = self._traces.pop(addresses[count - 1], None) or self.compute(array, parameters)[1]
        for into, gradient in zip(arrays[count:], self.gradients(array, parameters, trace, arrays[-1])):
            if into is not None:                                          # or nobody asks for it
                into[...] = gradient

    def _view(self, address, shape):
        """Return an array on the memory at `address`, None where that is None."""
        view = self._views.get((address, shape))
        if view is None and address:
            if len(self._views) == _VIEWS:
                self._views.clear()
            memory = (ctypes.c_float * math.prod(shape)).from_address(address)
            view = self._views[address, shape] = np.ndarray(shape, np.float32, memory)
        return view


_forever = []


def _shape(handle):
    """Return the shape of one of MXNet's arrays."""
    dimensions, sizes = ctypes.c_int(), _Ints()
    check_call(_LIB.MXNDArrayGetShapeEx(ctypes.c_void_p(handle), ctypes.byref(dimensions), ctypes.byref(sizes)))
    return tuple(sizes[:dimensions.value])


def _addresses(handles, count):
    """Return where the numbers of each of `count` arrays of MXNet's are, whose handles are ours to free."""
    found, address = [], ctypes.c_void_p()
    for handle in map(ctypes.c_void_p, handles[:count]):
        check_call(_LIB.MXNDArrayGetData(handle, ctypes.byref(address)))
        found.append(address.value)
        check_call(_LIB.MXNDArrayFree(handle))
    return found


def _names(names):
    """Return a list of C's strings with a null behind them."""
    return (ctypes.c_char_p * (len(names) + 1))(*(name.encode() for name in names), None)


def _give(out, names):
    out[0] = ctypes.cast(names, _Names)


def _guarded(function):
    """Return a callback that says whether `function` ran, and prints what it raised: MXNet cannot hand that on."""
    def callback(*arguments):
        try:
            function(*arguments)
        except Exception:  # must not get into MXNet, which raises an error of its own
            traceback.print_exc()
            return False
        return True

    return callback
