"""Carried states in checkpoints: those of all workers, and back again, for another number of workers or devices."""
import base64

import mxnet as mx
import numpy as np

__all__ = ["all_of", "restored"]


def all_of(carried, cluster):
    """Return the states of all workers' devices, {"piece.index": NDArray}; empty where none are carried.

    Parameters
    ----------
    carried : list of lists of NDArray, or None
        One list a device of this worker; None at the end of an epoch.
    cluster : gluon_rnn.distributed.alone.Alone
    """
    if cluster.workers == 1:
        pieces = carried or []
    else:
        sent = [[_packed(state) for state in states] for states in carried or []]
        pieces = [[_unpacked(*state) for state in states] for found in cluster.gather(sent) for states in found]
    return {f"{piece}.{index}": state for piece, states in enumerate(pieces) for index, state in enumerate(states)}


def restored(states, task, devices, cluster):
    """Return the states of this worker's devices, or None; `states` are what `all_of` gave.

    Raises
    ------
    ValueError
        If they are of another number of devices and workers, and nobody knows which axis is the batch's.
    """
    if not states:
        return None
    pieces = 1 + max(int(name.partition(".")[0]) for name in states)
    found = [[states[f"{piece}.{index}"] for index in range(len(states) // pieces)] for piece in range(pieces)]
    wanted = len(devices) * cluster.workers
    if pieces != wanted:
        found = _cut(found, wanted, task)
    first = cluster.rank * len(devices)
    return [[state.as_in_context(device) for state in states]
            for device, states in zip(devices, found[first:first + len(devices)])]


def _cut(found, wanted, task):
    """Return states of another number of pieces, along the axis in which those of one row and of two differ."""
    one, two = (task.begin_states(rows, [mx.cpu()])[0] for rows in (1, 2))
    axes = [[axis for axis, (a, b) in enumerate(zip(x.shape, y.shape)) if a != b] for x, y in zip(one, two)]
    if len(axes) != len(found[0]) or any(len(each) != 1 for each in axes):
        raise ValueError(f"the checkpoint was made in the middle of an epoch by {len(found)} devices and workers, and "
                         f"what it carries cannot be cut for {wanted}; resume with {len(found)}")
    whole = [mx.nd.concat(*states, dim=axis) for states, (axis,) in zip(zip(*found), axes)]
    return list(zip(*(mx.nd.split(state, num_outputs=wanted, axis=axis) if wanted > 1 else [state]
                      for state, (axis,) in zip(whole, axes))))


def _packed(state):
    values = state.asnumpy()
    return [base64.b64encode(values.tobytes()).decode(), values.dtype.name, list(values.shape)]


def _unpacked(text, dtype, shape):
    return mx.nd.array(np.frombuffer(base64.b64decode(text), dtype=dtype).reshape(shape), dtype=dtype)
