r"""Forecaster: any causal encoder of the registry as a predictor of the next values, with exogenous inputs.

With D = input_delay, y_t the outputs and x_t the inputs:

    z_t = [x_{t-D}, y_{t-1}]                            what the encoder sees at step t
    h_t, s_t = encoder(z_t, s_{t-1})                    RNN, LSTM, GRU, TDNN, Jordan, any stack of cells
    a_t = W_o g(... g(W_1 h_t + b_1)) + b_o             the readout; without hidden_sizes a linear layer
    y_t, ..., y_{t+H-1} ~ head(a_t) [+ y_{t-1}]         H = horizon; the last: residual

Without feedback (``feedback=False``, a simulation model) z_t = [x_{t-D}, m_{t-1} y_{t-1}, m_{t-1}], with m = 1 where y
was measured: measured outputs only set the states, and a free run reads its own outputs no more than a state-space
model does.

Open loop (series-parallel): the measured outputs are fed back; this is the `Forecaster` block itself. Closed loop
(parallel): the mean of the model's own prediction is fed back, a loop over time; this is `ForecasterClosedLoop(model)`,
which shares the model's parameters and has the same states, so that either continues where the other stopped.

References
----------
Narendra and Parthasarathy (1990), Identification and control of dynamical systems using neural networks: the
series-parallel and the parallel model. Salinas, Flunkert, Gasthaus and Januschowski (2020), DeepAR: a recurrent encoder
of [x_t, y_{t-1}] with likelihood heads. Wen, Torkkola, Narayanaswamy and Madeka (2017), A multi-horizon quantile
recurrent forecaster: all horizons directly.
"""
import dataclasses

from gluon_rnn.models.distributions import Distribution, make_distribution
from gluon_rnn.models.recordings import RecordingInputs
from gluon_rnn.nn import functional
from gluon_rnn.nn.checks import (
    check_activation,
    check_counts,
    check_features,
    check_flags,
    check_rates,
    check_sizes,
)
from gluon_rnn.nn.contract import SequenceBlock, check_encoder, dtype_name
from gluon_rnn.nn.delay import last_values, shifted
from gluon_rnn.nn.initializers import default_or, or_global
from gluon_rnn.nn.shared import of_child
from gluon_rnn.nn.tdnn import apply_activation
from gluon_rnn.registry import models

__all__ = ["Forecaster", "ForecasterClosedLoop"]


@dataclasses.dataclass(frozen=True)
class _Settings:
    """Settings that a forecaster and its closed loop share; see `Forecaster`."""

    input_size: int
    output_size: int
    horizon: int
    head: Distribution
    hidden_sizes: tuple
    activation: str
    dropout: float
    residual: bool
    input_delay: int
    feedback: bool

    @property
    def seen_outputs(self):
        """Width of what the encoder sees of the last outputs: they, and without feedback whether they were measured."""
        return self.output_size + (not self.feedback)

    def shapes(self, features):
        """Return {parameter name: shape} of the readout of an encoder with so many output features."""
        before, shapes = features, {}
        for layer, size in enumerate(self.hidden_sizes, start=1):
            shapes.update({f"h{layer}_weight": (size, before), f"h{layer}_bias": (size,)})
            before = size
        return {**shapes, "output_weight": (self.raw_size, before), "output_bias": (self.raw_size,)}

    @property
    def raw_size(self):
        return self.horizon * self.output_size * self.head.parameters_per_output


