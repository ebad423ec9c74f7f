r"""Recurrences that are linear in the state, element by element: the only thing that networks without R h loop over.

    "sum":      h_t = a_t * h_{t-1} + b_t
    "mean":     h_t = a_t * h_{t-1} + (1 - a_t) * b_t
    "complex":  h_t = a * h_{t-1} + b_t           complex numbers, as pairs of real and imaginary part; one a for all t

Everything else of such a network depends on no state and is computed for all T at once (`gluon_rnn.nn.linear`,
`gluon_rnn.nn.lru`). A step is two products and sums of (N, H) numbers. MXNet takes several microseconds for each, and
its elementwise operators handle one number after the other; NumPy's take half a microsecond and eight numbers at once.
A graph that runs on a CPU therefore has one operator for all T, written in NumPy, with its own gradient:

    g_t = dL/dh_t + a_{t+1} g_{t+1}
    dL/db_t = g_t,  dL/da_t = g_t h_{t-1};  of "mean": dL/db_t = (1 - a_t) g_t,  dL/da_t = g_t (h_{t-1} - b_t)

A graph that leaves this process, one of a single step, one for a GPU, and any of a block with ``backend="reference"``
has the loop of MXNet's instead, with the same numbers.
"""
import mxnet as mx
import numpy as np

from gluon_rnn.nn import backend, chunks, numpy_ops
from gluon_rnn.nn.interchange import is_interchange_form
from gluon_rnn.nn.numpy_ops import view
from gluon_rnn.nn.unroll import loop

__all__ = ["FORMS", "linear_recurrence"]

OPERATOR = "gluon_rnn_linear_recurrence"
#: A gradient that shrinks from step to step ends in numbers below the smallest normal one, with which processors, and
#: MXNet's products after this, take ten times as long. Every so many steps numbers this near to it become 0.
FLUSH_STEPS, FLUSH_BELOW = 16, 2.0 ** 20


def linear_recurrence(F, a, b, h0, form="sum", *, reference=False):
    """Return h_t for all t, (T, N, H), and the last of them, (N, H).

    Parameters
    ----------
    F : mx.nd, mx.sym or `gluon_rnn.nn.numpy_ops.F`
    a : (T, N, H), in the form "complex" (H,)
        Any numbers; above 1 in size the state grows.
    b : (T, N, H)
    h0 : (N, H)
        The state before the first step.
    form : {"sum", "mean", "complex"}, default "sum"
        See the module. In the form "complex" H is even, and numbers 2 k and 2 k + 1 are real and imaginary part of
        the k-th complex number.
    reference : bool, default False
        Whether it has to be a loop of MXNet's operators.

    Raises
    ------
    ValueError
        If there is no such form.
    """
    if form not in FORMS:
        raise ValueError(f"the form of a linear recurrence must be one of {', '.join(FORMS)}, got {form!r}")
    if not reference and _in_one_operator(F, b):
        return F.Custom(a, b, h0, op_type=OPERATOR, form=form)
    if form == "complex":
        real, imaginary = _rotation(F, a)
        outputs, finals = loop(F, _complex_step, [b], [h0], {
            "real": F.broadcast_like(real, h0), "imaginary": F.broadcast_like(imaginary, h0)})
    else:
        outputs, finals = loop(F, _STEPS[form], [a, b], [h0], {})
    return outputs, finals[0]


def _in_one_operator(F, like):
    """Return whether all steps can be one operator, which only this process knows, and only on CPUs."""
    if F is numpy_ops.F or chunks.steps() or is_interchange_form(F):
        return False
    if isinstance(like, mx.nd.NDArray):
        return like.context.device_type == "cpu"
    return backend.is_cpu_graph()


# ---- as a loop of operators -----------------------------------------------------------------------------------------

def _sum_step(F, slices, states, _):
    h = F.broadcast_add(F.broadcast_mul(slices[0], states[0]), slices[1])
    return h, [h]


def _mean_step(F, slices, states, _):
    a, b = slices
    h = F.broadcast_add(F.broadcast_mul(a, states[0]), F.broadcast_mul(1 - a, b))
    return h, [h]


def _complex_step(F, slices, states, parameters):
    h = F.broadcast_add(F.broadcast_mul(parameters["real"], states[0]),
                        F.broadcast_mul(parameters["imaginary"], _swapped(F, states[0])))
    h = F.broadcast_add(h, slices[0])
    return h, [h]


_STEPS = {"sum": _sum_step, "mean": _mean_step}


def _swapped(F, pairs):
    """Return (N, H) with the two numbers of each pair in the other order."""
    swapped = F.reverse(F.reshape(pairs, shape=(-1, 2)), axis=1)
    return swapped.reshape(pairs.shape) if isinstance(pairs, np.ndarray) else F.reshape_like(swapped, pairs)


def _rotation(F, a):
    """Return (1, H) each: what a complex factor makes of a pair itself, and of the pair in the other order."""
    pairs = F.reshape(a, shape=(-1, 2))
    real, imaginary = (F.slice_axis(pairs, axis=1, begin=part, end=part + 1) for part in (0, 1))
    return (F.reshape(F.concat(real, real, dim=1), shape=(1, -1)),
            F.reshape(F.concat(-imaginary, imaginary, dim=1), shape=(1, -1)))


