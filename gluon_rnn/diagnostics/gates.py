"""How often the gates of an LSTM or GRU are shut or open: shares below 0.1 and above 0.9, by layer and gate.

A forget gate (of a GRU: an update gate, h = (1 - z) n + z h) above 0.9 keeps what a unit holds for ten steps and more;
one below 0.1 drops it at once. A gate that is always at one end has little gradient and has stopped choosing.

References
----------
Karpathy, Johnson and Fei-Fei (2015), Visualizing and understanding recurrent networks, section 4.2: left- and
right-saturated gates at these thresholds.
"""
import dataclasses

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import autograd

from gluon_rnn.diagnostics.unrolled import NotRecurrentError, Unrolled, in_place_of_calls

__all__ = ["GateSaturation", "gate_saturation"]

SHUT, OPEN = 0.1, 0.9


@dataclasses.dataclass
class GateSaturation:
    """Shares of gates that are shut or open; each a dict by gate, such as "layer 1 forget".

    Parameters
    ----------
    shut, open : dict of (H,) float64 arrays
        For each unit the share of steps with a gate below 0.1, and above 0.9.
    mean : dict of (H,) float64 arrays
        The mean of the gate of each unit.
    """

    shut: dict
    open: dict
    mean: dict

    def table(self):
        """Return a pandas.DataFrame of means over units: gate, shut, open, mean."""
        return pd.DataFrame({"gate": list(self.mean), **{
            name: [float(values.mean()) for values in getattr(self, name).values()]
            for name in ("shut", "open", "mean")}})

    def summary(self):
        """Return a sentence for each gate."""
        return "\n".join(f"{row.gate} gate: {row.shut:.0%} below {SHUT}, {row.open:.0%} above {OPEN}"
                         for row in self.table().itertuples())


def gate_saturation(encoder, run):
    """Measure how often gates are shut or open.

    Parameters
    ----------
    encoder : SequenceBlock
        Causal, layout "TNC", with LSTM or GRU layers.
    run : callable
        Without arguments: runs the model that holds `encoder` on a batch, uncompiled.

    Returns
    -------
    GateSaturation

    Raises
    ------
    NotRecurrentError
        If no layer has gates.
    ValueError
        If the run does not call the encoder, or the model is compiled.
    """
    watched = _Watched(encoder)
    if not any(layer.gates for layer in watched.layers):
        raise NotRecurrentError(f"{type(encoder).__name__} has no gates; their saturation is left out")
    with in_place_of_calls(encoder, watched), autograd.predict_mode():
        run()
    if not watched.steps:
        raise ValueError(f"the run did not call the encoder {type(encoder).__name__}; pass the encoder of the model, "
                         "and call model.hybridize(False) where it is compiled")
    return watched.shares()


class _Sigmoids:
    """mx.nd whose sigmoids are noted."""

    def __init__(self):
        self.found = []

    def __getattr__(self, name):
        return getattr(mx.nd, name)

    def sigmoid(self, values):
        """Return mx.nd.sigmoid(values)."""
        self.found.append(mx.nd.sigmoid(values))
        return self.found[-1]


class _Watched(Unrolled):
    """Adds up the gates of all steps."""

    def __init__(self, encoder):
        super().__init__(encoder)
        self.F, self._sums, self._count = _Sigmoids(), {}, np.zeros(len(self.layers))

    def after(self, layer, step, alive, output, states):
        """Add the gates of this step, of rows that have not ended."""
        gates, values = self.layers[layer].gates, self.F.found
        self.F.found = []
        for gate, value in zip(gates, values):
            value = value.asnumpy().astype(np.float64)
            value = value if alive is None else value[alive]
            sums = np.stack([(value < SHUT).sum(axis=0), (value > OPEN).sum(axis=0), value.sum(axis=0)])
            name = f"{self.layers[layer].name} {gate}"
            self._sums[name] = self._sums.get(name, 0) + sums
        self._count[layer] += output.shape[0] if alive is None else alive.sum()
        return output, states

    def shares(self):
        """Return sums as means over steps."""
        count = {layer.name: number for layer, number in zip(self.layers, self._count)}
        means = {name: sums / count[name.rpartition(" ")[0]] for name, sums in self._sums.items()}
        return GateSaturation(*({name: values[row] for name, values in means.items()} for row in range(3)))
