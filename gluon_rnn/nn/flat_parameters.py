"""Parameters by Gluon's names whose arrays are views into one flat vector, which the fused operator reads.

MXNet's fused operator takes all weights and biases of a layer as one vector (P,). `mxnet.gluon.rnn` keeps them apart
and concatenates them at every call. Here the vector is there already, as a `FlatVector`; ``l0_i2h_weight`` and the like
are `FlatPart`s, real Parameters whose data and gradients are views into the vector and its gradient. Files,
initialisers, trainers and regular expressions see the parts alone, graphs read the vector alone: Gluon's graph builder
asks ``collect_params()`` for it and gets it, everybody else gets the parts.
"""
import contextlib
import ctypes
import pathlib
import re
import sys
import tempfile
import threading

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.base import _LIB, NDArrayHandle, check_call

from gluon_rnn import params_file

__all__ = ["FlatPart", "FlatVector", "current_names", "graph_parameters", "read_vectors", "split_old_vectors",
           "trained_parameters", "vectors_are_read"]

_context = threading.local()
_BUILDERS = tuple(getattr(gluon.HybridBlock, name).__code__ for name in ("_get_graph", "_build_cache", "_infer_attrs"))


@contextlib.contextmanager
def read_vectors():
    """Return a context in which symbols made of fused layers read their vectors, as graphs of Gluon's do.

    Outside of it a symbolic call reads the named parameters, as one of `mxnet.gluon.rnn` does.
    """
    before = getattr(_context, "vectors", False)
    _context.vectors = True
    try:
        yield
    finally:
        _context.vectors = before


def graph_parameters(block):
    """Return {name: Parameter} of all that graphs of `block` read: a vector in the place of the parameters in it."""
    with read_vectors():
        return dict(block.collect_params().items())


def trained_parameters(block, group_of=lambda parameter: None):
    """Return {name by structure: Parameter} of all that training updates, with one vector for the parts of a layer.

    Elementwise updates of the vector are those of its parts, in one operator. Parts that differ in `grad_req`,
    `lr_mult` or `wd_mult`, or in their ``group_of(part)``, or that another Parameter has replaced, stay by themselves.
    A vector's name is such as ``encoder.l0_parameters``.
    """
    found = {}
    for name, parameter in block._collect_params_with_prefix().items():
        if parameter.grad_req == "null":
            continue
        vector = getattr(parameter, "vector", None)
        if vector is not None and vector.is_whole and vector.is_uniform and len(set(map(group_of, vector.parts))) == 1:
            vector.lr_mult = parameter.lr_mult
            name, parameter = name.split("_unfused.")[0] + vector.local_name, vector
        found[name] = parameter
    return found


def vectors_are_read():
    """Return whether vectors are asked for: inside `read_vectors`, or by Gluon while it makes a graph.

    Gluon has no hook for what a graph reads: ``_build_cache`` looks its inputs up in ``collect_params()`` of the
    outermost block. So the callers are looked at; this happens when a graph is made, not when it is run.
    """
    if getattr(_context, "vectors", False):
        return True
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_code in _BUILDERS:
            return True
        frame = frame.f_back
    return False


def _view(vector, place):
    """Return the `Part` of a vector as an array on the same memory; not while a graph is recorded."""
    piece, handle, axes = vector._slice(place.begin, place.end), NDArrayHandle(), len(place.shape)
    check_call(_LIB.MXNDArrayReshape64(piece.handle, axes, (ctypes.c_int64 * axes)(*place.shape), False,
                                       ctypes.byref(handle)))
    return mx.nd.NDArray(handle)