class _ForecastingModel(SequenceBlock):
    """Parameters, states and equations that open and closed loop have in common."""

    def __init__(self, encoder, settings, initializers, /, layout, prefix=None, params=None):
        super().__init__(layout=layout, dtype=encoder._dtype, prefix=prefix, params=params)
        self.settings, self.head, self.feedback = settings, settings.head, settings.feedback
        self.input_size, self.output_size, self.horizon = settings.input_size, settings.output_size, settings.horizon
        self.encoder = encoder
        for name, shape in settings.shapes(encoder.output_size).items():
            setattr(self, name, self.params.get(name, shape=shape, dtype=self._dtype,
                                                init=initializers["bias" if name.endswith("bias") else "weight"]))

    loops = of_child("encoder", "loops", "Whether the encoder runs in a loop.")

    @property
    def memory(self):
        """Fewest measured steps before a prediction that rests on measurements alone, `washout` at the least.

        A TDNN looks back over its receptive field. A recurrent encoder remembers without end: 1 + input_delay steps
        give it one complete z_t, and the more it is given the better it is warmed up.
        """
        first, _ = getattr(self.encoder, "receptive_field", (0, 0))
        return max(self.settings.input_delay, 1) - first

    @property
    def raw_size(self):
        """Number of output features: horizon * output_size * parameters of the distribution."""
        return self.settings.raw_size

    def state_info(self, batch_size=0):
        """Return the encoder's states, the last inputs (D, N, Cx) where D > 0, and the last outputs (1, N, Ky).

        Without feedback the last outputs have one more column, (1, N, Ky + 1): 1 where they were measured.
        """
        delay = self.settings.input_delay if self.input_size else 0
        shapes = [(delay, batch_size, self.input_size)] if delay else []
        shapes.append((1, batch_size, self.settings.seen_outputs))
        return [*self.encoder.state_info(batch_size), *({"shape": shape, "__layout__": "TNC"} for shape in shapes)]

    def _delayed(self, F, x, states, valid_length):
        """Return (x_{t-D} for all t, the last x as a list, the encoder's states)."""
        delay = self.settings.input_delay
        if not delay or not self.input_size:
            return x, [], states[:-1]
        extended = F.concat(states[-2], x, dim=0)                         # (D + T, N, Cx)
        return shifted(F, extended, (-delay,), delay), [last_values(F, extended, delay, valid_length)], states[:-2]

    def _seen(self, F, x, before):
        """Return z (T, N, Cx + Ky) from delayed x (T, N, Cx) and y_{t-1} (T, N, Ky)."""
        return F.concat(x, before, dim=2) if self.input_size else before

    def _read(self, F, hidden, before, product, parameters):
        """Return the raw numbers (T, N, raw_size) from the encoder's outputs (T, N, H) and y_{t-1} (T, N, Ky).

        `product` is ``product(values, weight, bias, size)``.
        """
        settings, values = self.settings, hidden
        if settings.dropout:
            values = F.Dropout(values, p=settings.dropout)
        for layer, size in enumerate(settings.hidden_sizes, start=1):
            values = product(values, parameters[f"h{layer}_weight"], parameters[f"h{layer}_bias"], size)
            values = apply_activation(F, values, settings.activation)
        raw = product(values, parameters["output_weight"], parameters["output_bias"], self.raw_size)
        if settings.residual:
            before = F.tile(before, reps=(1, 1, self.horizon)) if self.horizon > 1 else before
            raw = self.head.shift(F, raw, before)
        return raw

    def __repr__(self):
        settings = self.settings
        return (f"{type(self).__name__}({self.input_size} -> {self.output_size}, {self.layout}, {self.encoder}, "
                f"horizon={self.horizon}, {self.head.name}, hidden_sizes={settings.hidden_sizes}, "
                f"residual={settings.residual}, input_delay={settings.input_delay})")


