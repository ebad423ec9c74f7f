r"""AR and NARX: networks that remember by delays of their inputs and of their outputs.

With D = input_delay, K = input_lag, L = output_lag:

    y_t = f(x_{t-D}, ..., x_{t-D-K}, y_{t-1}, ..., y_{t-L})

    a_t = W_x [x_{t-D}, ..., x_{t-D-K}] + W_y [y_{t-1}, ..., y_{t-L}] + b       W_x (H, (K + 1) * Cx), W_y (H, L * Ky)
    y_t = W_o g(... g(W_2 g(a_t) + b_2)) + b_o [+ S_x [x lags] + S_y [y lags]]  the last: the linear skip path
    y_t = a_t                                                                   without hidden layers: AR and ARX

Open loop (series-parallel): the measured outputs are fed back, so all t are computed at once, as one parallel graph;
this is the `NARX` block itself. Closed loop (parallel): the model's own outputs are fed back, a loop over time; this is
`ClosedLoop(model)`, which shares the model's parameters and has the same states, so that either continues where the
other stopped.

References
----------
Leontaritis and Billings (1985), Input-output parametric models for non-linear systems.
Narendra and Parthasarathy (1990), Identification and control of dynamical systems using neural networks: the
series-parallel and the parallel model.
"""
import mxnet as mx
import numpy as np

from gluon_rnn.models.lags import DelayModel, Lags, no_inputs, product
from gluon_rnn.models.recordings import RecordingInputs
from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import check_counts, check_features
from gluon_rnn.nn.delay import concat_features, last_values, shifts
from gluon_rnn.nn.feedback import FeedbackNetwork, can_fuse, must_loop
from gluon_rnn.nn.initializers import default_or, or_global
from gluon_rnn.nn.unroll import LoopBlock, loop
from gluon_rnn.registry import models

__all__ = ["AR", "NARX", "ClosedLoop", "Lags"]


@models.register("narx")
class NARX(RecordingInputs, DelayModel):
    """Nonlinear model of several inputs and outputs with exogenous inputs; open loop: (T, N, Cx + Ky) to (T, N, Ky).

    Parameters
    ----------
    input_lag : int, at least 0
        K: the inputs seen are x_{t-D} to x_{t-D-K}.
    output_lag : int, at least 1
        L: the outputs fed back are y_{t-1} to y_{t-L}.
    hidden_sizes : sequence of int, default (16,)
        Units of each hidden layer; empty for the linear ARX.
    activation : {"tanh", "relu", "sigmoid", "softrelu", "softsign", "identity"}, default "tanh"
        g.
    input_delay : int, default 0
        D, the dead time; 0 lets x_t act on y_t.
    input_size : int, default 1
        Cx; 0 is the nonlinear autoregression, for which input_lag and input_delay have no meaning.
    output_size : int, default 1
        Ky.
    skip : bool, default False
        Adds the linear path from all lags to the output.
    weight_initializer : str or Initializer, optional
        Default: what ``initialize(init)`` is given; where that is nothing, or `gluon_rnn.nn.OwnDefaults`, "xavier".
    bias_initializer : str or Initializer, default "zeros"
        None takes the initializer that `initialize` is given.
    layout : {"TNC", "NTC"}, default "TNC"
    dtype : str, default "float32"
    backend, prefix, params
        As in `gluon_rnn.nn.contract.SequenceBlock`; the `ClosedLoop` of the model has the same backend.

    Inputs/Outputs
    --------------
    inputs (T, N, Cx + Ky), the inputs x and the measured outputs y concatenated, so that one array carries a recording
    through chunks, padding and export as for every block (`open_loop` takes the two apart); states [x (D + K, N, Cx),
    y (L, N, Ky)] oldest first, x being absent where D + K = 0; valid_length (N,) -> predictions (T, N, Ky), states.
    The prediction at t reads measured outputs up to t - 1 only.

    Raises
    ------
    ValueError
        If a size or lag is out of range, or inputs do not fit.

    Notes
    -----
    Parameters: ``x_weight``, ``y_weight`` and ``bias`` of the first layer, with x_{t-D-k} in columns k * Cx to
    (k + 1) * Cx - 1 and y_{t-l} in columns (l - 1) * Ky to l * Ky - 1; ``h2_weight``, ``h2_bias``, ... of the next
    layers, the last being the output; ``skip_x_weight``, ``skip_y_weight``.

    Examples
    --------
    >>> model = NARX(1, 2, (8,)); model.initialize()
    >>> x, y = mx.nd.ones((50, 4, 1)), mx.nd.zeros((50, 4, 1))
    >>> model.open_loop(x, y).shape, ClosedLoop(model)(x).shape
    ((50, 4, 1), (50, 4, 1))
    """

    def __init__(self, input_lag, output_lag, hidden_sizes=(16,), activation="tanh", input_delay=0, *, input_size=1,
                 output_size=1, skip=False, weight_initializer=None, bias_initializer="zeros", layout="TNC",
                 dtype="float32", backend=None, prefix=None, params=None):
        check_counts(input_size=input_size)
        if isinstance(hidden_sizes, int):
            hidden_sizes = (hidden_sizes,)
        lags = Lags(input_lag, output_lag, tuple(hidden_sizes), activation, input_delay, input_size, output_size, skip)
        super().__init__(lags, _initializers(weight_initializer, bias_initializer), layout=layout, dtype=dtype,
                         backend=backend, prefix=prefix, params=params)

    def start_linear(self, x_weight, y_weight, bias):
        """Make the model a linear one, from which training continues: hidden layers begin with no effect on the output.

        Parameters
        ----------
        x_weight : (Ky, (K + 1) * Cx) array, in the order of the columns of the parameter
        y_weight : (Ky, L * Ky) array
        bias : (Ky,) array

        Raises
        ------
        ValueError
            If the model has hidden layers and no linear path past them.
        """
        if self.lags.hidden_sizes and not self.lags.skip:
            raise ValueError("a model with hidden layers starts from a linear one on its linear path; set skip to true")
        last = f"h{len(self.lags.hidden_sizes) + 1}"
        values = ({"skip_x_weight": x_weight, "skip_y_weight": y_weight, f"{last}_bias": bias, f"{last}_weight": 0}
                  if self.lags.skip else {"x_weight": x_weight, "y_weight": y_weight, "bias": bias})
        for name, value in values.items():
            if name in self.lags.shapes():
                parameter = getattr(self, name)
                parameter.set_data(mx.nd.array(np.broadcast_to(value, parameter.shape), dtype=self._dtype))

    def forward_sequence(self, F, inputs, states, valid_length, **parameters):
        """Compute all predictions at once: (T, N, Cx + Ky) to (T, N, Ky)."""
        if valid_length is not None:
            inputs = functional.mask(F, inputs, valid_length)                # first of all, so that NaN stays out
        (x, y), lags = self._apart(F, inputs), self.lags
        x_parts, finals = lags.lagged_inputs(F, x, states, valid_length) if lags.input_size else ([], [])
        extended = F.concat(states[-1], y, dim=0)                         # (L + T, N, Ky)
        y_parts = shifts(F, extended, range(-1, -lags.output_lag - 1, -1), lags.output_lag)
        outputs = lags.respond(F, *lags.regress(F, x_parts, y_parts, parameters), parameters)
        if valid_length is not None:
            outputs = functional.mask(F, outputs, valid_length)
        return outputs, [*finals, last_values(F, extended, lags.output_lag, valid_length)]


