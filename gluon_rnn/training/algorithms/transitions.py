r"""One step of a recurrent layer and its derivatives, in NumPy: what learning algorithms ask of a network.

All layers here have the form

    y_t = f(s_{t-1}, x_t; w),    s_t = d s_{t-1} + y_t

with the state s (N, S), the output y (N, S), the parameters w, P numbers, and a decay d, which is 0 but in a Jordan
network with context units: there s is the context, elsewhere it is y itself. With :math:`\odot` elementwise:

Elman:   y = f(a),  a = W x + b_i + R s + b_h
GRU:     a = W x + b_i,  q = R s + b_h,  r, z = sigma(a + q),  n = tanh(a + r \odot q),  y = (1 - z) \odot n + z \odot s
Jordan:  h = f(W x + b_i + R s + b_h),  y = g(V h + b_o)

A `Transition` computes y; v^T df/dw, v^T df/ds and v^T df/dx for M vectors v, which with the unit vectors, M = S, are
the Jacobians themselves; and df/ds v for a single v. Sizes: C features of x, H hidden units, S of the state (H, or the
number of outputs of a Jordan network).
"""
import numpy as np
from scipy.special import expit

from gluon_rnn.nn import GRU, RNN, Jordan

__all__ = ["FUNCTIONS", "EmbeddedTransition", "Transition", "transition_of"]

#: each activation, and its derivative as a function of its value
FUNCTIONS = {"tanh": (np.tanh, lambda y: 1 - y * y), "sigmoid": (expit, lambda y: y * (1 - y)),
              "relu": (lambda a: np.maximum(a, 0), lambda y: (y > 0).astype(y.dtype)),
              "identity": (lambda a: a, np.ones_like)}


