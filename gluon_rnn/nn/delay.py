"""Delays as states: the last K values of a signal are an argument and a result of a call, like the state of an LSTM.

    z_t = [x_t, x_{t-1}, ..., x_{t-K}]

is computed for all t at once, as shifted slices of the K values before the first step followed by the sequence itself.
The functions here are all that delay networks (`DelayLine`, `TDNN`, AR, NARX) need of delays.
"""
import mxnet as mx

from gluon_rnn.nn import backend, functional
from gluon_rnn.nn.checks import check_counts, check_input_size, check_sizes
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.functional import concat
from gluon_rnn.nn.interchange import is_interchange_form

__all__ = ["DelayLine", "gathered", "last_values", "row_indices", "row_numbers", "shifted", "shifts", "concat_features",
           "time_zeros"]


def shifted(F, extended, offsets, past, future=0, width=0):
    """Return x_{t+o} for all T steps and each offset o, concatenated to (T, N, len(offsets) * C).

    Parameters
    ----------
    extended : (past + T + future, N, C)
        The sequence with the steps before and after it.
    offsets : sequence of int
        Each from -past to future.
    width : int, optional
        C, where it is known.
    """
    return concat_features(F, shifts(F, extended, offsets, past, future), width)


def shifts(F, extended, offsets, past, future=0):
    """Return a list of x_{t+o}, (T, N, C), one for each offset o; arguments as those of `shifted`."""
    return [F.slice_axis(extended, axis=0, begin=past + offset, end=(offset - future) or None) for offset in offsets]


def concat_features(F, parts, width=0):
    """Return n arrays (T, N, C) concatenated along the features, (T, N, n * C).

    ``F.concat(*parts, dim=2)`` does the same, five to twenty times slower: MXNet copies three-dimensional arrays number
    by number. `width` is C, where it is known.
    """
    if len(parts) == 1:
        return parts[0]
    if is_interchange_form(F):
        return F.concat(*parts, dim=2)
    if width >= backend.WIDE_CONCAT:
        rows = F.concat(*(F.reshape(part, shape=(-3, 0)) for part in parts), dim=1)          # (T * N, n * C)
        return F.reshape_like(rows, parts[0], lhs_begin=0, lhs_end=1, rhs_begin=0, rhs_end=2)
    stacked = F.transpose(F.stack(*parts, axis=0), axes=(1, 2, 0, 3))     # (T, N, n, C)
    return F.reshape(stacked, shape=(0, 0, -3))


def row_numbers(F, sequence):
    """Return what `row_indices` needs of a `sequence` (T, N, C): numbers of its rows, (T, N, 1), and N, (1, 1, 1)."""
    one_feature = F.BlockGrad(F.slice_axis(sequence, axis=2, begin=0, end=1))
    numbers = F.contrib.arange_like(F.cast(one_feature, dtype="int32"))   # float32 could not count beyond 2**24
    batch_size = F.slice_axis(F.shape_array(one_feature), axis=0, begin=1, end=2)
    return numbers, F.reshape(F.cast(batch_size, dtype="int32"), shape=(1, 1, 1))


def gathered(F, extended, indices):
    """Return what `shifted` does, for n = 2 offsets or more, as one gathering of rows: (T, N, n * C).

    Concatenated slices write every number twice, and backward they fill each slice up with zeros. This copies
    whole rows once, and adds whole rows up on the way back. It pays where there is more than one feature.

    Parameters
    ----------
    extended : (past + T + future, N, C)
    indices : (T, N, n)
        What `row_indices` returns.
    """
    return F.reshape(F.take(F.reshape(extended, shape=(-3, 0)), indices, axis=0), shape=(0, 0, -3))


def row_indices(F, numbers, offsets, past):
    """Return the rows of an extended sequence at `offsets` from each step, (T, N, n).

    Parameters
    ----------
    numbers : tuple
        What `row_numbers` returns for any (T, N, ...).
    offsets : sequence of int
        Each from -past to future.
    """
    rows, batch_size = numbers
    on_device = {"ctx": rows.context} if F is mx.nd else {}               # a graph knows its device
    return F.broadcast_add(rows, F.broadcast_mul(batch_size, _steps(F, offsets, past, on_device)))


def _steps(F, offsets, past, on_device):
    """Return past + o for each offset o, (n,) of int32; in one operator, where they are evenly spaced."""
    gaps = {after - before for before, after in zip(offsets, offsets[1:])}
    if len(gaps) == 1:
        return F.arange(past + offsets[0], past + offsets[-1] + 1, gaps.pop(), dtype="int32", **on_device)
    return F.concat(*(F.full((1,), past + offset, dtype="int32", **on_device) for offset in offsets), dim=0)


