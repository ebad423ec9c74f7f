r"""Networks that feed their own output back, rewritten as one Elman network that the fused operator runs.

A loop over time of small operators costs far more than its arithmetic. Where a network's feedback passes through tanh
or sigmoid layers, or relu layers, or none, the loop can be had without a loop: with outputs y (K,), the lags
Y_t = [y_{t-1}, ..., y_{t-L}], and

    u1_t = f(W_x x_t + b + W_y Y_t),    uk_t = f(W_k u(k-1)_t + b_k)  for k = 2 ... m
    y_t = W_o um_t + p_t,               p_t = b_o + S_x x_t + S_y Y_t

y_{t-1} is a *linear* function of um_{t-1} and p_{t-1}. So Y_t is one of z_{t-1} = [um, ..., u1, p, y_{t-1}, ...,
y_{t-L+1}], say Y_t = A z_{t-1}, and all of z_t = f(W x_t + b + R z_{t-1}) is one Elman step with

    R = [W_y; S_y; I] A        (rows of u1, p and the delayed outputs)

were it not for the f around the linear parts. There are two ways around it, and both are exact:

- f = tanh: the linear parts are kept small, multiplied by a power of two epsilon. For |a| < 1e-4, tanh(a) = a exactly
  in float32, since a^3 / 3 is less than half a unit in the last place of a; and powers of two round nothing.
- f = relu: a linear part a is kept as relu(a) and relu(-a), whose difference it is. It is a + tiny, in fact, which
  rounds to a, so that one of the two has its derivative at a = 0 too.

What is left of the difference is the order of summation in W_y (W_o u) = (W_y W_o) u. With m layers, a step of the
network is m steps of the Elman network: layer k is computed at the k-th, from layer k - 1 at the step before; p and the
delays are handed on in m copies. sigmoid(a) = (1 + tanh(a / 2)) / 2 is a tanh with other weights. All of this happens
in the graph, from the parameters as they are, so that it is differentiable, exports, and leaves T and N free.
"""
from gluon_rnn.nn import numpy_ops
from gluon_rnn.nn.backend import LARGEST_FEEDBACK_STATE
from gluon_rnn.nn.interchange import is_interchange_form

__all__ = ["FeedbackNetwork", "can_fuse", "must_loop"]

# log2 of epsilon. Linear parts hold up to 1e-4 / epsilon: 1e14 in float32, 1e56 in float64; the least is 1e-20, 1e-248.
_EXPONENT = {"float32": -60, "float64": -200}
_TINY = 1e-30


def can_fuse(hidden_sizes, activations, feedback_size, dtype):
    """Return whether a network is one that can be rewritten, and small enough for it to be worth it.

    Parameters
    ----------
    hidden_sizes : sequence of int
    activations : sequence of str
        One a hidden layer.
    feedback_size : int
        L * K, the values that are fed back.
    dtype : str
    """
    function = _function(activations, dtype)
    substeps, parts = max(len(hidden_sizes), 1), 2 if function == "relu" else 1
    return function is not None and sum(hidden_sizes) + substeps * parts * feedback_size <= LARGEST_FEEDBACK_STATE


def must_loop(F):
    """Return whether with `F` a loop is needed: NumPy has no such operator, and others' tanh is not that exact.

    ONNX Runtime's recurrent operators approximate tanh to 1e-7 of 1, which leaves nothing of the linear parts.
    """
    return F is numpy_ops.F or is_interchange_form(F)


def _function(activations, dtype):
    """Return the f of the Elman network, None where there is none that does."""
    if all(activation in ("tanh", "sigmoid") for activation in activations) and (activations or dtype == "float64"):
        return "tanh" if dtype in _EXPONENT else None
    # In float64 the fused operator's relu rounds to float32 (MXNet 1.9.1).
    return "relu" if dtype == "float32" and all(activation == "relu" for activation in activations) else None


