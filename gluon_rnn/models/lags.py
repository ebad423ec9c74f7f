"""What a model with lags and its closed loop have in common: sizes, equations, parameters, states."""
from gluon_rnn.models.distributions import Point
from gluon_rnn.nn.checks import check_activation, check_counts, check_flags, check_sizes
from gluon_rnn.nn.contract import SequenceBlock
from gluon_rnn.nn.delay import concat_features, last_values, shifts
from gluon_rnn.nn.tdnn import apply_activation

__all__ = ["DelayModel", "Lags", "no_inputs", "product"]


class Lags:
    """The sizes and equations that a model and its closed loop share; no parameters, no states.

    Parameters
    ----------
    As in `NARX`; ``input_size=0`` has no inputs.
    """

    def __init__(self, input_lag, output_lag, hidden_sizes, activation, input_delay, input_size, output_size, skip):
        check_counts(input_lag=input_lag, input_delay=input_delay)
        check_sizes(output_lag=output_lag, output_size=output_size)
        for size in hidden_sizes:
            check_sizes(hidden_sizes=size)
        check_activation(activation)
        check_flags(skip=skip)
        if skip and not hidden_sizes:
            raise ValueError("skip is a path past hidden layers, and hidden_sizes is empty; leave skip out, the "
                             "model is linear already")
        self.output_lag, self.hidden_sizes, self.activation, self.skip = output_lag, hidden_sizes, activation, skip
        self.input_size, self.output_size = input_size, output_size
        self.input_offsets = tuple(-input_delay - lag for lag in range(input_lag + 1))
        self.input_past = input_delay + input_lag if input_size else 0
        self.memory = max(self.input_past, output_lag)
        self.first_size, *upper_sizes = [*hidden_sizes, output_size]
        self.upper_layers = [(f"h{layer}_weight", f"h{layer}_bias", size)
                             for layer, size in enumerate(upper_sizes, start=2)]
        self.lagged_input_size, self.feedback_size = len(self.input_offsets) * input_size, output_lag * output_size

    def shapes(self):
        """Return {parameter name: shape}."""
        sizes = [*self.hidden_sizes, self.output_size]
        x, y = self.lagged_input_size, self.feedback_size
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

    def lagged_inputs(self, F, inputs, states, valid_length):
        """Return a list of x_{t-D}, ..., x_{t-D-K} of all steps, (T, N, Cx) each, and the last x as a list."""
        extended, finals = inputs, []
        if self.input_past:
            extended = F.concat(states[0], inputs, dim=0)
            finals = [last_values(F, extended, self.input_past, valid_length)]
        return shifts(F, extended, self.input_offsets, self.input_past), finals

    def drive(self, F, inputs, states, valid_length, parameters):
        """Return what x and b add to a_t, (T, N, H), the same for the skip path or None, and the last x as a list."""
        if not self.input_size:
            return F.broadcast_add(no_inputs(F, inputs), F.reshape(parameters["bias"], shape=(1, 1, -1))), None, []
        parts, finals = self.lagged_inputs(F, inputs, states, valid_length)
        lagged = concat_features(F, parts, self.input_size)                  # (T, N, (K + 1) * Cx)
        drive = product(F, lagged, parameters["x_weight"], parameters["bias"], self.first_size)
        skip = product(F, lagged, parameters["skip_x_weight"], None, self.output_size) if self.skip else None
        return drive, skip, finals

    def regress(self, F, x_parts, y_parts, parameters):
        """Return a_t (T, N, H) and the skip path's part of y_t (T, N, Ky), or None, from lists of all lags."""
        x, y = "x_weight", "y_weight"
        if x_parts and self.input_size != self.output_size:               # arrays of two widths: two products
            groups = [(concat_features(F, x_parts, self.input_size), x, None),
                      (concat_features(F, y_parts, self.output_size), y, "bias")]
        else:
            weight = {name: F.concat(parameters[name + x], parameters[name + y], dim=1) if x_parts
                      else parameters[name + y] for name in ("", *(["skip_"] if self.skip else []))}
            parameters = dict(parameters, **{f"{name}both": value for name, value in weight.items()})
            groups = [(concat_features(F, [*x_parts, *y_parts], self.output_size), "both", "bias")]
        values = _sum(F, [product(F, lagged, parameters[name], parameters.get(bias), self.first_size)
                          for lagged, name, bias in groups])
        if not self.skip:
            return values, None
        return values, _sum(F, [product(F, lagged, parameters[f"skip_{name}"], None, self.output_size)
                                for lagged, name, _ in groups])

    def as_feedback(self, parameters):
        """Return `parameters` by the names of `gluon_rnn.nn.feedback.FeedbackNetwork.run`."""
        if not self.hidden_sizes:
            return {"skip": parameters.get("x_weight"), "skip_feedback": parameters["y_weight"],
                    "output_bias": parameters["bias"]}
        last = len(self.hidden_sizes) + 1
        layers = [(parameters.get("x_weight"), parameters["bias"])]
        layers += [(parameters[f"h{layer}_weight"], parameters[f"h{layer}_bias"]) for layer in range(2, last)]
        return {"layers": layers, "feedback": parameters["y_weight"], "output": parameters[f"h{last}_weight"],
                "output_bias": parameters[f"h{last}_bias"], "skip": parameters.get("skip_x_weight"),
                "skip_feedback": parameters.get("skip_y_weight")}

    def respond(self, F, values, skip, parameters):
        """Return y from a_t `values` (..., H) and the skip path's part `skip` (..., Ky) or None; any leading axes."""
        for weight, bias, size in self.upper_layers:
            values = apply_activation(F, values, self.activation)
            values = product(F, values, parameters[weight], parameters[bias], size)
        return values if skip is None else F.broadcast_add(values, skip)


class DelayModel(SequenceBlock):
    """Parameters, states and names that open and closed loop have in common."""

    #: what the outputs say about y: one number each, with the squared error as loss
    head = Point()
    #: steps predicted at once
    horizon = 1

    def __init__(self, lags, initializers, /, layout="TNC", dtype="float32", backend=None, prefix=None, params=None):
        super().__init__(layout=layout, dtype=dtype, backend=backend, prefix=prefix, params=params)
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


def no_inputs(F, inputs):
    """Return zeros (T, N, 1) for `inputs` (T, N, 1) that only say T and N; NaN in them does not matter."""
    return F.zeros_like(F.slice_axis(inputs, axis=2, begin=0, end=1))


def product(F, values, weight, bias, size):
    """Return the product of `values` (..., C) with the transposed `weight` (size, C), plus `bias` unless it is None."""
    if bias is None:
        return F.FullyConnected(values, weight, no_bias=True, num_hidden=size, flatten=False)
    return F.FullyConnected(values, weight, bias, num_hidden=size, flatten=False)


def _sum(F, values):
    return values[0] if len(values) == 1 else F.broadcast_add(*values)