@models.register("forecaster")
class Forecaster(RecordingInputs, _ForecastingModel):
    """Predicts the next values of a series from all before them; open loop: (T, N, Cx + Ky) to (T, N, H * Ky * P).

    Parameters
    ----------
    encoder : SequenceBlock
        A causal encoder such as `gluon_rnn.nn.LSTM`, layout "TNC".
    input_size : int, default 0
        Cx, number of exogenous inputs.
    output_size : int, default 1
        Ky.
    horizon : int, default 1
        H: the prediction at t is of y_t to y_{t+H-1}, each by an output of its own. Inputs after t are not seen;
        where they are known beforehand (a calendar, a plan), give them as further columns of x_t.
    distribution : {"point", "gaussian", "student_t", "quantile"}, default "point"
        What is said about each value; see `gluon_rnn.models.distributions`.
    quantiles : list of float, optional
        Levels of distribution "quantile"; default [0.1, 0.5, 0.9].
    hidden_sizes : sequence of int, default ()
        Units of hidden layers between encoder and output.
    activation : {"tanh", "relu", "sigmoid", "softrelu", "softsign", "identity"}, default "tanh"
        g.
    dropout : float in [0, 1), default 0
        On the encoder's output.
    residual : bool, default False
        Predict the difference to y_{t-1}.
    input_delay : int, default 0
        D, the dead time; 0 lets x_t act on y_t.
    feedback : bool, default True
        Whether a free run feeds the model's own outputs back. False makes a simulation model: the free run is one pass
        of the encoder over the inputs, many times faster. It needs inputs, and training on the simulation error.
    weight_initializer : str or Initializer, optional
        Default: what ``initialize(init)`` is given; where that is nothing, or `gluon_rnn.nn.OwnDefaults`, "xavier".
    bias_initializer : str or Initializer, default "zeros"
        Of the readout; the encoder has its own.
    layout : {"TNC", "NTC"}, default "TNC"
    dtype : str, optional
        That of the encoder; any other is refused.

    Inputs/Outputs
    --------------
    inputs (T, N, Cx + Ky), the inputs x and the measured outputs y concatenated, as for `NARX` (`open_loop` takes the
    two apart); states [the encoder's ..., x (D, N, Cx), y (1, N, Ky)], x being absent where D = 0 or Cx = 0;
    valid_length (N,) -> raw numbers (T, N, H * Ky * P), states. Column (h * Ky + k) * P + p is number p of output k at
    step t + h; `head` makes a loss, a mean and quantiles of them. With "point" they are the predictions. What is
    predicted at t rests on measured outputs up to t - 1 only.

    Raises
    ------
    ValueError
        If the encoder looks ahead, a size or rate is out of range, or inputs do not fit.

    Notes
    -----
    Parameters: ``encoder.*``, ``h1_weight``, ``h1_bias``, ..., ``output_weight``, ``output_bias``.

    Examples
    --------
    >>> import mxnet as mx
    >>> from gluon_rnn.nn import LSTM
    >>> model = Forecaster(LSTM(8), input_size=2, distribution="gaussian"); model.initialize()
    >>> x, y = mx.nd.ones((50, 4, 2)), mx.nd.zeros((50, 4, 1))
    >>> raw = model.open_loop(x, y)
    >>> model.head.mean(mx.nd, raw).shape, model.head.loss(mx.nd, raw, y).shape
    ((50, 4, 1), (50, 4, 1))
    """

    def __init__(self, encoder, *, input_size=0, output_size=1, horizon=1, distribution="point", quantiles=None,
                 hidden_sizes=(), activation="tanh", dropout=0.0, residual=False, input_delay=0, feedback=True,
                 weight_initializer=None, bias_initializer="zeros", layout="TNC", dtype=None, prefix=None,
                 params=None):
        hidden_sizes = (hidden_sizes,) if isinstance(hidden_sizes, int) else tuple(hidden_sizes)
        check_counts(input_size=input_size, input_delay=input_delay)
        check_sizes(output_size=output_size, horizon=horizon)
        for size in hidden_sizes:
            check_sizes(hidden_sizes=size)
        check_activation(activation)
        check_rates(dropout=dropout)
        check_flags(residual=residual, feedback=feedback)
        _check_encoder(encoder, dtype)
        if not feedback and (residual or horizon > 1 or not input_size):
            raise ValueError("feedback=False makes a simulation model, which has inputs, a horizon of 1 and no "
                             f"residual; got input_size {input_size}, horizon {horizon}, residual {residual}")
        settings = _Settings(input_size, output_size, horizon, make_distribution(distribution, quantiles),
                             hidden_sizes, activation, dropout, residual, input_delay, feedback)
        encoder.set_input_size(input_size + settings.seen_outputs)        # nothing is left to the first forward
        initializers = {"weight": default_or(weight_initializer, "xavier"), "bias": or_global(bias_initializer)}
        super().__init__(encoder, settings, initializers, layout=layout, prefix=prefix, params=params)

    def targets(self, F, y):
        """Return what the outputs predict: y (T, N, Ky) to (T - H + 1, N, H * Ky), time-major.

        The last H - 1 steps have no complete target, so a loss covers the outputs before them.
        """
        return shifted(F, y, range(self.horizon), 0, self.horizon - 1)

    def forward_sequence(self, F, inputs, states, valid_length, **parameters):
        """Compute all predictions at once: (T, N, Cx + Ky) to (T, N, H * Ky * P)."""
        if valid_length is not None:
            inputs = functional.mask(F, inputs, valid_length)                # first of all, so that NaN stays out
        x, y = self._apart(F, inputs)
        x, finals, begin = self._delayed(F, x, states, valid_length)
        if not self.settings.feedback:
            known = F.ones_like(F.slice_axis(y, axis=2, begin=0, end=1))
            y = F.concat(y, known, dim=2)                                 # (T, N, Ky + 1)
        extended = F.concat(states[-1], y, dim=0)                         # (1 + T, N, Ky)
        before = shifted(F, extended, (-1,), 1)
        seen = self._seen(F, x, before)
        hidden, ends = self.encoder(seen, begin) if valid_length is None else self.encoder(seen, begin, valid_length)

        def product(values, weight, bias, size):
            return F.FullyConnected(values, weight, bias, num_hidden=size, flatten=False)

        raw = self._read(F, hidden, before, product, parameters)
        if valid_length is not None:
            raw = functional.mask(F, raw, valid_length)
        return raw, [*ends, *finals, last_values(F, extended, 1, valid_length)]


