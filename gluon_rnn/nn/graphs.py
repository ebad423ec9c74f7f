"""Graph networks: nodes send messages along edges and update their states by a GRU, step after step.

Edges are lists: a message is gathered from where its edge begins, and a node gathers the messages of the edges that end
at it, from a table of their numbers. Work and memory grow with the number of edges. Steps run in MXNet's `foreach`,
each graph as many as it has, so that answers do not depend on which graphs share a batch; see
`gluon_rnn.answers.graphs` for the arrays.

    z, r = sigmoid(W a + U h + b),    n = tanh(W_n a + U_n (r h) + b_n),    h' = (1 - z) h + z n

References
----------
Li, Tarlow, Brockschmidt & Zemel (2016), Gated Graph Sequence Neural Networks, equations (1) to (6).
Gilmer, Schoenholz, Riley, Vinyals & Dahl (2017), Neural Message Passing for Quantum Chemistry, section 2: a message is
a function of both ends and the edge, a GRU makes the update.
"""
from gluon_rnn.nn.checks import check_counts, check_input_size, check_sizes
from gluon_rnn.nn.graph_block import GraphBlock
from gluon_rnn.nn.initializers import default_or
from gluon_rnn.registry import graph_encoders, suggest

__all__ = ["GatedGraphNetwork", "GraphEncoder", "MessagePassingNetwork"]


