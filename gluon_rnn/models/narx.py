r"""AR and NARX: networks that remember by delays of their inputs and of their outputs.

With D = input_delay, K = input_lag, L = output_lag:

    y_t = f(x_{t-D}, ..., x_{t-D-K}, y_{t-1}, ..., y_{t-L})

    a_t = W_x [x_{t-D}, ..., x_{t-D-K}] + W_y [y_{t-1}, ..., y_{t-L}] + b       W_x (H, (K + 1) * Cx), W_y (H, L * Ky)
    y_t = W_o g(... g(W_2 g(a_t) + b_2)) + b_o [+ S_x [x lags] + S_y [y lags]]  the last: the linear skip path
    y_t = a_t                                                                   without hidden layers: AR and ARX

Open loop (series-parallel): the measured outputs are fed back, so all t are computed at once, as one parallel graph;
this is the `NARX` block itself. Closed loop (parallel): the model's own outputs are fed back, a loop over time; this is
`ClosedLoop(model)`, which shares the model's parameters and has the same states, so that either goes on where the other
stopped.

References
----------
Leontaritis and Billings (1985), Input-output parametric models for non-linear systems.
Narendra and Parthasarathy (1990), Identification and control of dynamical systems using neural networks: the
series-parallel and the parallel model.
"""
import mxnet as mx
import numpy as np

from ..nn import lengths
from ..nn.checks import check_features, check_sizes
from ..nn.contract import SequenceBlock
from ..nn.delay import last_values, shifted
from ..nn.initializers import as_initializer
from ..nn.tdnn import apply_activation, check_activation
from ..registry import models
from .distributions import Point
from .recordings import RecordingInputs

__all__ = ["AR", "NARX", "ClosedLoop", "Lags"]