def last_values(F, extended, past, valid_length, future=0):
    """Return each row's last `past` valid values, oldest first, (past, N, C).

    `extended` (past + T + future, N, C) begins with the values before the first step, so that a row shorter than
    `past`, or an empty one, keeps what it still needs of them; `future` more steps follow it.
    """
    if valid_length is None:
        return F.slice_axis(extended, axis=0, begin=-past - future, end=-future or None)
    newest_first = functional.reverse(F, extended, functional.reversal_indices(F, extended, valid_length + past))
    return F.reverse(F.slice_axis(newest_first, axis=0, begin=0, end=past), axis=0)


def time_zeros(F, sequence, steps):
    """Return zeros (steps, N, C) for a `sequence` (T, N, C) whose N may be free; NaN in it does not matter."""
    first = F.zeros_like(F.slice_axis(sequence, axis=0, begin=0, end=1))
    return F.broadcast_axis(first, axis=0, size=steps)


class DelayLine(SequenceBlock):
    """The present value of a signal and its last K ones as features: (T, N, C) to (T, N, (K + 1) * C).

    z_t = [x_t, x_{t-1}, ..., x_{t-K}], the newest first: features d * C to (d + 1) * C - 1 are x_{t-d}.

    Parameters
    ----------
    delays : int, at least 1
        K.
    input_size : int, default 0
        C; 0 takes it from the first input. `begin_state` and a symbolic call need to know it.
    layout : {"TNC", "NTC"}, default "TNC"
    dtype : str, default "float32"
    backend, prefix, params
        As in `gluon_rnn.nn.contract.SequenceBlock`.

    Inputs/Outputs
    --------------
    inputs (T, N, C), states [(K, N, C)] oldest first, valid_length (N,) -> outputs (T, N, (K + 1) * C), states.
    Outputs past `valid_length` are 0; the returned state is each row's last K valid values, those before the first
    step included where the row is shorter than K.

    Raises
    ------
    ValueError
        If the number of features or the dtype differs, or the number of features is needed and not known yet.

    Examples
    --------
    >>> line = DelayLine(2)
    >>> line(mx.nd.arange(1, 5).reshape((4, 1, 1))).asnumpy()[:, 0]
    array([[1., 0., 0.],
           [2., 1., 0.],
           [3., 2., 1.],
           [4., 3., 2.]], dtype=float32)
    """

    checks_features = True

    def __init__(self, delays, input_size=0, *, layout="TNC", dtype="float32", backend=None, prefix=None, params=None):
        super().__init__(layout=layout, dtype=dtype, backend=backend, prefix=prefix, params=params)
        check_sizes(delays=delays)
        check_counts(input_size=input_size)
        self.delays, self.input_size = delays, input_size

    @property
    def output_size(self):
        """Number of output features, (K + 1) * C; 0 while C is not known."""
        return (self.delays + 1) * self.input_size

    def set_input_size(self, input_size):
        """Fix the number of features of a line made with ``input_size=0``; ValueError if it is another one."""
        check_input_size(self, input_size)
        self.input_size = input_size

    def state_info(self, batch_size=0):
        """Return shape (K, N, C); ValueError while C is not known."""
        require_input_size(self)
        return [{"shape": (self.delays, batch_size, self.input_size), "__layout__": "TNC"}]

    def forward_sequence(self, F, inputs, states, valid_length, **_):
        """Return (T, N, (K + 1) * C) and [(K, N, C)]."""
        if valid_length is not None:
            inputs = functional.mask(F, inputs, valid_length)                # first of all, so that NaN stays out
        extended = concat(F, states[0], inputs, dim=0)                    # (K + T, N, C)
        outputs = shifted(F, extended, range(0, -self.delays - 1, -1), self.delays, width=self.input_size)
        if valid_length is not None:
            outputs = functional.mask(F, outputs, valid_length)
        return outputs, [last_values(F, extended, self.delays, valid_length)]

    def __repr__(self):
        return f"{type(self).__name__}({self.input_size or None} -> {self.output_size or None}, delays={self.delays})"


def require_input_size(block):
    """Raise ValueError while `block` does not know its number of input features, on which its states depend."""
    if not block.input_size:
        raise ValueError(f"{type(block).__name__} needs its input size, for its states are past inputs; give "
                         "input_size=..., or pass it an array before it becomes part of a graph")