class ForecasterClosedLoop(_ForecastingModel):
    """A forecaster with the mean of its own prediction fed back, the parallel model: (T, N, Cx) to (T, N, Ky * P).

    It is a `foreach` over calls of the encoder with one step, so that T stays free in an exported graph, and it is
    differentiable: training on the simulation error is a loss on these outputs.

    Parameters
    ----------
    model : Forecaster
        With ``horizon=1``. Its parameters are shared: what trains one trains the other.
    layout : {"TNC", "NTC"}, default that of `model`

    Inputs/Outputs
    --------------
    inputs (T, N, Cx), states as those of `model`, valid_length (N,) -> raw numbers (T, N, Ky * P), states. A model
    without inputs takes (T, N, 1), any values, which gives T.

    Raises
    ------
    ValueError
        If the model has a horizon of more than one step: `gluon_rnn.inference.predict` runs it, block by block.

    Notes
    -----
    As every loop, it refuses ``hybridize(static_shape=True)``, with which MXNet 1.9.1 gives wrong numbers.
    """

    def __init__(self, model, layout=None):
        if model.horizon > 1:
            raise ValueError(f"a closed loop feeds back one step at a time, and the horizon of this model is "
                             f"{model.horizon}; inference.predict runs it in blocks of that, or train with horizon 1")
        super().__init__(model.encoder, model.settings, {"weight": None, "bias": None},
                         layout=layout or model.layout, prefix=model.prefix, params=model.params)

    @property
    def loops(self):
        """Whether it runs in a loop: with feedback, or where the encoder does."""
        return self.encoder.loops or self.settings.feedback

    def _check_inputs(self, inputs, shape):
        super()._check_inputs(inputs, shape)
        check_features(type(self).__name__, inputs, self.input_size or 1, self._dtype)

    def forward_sequence(self, F, inputs, states, valid_length, **parameters):
        """Step through (T, N, Cx); past a row's length no state changes, and its outputs are 0."""
        if not self.input_size:
            inputs = F.zeros_like(inputs)                                 # they only say T and N
        if valid_length is not None:
            inputs = functional.mask(F, inputs, valid_length)
        x, finals, begin = self._delayed(F, inputs, states, valid_length)
        if not self.settings.feedback:
            return self._without_feedback(F, x, [*begin, states[-1]], finals, valid_length, parameters)
        slices = [x]
        if valid_length is not None:
            slices.append(1 - functional.padding_mask(F, inputs, valid_length))     # (T, N, 1)
        step = self._step(F, valid_length is not None, parameters)
        outputs, ends = F.contrib.foreach(step, slices, [*begin, states[-1]])
        if valid_length is not None:
            outputs = functional.mask(F, outputs, valid_length)
        return outputs, [*ends[:-1], *finals, ends[-1]]

    def _without_feedback(self, F, x, states, finals, valid_length, parameters):
        """Run the encoder over all inputs at once; the first step may still read a measured output."""
        nothing = F.zeros_like(F.slice_axis(x, axis=2, begin=0, end=1))                  # (T, N, 1)
        nothing = F.broadcast_axis(nothing, axis=2, size=self.settings.seen_outputs)
        extended = F.concat(states[-1], nothing, dim=0)
        seen = F.concat(x, shifted(F, extended, (-1,), 1), dim=2)
        hidden, ends = self.encoder(seen, states[:-1], *([] if valid_length is None else [valid_length]))

        def product(values, weight, bias, size):
            return F.FullyConnected(values, weight, bias, num_hidden=size, flatten=False)

        raw = self._read(F, hidden, None, product, parameters)
        if valid_length is not None:
            raw = functional.mask(F, raw, valid_length)
        return raw, [*ends, *finals, last_values(F, extended, 1, valid_length)]

    def _step(self, F, has_length, parameters):
        layouts = [info["__layout__"] for info in self.encoder.state_info()] + ["TNC"]

        def product(values, weight, bias, _):                             # less overhead than FullyConnected
            return F.broadcast_add(F.dot(values, weight, transpose_b=True), bias)

        def step(slices, states):
            x, before = F.expand_dims(slices[0], axis=0), states[-1]      # (1, N, Cx), (1, N, Ky)
            # foreach wants every sequence used: without inputs x is one column of zeros
            seen = self._seen(F, x, before) if self.input_size else F.broadcast_add(before, x)
            hidden, after = self.encoder.one_step(F, seen, states[:-1])
            raw = self._read(F, hidden, before, product, parameters)
            after = [*after, self.head.mean(F, raw)]
            if has_length:
                after = [_held(F, slices[1], *pair) for pair in zip(after, states, layouts)]
            return F.reshape(raw, shape=(-3, 0)), after

        return step


def _held(F, valid, after, before, layout):
    """Return the state `after` a step, and the one `before` it in rows whose `valid` (N, 1) is 0."""
    shape = tuple(-1 if axis == "N" else 1 for axis in layout)
    return F.where(F.broadcast_like(F.reshape(valid, shape=shape), after), after, before)


def _check_encoder(encoder, dtype):
    check_encoder("a forecaster", encoder, "the values")
    if dtype is not None and dtype_name(dtype) != encoder._dtype:
        raise ValueError(f"dtype is {dtype}, but the encoder's is {encoder._dtype}; leave it out here and give it to "
                         "the encoder")