class FeedbackNetwork:
    """The sizes of a network with feedback, and its forward pass as one fused operator; no parameters, no states.

    Parameters
    ----------
    input_size : int
        C.
    hidden_sizes : sequence of int
        H1 ... Hm; empty for a linear network.
    activations : sequence of {"tanh", "sigmoid"}, or of {"relu"}
        One a hidden layer.
    output_size, output_lag : int
        K and L.
    dtype : {"float32", "float64"}

    Raises
    ------
    ValueError
        If there is no such Elman network.
    """

    def __init__(self, input_size, hidden_sizes, activations, output_size, output_lag, dtype):
        function = _function(activations, dtype)
        if function is None:
            raise ValueError("a network is fused if its layers are all tanh or sigmoid (float32, float64), or all relu "
                             f"(float32); got {', '.join(activations) or 'no layer'} in {dtype}; run it in a loop")
        self.input_size, self.hidden_sizes, self.activations = input_size, tuple(hidden_sizes), tuple(activations)
        self.output_size, self.output_lag, self.dtype = output_size, output_lag, dtype
        self.feedback_size = output_lag * output_size                     # L * K
        self.substeps = max(len(self.hidden_sizes), 1)                    # m
        self.last_size = self.hidden_sizes[-1] if self.hidden_sizes else 0                    # Hm
        self.relu = function == "relu"
        self.linear_size = self.feedback_size * (2 if self.relu else 1)   # of the linear parts of a substep
        self.state_size = sum(self.hidden_sizes) + self.substeps * self.linear_size           # S
        self.epsilon = 1.0 if self.relu else 2.0 ** _EXPONENT[dtype]
        self.largest = 2.0 ** (-_EXPONENT[dtype] - 14)                    # epsilon * largest = 6e-5

    def run(self, F, inputs, lagged, weights):
        """Return outputs y (T, N, K) and the last hidden layer (T, N, Hm), None where there is none.

        Parameters
        ----------
        inputs : (T, N, C)
        lagged : (N, L * K)
            [y_0, y_{-1}, ...], the outputs before the first step, newest first.
        weights : dict
            ``layers``: a list of (weight, bias), one a hidden layer, the first being W_x (H1, C) or None, b (H1,);
            ``feedback`` W_y (H1, L * K); ``output`` W_o (K, Hm); ``output_bias`` b_o (K,); for a linear path from
            inputs and lags to the output, ``skip`` S_x (K, C) or None and ``skip_feedback`` S_y (K, L * K), or None
            for both. Without hidden layers only the last three count.

        Notes
        -----
        A linear path past tanh layers can diverge without bound; outputs beyond 1e13 (float64: 1e55) are infinite then.
        """
        weights = self._as_tanh(F, weights)
        readout = self._readout(F, weights)                               # A, (L * K, S)
        z = self._states(F, inputs, lagged, self._parameters(F, weights, readout))
        newest = F.slice_axis(readout, axis=0, begin=0, end=self.output_size)
        outputs = F.FullyConnected(z, newest, no_bias=True, num_hidden=self.output_size, flatten=False)
        if weights["skip_feedback"] is not None and not self.relu:
            outputs = outputs / (F.abs(outputs) < self.largest)
        return outputs, self._last_hidden(F, z)

    def _states(self, F, inputs, lagged, vector):
        """Return z_t of all T steps, (T, N, S)."""
        if self.dtype == "float64":
            vector = F.broadcast_add(vector, _zero(F, inputs))
        inputs = F.repeat(inputs, repeats=self.substeps, axis=0) if self.substeps > 1 else inputs
        begin = F.dot(lagged, self._right(F, self.epsilon))               # (N, S)
        if self.relu:
            begin = F.relu(F.broadcast_add(begin, self._signed_tiny(F)))
        z = F.RNN(inputs, vector, F.expand_dims(begin, axis=0), mode="rnn_relu" if self.relu else "rnn_tanh",
                  state_size=self.state_size, num_layers=1)               # (T * m, N, S)
        if self.substeps == 1:
            return z
        z = F.reshape(z, shape=(-4, -1, self.substeps, 0, 0))             # a step is complete at its last substep
        return F.reshape(F.slice_axis(z, axis=1, begin=self.substeps - 1, end=None), shape=(0, -3, 0))

    def _as_tanh(self, F, weights):
        """Make sigmoid layers tanh layers with other weights: what they read is halved, they read as (1 + u) / 2."""
        weights = dict(weights, layers=list(weights.get("layers", ())))
        for layer, activation in enumerate(self.activations):
            if activation != "sigmoid":
                continue
            weight, bias = weights["layers"][layer]
            weights["layers"][layer] = None if weight is None else 0.5 * weight, 0.5 * bias
            if layer == 0:
                weights["feedback"] = 0.5 * weights["feedback"]
            if layer + 1 < len(self.activations):
                weights["layers"][layer + 1] = _reading_half(F, *weights["layers"][layer + 1])
            else:
                weights["output"], weights["output_bias"] = _reading_half(F, weights["output"], weights["output_bias"])
        return weights

    def _last_hidden(self, F, z):
        if not self.hidden_sizes:
            return None
        hidden = F.slice_axis(z, axis=2, begin=0, end=self.last_size)
        return 0.5 + 0.5 * hidden if self.activations[-1] == "sigmoid" else hidden

    # The state z is [um, ..., u1, g1, ..., gm]; g1 is epsilon * [p, y_{t-1}, ..., y_{t-L+1}], with relu that and minus
    # that; g2 ... gm are its copies.

    def _right(self, F, value):
        """Return (L * K, S): `value` times the identity in the columns of gm, with relu minus that too, else 0."""
        identity = value * F.eye(self.feedback_size, dtype=self.dtype)
        before = self._zeros(F, self.feedback_size, self.state_size - self.linear_size)
        parts = [*before, identity, *([-identity] if self.relu else [])]
        return F.concat(*parts, dim=1) if len(parts) > 1 else identity

    def _signed_tiny(self, F):
        """Return (1, S): tiny in the first half of gm, minus tiny in the second, else 0."""
        tiny = _TINY + F.zeros((1, self.feedback_size))
        return F.concat(*self._zeros(F, 1, self.state_size - self.linear_size), tiny, -tiny, dim=1)

    def _readout(self, F, weights):
        """Return A (L * K, S) of Y_{t+1} = A z_t: W_o from um to the newest output, the rest from gm."""
        last, right = self.last_size, self._right(F, 1 / self.epsilon)
        if not last:
            return right
        hidden = weights["output"]
        if self.output_lag > 1:
            hidden = F.concat(hidden, *self._zeros(F, self.feedback_size - self.output_size, last), dim=0)
        return F.concat(hidden, F.slice_axis(right, axis=1, begin=last, end=None), dim=1)

    def _parameters(self, F, weights, readout):
        """Return the flat vector of the fused operator: W (S, C), R (S, S), b (S,) and a second bias of zeros."""
        layers, copies = weights["layers"], (self.substeps - 1) * self.linear_size
        delayed = self.feedback_size - self.output_size
        first = self._zeros(F, self.hidden_sizes[0], self.input_size) if layers and layers[0][0] is None else [
            weight for weight, _ in layers[:1]]
        skip, bias = weights["skip"], self.epsilon * weights["output_bias"]
        linear = [self._zeros(F, self.output_size, self.input_size) if skip is None else [sign * self.epsilon * skip]
                  for sign in self._signs()]
        i2h = [*self._zeros(F, sum(self.hidden_sizes[1:]), self.input_size), *first,
               *(part for parts in linear for part in [*parts, *self._zeros(F, delayed, self.input_size)]),
               *self._zeros(F, copies, self.input_size)]
        tiny, zeros = _TINY if self.relu else 0.0, [F.zeros((delayed,), dtype=self.dtype)] if delayed else []
        biases = [one for _, one in reversed(layers)]
        biases += [sign * (part + tiny) for sign in self._signs() for part in [bias, *zeros]]
        parts = [*i2h, *self._recurrent(F, weights, readout), *biases]
        unused = F.zeros((copies + self.state_size,), dtype=self.dtype)
        return F.concat(*(F.reshape(part, shape=(-1,)) for part in parts), unused, dim=0)

    def _signs(self):
        return (1, -1) if self.relu else (1,)

    def _recurrent(self, F, weights, readout):
        """Return the rows of R as a list: um ... u2 read the layer before, u1 and g1 the lags, g2 ... gm a copy."""
        rows, column = [], 0
        for size, before, (weight, _) in zip(self.hidden_sizes[:0:-1], self.hidden_sizes[-2::-1],
                                             weights["layers"][:0:-1]):
            column += size
            rows.append(self._embedded(F, weight, size, column, before, self.state_size))
        rows.append(F.dot(self._reading_lags(F, weights), readout))
        copies = (self.substeps - 1) * self.linear_size
        if copies:
            identity = F.eye(copies, dtype=self.dtype)
            rows.append(self._embedded(F, identity, copies, sum(self.hidden_sizes), copies, self.state_size))
        return rows

    def _reading_lags(self, F, weights):
        """Return the rows of u1 and g1 that read Y: W_y, epsilon * S_y, and epsilon * [I 0], a delay by one step."""
        size, delayed = self.feedback_size, self.feedback_size - self.output_size
        linear = self._zeros(F, self.output_size, size) if weights["skip_feedback"] is None else [
            self.epsilon * weights["skip_feedback"]]
        if delayed:
            linear.append(self._embedded(F, self.epsilon * F.eye(delayed, dtype=self.dtype), delayed, 0, delayed, size))
        rows = [weights["feedback"]] if self.hidden_sizes else []
        rows += [part if sign > 0 else -part for sign in self._signs() for part in linear]
        return F.concat(*rows, dim=0) if len(rows) > 1 else rows[0]

    def _embedded(self, F, matrix, rows, column, width, total):
        """Return `matrix` (rows, width) from `column` on in zeros (rows, total)."""
        parts = [*self._zeros(F, rows, column), matrix, *self._zeros(F, rows, total - column - width)]
        return F.concat(*parts, dim=1) if len(parts) > 1 else matrix

    def _zeros(self, F, rows, columns):
        return [F.zeros((rows, columns), dtype=self.dtype)] if rows and columns else []


def _zero(F, inputs):
    """Return zero (1,), as something that depends on `inputs`.

    In float64 the fused operator's backward pass is wrong where nobody wants the gradient of its parameters (MXNet
    1.9.1). With this added they depend on whatever the inputs depend on, so that their gradient is always wanted.
    """
    first = F.slice_axis(inputs, axis=0, begin=0, end=1)
    return F.reshape(0 * F.sum(F.sign(first)), shape=(1,))               # sign, because it makes 0 of NaN


def _reading_half(F, weight, bias):
    """Return weight and bias of a layer that reads u where it read (1 + u) / 2."""
    return 0.5 * weight, bias + 0.5 * F.sum(weight, axis=1)