class GraphEncoder(GraphBlock):
    """Base class: states of nodes, a GRU for their update; a subclass writes `messages`.

    Parameters
    ----------
    hidden_size : int, >= 1
        H.
    input_size : int, default 0
        C, at most H; 0 takes it from the first input.
    edge_kinds : int, default 0
        R; 0 takes what the model says.
    dtype : str, default "float32"

    Inputs
    ------
    queries : (N,) int32
        The nodes whose states are asked for.
    nodes : (M, C) array
        Inputs of the nodes; the first states are these and zeros behind them.
    active : (S, M) array
        1 where a node takes a step, else 0: its state stays.
    sources, targets, kinds : (E,) int32
        Of the edges.
    incoming : (M, D) int32
        1 + number of each edge that ends at a node; 0 is none.

    Outputs
    -------
    (N, H) array, the states of the queried nodes after all steps.
    """

    loops = True

    def __init__(self, hidden_size, input_size=0, edge_kinds=0, dtype="float32", prefix=None, params=None):
        check_sizes(hidden_size=hidden_size)
        check_counts(edge_kinds=edge_kinds, input_size=input_size)
        super().__init__(prefix=prefix, params=params)
        self.hidden_size, self.output_size, self.edge_kinds = hidden_size, hidden_size, edge_kinds
        self.input_size, self._dtype = 0, dtype
        self._add("i2h_weight", (3 * hidden_size, hidden_size), "xavier", 3)
        self._add("h2h_weight", (3 * hidden_size, hidden_size), "xavier", 3)
        self._add("i2h_bias", (3 * hidden_size,), "zeros")
        if input_size:
            self.set_input_size(input_size)

    def _add(self, name, shape, default, gates=1):
        with self.name_scope():
            setattr(self, name, self.params.get(name, shape=shape, init=default_or(None, default, gates),
                                                dtype=self._dtype, allow_deferred_init=True))

    def set_input_size(self, input_size):
        """Take `input_size` for C; ValueError where it is another one, or above H."""
        check_input_size(self, input_size)
        if input_size > self.hidden_size:
            raise ValueError(f"{type(self).__name__} begins with the inputs of the nodes and zeros behind them, so "
                             f"that input_size {input_size} must not be above hidden_size {self.hidden_size}; raise it")
        self.input_size = input_size

    def set_edge_kinds(self, edge_kinds):
        """Take `edge_kinds` for R; ValueError where the weights are for another number."""
        if self.edge_kinds not in (0, edge_kinds):
            raise ValueError(f"{type(self).__name__} has weights for {self.edge_kinds} kinds of edges (edge_kinds), "
                             f"got {edge_kinds}; make them equal, or leave it out")
        self.edge_kinds = edge_kinds

    def forward(self, queries, nodes, active, sources, targets, kinds, incoming):
        """Called by Gluon: check what fits together, then run the block."""
        if hasattr(nodes, "shape"):                                                          # no symbol
            self._check(nodes, active, incoming)
        return super().forward(queries, nodes, active, sources, targets, kinds, incoming)

    def _check(self, nodes, active, incoming):
        if not self.edge_kinds:
            raise ValueError(f"{type(self).__name__} does not know how many kinds of edges there are; give "
                             "edge_kinds=...")
        if nodes.shape[0] != active.shape[1] or nodes.shape[0] != incoming.shape[0]:
            raise ValueError(f"{type(self).__name__} expects nodes (M, C), active (S, M) and incoming (M, D), got "
                             f"{nodes.shape}, {active.shape} and {incoming.shape}")
        self.set_input_size(nodes.shape[1])

    def hybrid_forward(self, F, queries, nodes, active, sources, targets, kinds, incoming, i2h_weight, h2h_weight,
                       i2h_bias, **parameters):
        """Take all steps."""
        states = nodes
        if self.input_size < self.hidden_size:
            behind = F.zeros_like(F.slice_axis(nodes, axis=1, begin=0, end=1))
            states = F.concat(nodes, F.broadcast_axis(behind, axis=1, size=self.hidden_size - self.input_size), dim=1)

        def step(taken, before):
            (h,) = before
            # the loop would add up gradients of places, for which `take` has none
            ends = [F.BlockGrad(places) for places in (sources, targets, kinds)]
            sent = self.messages(F, h, *ends, **parameters)                                   # (E, H)
            received = self._received(F, sent, F.BlockGrad(incoming))                         # (M, H)
            after = self._updated(F, received, h, i2h_weight, h2h_weight, i2h_bias)
            # what does not take the step keeps its state exactly
            taken = F.broadcast_like(F.expand_dims(taken, axis=1), h)
            after = F.where(taken, after, h)
            return F.slice_axis(after, axis=0, begin=0, end=1), [after]

        _, (states,) = F.contrib.foreach(step, F.cast(active, dtype=self._dtype), [states])
        return F.take(states, queries, axis=0, mode="clip")

    def _received(self, F, sent, incoming):
        """Return the sum of the messages to each node; a row of zeros stands for edges that are not there."""
        return F.sum(self._gathered(F, sent, incoming), axis=1)

    def _gathered(self, F, sent, incoming):
        rows = F.concat(F.zeros_like(F.slice_axis(sent, axis=0, begin=0, end=1)), sent, dim=0)
        return F.take(rows, incoming, axis=0, mode="clip")                                    # (M, D, H)

    def _updated(self, F, received, h, i2h_weight, h2h_weight, i2h_bias):
        """Return the new states by a GRU whose reset gate comes before the product."""
        H = self.hidden_size
        gates = F.FullyConnected(received, i2h_weight, i2h_bias, num_hidden=3 * H)
        r, z, n = F.split(gates, num_outputs=3, axis=1)
        of_gates = F.slice_axis(h2h_weight, axis=0, begin=0, end=2 * H)
        of_r, of_z = F.split(F.FullyConnected(h, of_gates, no_bias=True, num_hidden=2 * H), num_outputs=2, axis=1)
        r, z = F.sigmoid(r + of_r), F.sigmoid(z + of_z)
        of_new = F.slice_axis(h2h_weight, axis=0, begin=2 * H, end=3 * H)
        n = F.tanh(n + F.FullyConnected(r * h, of_new, no_bias=True, num_hidden=H))
        return h + z * (n - h)

    def messages(self, F, h, sources, targets, kinds, **parameters):
        """Return the messages (E, H) of all edges from the states h (M, H)."""
        raise NotImplementedError(f"{type(self).__name__} must define messages()")


