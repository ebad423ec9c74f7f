r"""Jordan network: the output, not the hidden layer, is fed back at the next step.

With the context s_t, an exponentially weighted sum of all outputs before t:

    h_t = f(W x_t + b_i + R s_t + b_h)
    y_t = g(V h_t + b_o)
    s_{t+1} = decay * s_t + y_t

s_t is the state, one array (N, K). Without decay it is y_{t-1}.

Under teacher forcing the measured output replaces y_t in the last line. No step then depends on a hidden layer: the
contexts of all T are weighted sums of given numbers, and both matrix products run over all T at once.

References
----------
Jordan (1986), Serial Order: A Parallel Distributed Processing Approach, ICS Report 8604: plan (here the inputs) and
state units with decay mu. Williams and Zipser (1989), section 4: teacher forcing.
"""
import mxnet as mx

from gluon_rnn.nn import functional
from gluon_rnn.nn.cells import RecurrentCell, activate
from gluon_rnn.nn.checks import check_activation, check_features, check_rates, check_sizes
from gluon_rnn.nn.delay import require_input_size
from gluon_rnn.nn.feedback import FeedbackNetwork, can_fuse, must_loop
from gluon_rnn.nn.initializers import default_or
from gluon_rnn.nn.shared import extends
from gluon_rnn.nn.stacked import LoopedLayer
from gluon_rnn.nn.unroll import loop, single_step, unroll
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
    decay, activation, output_activation, initializers
        As in `Jordan`.
    prefix, params
        Of `mxnet.gluon.Block`.
    """

    h2h_default = "xavier"

    @extends(RecurrentCell, without=("recurrent_size",))
    def __init__(self, hidden_size, output_size, input_size=0, *, decay=0.0, activation="tanh",
                 output_activation="identity", h2o_weight_initializer=None, h2o_bias_initializer="zeros", **options):
        check_sizes(hidden_size=hidden_size, output_size=output_size)
        check_rates(decay=decay)
        check_activation(activation, "activation", ACTIVATIONS)
        check_activation(output_activation, "output_activation", ACTIVATIONS)
        super().__init__(hidden_size, input_size, recurrent_size=output_size, **options)
        self._decay, self._activation, self._output_activation = decay, activation, output_activation
        self._register("h2o_weight", (output_size, hidden_size), default_or(h2o_weight_initializer, "xavier"))
        self._register("h2o_bias", (output_size,), h2o_bias_initializer)

    def state_info(self, batch_size=0):
        """Return (N, K) for the context."""
        return [{"shape": (batch_size, self.output_size), "__layout__": "NC"}]

    def respond(self, F, projected, context, parameters):
        """Return y (..., N, K) for W x + b_i (..., N, H) and the context (..., N, K)."""
        h = activate(F, F.broadcast_add(projected, self._recurrent(F, context, parameters)), self._activation)
        return activate(F, self.read_out(F, h, parameters), self._output_activation)

    def read_out(self, F, h, parameters):
        """Return V h + b_o, (..., N, K)."""
        return F.FullyConnected(h, parameters["h2o_weight"], parameters["h2o_bias"], num_hidden=self.output_size,
                                flatten=False)

    def layers(self):
        """Return sizes and activations of what feedback passes through: h, and y unless it is linear."""
        if self._output_activation == "identity":
            return (self.hidden_size,), (self._activation,)
        return (self.hidden_size, self.output_size), (self._activation, self._output_activation)

    def as_feedback(self, F, parameters, dtype):
        """Return `parameters` by the names of `gluon_rnn.nn.feedback.FeedbackNetwork.run`, contexts being outputs."""
        identity = F.eye(self.output_size, dtype=dtype)
        layers = [(parameters["i2h_weight"], F.broadcast_add(parameters["i2h_bias"], parameters["h2h_bias"]))]
        output, bias = parameters["h2o_weight"], parameters["h2o_bias"]
        if self._output_activation != "identity":
            layers.append((output, bias))
            output, bias = identity, F.zeros((self.output_size,), dtype=dtype)
        return {"layers": layers, "feedback": parameters["h2h_weight"], "output": output, "output_bias": bias,
                "skip": None, "skip_feedback": self._decay * identity if self._decay else None}

    def next_context(self, context, y):
        """Return the context after an output y, both (N, K)."""
        return self._decay * context + y if self._decay else y

    def step(self, F, projected, states, parameters):
        """Return y and the context that it leaves."""
        y = self.respond(F, projected[0], states[0], parameters)
        return y, [self.next_context(states[0], y)]


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
    i2h_weight_initializer, h2h_weight_initializer, h2o_weight_initializer : str or Initializer, optional
        Of W (H, C), R (H, K) and V (K, H). None, here and below, takes the initializer that `initialize` is given.
    i2h_bias_initializer, h2h_bias_initializer, h2o_bias_initializer : str or Initializer, default "zeros"
    dtype : {"float32", "float64"}, default "float32"
    backend, prefix, params
        As in `gluon_rnn.nn.contract.SequenceBlock`.

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

    Examples
    --------
    >>> layer = Jordan(8, output_size=1, decay=0.5); layer.initialize()
    >>> inputs, measured = mx.nd.ones((5, 3, 4)), mx.nd.ones((5, 3, 1))
    >>> outputs, states = layer(inputs, layer.begin_state(3), None, measured)
    >>> free, states = layer(inputs, states)
    >>> free.shape, states[0].shape
    ((5, 3, 1), (3, 1))
    """

    @extends(JordanCell)
    def __init__(self, hidden_size, output_size=None, layout="TNC", input_size=0, *, dtype="float32", backend=None,
                 prefix=None, params=None, **options):
        super().__init__(layout=layout, dtype=dtype, backend=backend, prefix=prefix, params=params)
        with self.name_scope():
            self.l0 = JordanCell(hidden_size, hidden_size if output_size is None else output_size, input_size,
                                 prefix="l0_", **options)
        self._decay = options.get("decay", 0.0)
        self.cast(self._dtype)

    def cast(self, dtype):
        """Cast parameters and default states to `dtype`."""
        super().cast(dtype)
        self._fused = can_fuse(*self.l0.layers(), self.output_size, self._dtype)

    def state_info(self, batch_size=0):
        """Return shape (N, K) for the context."""
        return self.l0.state_info(batch_size)

    def __call__(self, inputs, states=None, valid_length=None, targets=None):
        if targets is None:
            return super().__call__(inputs, states, valid_length)
        inputs, targets = self._taken("inputs", inputs), self._taken("targets", targets)
        if isinstance(targets, mx.nd.NDArray):
            name, expected = type(self).__name__, (*inputs.shape[:2], self.output_size)
            if targets.shape[:2] != expected[:2]:
                raise ValueError(f"{name} expects targets of shape {expected}, one output a step, got {targets.shape}")
            check_features(name, targets, self.output_size, self._dtype, "target")
        return super().__call__(inputs, states, valid_length, targets)

    @property
    def loops(self):
        """Whether it runs in a loop: False where it is one fused operator, `gluon_rnn.nn.feedback`."""
        return not self._fused

    @property
    def fused_size(self):
        """States of the fused operator; 0 where it runs in a loop."""
        return self._network().state_size if self._fused else 0

    def forward_sequence(self, F, inputs, states, valid_length, targets=None, **_):
        """Run (T, N, C) freely, or with `targets` (T, N, K) as what is fed back."""
        if targets is not None:
            return self._forced(F, inputs, targets, states[0], valid_length)
        if self.loops or must_loop(F):
            return unroll(F, self.l0, inputs, states, valid_length)
        return self._run_fused(F, inputs, states[0], valid_length)

    def _run_fused(self, F, inputs, context, valid_length):
        """Run freely; what the network feeds back, seen as its output, is s_{t+1} = V h_t + b_o + decay * s_t."""
        require_input_size(self)
        if valid_length is not None:
            inputs = functional.mask(F, inputs, valid_length)
        cell, parameters, network = self.l0, self.l0.values(inputs), self._network()
        weights = cell.as_feedback(F, parameters, self._dtype)
        contexts, hidden = network.run(F, inputs, context, weights)       # s_{t+1} at t
        outputs = contexts
        if self._decay:                                                   # s_{t+1} - decay * s_t would cancel digits
            outputs = hidden if len(network.hidden_sizes) > 1 else cell.read_out(F, hidden, parameters)
        return self._ended(F, outputs, contexts, context, valid_length)

    def _network(self):
        return FeedbackNetwork(self.input_size, *self.l0.layers(), self.output_size, 1, self._dtype)

    def _forced(self, F, inputs, targets, context, valid_length):
        """Run with the contexts that measured outputs leave: all steps at once."""
        inputs, targets = (functional.mask(F, sequence, valid_length) for sequence in (inputs, targets))
        contexts = self._decayed_sum(F, targets, context)                  # s_{t+1} at t
        extended = F.concat(F.expand_dims(context, axis=0), contexts, dim=0)
        before = F.slice_like(extended, contexts, axes=(0,))              # s_t at t
        parameters = self.l0.prepare(F, self.l0.values(inputs), [context])
        outputs = self.l0.respond(F, self.l0.project(F, inputs, parameters)[0], before, parameters)
        return self._ended(F, outputs, contexts, context, valid_length)

    def one_step(self, F, inputs, states):
        """Compute a single step without a loop: (1, N, C) to (1, N, K) and the context."""
        return single_step(F, self.l0, inputs, states)

    def _decayed_sum(self, F, targets, context):
        """Return s_{t+1} = decay * s_t + y_t for given y (T, N, K): a linear network without a layer."""
        if not self._decay:
            return targets
        if self.loops or must_loop(F):
            def step(F, slices, states, _):
                new = self.l0.next_context(states[0], slices[0])
                return new, [new]

            return loop(F, step, [targets], [context], {})[0]
        size = self.output_size
        identity = F.eye(size, dtype=self._dtype)
        return FeedbackNetwork(size, (), (), size, 1, self._dtype).run(F, targets, context, {
            "skip": identity, "skip_feedback": self._decay * identity,
            "output_bias": F.zeros((size,), dtype=self._dtype)})[0]

    def _ended(self, F, outputs, contexts, begin, valid_length):
        """Return outputs, 0 past each row's length, and the context after its last valid step."""
        if valid_length is None:
            return outputs, [F.reshape(F.slice_axis(contexts, axis=0, begin=-1, end=None), shape=(-3, 0))]
        return functional.mask(F, outputs, valid_length), [functional.last_valid(F, contexts, valid_length, begin)]