class FlatVector(gluon.Parameter):
    """All parameters of one fused layer as the operator reads them, (P,); its gradient is theirs.

    Parameters
    ----------
    name, local_name : str
        In a graph, and by structure.
    layout : gluon_rnn.nn.flat.FlatLayout
        Its `input_size` is set here once it is known.
    dtype : str

    Attributes
    ----------
    parts : list of FlatPart
        In the order of the vector; their constructors append them.
    """

    def __init__(self, name, local_name, layout, dtype):
        self.local_name, self.layout, self.parts = local_name, layout, []
        self._is_current, self._views, self._grad_views = False, [], []
        super().__init__(name, shape=(layout.size,), dtype=dtype, allow_deferred_init=True)

    @property
    def is_whole(self):
        """Whether the layer still has all of the parts; if not, it reads its parameters one by one."""
        return all(part.is_registered for part in self.parts)

    @property
    def is_uniform(self):
        """Whether a trainer would treat all parts alike."""
        return len({(part.grad_req, part.lr_mult, part.wd_mult) for part in self.parts}) == 1

    @property
    def shape(self):
        """(P,), or (0,) while the input size is not known."""
        return (self.layout.size,)

    @shape.setter
    def shape(self, shape):
        if shape[0] > 0:
            self.learn_input_size(self.layout.input_size_for(shape[0]))

    def learn_input_size(self, input_size):
        """Fix the number of input features; ValueError if it is another one already."""
        if self.layout.input_size == input_size:
            return
        if self.layout.input_size:
            raise ValueError(f"{self.name} belongs to a layer of {self.layout.input_size} input features, got "
                             f"{input_size}")
        self.layout.input_size = input_size
        for part, place in zip(self.parts, self.layout.parts()):
            part._shape = place.shape
        for part in self.parts:
            part.take_pending()

    def data(self, ctx=None):
        """Return the vector on a device; the errors are those of `gluon.Parameter.data`."""
        if not self._is_current:
            for part in self.parts:
                if not part.is_ready:
                    return gluon.Parameter.data(part, ctx)                # raises what Gluon raises
            self._refresh()
        return self._check_and_get(self._data, ctx)

    def views(self, index, *, of_gradient=False):
        """Return the arrays of part number `index`, or of its gradient, one a device."""
        if not self._is_current:
            self._refresh()
        if of_gradient:
            return [views[index] for views in self._grad_views]
        self._spread_freshness()
        return [views[index] for views in self._views]

    def allocate(self, contexts):
        """Have the vector on these devices, with the values that it has."""
        if self._data is None:
            self._init_impl(mx.nd.zeros(self.shape, dtype=self.dtype), contexts)
        elif self._ctx_list != list(contexts):
            self._init_impl(self._reduce(), contexts)

    def changed(self):
        """Have arrays and gradients of the parts made anew at the next use."""
        self._is_current = False

    def cast(self, dtype):
        """Cast the vector and all its parts."""
        self._dtype = dtype
        for part in self.parts:
            part._dtype = dtype
        if self._data is not None:
            self._data = [array.astype(dtype) for array in self._data]
        self.changed()

    def _init_grad(self):
        self.changed()

    def _finish_deferred_init(self):
        for part in self.parts:
            part._finish_deferred_init()

    def _refresh(self):
        """Mark the vectors as the parts ask for gradients, and make the views."""
        requests = {part.grad_req for part in self.parts} - {"null"}
        if len(requests) > 1:
            raise ValueError(f"{self.parts[0].name} and the other parameters of its layer share one gradient, so that "
                             "grad_req must be the same for all of them that are trained, got 'write' and 'add'; set "
                             "it for all by collect_params().setattr")
        self._grad_req, self._grad = next(iter(requests), "null"), None
        with autograd.pause():
            self._data = [array.detach() for array in self._data]
            super()._init_grad()
            self._make_views()
        self._is_current = True

    def _make_views(self):
        places = self.layout.parts()
        self._views, self._grad_views = ([[_view(vector, place) for place in places] for vector in vectors]
                                         for vectors in (self._data, self._grad or []))
        trained = [index for index, part in enumerate(self.parts) if part.grad_req != "null"]
        for views, gradients in zip(self._views, self._grad_views):
            family = [views[index] for index in trained]
            # Leaves too, for those who read parts alone: their gradients go into the same memory.
            autograd.mark_variables(family, [gradients[index] for index in trained], self._grad_req)

    def _spread_freshness(self):
        """Say of each part, once, that its gradient is new where that of the vector is: trainers look at the parts."""
        if not self._grad:
            return
        for vector, views in zip(self._data, self._views):
            if vector._fresh_grad:
                vector._fresh_grad = False
                for part, view in zip(self.parts, views):
                    if part.grad_req != "null":
                        view._fresh_grad = True

    def __getstate__(self):
        """Return what copies take along: the values, not the views of them."""
        return {**self.__dict__, "_grad": None, "_views": [], "_grad_views": [], "_is_current": False}