class Transition:
    """One step of a layer, on NumPy arrays; a subclass has the equations.

    Parameters
    ----------
    parameters : dict of str to mxnet.gluon.Parameter
        In the order of w; their values are read anew at each step.
    state_size : int
        S.
    decay : float, default 0
        d.

    Attributes
    ----------
    parameters : dict of str to mxnet.gluon.Parameter
    size : int
        P, how many numbers all parameters have.
    """

    def __init__(self, parameters, state_size, decay=0.0):
        self.parameters, self.state_size, self.decay = parameters, state_size, decay

    @property
    def size(self):
        """Return P."""
        return sum(int(np.prod(parameter.shape)) for parameter in self.parameters.values())

    @property
    def dtype(self):
        """Return the dtype of the parameters."""
        return np.dtype(next(iter(self.parameters.values())).dtype)

    def values(self):
        """Return {name: array} of the parameters as they are now."""
        return {name: parameter.list_data()[0].asnumpy() for name, parameter in self.parameters.items()}

    def forward(self, inputs, state):
        """Compute a step.

        Parameters
        ----------
        inputs : (N, C) array
        state : (N, S) array
            s_{t-1}.

        Returns
        -------
        output : (N, S) array
        kept : tuple
            What `pull_back` needs of this step.
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward()")

    def pull_back(self, kept, vectors):
        """Multiply vectors with the Jacobians of a step.

        Parameters
        ----------
        kept : tuple
            Of `forward`.
        vectors : (N, M, S) array
            v.

        Returns
        -------
        by_parameters, by_state, by_inputs : arrays (N, M, P), (N, M, S) and (N, M, C)
            v^T df/dw, v^T df/ds and v^T df/dx.
        """
        gradients, by_state, by_inputs = self._pull_back(kept, vectors)
        rows = vectors.shape[:2]
        flat = [np.broadcast_to(gradients[name], (*rows, *parameter.shape)).reshape(*rows, -1)
                for name, parameter in self.parameters.items()]
        return np.concatenate(flat, axis=2), by_state, by_inputs

    def push_forward(self, kept, tangent):
        """Return df/ds v, (N, S), for a vector v (N, S) a row and a step as `forward` has `kept` it."""
        raise NotImplementedError(f"{type(self).__name__} must define push_forward()")

    def named(self, gradient):
        """Return {name: array} of a vector (P,)."""
        found, begin = {}, 0
        for name, parameter in self.parameters.items():
            end = begin + int(np.prod(parameter.shape))
            found[name] = gradient[begin:end].reshape(parameter.shape)
            begin = end
        return found


class ElmanTransition(Transition):
    """A step of `gluon_rnn.nn.RNN`."""

    def __init__(self, layer):
        super().__init__(dict(layer._reg_params), layer.hidden_size)
        self._function, self._slope = FUNCTIONS[layer.mode.removeprefix("rnn_")]

    def forward(self, inputs, state):
        """Return y (N, H) and what `pull_back` needs; see `Transition`."""
        w = self.values()
        y = self._function(_pre_activation(w, inputs, state))
        return y, (w, inputs, state, y)

    def _pull_back(self, kept, vectors):
        w, inputs, state, y = kept
        return _affine(w, inputs, state, vectors * self._slope(y)[:, None])

    def push_forward(self, kept, tangent):
        """Return df/ds v, (N, H); see `Transition`."""
        w, _, _, y = kept
        return self._slope(y) * (tangent @ w["l0_h2h_weight"].T)


class GRUTransition(Transition):
    """A step of `gluon_rnn.nn.GRU`, its reset gate after the product."""

    def __init__(self, layer):
        super().__init__(dict(layer._reg_params), layer.hidden_size)

    def forward(self, inputs, state):
        """Return y (N, H) and what `pull_back` needs; see `Transition`."""
        w = self.values()
        a = np.split(inputs @ w["l0_i2h_weight"].T + w["l0_i2h_bias"], 3, axis=1)
        q = np.split(state @ w["l0_h2h_weight"].T + w["l0_h2h_bias"], 3, axis=1)
        r, z = expit(a[0] + q[0]), expit(a[1] + q[1])
        n = np.tanh(a[2] + r * q[2])
        return (1 - z) * n + z * state, (w, inputs, state, r, z, n, q[2])

    def _pull_back(self, kept, vectors):
        w, inputs, state, r, z, n, q = kept
        by_n = vectors * ((1 - z) * (1 - n * n))[:, None]
        by_z = vectors * ((state - n) * z * (1 - z))[:, None]
        by_r = by_n * (q * r * (1 - r))[:, None]
        by_a = np.concatenate([by_r, by_z, by_n], axis=2)
        by_q = np.concatenate([by_r, by_z, by_n * r[:, None]], axis=2)
        gradients, by_state, by_inputs = _affine(w, inputs, state, by_a, by_q)
        return gradients, by_state + vectors * z[:, None], by_inputs

    def push_forward(self, kept, tangent):
        """Return df/ds v, (N, H); see `Transition`."""
        w, _, state, r, z, n, q = kept
        of_r, of_z, of_n = np.split(tangent @ w["l0_h2h_weight"].T, 3, axis=1)
        of_n = (1 - n * n) * (r * (1 - r) * of_r * q + r * of_n)
        return (1 - z) * of_n + z * (1 - z) * of_z * (state - n) + z * tangent


class JordanTransition(Transition):
    """A step of `gluon_rnn.nn.Jordan` that feeds back its own outputs; the state is the context, (N, K)."""

    def __init__(self, layer):
        cell = layer.l0
        super().__init__({f"l0_{name}": parameter for name, parameter in cell._reg_params.items()}, cell.output_size,
                         cell._decay)
        self._hidden, self._hidden_slope = FUNCTIONS[cell._activation]
        self._output, self._output_slope = FUNCTIONS[cell._output_activation]

    def forward(self, inputs, state):
        """Return y (N, K) and what `pull_back` needs; see `Transition`."""
        w = self.values()
        h = self._hidden(_pre_activation(w, inputs, state))
        y = self._output(h @ w["l0_h2o_weight"].T + w["l0_h2o_bias"])
        return y, (w, inputs, state, h, y)

    def _pull_back(self, kept, vectors):
        w, inputs, state, h, y = kept
        by_o = vectors * self._output_slope(y)[:, None]
        by_a = (by_o @ w["l0_h2o_weight"]) * self._hidden_slope(h)[:, None]
        gradients, by_state, by_inputs = _affine(w, inputs, state, by_a)
        gradients.update(l0_h2o_weight=by_o[..., None] * h[:, None, None], l0_h2o_bias=by_o)
        return gradients, by_state, by_inputs

    def push_forward(self, kept, tangent):
        """Return df/ds v, (N, K); see `Transition`."""
        w, _, _, h, y = kept
        of_h = self._hidden_slope(h) * (tangent @ w["l0_h2h_weight"].T)
        return self._output_slope(y) * (of_h @ w["l0_h2o_weight"].T)


class EmbeddedTransition(Transition):
    """A step of another transition on embedded tokens: x = E[token], inputs (N,) of int; E (V, E) is learnt too.

    Parameters
    ----------
    inner : Transition
    embedding : mxnet.gluon.Parameter
        E.
    """

    def __init__(self, inner, embedding):
        super().__init__({**inner.parameters, "embedding": embedding}, inner.state_size, inner.decay)
        self._inner, self._embedding = inner, embedding

    def forward(self, inputs, state):
        """Return y of tokens (N,), and what `pull_back` needs; see `Transition`."""
        y, kept = self._inner.forward(self._embedding.list_data()[0].asnumpy()[inputs], state)
        return y, (kept, inputs)

    def pull_back(self, kept, vectors):
        """Return v^T df/dw, v^T df/ds and v^T df/dx, x being the embedded tokens; see `Transition`."""
        kept, tokens = kept
        by_parameters, by_state, by_inputs = self._inner.pull_back(kept, vectors)
        by_table = np.zeros((*vectors.shape[:2], *self._embedding.shape), by_inputs.dtype)
        by_table[np.arange(len(tokens)), :, tokens] = by_inputs
        by_table = by_table.reshape(*vectors.shape[:2], -1)
        return np.concatenate([by_parameters, by_table], axis=2), by_state, by_inputs

    def push_forward(self, kept, tangent):
        """Return df/ds v, (N, S); see `Transition`."""
        return self._inner.push_forward(kept[0], tangent)


def _pre_activation(w, inputs, state):
    return (inputs @ w["l0_i2h_weight"].T + w["l0_i2h_bias"]
            + state @ w["l0_h2h_weight"].T + w["l0_h2h_bias"])


def _affine(w, inputs, state, by_a, by_q=None):
    """Return derivatives by W, R, b_i, b_h, by the state and the inputs, of those by a (N, M, G*H) and by q."""
    by_q = by_a if by_q is None else by_q
    gradients = {"l0_i2h_weight": by_a[..., None] * inputs[:, None, None], "l0_i2h_bias": by_a,
                 "l0_h2h_weight": by_q[..., None] * state[:, None, None], "l0_h2h_bias": by_q}
    return gradients, by_q @ w["l0_h2h_weight"], by_a @ w["l0_i2h_weight"]


_TRANSITIONS = {RNN: ElmanTransition, GRU: GRUTransition, Jordan: JordanTransition}


def transition_of(layer):
    """Return the `Transition` of a layer that has its parameters: an `RNN`, `GRU` or `Jordan` of one layer.

    Raises
    ------
    ValueError
        If the layer is another one, has several layers, looks ahead, or drops weights.
    """
    if isinstance(layer, Transition):
        return layer
    if type(layer) not in _TRANSITIONS:
        raise ValueError(f"there are RTRL and UORO for the layers RNN, GRU and Jordan, got {type(layer).__name__}; "
                         "choose one of them, or the algorithm bptt or tbptt")
    several = getattr(layer, "num_layers", 1) > 1 or not layer.causal
    if several or getattr(layer, "drops_weights", False):
        raise ValueError(f"RTRL and UORO take one layer in one direction without weight drop, got {layer!r}; set "
                         "num_layers to 1, bidirectional to false and weight_drop to 0, or choose bptt or tbptt")
    if not layer.input_size:
        raise ValueError(f"{type(layer).__name__} does not know its input size yet; give input_size=..., or pass it an "
                         "input first")
    return _TRANSITIONS[type(layer)](layer)