# ---- as one operator in NumPy ---------------------------------------------------------------------------------------

class _Sum:
    """``forward`` writes h (T, N, H); ``backward`` the gradients of a and b, and returns that of h0."""

    @staticmethod
    def forward(a, b, h, out):
        for a_t, b_t, h_t in zip(a, b, out):
            np.multiply(a_t, h, h_t)
            np.add(h_t, b_t, h_t)
            h = h_t

    @staticmethod
    def backward(a, b, h0, out, wanted, carry, of_a, of_b):
        steps = zip(_carried(carry, len(b)), _states_before(out, h0), *_from_the_end(a, wanted, of_a, of_b))
        for _, before, a_t, wanted_t, of_a_t, of_b_t in steps:
            np.add(wanted_t, carry, of_b_t)
            np.multiply(of_b_t, before, of_a_t)
            np.multiply(of_b_t, a_t, carry)
        return carry


class _Mean:
    """As `_Sum`."""

    @staticmethod
    def forward(a, b, h, out):
        for a_t, b_t, h_t in zip(a, b, out):
            np.subtract(h, b_t, h_t)
            np.multiply(a_t, h_t, h_t)
            np.add(h_t, b_t, h_t)
            h = h_t

    @staticmethod
    def backward(a, b, h0, out, wanted, carry, of_a, of_b):
        g = np.empty_like(carry)
        steps = zip(_carried(carry, len(b)), _states_before(out, h0), *_from_the_end(a, b, wanted, of_a, of_b))
        for _, before, a_t, b_t, wanted_t, of_a_t, of_b_t in steps:
            np.add(wanted_t, carry, g)
            np.multiply(g, a_t, carry)
            np.subtract(g, carry, of_b_t)
            np.subtract(before, b_t, of_a_t)
            np.multiply(of_a_t, g, of_a_t)
        return carry


class _Complex:
    """As `_Sum`, a being one vector."""

    @staticmethod
    def forward(a, b, h, out):
        a, b, h, out = map(_as_complex, (a, b, h, out))
        for b_t, h_t in zip(b, out):
            np.multiply(a, h, h_t)
            np.add(h_t, b_t, h_t)
            h = h_t

    @staticmethod
    def backward(a, b, h0, out, wanted, carry, of_a, of_b):
        a, h0, out, wanted, carry, of_b = map(_as_complex, (a, h0, out, wanted, carry, of_b))
        conjugate, product, total = a.conj(), np.empty_like(carry), np.zeros_like(carry)
        steps = zip(_carried(carry, len(of_b)), _states_before(out, h0), *_from_the_end(wanted, of_b))
        for _, before, wanted_t, of_b_t in steps:
            np.add(wanted_t, carry, of_b_t)
            np.conjugate(before, product)
            np.multiply(of_b_t, product, product)
            np.add(total, product, total)
            np.multiply(of_b_t, conjugate, carry)
        _as_complex(of_a)[...] = total.sum(axis=0)
        return carry.view(of_a.dtype)


FORMS = {"sum": _Sum, "mean": _Mean, "complex": _Complex}


def _states_before(out, h0):
    """Return a list of the state before each step, that of the last step first."""
    return [*out[-2::-1], h0]


def _carried(carry, steps):
    """Yield once a step; now and then what is almost nothing in `carry` becomes 0."""
    parts = carry.view(carry.real.dtype)
    nothing = FLUSH_BELOW * np.finfo(parts.dtype).tiny
    for step in range(steps):
        if step % FLUSH_STEPS == 0:
            parts[np.abs(parts) < nothing] = 0
        yield step


def _from_the_end(*arrays):
    return [array[::-1] for array in arrays]


def _as_complex(pairs):
    return pairs.view("complex64" if pairs.dtype == np.float32 else "complex128")


class _Operator(mx.operator.CustomOp):
    def __init__(self, form):
        super().__init__()
        self._form = FORMS[form]

    def forward(self, is_train, req, in_data, out_data, aux):
        with np.errstate(all="ignore"):                                   # as MXNet's operators do
            outputs = view(out_data[0])
            self._form.forward(*map(view, in_data), outputs)
            view(out_data[1])[...] = outputs[-1]

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        given, gradients = [view(array) for array in in_data], [view(array) for array in in_grad]
        targets = [array if how in ("write", "inplace") else np.empty_like(array)
                   for array, how in zip(gradients, req)]
        with np.errstate(all="ignore"):
            wanted, of_last = map(view, out_grad)
            targets[2][...] = self._form.backward(*given, view(out_data[0]), wanted, of_last.copy(), *targets[:2])
        for array, target, how in zip(gradients, targets, req):
            if how == "add":
                array += target


@mx.operator.register(OPERATOR)
class _Properties(mx.operator.CustomOpProp):
    def __init__(self, form):
        super().__init__(need_top_grad=True)
        self._form = form

    def list_arguments(self):
        return ["a", "b", "h0"]

    def list_outputs(self):
        return ["outputs", "last"]

    def infer_shape(self, in_shape):
        of_all = in_shape[1]
        of_a = of_all if self._form != "complex" else of_all[2:]
        return [of_a, of_all, of_all[1:]], [of_all, of_all[1:]], []

    def create_operator(self, ctx, in_shapes, in_dtypes):
        return _Operator(self._form)
