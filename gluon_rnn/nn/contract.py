"""The contract that every sequence block of the package keeps.

``outputs, states = block(inputs, states, valid_length)``: states go in and come out, nothing is remembered on the block
between two calls, so that truncated training, streaming, export and closed-loop simulation are the same call for all.
"""
import mxnet as mx
import numpy as np
from mxnet.autograd import is_recording
from mxnet.ndarray import NDArray
from mxnet.util import is_np_array

from gluon_rnn.nn import arguments, final_states, functional
from gluon_rnn.nn.backend import in_words, resolve
from gluon_rnn.nn.checks import check_features
from gluon_rnn.nn.graph_block import BUILDING, CallForms, GraphBlock

__all__ = ["SequenceBlock", "check_encoder", "dtype_name"]

LAYOUTS = ("TNC", "NTC")
_CACHE_FIELDS = ("_cached_graph", "_cached_op", "_cached_op_args", "_in_format", "_out_format")


class SequenceBlock(GraphBlock):
    """Base class of all blocks with memory: argument checks, begin states, layout, one cached graph for each call form.

    A subclass writes `state_info` and `forward_sequence`, and is given the rest.

    Parameters
    ----------
    layout : {"TNC", "NTC"}, default "TNC"
        Axis order of inputs and outputs at the edge: time T, batch N, features C. States are never batch-first.
    dtype : str, default "float32"
    backend : {"auto", "reference"}, optional
        "auto" lets NumPy and unrolled graphs stand in for loops of MXNet's, "reference" does not; default by the
        environment variable ``GLUON_RNN_BACKEND``, else "auto". See `gluon_rnn.nn.backend`.
    prefix, params
        Of `mxnet.gluon.Block`.

    Inputs/Outputs
    --------------
    inputs : (T, N, C), or (T, N) where a subclass takes token ids
    states : flat list of arrays, as in `state_info`; None starts from `begin_state`, and so does an empty list where
        `accepts_empty_states` says so
    valid_length : (N,) or None
        Number of real steps of each row, whole numbers from 0 to T. What stands behind them, NaN included, changes
        nothing.
    outputs : (T, N, H)
        0 past `valid_length`.

    A call without states returns the outputs; a call with states returns ``(outputs, states)``, each row's states being
    those of its last valid step (none for an empty list).

    Lists and NumPy arrays are taken too, and converted: to the dtype of the block (token ids to int32), on its device.

    Raises
    ------
    ValueError
        If a shape, dtype or device does not fit, a length does not lie between 0 and T, or a block that is not `causal`
        is given the states that it returned. Other initial states may be anything: learnt, or those of another network.
    TypeError
        For arrays of mx.np, and under ``npx.set_np()``.

    Notes
    -----
    Lengths that a caller passes as an array on a CPU, a list or a NumPy array are read and checked at each call,
    hybridized or not. Inside a larger graph, in an exported one and on a GPU they are not read; there a length above T
    counts as T, one below 0 or NaN as 0, and a fraction is cut off.

    Several threads may call one block, hybridized or not, but neither under ``autograd.record()`` nor with
    ``static_alloc=True``: see `gluon_rnn.nn.graph_block`.
    """

    causal = True
    #: dimensions of `inputs`; 2 for blocks that take token ids
    input_dimensions = 3
    #: whether inputs must have `input_size` features and the dtype of the block; a size of 0 is fixed by the first ones
    checks_features = False

    def __init__(self, *, layout="TNC", dtype="float32", backend=None, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self.backend = resolve(backend)
        if layout not in LAYOUTS:
            raise ValueError(f"layout must be one of {LAYOUTS}, got {layout!r}")
        self.layout = layout
        self._set_dtype(dtype)
        self._graphs = CallForms()
        self._form = None
        self._begin = (None, None)

    def state_info(self, batch_size=0):
        """Return a list with one dict a state: its ``shape`` and its ``__layout__`` (N marks the batch axis)."""
        raise NotImplementedError(f"{type(self).__name__} must say in state_info() what it remembers")

    def accepts_empty_states(self, with_lengths):
        """Return whether `forward_sequence` takes an empty list of states for a beginning, and then returns none.

        A graph without states has less to compute, and less to go back through. A model whose states are those of its
        encoder answers as that one does, and passes the empty list on.

        Parameters
        ----------
        with_lengths : bool
            Whether the call has a `valid_length`.
        """
        return False

    def forward_sequence(self, F, inputs, states, valid_length, *signals, **parameters):
        """Compute ``(outputs, states)`` for time-major `inputs`; with F being mx.nd or mx.sym.

        `signals` are further sequences that the call of a subclass takes, time-major too.
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward_sequence()")

    def one_step(self, F, inputs, states):
        """Compute a single step inside somebody else's loop: (1, N, C) to (1, N, H) and the states; layout "TNC".

        The same as a call; a block that is a loop itself does it without one.
        """
        return self(inputs, states)

    def stepper(self, batch_size=1):
        """Return a `gluon_rnn.nn.stepper.Stepper`: steps one after the other, outside of training, at little cost."""
        from gluon_rnn.nn.stepper import Stepper
        return Stepper(self, batch_size)

    def explain_backend(self, inputs, states=None):
        """Return a sentence on how a call with these arrays would run, here and now."""
        return in_words(self, "graph")

    def begin_state(self, batch_size=0, func=None, ctx=None, dtype=None, **kwargs):
        """Return the states before the first step: zeros.

        Parameters
        ----------
        batch_size : int
        func : callable, optional
            As in Gluon: called as ``func(name=..., shape=..., **kwargs)`` for each state, e.g. ``mx.sym.var``.
        ctx : Context, optional
        dtype : str, optional
            Default: the dtype of the block.
        """
        if func is None:
            return [mx.nd.zeros(info["shape"], ctx=ctx, dtype=dtype or self._dtype)
                    for info in self.state_info(batch_size)]
        if ctx is not None:
            kwargs["ctx"] = ctx
        if dtype is not None or self._dtype != "float32":
            kwargs["dtype"] = dtype or self._dtype
        return [func(name=f"{self.prefix}state_{i}", shape=info["shape"], **kwargs)
                for i, info in enumerate(self.state_info(batch_size))]

    def cast(self, dtype):
        """Cast parameters and default states to `dtype`."""
        super().cast(dtype)
        self._set_dtype(dtype)

    def _set_dtype(self, dtype):
        self._dtype = dtype_name(dtype)
        self._numpy_dtype = np.dtype(dtype).type

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        if is_recording():
            self._claim()
        carried = states is not None
        if isinstance(states, (NDArray, mx.sym.Symbol, np.ndarray)):
            states = [states]
        if carried and not self.causal and final_states.are_of(self, states):
            raise ValueError(self._why_not_carried())
        if type(inputs) is not NDArray or is_np_array():
            inputs = self._taken("inputs", inputs)
        if isinstance(inputs, NDArray):
            states, valid_length, signals = self._checked_once(inputs, states, valid_length, signals)
        if not carried:
            states = self._first_states(inputs, valid_length)
        if signals and valid_length is None:
            valid_length = self._all_steps(inputs)
        outputs, finals = self._run(inputs, states, *(() if valid_length is None else (valid_length, *signals)))
        if not carried:
            return outputs
        return outputs, finals if self.causal else final_states.mark(self, finals, given=states)

    def _checked_once(self, *arguments):
        """Check a call; before the first run under the lock, since it may fix a size and so initialise parameters."""
        if self._has_run:
            return self._checked(*arguments)
        with BUILDING:
            return self._checked(*arguments)

    def _run(self, *arguments):
        """Return outputs and states by the cached graph of this call form, or as Gluon does."""
        try:
            return self._fast_call(*arguments) or super().__call__(*arguments)
        except mx.MXNetError as error:                                    # looking beforehand costs more than it finds
            if isinstance(arguments[0], NDArray):
                self._refuse_mismatch(error, *arguments)
            raise

    # ---- arguments ---------------------------------------------------------------------------------------------

    def _checked(self, inputs, states, valid_length, signals):
        """Return states, lengths and signals for `inputs` as arrays that fit, each checked as far as it can be."""
        shape, lengths = inputs.shape, valid_length
        self._check_inputs(inputs, shape)
        if lengths is not None:
            lengths = arguments.take_lengths(self, lengths, inputs, axis=self.layout.index("T"))
        if signals:
            signals = [None if one is None else self._taken("further sequences", one, None) for one in signals]
        if states is not None:
            for state in states:
                if type(state) is not NDArray:
                    states = [self._taken("states", one) for one in states]
                    break
            if not (len(states) == 0 and self.accepts_empty_states(lengths is not None)):
                self._check_states(states, shape[self.layout.index("N")])
        if self.loops or not self._graphs.ready:                          # a graph that is there refuses by itself
            self._refuse_mismatch(None, inputs, states or (), lengths)
        return states, lengths, signals

    def _taken(self, what, value, dtype=""):
        """Return an argument as an mx.nd array, or in words why it cannot be one; `dtype` as for `arguments.as_array`.

        By default the dtype of the block; for token ids whole numbers stay whole.
        """
        if dtype == "":
            dtype = None if what == "inputs" and self.input_dimensions == 2 else self._dtype
        return arguments.take(self, what, value, dtype)

    def _refuse_mismatch(self, error, inputs, states, valid_length=None, *_):
        """Raise ValueError if dtypes or devices do not fit together; `error` is what MXNet said to it."""
        found = arguments.mismatch(type(self).__name__, self._dtype, inputs.context, states, valid_length)
        if found:
            raise ValueError(found) from error

    def _first_states(self, inputs, valid_length):
        """Return the states of a call without any."""
        if self.accepts_empty_states(valid_length is not None):
            return []
        if isinstance(inputs, NDArray):
            return self._zeros(inputs.shape[self.layout.index("N")], inputs.context)
        return self._symbolic_begin_state(inputs)

    def _zeros(self, batch_size, ctx):
        """Return begin states for the block's own use, made anew only when batch size, device or dtype change."""
        key, begin = (batch_size, ctx, self._dtype), self._begin          # another thread may replace it
        if begin[0] != key:
            begin = self._begin = (key, self.begin_state(batch_size, ctx=ctx))
        return begin[1]

    def _fast_call(self, inputs, states, *others):
        """Run the cached graph of this call form; None where there is none yet, or somebody listens to the call.

        `HybridBlock.__call__` walks over all arguments several times, which costs more than one step of a small layer.
        """
        graphs, form = self._graphs, (2 + len(others), len(states))
        if (not self._active or form not in graphs.ready or self._callback or self._forward_hooks
                or self._forward_pre_hooks or not isinstance(inputs, NDArray)):
            return None
        graph, sources = graphs.ready[form]
        given, ctx, graphs.last = [inputs, *states, *others], inputs.context, form
        results = graph(*(given[entry] if is_argument else entry.data(ctx) for is_argument, entry in sources))
        if isinstance(results, NDArray):                            # a block without states
            return results, []
        return results[0], list(results[1:])

    def hybrid_forward(self, F, inputs, states, valid_length=None, *signals, **parameters):
        """Put time first, run `forward_sequence`, put the outputs back into `layout`."""
        if self.layout == "NTC":
            inputs, *signals = (F.swapaxes(sequence, 0, 1) for sequence in (inputs, *signals))    # (T, N, C)
        if valid_length is None:
            outputs, states = self.forward_sequence(F, inputs, list(states), None, *signals, **parameters)
        else:
            with functional.clamped(F, valid_length, inputs) as lengths:
                outputs, states = self.forward_sequence(F, inputs, list(states), lengths, *signals, **parameters)
        if self.layout == "NTC":
            outputs = F.swapaxes(outputs, 0, 1)                           # (N, T, H)
        return outputs, states

    def _check_inputs(self, inputs, shape):
        if len(shape) != self.input_dimensions:
            raise ValueError(f"{type(self).__name__} expects inputs of {self.input_dimensions} dimensions in the order "
                             f"{self.layout[:self.input_dimensions]}, got shape {shape}")
        if 0 in shape:
            raise ValueError(f"{type(self).__name__} expects inputs of at least one step, row and feature, got shape "
                             f"{shape}")
        if self.checks_features and (shape[-1] != self.input_size or inputs.dtype != self._numpy_dtype):
            check_features(type(self).__name__, inputs, self.input_size, self._dtype)    # slower than these two looks
            self.set_input_size(shape[-1])               # states of a first call, and blocks inside, need to know it

    def _check_states(self, states, batch_size):
        name, expected = type(self).__name__, [info["shape"] for info in self.state_info(batch_size)]
        shapes = [state.shape for state in states]
        if shapes != expected:
            raise ValueError(f"{name} expects states of shapes {expected} for a batch of {batch_size}, got {shapes}; "
                             f"begin_state({batch_size}) makes the first ones")

    def _why_not_carried(self):
        """Return the sentence that refuses states which a block that is not causal returned itself."""
        return (f"{type(self).__name__} is not causal: it reads each sequence from its end too, so the states that it "
                "returned for one chunk cannot be carried into the next; pass whole sequences, or use a causal block")

    def _symbolic_begin_state(self, inputs):
        """Zeros whose batch size follows that of the symbol `inputs`, so that N stays free in an exported graph."""
        per_row = self._row_zeros(mx.sym, inputs)                         # (N,)
        states = []
        for info in self.state_info(0):
            axis = info["__layout__"].index("N")
            others = tuple(i for i in range(len(info["shape"])) if i != axis)
            shape = tuple(-1 if i == axis else 1 for i in range(len(info["shape"])))
            states.append(mx.sym.broadcast_axis(mx.sym.reshape(per_row, shape=shape), axis=others,
                                                size=tuple(info["shape"][i] for i in others)))
        return states

    def _row_zeros(self, F, inputs):
        time = self.layout.index("T")
        first = F.zeros_like(F.slice_axis(inputs, axis=time, begin=0, end=1))      # zeros even where inputs are NaN
        others = tuple(i for i in range(self.input_dimensions) if i != self.layout.index("N"))
        return F.cast(F.sum(first, axis=others), dtype=self._dtype)

    def _all_steps(self, inputs):
        """The `valid_length` (N,) that leaves out nothing."""
        F = mx.nd if isinstance(inputs, NDArray) else mx.sym
        steps = F.slice_axis(F.ones_like(inputs), axis=2, begin=0, end=1)
        return F.sum(steps, axis=(self.layout.index("T"), 2))

    def _call_cached_op(self, *args):
        # Gluon keeps one graph a block and refuses a call of another form (with lengths or states after one without).
        # Keep one graph for each form instead.
        form = len(args), len(args[1])
        with BUILDING:
            self._enter_form(form)
            results = super()._call_cached_op(*args)
            self._graphs.ready[form], self._graphs.last = (self._cached_op, list(self._cached_op_args)), form
        return results

    def _enter_form(self, form):
        """Make the graph of one call form, which may not exist yet, the one that Gluon sees."""
        if form == self._form:
            return
        self._graphs.fields[self._form] = {field: getattr(self, field) for field in _CACHE_FIELDS}
        fresh = {"_cached_graph": (), "_cached_op": None, "_cached_op_args": [], "_in_format": None,
                 "_out_format": None}
        for field, value in self._graphs.fields.get(form, fresh).items():
            setattr(self, field, value)
        self._form = form

    def export(self, path, epoch=0, **kwargs):
        """Write the graph of the last call, as Gluon does."""
        with BUILDING:
            if self._graphs.last is not None:
                self._enter_form(self._graphs.last)
            return super().export(path, epoch, **kwargs)

    def _clear_cached_op(self):
        self._graphs = CallForms()
        super()._clear_cached_op()


def dtype_name(dtype):
    """Return "float16", "float32" or "float64", as `dtype` says in any form; ValueError for another one."""
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = None
    if name not in ("float16", "float32", "float64"):
        raise ValueError(f"dtype must be float16, float32 or float64, got {dtype!r}")
    return name


def check_encoder(owner, encoder, predicts=None, what="encoder"):
    """Raise ValueError unless `encoder` is a time-major `SequenceBlock`, and causal where it `predicts` something.

    Parameters
    ----------
    owner : str
        The model around it in words, such as "a language model".
    encoder : object
    predicts : str, optional
        What a block that looks ahead would see, such as "the token".
    what : str
        What the block is called.
    """
    name = type(encoder).__name__
    if not isinstance(encoder, SequenceBlock):
        raise ValueError(f"{owner} expects a sequence block of gluon_rnn.nn as its {what}, got "
                         f"{type(encoder).__module__}.{name}; take gluon_rnn.nn.LSTM or its like, which load files of "
                         "mxnet.gluon.rnn, or gluon_rnn.nn.Unrolled around a cell")
    if predicts and not encoder.causal:
        raise ValueError(f"{owner} needs a causal {what}, but {name} looks ahead: it would see {predicts} it has to "
                         "predict; set bidirectional to false, or use contexts without positive offsets")
    if encoder.layout != "TNC":
        raise ValueError(f"the {what} of {owner} must have layout 'TNC', got {encoder.layout!r}; leave it out")
