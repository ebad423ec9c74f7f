r"""Jordan network: the output, not the hidden layer, is what comes back at the next step.

With the context s_t, a fading sum of all outputs before t:

    h_t = f(W x_t + b_i + R s_t + b_h)
    y_t = g(V h_t + b_o)
    s_{t+1} = decay * s_t + y_t

s_t is the state, one array (N, K). Without decay it is y_{t-1}.

Under teacher forcing the measured output stands in for y_t in the last line. No step then waits for a hidden layer: the
contexts of all T are a fading sum of given numbers, and both matrix products run over all T at once.

References
----------
Jordan (1986), Serial Order: A Parallel Distributed Processing Approach, ICS Report 8604: plan (here the inputs) and
state units with decay mu. Williams and Zipser (1989), section 4: teacher forcing.
"""
import mxnet as mx

from gluon_rnn.nn import lengths
from gluon_rnn.nn.cells import RecurrentCell, activate
from gluon_rnn.nn.checks import check_features, check_rates, check_sizes
from gluon_rnn.nn.stacked import LoopedLayer
from gluon_rnn.nn.unroll import single_step, unroll
from gluon_rnn.registry import encoders

__all__ = ["Jordan", "JordanCell"]

ACTIVATIONS = ("identity", "tanh", "sigmoid", "relu")


class JordanCell(RecurrentCell):
    """One step of a Jordan network: (N, C) and [s] of (N, K) to y (N, K) and [decay * s + y].

    Parameters
    ----------
    hidden_size, output_size : int
        H and K.
    input_size : int, default 0
    decay, activation, output_activation, h2o_weight_initializer, h2o_bias_initializer
        As in `Jordan`.
    """

    def __init__(self, hidden_size, output_size, input_size=0, *, decay=0.0, activation="tanh",
                 output_activation="identity", h2o_weight_initializer="xavier", h2o_bias_initializer="zeros",
                 h2h_weight_initializer="xavier", **kwargs):
        super().__init__(hidden_size, input_size, recurrent_size=output_size,
                         h2h_weight_initializer=h2h_weight_initializer, **kwargs)
        self._decay, self._activation, self._output_activation = decay, activation, output_activation
        self._register("h2o_weight", (output_size, hidden_size), h2o_weight_initializer)
        self._register("h2o_bias", (output_size,), h2o_bias_initializer)

    def state_info(self, batch_size=0):
        """Return (N, K) for the context."""
        return [{"shape": (batch_size, self.output_size), "__layout__": "NC"}]

    def respond(self, F, projected, context, parameters):
        """Return y (..., N, K) for W x + b_i (..., N, H) and the context (..., N, K)."""
        h = activate(F, projected + self._recurrent(F, context, parameters), self._activation)
        y = F.FullyConnected(h, parameters["h2o_weight"], parameters["h2o_bias"], num_hidden=self.output_size,
                             flatten=False)
        return activate(F, y, self._output_activation)

    def fade(self, context, y):
        """Return the context after an output y, both (N, K)."""
        return self._decay * context + y if self._decay else y

    def step(self, F, projected, states, parameters):
        """Return y and the context that it leaves."""
        y = self.respond(F, projected[0], states[0], parameters)
        return y, [self.fade(states[0], y)]


