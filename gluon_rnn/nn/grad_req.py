"""Whether a backward pass adds to an array's gradient, or writes it: its ``grad_req``, which MXNet keeps to itself.

It tells that to functions alone that a user has given to autograd (`mx.autograd.Function`). So one that computes
nothing is put on the array and asked for its gradient, of which it leaves every number as it is.
"""
import ctypes
import threading

import mxnet as mx
from mxnet import autograd
from mxnet.base import _LIB, MXCallbackList, c_handle_array, check_call

__all__ = ["GradReqs"]

_Backward = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p),
                             ctypes.POINTER(ctypes.c_int), ctypes.c_int, ctypes.c_void_p)
_Delete = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_Function = ctypes.CFUNCTYPE(ctypes.c_int)
# MXNet's number of the request to add.
_ADD = 3
# Arrays that are remembered, and so kept.
_KEPT = 4


class GradReqs:
    """``reqs.may_add(array)`` for arrays that come again and again: False where backward passes write, or do nothing.

    To ask takes a backward pass, 0.3 ms. So the first time that an array comes with this gradient the answer is True.
    An array that is given another request with the same array for its gradient (by `autograd.mark_variables`, for
    `attach_grad` makes a new one) is not asked again.
    """

    def __init__(self):
        self._known = []

    def may_add(self, array):
        """Return whether backward passes may add to the gradient of `array`, on a CPU."""
        gradient = array.grad
        if gradient is None:
            return False
        address = _address(gradient)
        for place, (known, known_gradient, known_address, adds) in enumerate(self._known):
            if known is array and known_address == address:
                if adds is None:
                    adds = _adds(array)
                    self._known[place] = array, known_gradient, address, adds
                return adds
        # As long as both are kept, nothing else has their addresses.
        self._known = [*self._known[1 - _KEPT:], (array, gradient, address, None)]
        return True


def _address(array):
    address = ctypes.c_void_p()
    check_call(_LIB.MXNDArrayGetData(array.handle, ctypes.byref(address)))
    return address.value


def _adds(array):
    """Return whether a backward pass adds to the gradient of `array`: make one, which changes nothing."""
    output, was_fresh = mx.nd.empty((1,), array.context), array._fresh_grad
    with _lock:
        with autograd.record():
            check_call(_LIB.MXCustomFunctionRecord(1, c_handle_array([array]), 1, c_handle_array([output]),
                                                   ctypes.byref(_callbacks)))
        output.backward()
        array.grad.wait_to_read()
        array._fresh_grad = was_fresh
        return _requests.pop() == _ADD


_lock, _requests = threading.Lock(), []


@_Backward
def _backward(num_heads, num_gradients, handles, requests, *_):
    _requests.append(requests[0])
    for handle in handles[:num_heads + num_gradients]:                    # ours to free
        _LIB.MXNDArrayFree(ctypes.c_void_p(handle))
    return True


@_Delete
def _delete(_):
    return True


_functions = (_Function * 2)(ctypes.cast(_backward, _Function), ctypes.cast(_delete, _Function))
_callbacks = MXCallbackList(2, _functions, (ctypes.c_void_p * 2)())