class FlatPart(gluon.Parameter):
    """One named parameter of a fused layer; data and gradient are views into those of its `FlatVector`.

    Parameters
    ----------
    name : str
    vector : FlatVector
    registered : (dict of {str: Parameter}, str)
        Where the layer keeps its parameters, and this one's key there. Another one in its place (a weight drop of
        gluonnlp's) makes the graph read the parameters one by one.
    shape : tuple
        An unknown number of input features as 0.
    init : Initializer
    """

    def __init__(self, name, vector, registered, shape, init):
        self.vector, self.is_ready = vector, False
        self._registered, self._index, self._pending = registered, len(vector.parts), None
        super().__init__(name, shape=shape, dtype=vector.dtype, init=init, allow_deferred_init=True)
        vector.parts.append(self)

    @property
    def is_registered(self):
        """Whether the layer still has this parameter under its name."""
        parameters, name = self._registered
        return parameters.get(name) is self

    # ---- what Gluon keeps in a Parameter is the vector's -----------------------------------------------------------

    @property
    def _data(self):
        return self.vector.views(self._index) if self.is_ready else None

    @_data.setter
    def _data(self, nothing):
        assert nothing is None                                            # Gluon starts over
        self.is_ready = False

    @property
    def _grad(self):
        if not self.is_ready or self.grad_req == "null":
            return None
        return self.vector.views(self._index, of_gradient=True)

    @_grad.setter
    def _grad(self, nothing):
        assert nothing is None

    @property
    def _ctx_list(self):
        return self.vector._ctx_list

    @_ctx_list.setter
    def _ctx_list(self, _):
        pass

    @property
    def _ctx_map(self):
        return self.vector._ctx_map

    @_ctx_map.setter
    def _ctx_map(self, _):
        pass

    @property
    def grad_req(self):
        """Whether the gradient is written, added up or not wanted ("null"); one for all trained parts of a layer."""
        return self._grad_req

    @grad_req.setter
    def grad_req(self, request):
        if request not in ("write", "add", "null"):
            raise ValueError(f"grad_req must be 'write', 'add' or 'null', got {request!r}")
        self._grad_req = request
        self.vector.changed()

    @property
    def shape(self):
        """As in Gluon: an unknown number of input features is 0."""
        return self._shape

    @shape.setter
    def shape(self, shape):
        if len(shape) != len(self._shape) or any(old not in (0, new) for old, new in zip(self._shape, shape)):
            raise ValueError(f"{self.name} has shape {self._shape}, got {tuple(shape)}")
        if 0 in self._shape and 0 not in shape:
            self.vector.learn_input_size(shape[1])

    def data(self, ctx=None):
        """Return the array on a device: a view into the vector, so that writing into it changes the layer.

        While a graph is recorded it is a slice of the vector, so that gradients of both add up.
        """
        if not (autograd.is_recording() and self.is_ready and self.vector.is_whole):
            return super().data(ctx)
        place = self.vector.layout.parts()[self._index]
        return mx.nd.slice_axis(self.vector.data(ctx), axis=0, begin=place.begin, end=place.end).reshape(place.shape)

    def cast(self, dtype):
        """Cast this parameter, and with it all of its layer."""
        self.vector.cast(dtype)

    def reset_ctx(self, ctx):
        """Move this parameter, and with it all of its layer, to other devices."""
        if self.is_ready:
            self.vector.reset_ctx(ctx)
        else:
            super().reset_ctx(ctx)

    def _finish_deferred_init(self):
        if self.vector.layout.size:                                       # else the first call finds it out
            super()._finish_deferred_init()

    def _init_impl(self, data, contexts):
        if not self.vector.layout.size:
            self._pending = data, contexts
            return
        self.vector.allocate(contexts)
        self.is_ready = True
        for view in self._data:
            view[:] = data

    def take_pending(self):
        """Take the values that were loaded before the input size was known."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._init_impl(*pending)


# ---- checkpoints from before parameters had Gluon's names ---------------------------------------------------------

_OLD_NAME = re.compile(r"(?P<prefix>(?:.*\.)?)l(?P<layer>\d+)_parameters")


def split_old_vectors(block, arrays):
    """Return `arrays`, {name in a file: array} for `block`, with the vectors of old checkpoints split into parts.

    Until version 0.1 a file held one vector ``l0_parameters`` a layer; anything else stays as it is.
    """
    parameters, found = block._collect_params_with_prefix(), {}
    for name, array in arrays.items():
        match = _OLD_NAME.fullmatch(name)
        inside = match and f"{match['prefix']}_unfused.{match['layer']}."
        parts = [(new, part) for new, part in parameters.items() if inside and new.startswith(inside)]
        if not parts:
            found[name] = array
            continue
        vector = parts[0][1].vector
        vector.shape = array.shape
        for new, part in parts:
            place = vector.layout.parts()[part.vector.parts.index(part)]
            found[new] = array[place.begin:place.end].reshape(place.shape)
    return found


@contextlib.contextmanager
def current_names(block, path):
    """Return a context with the path of a file of the same parameters by today's names; ParamsFileError for no file."""
    if not any(map(_OLD_NAME.fullmatch, params_file.read_header(path))):
        yield str(path)
        return
    arrays = mx.nd.load(str(path))
    with tempfile.TemporaryDirectory() as folder:
        new = str(pathlib.Path(folder) / "parameters")
        mx.nd.save(new, split_old_vectors(block, arrays))
        yield new