@encoders.register("jordan")
class Jordan(LoopedLayer):
    """Jordan network, output fed back through context units that decay: (T, N, C) to (T, N, K).

    Parameters
    ----------
    hidden_size : int
        H.
    output_size : int, optional
        K; default H.
    layout : {"TNC", "NTC"}, default "TNC"
    input_size : int, default 0
        C; 0 takes it from the first input.
    decay : float in [0, 1), default 0
        What a context unit keeps of itself at each step.
    activation, output_activation : {"identity", "tanh", "sigmoid", "relu"}, default "tanh", "identity"
        f and g.
    i2h_weight_initializer, h2h_weight_initializer, h2o_weight_initializer : str or Initializer, default "xavier"
        Of W (H, C), R (H, K) and V (K, H).
    i2h_bias_initializer, h2h_bias_initializer, h2o_bias_initializer : str or Initializer, default "zeros"
    dtype : {"float32", "float64"}, default "float32"

    Inputs/Outputs
    --------------
    inputs (T, N, C), states [s] of (N, K), valid_length (N,), targets (T, N, K) or None -> outputs (T, N, K), states.
    `targets` are measured outputs: ``targets[t]`` takes the place of the network's own output at t in all later steps
    (teacher forcing); without them it feeds back its own. Outputs past `valid_length` are 0.

    Raises
    ------
    ValueError
        If a size, rate, activation or shape does not fit.

    Notes
    -----
    States may pass from a teacher-forced call to a free one: a washout on measured outputs, then free run. A known last
    output y is the state ``[y]``.

    Example
    -------
    >>> layer = Jordan(8, output_size=1, decay=0.5); layer.initialize()
    >>> inputs, measured = mx.nd.ones((5, 3, 4)), mx.nd.ones((5, 3, 1))
    >>> outputs, states = layer(inputs, layer.begin_state(3), None, measured)
    >>> free, states = layer(inputs, states)
    >>> free.shape, states[0].shape
    ((5, 3, 1), (3, 1))
    """

    def __init__(self, hidden_size, output_size=None, layout="TNC", input_size=0, *, decay=0.0, activation="tanh",
                 output_activation="identity", i2h_weight_initializer="xavier", h2h_weight_initializer="xavier",
                 h2o_weight_initializer="xavier", i2h_bias_initializer="zeros", h2h_bias_initializer="zeros",
                 h2o_bias_initializer="zeros", **kwargs):
        super().__init__(layout=layout, **kwargs)
        output_size = hidden_size if output_size is None else output_size
        check_sizes(hidden_size=hidden_size, output_size=output_size)
        check_rates(decay=decay)
        for name, value in (("activation", activation), ("output_activation", output_activation)):
            if value not in ACTIVATIONS:
                raise ValueError(f"{name} must be one of {', '.join(ACTIVATIONS)}, got {value!r}")
        with self.name_scope():
            self.l0 = JordanCell(
                hidden_size, output_size, input_size, prefix="l0_", decay=decay, activation=activation,
                output_activation=output_activation, i2h_weight_initializer=i2h_weight_initializer,
                h2h_weight_initializer=h2h_weight_initializer, h2o_weight_initializer=h2o_weight_initializer,
                i2h_bias_initializer=i2h_bias_initializer, h2h_bias_initializer=h2h_bias_initializer,
                h2o_bias_initializer=h2o_bias_initializer)
        self.cast(self._dtype)

    def state_info(self, batch_size=0):
        """Return shape (N, K) for the context."""
        return self.l0.state_info(batch_size)

    def __call__(self, inputs, states=None, valid_length=None, targets=None):
        if targets is None:
            return super().__call__(inputs, states, valid_length)
        if isinstance(targets, mx.nd.NDArray):
            name, expected = type(self).__name__, (*inputs.shape[:2], self.output_size)
            if targets.shape[:2] != expected[:2]:
                raise ValueError(f"{name} expects targets of shape {expected}, one output a step, got {targets.shape}")
            check_features(name, targets, self.output_size, self._dtype, "target")
        return super().__call__(inputs, states, valid_length, targets)

    def forward_sequence(self, F, inputs, states, valid_length, targets=None, **_):
        """Run (T, N, C) freely, or with `targets` (T, N, K) as what is fed back."""
        if targets is None:
            return unroll(F, self.l0, inputs, states, valid_length)
        inputs, targets = (lengths.mask(F, sequence, valid_length) for sequence in (inputs, targets))
        contexts, last = self._contexts(F, inputs, targets, states[0], valid_length)
        parameters = self.l0.values(inputs)
        outputs = self.l0.respond(F, self.l0.project(F, inputs, parameters)[0], contexts, parameters)
        return lengths.mask(F, outputs, valid_length), [last]

    def one_step(self, F, inputs, states):
        """Compute a single step without a loop: (1, N, C) to (1, N, K) and the context."""
        return single_step(F, self.l0, inputs, states)

    def _contexts(self, F, inputs, targets, begin, valid_length):
        """Return the context (T, N, K) of every step and the one (N, K) after each row's last valid step."""
        valid = 1 - lengths.padding_indicator(F, inputs, valid_length)    # (T, N, 1)

        def step(slices, context):
            target, is_valid = slices
            new = self.l0.fade(context, target)
            return context, F.where(F.broadcast_like(is_valid, new), new, context)

        return F.contrib.foreach(step, [targets, valid], begin)