@models.register("ar")
class AR(NARX):
    """Linear autoregression y_t = b + W_1 y_{t-1} + ... + W_L y_{t-L}; open loop: (T, N, Ky) to (T, N, Ky).

    Parameters
    ----------
    output_lag : int, at least 1
        L.
    output_size : int, default 1
        Ky.
    weight_initializer, bias_initializer, layout, dtype, backend, prefix, params
        As in `NARX`.

    Inputs/Outputs
    --------------
    As `NARX` without inputs: measured y (T, N, Ky), states [(L, N, Ky)] oldest first -> predictions, states.
    Parameters: ``y_weight`` (Ky, L * Ky), W_l in columns (l - 1) * Ky to l * Ky - 1, and ``bias`` (Ky,).

    References
    ----------
    Yule (1927), On a method of investigating periodicities in disturbed series.
    """

    def __init__(self, output_lag, output_size=1, *, weight_initializer=None, bias_initializer="zeros",
                 layout="TNC", dtype="float32", backend=None, prefix=None, params=None):
        lags = Lags(0, output_lag, (), "identity", 0, 0, output_size, False)
        DelayModel.__init__(self, lags, _initializers(weight_initializer, bias_initializer), layout=layout,
                            dtype=dtype, backend=backend, prefix=prefix, params=params)


