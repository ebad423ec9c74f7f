r"""Cells that the fused operator cannot express; each is a cell of `gluon_rnn.nn.cells` with one thing changed.

With a = W x_t + b + R h_{t-1} + r the stacked products, and * elementwise:

PeepholeLSTMCell (Gers and Schmidhuber 2000; Graves 2013, equations 7-11): the gates see the cell,
    i = sigma(a_i + p_i * c_{t-1}),  f = sigma(a_f + p_f * c_{t-1}),  o = sigma(a_o + p_o * c_t)

ProjectedLSTMCell (Sak et al. 2014, equations 1-7 without peepholes): a smaller output r_t is fed back instead of h_t,
    r_t = P (o * tanh(c_t)),  a = W x_t + b + R r_{t-1} + r

ResetBeforeGRUCell (Cho et al. 2014, equation 8): the reset gate acts *before* the matrix product,
    n = tanh(W x_t + b + R (r * h_{t-1}) + b_h)

LayerNormLSTMCell (Ba et al. 2016, equations 20-22), with LN(v; g, b) = g * (v - mean v) / sqrt(var v + eps) + b:
    a = LN(W x_t; g_1, b) + LN(R h_{t-1}; g_2, r),  h_t = o * tanh(LN(c_t; g_3, b_3))

ZoneoutCell (Krueger et al. 2017, equations 5-6) around any of them: each unit of a state keeps its old value
with a probability z, and is the expectation of that in prediction.
"""
from gluon_rnn.nn.cells import GluonCell, GRUCell, LSTMCell, RecurrentCell
from gluon_rnn.nn.checks import check_rates, check_sizes
from gluon_rnn.nn.initializers import default_or
from gluon_rnn.nn.shared import extends, of_child

__all__ = ["PeepholeLSTMCell", "ProjectedLSTMCell", "ResetBeforeGRUCell", "LayerNormLSTMCell", "ZoneoutCell"]


class PeepholeLSTMCell(LSTMCell):
    """LSTM whose gates see the cell state through one weight a unit: (N, C) and [h, c] of (N, H) to h and [h, c].

    Parameters
    ----------
    peephole_initializer : str or Initializer, default "zeros"
        Of ``peephole_i``, ``peephole_f`` and ``peephole_o``, each (H,); at zero the network starts as a plain LSTM.
    hidden_size, input_size, other initializers, prefix, params
        As in `gluon_rnn.nn.LSTMCell`.

    References
    ----------
    Gers and Schmidhuber (2000), Recurrent Nets that Time and Count. Graves (2013), Generating Sequences with Recurrent
    Neural Networks, equations 7-11.
    """

    infers_batch = False

    @extends(LSTMCell)
    def __init__(self, *args, peephole_initializer="zeros", **options):
        super().__init__(*args, **options)
        for gate in "ifo":
            self._register(f"peephole_{gate}", (self.hidden_size,), peephole_initializer)

    def prepare(self, F, parameters, states):
        """Make every peephole as large as c, once a sequence: to go back through a broadcast at each step is slow."""
        rows = {gate: F.broadcast_like(F.reshape(parameters[f"peephole_{gate}"], shape=(1, -1)), states[1])
                for gate in "ifo"}
        return dict(super().prepare(F, parameters, states), **rows)

    def _peep(self, F, gate, product, c, parameters):
        return F.broadcast_add(product, c * parameters[gate])


