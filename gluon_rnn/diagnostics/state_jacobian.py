r"""The spectral radius of the state Jacobian of each layer along a sequence.

J_t = ds_t / ds_{t-1}, s_t being all states of a layer ([h; c] of an LSTM) at its input of step t. The states of a stack
depend on those of the layers below and never the other way round, so the eigenvalues of the Jacobian of the whole stack
are those of its layers together. A linear network has J_t = R; a spectral radius that stays below 1 lets gradients
vanish, one above 1 lets them grow for a while.

References
----------
Pascanu, Mikolov and Bengio (2013), On the difficulty of training recurrent neural networks, section 2.1.
"""
import dataclasses

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import autograd
from scipy.sparse import linalg

from gluon_rnn.diagnostics.unrolled import Unrolled, in_place_of_calls, measure

__all__ = ["StateJacobian", "state_jacobian", "step_jacobian"]

# Up to so many states all eigenvalues are found at once; of more, the largest alone, by the method of Arnoldi, to as
# many digits as anybody reads.
_DENSE, _TOLERANCE = 400, 1e-6


@dataclasses.dataclass
class StateJacobian:
    """Spectral radii along a sequence.

    Parameters
    ----------
    steps : (P,) int array
        Places in the sequence: step t, counted from 0.
    radii : dict of (P,) float64 arrays
        By layer, such as "layer 1".
    """

    steps: np.ndarray
    radii: dict

    def table(self):
        """Return a pandas.DataFrame: layer, step, spectral_radius."""
        return pd.concat([pd.DataFrame({"layer": name, "step": self.steps, "spectral_radius": radii})
                          for name, radii in self.radii.items()], ignore_index=True)

    def summary(self):
        """Return a sentence for each layer."""
        return "\n".join(f"{name}: spectral radius of the state Jacobian {np.median(radii):.3g} in the median, "
                         f"{radii.min():.3g} to {radii.max():.3g} along the sequence"
                         for name, radii in self.radii.items())


def state_jacobian(encoder, run, row=0, places=20):
    """Measure the spectral radius of the state Jacobian of each layer at some places of a sequence.

    Parameters
    ----------
    encoder : SequenceBlock
        Causal, layout "TNC", with recurrent states.
    run : callable
        Without arguments: runs the model that holds `encoder` on a batch, uncompiled.
    row : int, default 0
        Which sequence of the batch.
    places : int, default 20
        At how many steps, evenly from the first to the last.

    Returns
    -------
    StateJacobian

    Raises
    ------
    NotRecurrentError
        If the encoder has no states, or looks ahead.
    ValueError
        If the batch has no such row, or the model is compiled.
    """
    lengths = measure(encoder, run)
    if not 0 <= row < len(lengths):
        raise ValueError(f"row must be from 0 to {len(lengths) - 1}, the rows of the batch, got {row}")
    steps = np.unique(np.linspace(0, lengths[row] - 1, places).round().astype(int))
    seen = _Seen(encoder, row, set(steps.tolist()))
    with in_place_of_calls(encoder, seen), autograd.predict_mode():
        run()
    radii = {layer.name: np.array([_radius(step_jacobian(layer, *found)) for found in seen.found[number]])
             for number, layer in enumerate(seen.layers)}
    return StateJacobian(steps, radii)


class _Seen(Unrolled):
    """Keeps what each layer reads at some steps: x (C,) and the states (H,) of one row."""

    def __init__(self, encoder, row, steps):
        super().__init__(encoder)
        self._row, self._steps, self.found = row, steps, [[] for _ in self.layers]

    def before(self, layer, step, x, states):
        """Take one row of what goes into a step."""
        if step in self._steps:
            self.found[layer].append((x[self._row], [state[self._row] for state in states]))
        return states


def step_jacobian(layer, x, states):
    """Return J (S, S), float64: row i is the gradient of number i of the new states by all old ones.

    Parameters
    ----------
    layer : gluon_rnn.diagnostics.unrolled.Layer
    x : (C,) array
        What the layer reads at this step.
    states : list of (H,) arrays
        Its states before; S is the sum of their sizes.
    """
    size = sum(state.size for state in states)
    # One row of a batch for each row of J: all of them in one pass backward.
    x, *copies = (mx.nd.broadcast_axis(value.expand_dims(0), axis=0, size=size) for value in (x, *states))
    values = layer.cell.prepare(mx.nd, layer.values(x.expand_dims(0)), copies)
    projected = layer.cell.project(mx.nd, x, values)
    for copy in copies:
        copy.attach_grad()
    with autograd.record(train_mode=False):
        _, after = layer.cell.step(mx.nd, projected, copies, values)
        after = mx.nd.concat(*after, dim=1)                                                         # (S, S)
    wanted = autograd.grad([after], copies, head_grads=[mx.nd.eye(size, dtype=after.dtype, ctx=after.context)],
                           train_mode=False)
    return np.concatenate([gradient.asnumpy() for gradient in wanted], axis=1).astype(np.float64)


def _radius(jacobian):
    """Return the largest absolute eigenvalue."""
    if len(jacobian) > _DENSE:
        try:
            start = np.random.default_rng(0).normal(size=len(jacobian))
            return float(np.abs(linalg.eigs(jacobian, k=1, v0=start, tol=_TOLERANCE, return_eigenvectors=False))[0])
        except linalg.ArpackNoConvergence:
            pass                                         # several eigenvalues of about one size: all of them, then
    return float(np.abs(np.linalg.eigvals(jacobian)).max())