class ClosedLoop(DelayModel, LoopBlock):
    """A model with its own outputs fed back, the parallel model: (T, N, Cx) to (T, N, Ky), a loop over time.

    A small model with tanh or sigmoid layers, or none, is rewritten as one fused recurrent operator, whose steps cost a
    microsecond: `gluon_rnn.nn.feedback`. Any other runs in a loop (`gluon_rnn.nn.unroll`), of which only the fed back
    values are left: what the inputs add to the first layer is computed for all steps at once. Either way T stays free
    in an exported graph, and the outputs are differentiable: training on the simulation error is a loss on them.

    Parameters
    ----------
    model : NARX or AR
        Its parameters are shared: what trains one trains the other.
    layout : {"TNC", "NTC"}, default that of `model`
    fused : bool, optional
        Whether to rewrite the model; default wherever it can be. Both ways give the same numbers but for rounding.

    Inputs/Outputs
    --------------
    inputs (T, N, Cx), states as those of `model`, valid_length (N,) -> outputs (T, N, Ky), states. A model without
    inputs takes (T, N, 1), any values, which gives T.

    Raises
    ------
    ValueError
        If a model is to be fused that cannot be, or inputs do not fit.

    Notes
    -----
    Where it runs in a loop it refuses ``hybridize(static_shape=True)``, with which MXNet 1.9.1 gives wrong numbers.
    A fused linear model, or one with a skip path, that diverges past 1e13 returns infinity from there on.
    """

    def __init__(self, model, layout=None, *, fused=None):
        super().__init__(model.lags, {"bias": None, "weight": None}, layout=layout or model.layout, dtype=model._dtype,
                         backend=model.backend, prefix=model.prefix, params=model.params)
        self._fused = fused
        self._network = self._fused_network()

    def _fused_network(self):
        """Return the model as one `FeedbackNetwork` of the block's dtype; None where it runs in a loop."""
        lags = self.lags
        activations = [lags.activation] * len(lags.hidden_sizes)
        fused = (can_fuse(lags.hidden_sizes, activations, lags.feedback_size, self._dtype) if self._fused is None
                 else self._fused)
        return FeedbackNetwork(lags.lagged_input_size or 1, lags.hidden_sizes, activations, lags.output_size,
                               lags.output_lag, self._dtype) if fused else None

    def cast(self, dtype):
        """Cast parameters, which are those of the model too, and default states to `dtype`."""
        super().cast(dtype)
        self._network = self._fused_network()

    @property
    def loops(self):
        """Whether it runs in a loop: False where it is one fused operator."""
        return self._network is None

    @property
    def fused_size(self):
        """States of the fused operator; 0 where it runs in a loop."""
        return self._network.state_size if self._network else 0

    def _check_inputs(self, inputs, shape):
        super()._check_inputs(inputs, shape)
        check_features(type(self).__name__, inputs, self.lags.input_size or 1, self._dtype)

    def forward_sequence(self, F, inputs, states, valid_length, **parameters):
        """Run freely over (T, N, Cx), the outputs past a row's length being 0."""
        if valid_length is not None and self.lags.input_size:
            inputs = functional.mask(F, inputs, valid_length)
        run = self._step_through if self.loops or must_loop(F) else self._run_fused
        outputs, finals = run(F, inputs, states, valid_length, parameters)
        extended = F.concat(states[-1], outputs, dim=0)                   # (L + T, N, Ky)
        return outputs, [*finals, last_values(F, extended, self.lags.output_lag, valid_length)]

    def _run_fused(self, F, inputs, states, valid_length, parameters):
        lags, finals = self.lags, []
        if lags.input_size:
            parts, finals = lags.lagged_inputs(F, inputs, states, valid_length)
            inputs = concat_features(F, parts, lags.input_size)
        else:
            inputs = no_inputs(F, inputs)
        outputs, _ = self._network.run(F, inputs, _newest_first(F, states[-1]), lags.as_feedback(parameters))
        if valid_length is not None:
            outputs = functional.mask(F, outputs, valid_length)
        return outputs, finals

    def _step_through(self, F, inputs, states, valid_length, parameters):
        """Loop; past a row's length zeros are fed back, so that a diverging model stays finite."""
        drive, skip, finals = self.lags.drive(F, inputs, states, valid_length, parameters)
        slices = [drive] if skip is None else [drive, skip]
        if valid_length is not None:
            slices.append(1 - functional.padding_mask(F, inputs, valid_length))     # (T, N, 1)
        step = self._step(skip is not None, valid_length is not None)
        outputs, _ = loop(F, step, slices, [_newest_first(F, states[-1])], parameters)
        return outputs, finals

    def _step(self, has_skip, has_length):
        lags = self.lags

        def step(F, slices, states, parameters):
            (drive, *others), (lagged,) = slices, states                  # lagged (N, L * Ky)
            values = F.broadcast_add(drive, product(F, lagged, parameters["y_weight"], None, lags.first_size))
            skip = None
            if lags.skip:
                skip = product(F, lagged, parameters["skip_y_weight"], None, lags.output_size)
                skip = F.broadcast_add(others[0], skip) if has_skip else skip
            output = lags.respond(F, values, skip, parameters)
            if has_length:
                output = F.broadcast_mul(output, slices[-1])
            if lags.output_lag == 1:
                return output, [output]
            kept = F.slice_axis(lagged, axis=1, begin=0, end=-lags.output_size)
            return output, [F.concat(output, kept, dim=1)]

        return step


def _newest_first(F, state):
    """Return the remembered outputs (L, N, Ky), oldest first, as (N, L * Ky), newest first."""
    return F.reshape(F.transpose(F.reverse(state, axis=0), axes=(1, 0, 2)), shape=(0, -1))


def _initializers(weight, bias):
    return {"weight": default_or(weight, "xavier"), "bias": or_global(bias)}