@graph_encoders.register("ggnn")
class GatedGraphNetwork(GraphEncoder):
    """Gated graph network: an edge of kind r from u sends A_r h_u + b_r; a node adds up what it gets.

    Parameters
    ----------
    hidden_size, input_size, edge_kinds, dtype
        As in `GraphEncoder`.

    Inputs/Outputs
    --------------
    As in `GraphEncoder`.

    References
    ----------
    Li, Tarlow, Brockschmidt & Zemel (2016), equations (1) to (6); the edges' two directions are two kinds there.

    Notes
    -----
    Parameters: ``edge_weight`` (R H, H) and ``edge_bias`` (R H,), ``i2h_weight``, ``h2h_weight`` (3 H, H) and
    ``i2h_bias`` (3 H,) of the gates r, z, n.
    """

    def __init__(self, hidden_size, input_size=0, edge_kinds=0, dtype="float32", prefix=None, params=None):
        super().__init__(hidden_size, input_size, edge_kinds, dtype, prefix, params)
        self._add("edge_weight", (edge_kinds * hidden_size, hidden_size), "xavier")
        self._add("edge_bias", (edge_kinds * hidden_size,), "zeros")

    def set_edge_kinds(self, edge_kinds):
        """Take `edge_kinds` for R; ValueError where the weights are for another number."""
        super().set_edge_kinds(edge_kinds)
        self.edge_weight.shape = (edge_kinds * self.hidden_size, self.hidden_size)
        self.edge_bias.shape = (edge_kinds * self.hidden_size,)

    def messages(self, F, h, sources, targets, kinds, edge_weight, edge_bias):
        """Return A_r h_u + b_r: a product for each node and kind, of which edges take theirs."""
        R, H = self.edge_kinds, self.hidden_size
        sent = F.FullyConnected(h, edge_weight, edge_bias, num_hidden=R * H)
        # a graph has to read all its inputs, and these messages do not depend on where they go
        places = sources * R + kinds + 0 * targets
        return F.take(F.reshape(sent, shape=(-1, H)), places, axis=0, mode="clip")


@graph_encoders.register("message_passing")
class MessagePassingNetwork(GraphEncoder):
    """Messages by a small network of both ends and the kind of the edge; a node adds them up or takes their maximum.

        m = relu(V relu(S h_u + T h_v + b_r) + d)

    Parameters
    ----------
    hidden_size, input_size, edge_kinds, dtype
        As in `GraphEncoder`.
    aggregation : {"sum", "max"}, default "sum"
        Of the messages to a node; 0 where there are none, which is the least that a message has.

    Inputs/Outputs
    --------------
    As in `GraphEncoder`.

    References
    ----------
    Gilmer, Schoenholz, Riley, Vinyals & Dahl (2017), section 2; the maximum as in Xu et al. (2020), What Can Neural
    Networks Reason About?: shortest paths are sums of minima.

    Notes
    -----
    Parameters: ``source_weight``, ``target_weight``, ``message_weight`` (H, H), ``kind_bias`` (R, H), ``message_bias``
    (H,), and those of the GRU as in `GatedGraphNetwork`.
    """

    def __init__(self, hidden_size, input_size=0, edge_kinds=0, aggregation="sum", dtype="float32", prefix=None,
                 params=None):
        if aggregation not in ("sum", "max"):
            raise ValueError(f"unknown aggregation {aggregation!r}; {suggest(aggregation, ['sum', 'max'])}")
        super().__init__(hidden_size, input_size, edge_kinds, dtype, prefix, params)
        self._aggregation = aggregation
        for name in ("source_weight", "target_weight", "message_weight"):
            self._add(name, (hidden_size, hidden_size), "xavier")
        self._add("kind_bias", (edge_kinds, hidden_size), "zeros")
        self._add("message_bias", (hidden_size,), "zeros")

    def set_edge_kinds(self, edge_kinds):
        """Take `edge_kinds` for R; ValueError where the weights are for another number."""
        super().set_edge_kinds(edge_kinds)
        self.kind_bias.shape = (edge_kinds, self.hidden_size)

    def _received(self, F, sent, incoming):
        gathered = self._gathered(F, sent, incoming)
        return F.max(gathered, axis=1) if self._aggregation == "max" else F.sum(gathered, axis=1)

    def messages(self, F, h, sources, targets, kinds, source_weight, target_weight, message_weight, kind_bias,
                 message_bias):
        """Return m of each edge; the products of its ends are made a node, not an edge."""
        H = self.hidden_size

        def at(ends, weight):
            return F.take(F.FullyConnected(h, weight, no_bias=True, num_hidden=H), ends, axis=0, mode="clip")

        inner = F.relu(at(sources, source_weight) + at(targets, target_weight)
                       + F.take(kind_bias, kinds, axis=0, mode="clip"))
        return F.relu(F.FullyConnected(inner, message_weight, message_bias, num_hidden=H))