class ProjectedLSTMCell(LSTMCell):
    """LSTM whose output, which is fed back, is a projection: (N, C), r (N, P) and c (N, H) to r and [r, c].

    Parameters
    ----------
    projection_size : int, optional
        P; default half of H.
    h2r_weight_initializer : str or Initializer, optional
        Of ``h2r_weight`` (P, H); default as for the others, "xavier".
    hidden_size, input_size, other initializers, prefix, params
        As in `gluon_rnn.nn.LSTMCell`; ``h2h_weight`` is (4 H, P).

    References
    ----------
    Sak, Senior and Beaufays (2014), Long Short-Term Memory Recurrent Neural Network Architectures for Large Scale
    Acoustic Modeling, section 2.2.
    """

    @extends(LSTMCell)
    def __init__(self, hidden_size, input_size=0, *, projection_size=None, h2r_weight_initializer=None, **options):
        check_sizes(hidden_size=hidden_size)
        if projection_size is None:
            projection_size = max(1, hidden_size // 2)
        check_sizes(projection_size=projection_size)
        options.setdefault("i2h_bias_initializer", "lstmbias")
        RecurrentCell.__init__(self, hidden_size, input_size, recurrent_size=projection_size, **options)
        self._register("h2r_weight", (projection_size, hidden_size), default_or(h2r_weight_initializer, "xavier"))

    def state_info(self, batch_size=0):
        """Return (N, P) for r and (N, H) for c."""
        return [{"shape": (batch_size, size), "__layout__": "NC"} for size in (self.output_size, self.hidden_size)]

    def _emit(self, F, h, parameters):
        return F.FullyConnected(h, parameters["h2r_weight"], no_bias=True, num_hidden=self.output_size, flatten=False)


class ResetBeforeGRUCell(GRUCell):
    """GRU whose reset gate acts on h before the matrix product: (N, C) and [h] of (N, H) to h and [h].

    The parameters are those of `gluon_rnn.nn.GRUCell`, where the gate acts on the product; both coincide where r = 1.

    References
    ----------
    Cho et al. (2014), Learning Phrase Representations using RNN Encoder-Decoder, section 2.3.
    """

    def prepare(self, F, parameters, states):
        """Split the recurrent weights once a sequence, not at every step: r and z see h, n sees r * h."""
        parts = super().prepare(F, parameters, states)
        for kind in ("h2h_weight", "h2h_bias"):
            for name, begin, end in (("rz", 0, 2 * self.hidden_size), ("n", 2 * self.hidden_size, None)):
                parts[f"{kind}_{name}"] = F.slice_axis(parts[kind], axis=0, begin=begin, end=end)
        return parts

    def _split_recurrent(self, F, h, parameters):
        products = F.FullyConnected(h, parameters["h2h_weight_rz"], parameters["h2h_bias_rz"],
                                    num_hidden=2 * self.hidden_size, flatten=False)
        return F.split(products, num_outputs=2, axis=1)

    def _reset(self, F, r, h, h2h_n, parameters):
        return F.FullyConnected(r * h, parameters["h2h_weight_n"], parameters["h2h_bias_n"],
                                num_hidden=self.hidden_size, flatten=False)


class LayerNormLSTMCell(LSTMCell):
    """LSTM with both products and the cell normalised over their features: (N, C) and [h, c] of (N, H) to h and [h, c].

    Parameters
    ----------
    gain_initializer : str or Initializer, default "ones"
        Of ``i2h_gain``, ``h2h_gain`` (4 H,) and ``c_gain`` (H,).
    epsilon : float, default 1e-5
        Added to the variance.
    hidden_size, input_size, other initializers, prefix, params
        As in `gluon_rnn.nn.LSTMCell`; the biases are added after the normalisation. ``c_bias`` (H,) starts at 0.

    Notes
    -----
    Mean and variance are those of all four gates, as in the paper. The normalised product with the inputs does not
    depend on the step before, and is computed outside the loop.

    References
    ----------
    Ba, Kiros and Hinton (2016), Layer Normalization, supplementary material, equations 20-22.
    """

    sums_biases = infers_batch = False

    @extends(LSTMCell)
    def __init__(self, *args, gain_initializer="ones", epsilon=1e-5, **options):
        super().__init__(*args, **options)
        self._epsilon = epsilon
        for name, size in (("i2h", self._stacked), ("h2h", self._stacked), ("c", self.hidden_size)):
            self._register(f"{name}_gain", (size,), gain_initializer)
        self._register("c_bias", (self.hidden_size,), "zeros")

    def project(self, F, inputs, parameters):
        """Return [LN(W x; g_1, b)], (..., N, 4 H)."""
        return [self._normalised_product(F, inputs, "i2h", parameters)]

    def _recurrent(self, F, h, parameters):
        return self._normalised_product(F, h, "h2h", parameters)

    def _normalise_cell(self, F, c, parameters):
        return self._normalise(F, c, "c", parameters)

    def _normalised_product(self, F, values, name, parameters):
        product = F.FullyConnected(values, parameters[f"{name}_weight"], no_bias=True, num_hidden=self._stacked,
                                   flatten=False)
        return self._normalise(F, product, name, parameters)

    def _normalise(self, F, values, name, parameters):
        return F.LayerNorm(values, parameters[f"{name}_gain"], parameters[f"{name}_bias"], axis=-1, eps=self._epsilon)


class ZoneoutCell(GluonCell):
    """Let each unit of `cell`'s states keep its old value with a probability: s_t = d * s_{t-1} + (1 - d) * new.

    In training d is drawn anew for each step, row and unit, being 1 with the probability given; in prediction d is that
    probability itself. The output *is* the first state, so that both have one mask. (In `mxnet.gluon.rnn.ZoneoutCell`
    they have two, and the output before is an attribute of the block.)

    Parameters
    ----------
    cell : RecurrentCell
        One whose output is its first state: all but `gluon_rnn.nn.jordan.JordanCell`.
    zoneout_h : float in [0, 1), default 0.05
        Probability for the first state, h.
    zoneout_c : float in [0, 1), default 0.5
        For the second, c, where there is one.
    prefix, params
        Of `mxnet.gluon.Block`.

    Notes
    -----
    The defaults are those of Krueger et al. for language modelling on characters. The masks of all steps are drawn at
    once, outside the loop.

    References
    ----------
    Krueger et al. (2017), Zoneout: Regularizing RNNs by Randomly Preserving Hidden Activations, section 3.3.
    """

    def __init__(self, cell, zoneout_h=0.05, zoneout_c=0.5, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        check_rates(zoneout_h=zoneout_h, zoneout_c=zoneout_c)
        self.cell = cell
        self._rates = (zoneout_h, zoneout_c)[:cell.num_states]

    hidden_size = of_child("cell", "hidden_size", "Units H of the cell.")
    output_size = of_child("cell", "output_size", "Number of output features of the cell.")
    input_size = of_child("cell", "input_size", "Number of input features C; 0 while it is not known.")
    num_states = of_child("cell", "num_states", "Number of states of the cell.")
    infers_batch = of_child("cell", "infers_batch", "Whether graphs infer the batch size of zeros: as the cell says.")
    # What the cell does as it is, documented in `RecurrentCell`.
    set_input_size = of_child("cell", "set_input_size", "Fix the number of input features.")
    state_info = of_child("cell", "state_info", "Return the states of the cell.")
    set_parts = of_child("cell", "set_parts", "Take the parameters of a fused layer.")
    values = of_child("cell", "values", "Return the parameters of the cell by name.")
    prepare = of_child("cell", "prepare", "Return what `project` and `step` of the cell read.")

    def project(self, F, inputs, parameters):
        """Return what the cell makes of `inputs` (..., N, C), and (..., N, H) of 1 - d for each state with a rate."""
        column = F.ones_like(F.slice_axis(inputs, axis=-1, begin=0, end=1))
        widths = [info["shape"][-1] for info in self.state_info()]
        # Dropout gives 0 or 1 / (1 - rate) in training, and 1 in prediction: times (1 - rate), that is 1 - d.
        masks = [(1 - rate) * F.Dropout(F.tile(column, reps=(width,)), p=rate)
                 for rate, width in zip(self._rates, widths) if rate]
        return [*self.cell.project(F, inputs, parameters), *masks]

    def step(self, F, projected, states, parameters):
        """Take one step of the cell and mix its states with those before."""
        inner = len(projected) - sum(1 for rate in self._rates if rate)
        masks = iter(projected[inner:])
        _, after = self.cell.step(F, projected[:inner], states, parameters)
        mixed = []
        for rate, new, old in zip(self._rates, after, states):
            renewed = next(masks) if rate else None
            mixed.append(F.broadcast_add(renewed * new, (1 - renewed) * old) if rate else new)
        return mixed[0], mixed

    def hybrid_forward(self, F, x, states):
        """One step: (N, C) and the states to the output and the states."""
        return self._one_step(F, x, states, self.values(x))
