"""Which implementation a call takes: one switch, one dispatch, and every threshold between two implementations.

MXNet's operators are the reference. Beside them stand a few ways that give the same numbers but for rounding, where
the reference is slow:

numpy
    A loop over time in NumPy (`gluon_rnn.nn.numpy_ops`): cells without a fused operator, no gradients, on CPUs.
chunks
    Graphs of up to `CHUNK_STEPS` unrolled steps (`gluon_rnn.nn.chunks`), such cells in hybridized blocks.
operators in NumPy
    Linear recurrences (`gluon_rnn.nn.linear_recurrence`) in graphs that run on a CPU: see `cpu_graphs`.
gradients in NumPy
    Those of AR and NARX models in open loop, in training on CPUs (`gluon_rnn.models.lag_gradients`).

``backend="auto"`` takes them, ``"reference"`` does not: it runs what an exported graph runs. The default is the
environment variable ``GLUON_RNN_BACKEND``, else "auto"; a block's argument ``backend`` wins over it.
"""
import contextlib
import os
import threading

from mxnet import autograd

__all__ = ["BACKENDS", "cpu_graphs", "is_cpu_graph", "loop_path", "resolve"]

BACKENDS = ("auto", "reference")
VARIABLE = "GLUON_RNN_BACKEND"

# ---- thresholds, each with its unit and the measurement behind it (two cores, float32) ------------------------------

#: Numbers in all states of a loop. Up to here a step is overhead: NumPy takes a third of a microsecond an operator,
#: MXNet two or more. Above, MXNet's products and activations are the faster ones.
FEW_STATE_NUMBERS = 3000
#: Multiplications a step, N * S ** 2 for S states of the fused operator that stands for a feedback network. From here
#: on its square matrix costs more than the small products of the loop in NumPy.
MANY_MULTIPLICATIONS = 2**19
#: States S of that operator up to which a network with feedback is rewritten at all (`gluon_rnn.nn.feedback`): the
#: operator's product grows with the square of S, the loop's products do not.
LARGEST_FEEDBACK_STATE = 256
#: Steps of the longest unrolled graph: longer ones gain nothing and take longer to make.
CHUNK_STEPS = 128
#: Lengths of a rest, T modulo `CHUNK_STEPS`, that get a graph of their own; others are cut into powers of two.
CHUNK_RESTS = 4
#: Operators that MXNet hands over as one piece (its default is 15): all of a chunk.
CHUNK_BULK = 100000
#: Numbers up to which one call of SciPy's `expit` costs less than NumPy's four, which are faster for each number.
SMALL_SIGMOID = 256
#: Numbers up to which copying an array is faster than handing its memory over to MXNet.
SMALL_COPY = 2**14
#: Features from which on oneDNN joins two-dimensional arrays faster than MXNet stacks and transposes them.
WIDE_CONCAT = 32
#: Numbers of the widest layer in one block of samples of `gluon_rnn.models.lag_gradients`: 128 KiB, which a core's
#: second-level cache holds beside the weights.
LAG_BLOCK = 2**15

# ---- the switch -----------------------------------------------------------------------------------------------------

_WORDS = {
    "numpy": "a loop in NumPy, since no gradients are asked for and the block is on a CPU",
    "chunks": f"MXNet graphs of up to {CHUNK_STEPS} unrolled steps, one after the other, states carried between them",
    "graph": "one MXNet graph",
    "loop graph": "one MXNet graph with a foreach loop in it, as exported",
    "operators": "MXNet's operators one by one; hybridize() makes one graph of them",
}


def resolve(backend=None):
    """Return `backend`, or the process-wide default for None; ValueError unless it is "auto" or "reference"."""
    where = "backend" if backend is not None else f"the environment variable {VARIABLE}"
    value = backend if backend is not None else os.environ.get(VARIABLE) or "auto"
    if value not in BACKENDS:
        raise ValueError(f"{where} must be one of {', '.join(BACKENDS)}, got {value!r}")
    return value


_context = threading.local()


@contextlib.contextmanager
def cpu_graphs(active=True):
    """Within it, graphs that this thread makes are run by this process on CPUs, and by nobody else; `active` or not.

    They may have operators that only this process knows. Any other symbol has MXNet's alone, since it may be saved.
    """
    before = is_cpu_graph()
    _context.active = active
    try:
        yield
    finally:
        _context.active = before


def is_cpu_graph():
    """Return whether this thread is within `cpu_graphs`."""
    return getattr(_context, "active", False)


def loop_path(block, inputs, states):
    """Return how a `LoopBlock` runs a call with these arrays, here and now: "numpy", "chunks" or "graph".

    Parameters
    ----------
    block : gluon_rnn.nn.unroll.LoopBlock
    inputs : NDArray
    states : list of NDArray
    """
    if block.backend == "reference":
        return "graph"
    if not autograd.is_recording() and not autograd.is_training() and block.knows_numpy(inputs):
        if block.loops:
            return "chunks" if block._active and not are_few(states) else "numpy"
        rows = inputs.shape[block.layout.index("N")]
        return "numpy" if rows * block.fused_size ** 2 > MANY_MULTIPLICATIONS else "graph"
    return "chunks" if autograd.is_recording() and block.loops and block._active else "graph"


def are_few(states):
    """Return whether `states` hold so few numbers that overhead is what counts in a step."""
    return sum(state.size for state in states) <= FEW_STATE_NUMBERS


def in_words(block, path):
    """Return a sentence on `path`, one of "numpy", "chunks" and "graph", of a call of `block`."""
    if path == "graph":
        path = "operators" if not block._active else "loop graph" if block.loops else "graph"
    return f"{type(block).__name__} (backend {block.backend!r}): {_WORDS[path]}"