class Lags:
    """The sizes and equations that a model and its closed loop share; no parameters, no states.

    Parameters
    ----------
    As in `NARX`; ``input_size=0`` has no inputs.
    """

    def __init__(self, input_lag, output_lag, hidden_sizes, activation, input_delay, input_size, output_size, skip):
        for name, value in (("input_lag", input_lag), ("input_delay", input_delay)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(f"{name} must be a whole number of at least 0, got {value!r}")
        check_sizes(output_lag=output_lag, output_size=output_size)
        for size in hidden_sizes:
            check_sizes(hidden_sizes=size)
        check_activation(activation)
        if skip and not hidden_sizes:
            raise ValueError("skip is a path past hidden layers, and hidden_sizes is empty; leave skip out, the "
                             "model is linear already")
        self.output_lag, self.hidden_sizes, self.activation, self.skip = output_lag, hidden_sizes, activation, skip
        self.input_size, self.output_size = input_size, output_size
        self.input_offsets = tuple(-input_delay - lag for lag in range(input_lag + 1))
        self.input_past = input_delay + input_lag if input_size else 0
        self.memory = max(self.input_past, output_lag)

    def shapes(self):
        """Return {parameter name: shape}."""
        sizes = [*self.hidden_sizes, self.output_size]
        x, y = len(self.input_offsets) * self.input_size, self.output_lag * self.output_size
        shapes = {"x_weight": (sizes[0], x), "y_weight": (sizes[0], y), "bias": (sizes[0],)}
        for layer, (before, size) in enumerate(zip(sizes, sizes[1:]), start=2):
            shapes.update({f"h{layer}_weight": (size, before), f"h{layer}_bias": (size,)})
        if self.skip:
            shapes.update({"skip_x_weight": (self.output_size, x), "skip_y_weight": (self.output_size, y)})
        return {name: shape for name, shape in shapes.items() if shape[-1]}

    def state_info(self, batch_size):
        """Return the last inputs (D + K, N, Cx), where any are remembered, and the last outputs (L, N, Ky)."""
        shapes = [(self.input_past, batch_size, self.input_size)] if self.input_past else []
        shapes.append((self.output_lag, batch_size, self.output_size))
        return [{"shape": shape, "__layout__": "TNC"} for shape in shapes]

    def drive(self, F, inputs, states, valid_length, parameters):
        """Return what x and b add to a_t, (T, N, H), the same for the skip path or None, and the last x as a list."""
        if not self.input_size:                                           # inputs only say T and N
            zeros = F.zeros_like(F.slice_axis(inputs, axis=2, begin=0, end=1))
            return F.broadcast_add(zeros, F.reshape(parameters["bias"], shape=(1, 1, -1))), None, []
        extended, finals = inputs, []
        if self.input_past:
            extended = F.concat(states[0], inputs, dim=0)
            finals = [last_values(F, extended, self.input_past, valid_length)]
        lagged = shifted(F, extended, self.input_offsets, self.input_past)     # (T, N, (K + 1) * Cx)
        drive = F.FullyConnected(lagged, parameters["x_weight"], parameters["bias"], flatten=False,
                                 num_hidden=self.shapes()["bias"][0])
        skip = None if not self.skip else F.FullyConnected(lagged, parameters["skip_x_weight"], no_bias=True,
                                                           flatten=False, num_hidden=self.output_size)
        return drive, skip, finals

    def respond(self, F, drive, skip, lagged, product, parameters):
        """Return y from `drive` and the fed back outputs `lagged` (..., L * Ky), newest first; any leading axes.

        `product` is ``product(values, weight, size)``, a matrix product with the transposed weight.
        """
        values = drive + product(lagged, parameters["y_weight"], self.shapes()["y_weight"][0])
        for layer, size in enumerate([*self.hidden_sizes, self.output_size][1:], start=2):
            values = apply_activation(F, values, self.activation)
            values = F.broadcast_add(product(values, parameters[f"h{layer}_weight"], size),
                                     parameters[f"h{layer}_bias"])
        if self.skip:
            values = values + product(lagged, parameters["skip_y_weight"], self.output_size)
            values = values if skip is None else values + skip
        return values


class _DelayModel(SequenceBlock):
    """Parameters, states and names that open and closed loop have in common."""

    #: what the outputs say about y: one number each, with the squared error as loss
    head = Point()
    #: steps predicted at once
    horizon = 1

    def __init__(self, lags, initializers, /, **kwargs):
        super().__init__(**kwargs)
        self.lags = lags
        self.input_size, self.output_size = lags.input_size, lags.output_size
        for name, shape in lags.shapes().items():
            setattr(self, name, self.params.get(name, shape=shape, dtype=self._dtype,
                                                init=initializers["bias" if name.endswith("bias") else "weight"]))

    @property
    def memory(self):
        """Number of steps a model looks back: the larger of input_delay + input_lag and output_lag."""
        return self.lags.memory

    def state_info(self, batch_size=0):
        """Return the last inputs (D + K, N, Cx), where any are remembered, and the last outputs (L, N, Ky)."""
        return self.lags.state_info(batch_size)

    def __repr__(self):
        lags = self.lags
        return (f"{type(self).__name__}({lags.input_size} -> {lags.output_size}, {self.layout}, "
                f"input_offsets={lags.input_offsets if lags.input_size else ()}, output_lag={lags.output_lag}, "
                f"hidden_sizes={lags.hidden_sizes}, {lags.activation}, skip={lags.skip})")


@models.register("narx")
class NARX(RecordingInputs, _DelayModel):
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
    weight_initializer, bias_initializer : str or Initializer, default "xavier", "zeros"
    layout : {"TNC", "NTC"}, default "TNC"
    dtype : str, default "float32"

    Inputs/Outputs
    --------------
    inputs (T, N, Cx + Ky), the inputs x and beside them the measured outputs y, so that one array carries a recording
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

    Example
    -------
    >>> model = NARX(1, 2, (8,)); model.initialize()
    >>> x, y = mx.nd.ones((50, 4, 1)), mx.nd.zeros((50, 4, 1))
    >>> model.open_loop(x, y).shape, ClosedLoop(model)(x).shape
    ((50, 4, 1), (50, 4, 1))
    """

    def __init__(self, input_lag, output_lag, hidden_sizes=(16,), activation="tanh", input_delay=0, *, input_size=1,
                 output_size=1, skip=False, weight_initializer="xavier", bias_initializer="zeros", **kwargs):
        if isinstance(input_size, bool) or not isinstance(input_size, int) or input_size < 0:
            raise ValueError(f"input_size must be a whole number of at least 0, got {input_size!r}")
        if isinstance(hidden_sizes, int):
            hidden_sizes = (hidden_sizes,)
        lags = Lags(input_lag, output_lag, tuple(hidden_sizes), activation, input_delay, input_size, output_size, skip)
        super().__init__(lags, _initializers(weight_initializer, bias_initializer), **kwargs)

    def start_linear(self, x_weight, y_weight, bias):
        """Make the model a linear one, from which training goes on: hidden layers begin with no say in the output.

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
        values = {"skip_x_weight" if self.lags.skip else "x_weight": x_weight,
                  "skip_y_weight" if self.lags.skip else "y_weight": y_weight, "bias": bias}
        if self.lags.skip:
            last = f"h{len(self.lags.hidden_sizes) + 1}"
            values = {**values, f"{last}_bias": values.pop("bias"), f"{last}_weight": 0}
        for name, value in values.items():
            if name in self.lags.shapes():
                parameter = getattr(self, name)
                parameter.set_data(mx.nd.array(np.broadcast_to(value, parameter.shape), dtype=self._dtype))

    def forward_sequence(self, F, inputs, states, valid_length, **parameters):
        """Compute all predictions at once: (T, N, Cx + Ky) to (T, N, Ky)."""
        if valid_length is not None:
            inputs = lengths.mask(F, inputs, valid_length)                # first of all, so that NaN stays out
        (x, y), lags = self._apart(F, inputs), self.lags
        drive, skip, finals = lags.drive(F, x, states, valid_length, parameters)
        extended = F.concat(states[-1], y, dim=0)                         # (L + T, N, Ky)
        lagged = shifted(F, extended, range(-1, -lags.output_lag - 1, -1), lags.output_lag)

        def product(values, weight, size):
            return F.FullyConnected(values, weight, no_bias=True, num_hidden=size, flatten=False)

        outputs = lags.respond(F, drive, skip, lagged, product, parameters)
        if valid_length is not None:
            outputs = lengths.mask(F, outputs, valid_length)
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
    weight_initializer, bias_initializer : str or Initializer, default "xavier", "zeros"
    layout : {"TNC", "NTC"}, default "TNC"
    dtype : str, default "float32"

    Inputs/Outputs
    --------------
    As `NARX` without inputs: measured y (T, N, Ky), states [(L, N, Ky)] oldest first -> predictions, states.
    Parameters: ``y_weight`` (Ky, L * Ky), W_l in columns (l - 1) * Ky to l * Ky - 1, and ``bias`` (Ky,).

    References
    ----------
    Yule (1927), On a method of investigating periodicities in disturbed series.
    """

    def __init__(self, output_lag, output_size=1, *, weight_initializer="xavier", bias_initializer="zeros", **kwargs):
        lags = Lags(0, output_lag, (), "identity", 0, 0, output_size, False)
        _DelayModel.__init__(self, lags, _initializers(weight_initializer, bias_initializer), **kwargs)


class ClosedLoop(_DelayModel):
    """A model with its own outputs fed back, the parallel model: (T, N, Cx) to (T, N, Ky), a loop over time.

    What the inputs add to the first layer is computed for all steps at once; the loop is left with the fed back values.
    It is `foreach`, so that T stays free in an exported graph, and it is differentiable: training on the simulation
    error is a loss on these outputs.

    Parameters
    ----------
    model : NARX or AR
        Its parameters are shared: what trains one trains the other.
    layout : {"TNC", "NTC"}, default that of `model`

    Inputs/Outputs
    --------------
    inputs (T, N, Cx), states as those of `model`, valid_length (N,) -> outputs (T, N, Ky), states. A model without
    inputs takes (T, N, 1), any values, which says T.

    Notes
    -----
    As every loop, it refuses ``hybridize(static_shape=True)``, with which MXNet 1.9.1 gives wrong numbers.
    """

    loops = True

    def __init__(self, model, layout=None):
        super().__init__(model.lags, {"bias": None, "weight": None}, layout=layout or model.layout, dtype=model._dtype,
                         prefix=model.prefix, params=model.params)

    def _check_inputs(self, inputs, shape, valid_length):
        super()._check_inputs(inputs, shape, valid_length)
        check_features(type(self).__name__, inputs, self.lags.input_size or 1, self._dtype)

    def forward_sequence(self, F, inputs, states, valid_length, **parameters):
        """Step through (T, N, Cx); past a row's length zeros are fed back, so that a diverging model stays finite."""
        if valid_length is not None:
            inputs = lengths.mask(F, inputs, valid_length)
        drive, skip, finals = self.lags.drive(F, inputs, states, valid_length, parameters)
        slices = [drive] if skip is None else [drive, skip]
        if valid_length is not None:
            slices.append(1 - lengths.padding_indicator(F, inputs, valid_length))     # (T, N, 1)
        step = self._step(F, skip is not None, valid_length is not None, parameters)
        outputs, _ = F.contrib.foreach(step, slices, [_newest_first(F, states[-1])])
        extended = F.concat(states[-1], outputs, dim=0)                   # (L + T, N, Ky)
        return outputs, [*finals, last_values(F, extended, self.lags.output_lag, valid_length)]

    def _step(self, F, has_skip, has_length, parameters):
        lags = self.lags

        def product(values, weight, _):                                   # less overhead than FullyConnected
            return F.dot(values, weight, transpose_b=True)

        def step(slices, states):
            drive, skip, (lagged,) = slices[0], slices[1] if has_skip else None, states       # lagged (N, L * Ky)
            output = lags.respond(F, drive, skip, lagged, product, parameters)
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
    return {"weight": as_initializer(weight), "bias": as_initializer(bias)}
