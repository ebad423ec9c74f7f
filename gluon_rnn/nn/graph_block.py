"""The base of all blocks of the package: graphs that several threads may call, and copies of blocks that have some.

What holds of MXNet 1.9.1: a `CachedOp` may be called by several threads at once, for each call takes a set of buffers
that no other call uses. With ``hybridize(static_alloc=True)`` a test of four threads once did not come back from
MXNet's engine: leave it out where threads share a block. What is not safe is making one. Gluon writes the parts of a
graph to the block one by one, traces through name scopes that remember the scope they were entered from, and
initialises parameters whose size was not known, all without a lock. All of this happens here under one lock for the
whole process, `BUILDING`. A call that finds its graph ready takes no lock.

Gradients belong to one thread: a backward pass of MXNet's writes to the parameters' records of what depends on them,
and crashes where another thread records calls with the same parameters. A lock around calls would not help, since
``loss.backward()`` is none. So the first thread that calls a block under `autograd.record` has it for as long as it
lives, and a call of another one under `autograd.record` is refused. Train in one thread, give each a copy of the block
(`copy.deepcopy`), or let one thread go on where another has ended its step by `hand_over`. Blocks of Gluon around ours
whose graph is hybridized are not seen here.
"""
import threading
import weakref

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon.block import _regroup
from mxnet.symbol import Symbol

from gluon_rnn.nn.arguments import refuse_numpy_mode
from gluon_rnn.nn.backend import cpu_graphs
from gluon_rnn.nn.flat_parameters import current_names, read_vectors
from gluon_rnn.nn.interchange import interchange_form

__all__ = ["BUILDING", "CallForms", "GraphBlock"]

#: held while a graph is made or a parameter finds out its shape; one lock, since blocks share children and parameters
BUILDING = threading.RLock()


class GraphBlock(gluon.HybridBlock):
    """A `HybridBlock` that threads may call together outside of `autograd.record`, and that can be copied and pickled.

    Raises
    ------
    TypeError
        If it is made under ``npx.set_np()``.

    Notes
    -----
    Copies have parameters of their own, by the same names, and make their graphs anew.
    """

    #: True for blocks on MXNet's `foreach`
    loops = False
    #: whether the block has run once, so that no shape of a parameter is open any more
    _has_run = False
    _dtype = "float32"
    #: weak reference to the thread that records calls of the block
    _trained_by = None

    def __init__(self, prefix=None, params=None):
        refuse_numpy_mode(type(self).__name__)
        super().__init__(prefix=prefix, params=params)

    def load_parameters(self, filename, ctx=None, allow_missing=False, ignore_extra=False, cast_dtype=False,
                        dtype_source="current"):
        """Load a file of `save_parameters`, as Gluon does; recurrent layers may come from `mxnet.gluon.rnn`."""
        with current_names(self, filename) as path:
            super().load_parameters(path, ctx, allow_missing, ignore_extra, cast_dtype, dtype_source)

    def hybridize(self, active=True, **flags):
        """Compile the block; ValueError where MXNet would compute something else: a loop under ``static_shape=True``.

        MXNet 1.9.1 then runs what follows the loop before the loop has ended, and cannot go back through it.
        """
        if active and self.loops and flags.get("static_shape"):
            raise ValueError(f"{type(self).__name__} runs in a loop, which gives wrong numbers with static_shape=True "
                             "in MXNet; leave it out (static_alloc=True is fine)")
        super().hybridize(active, **flags)

    def cast(self, dtype):
        """Cast the parameters to `dtype`."""
        super().cast(dtype)
        self._dtype = dtype

    def __call__(self, *args):
        """Call the block; RuntimeError under `autograd.record` where another thread, which still lives, has done so."""
        if autograd.is_recording():
            self._claim()
        return super().__call__(*args)

    def forward(self, inputs, *args):
        """Called by Gluon: run the block; the first time under the lock, for it may initialise parameters."""
        if self._has_run or isinstance(inputs, Symbol):
            return super().forward(inputs, *args)
        with BUILDING:
            results = super().forward(inputs, *args)
            self._has_run = True
        return results

    def hand_over(self):
        """Let another thread train the block: gradients of all that was recorded must have been taken before."""
        self._trained_by = None
        for child in self._children.values():
            if isinstance(child, GraphBlock):
                child.hand_over()

    def _claim(self):
        """Make the block this thread's; RuntimeError where it is another one's."""
        here, owner = threading.current_thread(), self._trained_by and self._trained_by()
        if owner is here:
            return
        with BUILDING:
            owner = self._trained_by and self._trained_by()               # another one may have come before
            if owner is not None and owner is not here and owner.is_alive():
                raise RuntimeError(
                    f"{type(self).__name__} is called under autograd.record by the thread {here.name!r}, and the "
                    f"thread {owner.name!r} trains it; MXNet keeps gradients of one thread. Give each thread a copy "
                    "(copy.deepcopy), or call hand_over() when the other thread has finished a step")
            self._trained_by = weakref.ref(here)

    def _build_cache(self, *args):
        before = self._cached_op
        on_cpu = isinstance(args[0], mx.nd.NDArray) and args[0].context.device_type == "cpu"
        with BUILDING, interchange_form(False), cpu_graphs(on_cpu):       # this graph is run
            if self._cached_op is before:                                 # else another thread made it meanwhile
                super()._build_cache(*args)

    def export(self, path, epoch=0, **kwargs):
        """Write graph and parameters, as Gluon does; in operators of MXNet alone, also where the block has others."""
        kept = self._cached_graph
        try:
            if kept and '"op": "Custom"' in kept[1].tojson():
                arguments = _regroup(list(kept[0]), self._in_format)
                self._cached_graph = ()
                with BUILDING, read_vectors():
                    self._get_graph(*arguments)
            super().export(path, epoch, **kwargs)
        finally:
            self._cached_graph = kept

    def __getstate__(self):
        """Return what `copy.deepcopy` and `pickle` take along: everything but the graphs and whose gradients it has."""
        return {**self.__dict__, "_cached_graph": (), "_cached_op": None, "_cached_op_args": [], "_trained_by": None}

    def __setstate__(self, state):
        """Take over what `__getstate__` gave, and join data and gradients, which Gluon's own parameters forget."""
        self.__dict__.update(state)
        for parameter in self.collect_params().values():
            if type(parameter) is gluon.Parameter and parameter._grad is not None:
                autograd.mark_variables(parameter.list_data(), parameter.list_grad(), parameter.grad_req)


class CallForms:
    """The graphs of one block, one for each form of a call: whether it has lengths, and how many states.

    Attributes
    ----------
    ready : dict
        form -> (graph, sources of its arguments), what a call needs.
    fields : dict
        form -> the attributes that Gluon keeps of a graph, for forms that are not Gluon's present one.
    last : tuple or None
        The form of the last call.
    """

    def __init__(self):
        self.ready, self.fields, self.last = {}, {}, None

    def __reduce__(self):
        return CallForms, ()                                              # a copy begins without graphs
