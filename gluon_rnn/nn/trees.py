"""Recursive networks: a tree becomes the vector of its root, all nodes of one height of all trees in one product.

A subclass computes the states of a level of nodes from their inputs and the states of their children. Levels run in
MXNet's `foreach` over a delay line of the levels below, so that one graph takes any number of levels; see
`gluon_rnn.answers.trees` for the arrays.
"""
from gluon_rnn.nn.checks import check_activation, check_counts, check_input_size, check_sizes
from gluon_rnn.nn.graph_block import GraphBlock
from gluon_rnn.nn.initializers import default_or
from gluon_rnn.registry import tree_encoders

__all__ = ["RecursiveNetwork", "TreeEncoder"]


class TreeEncoder(GraphBlock):
    """Base class of recursive networks.

    A subclass makes its parameters in the constructor and writes `node_states`; `num_states` says how many arrays a
    node has, the first being its output.

    Parameters
    ----------
    hidden_size : int, >= 1
        H.
    input_size : int, default 0
        C; 0 takes it from the first input.
    max_children : int, default 0
        K, where children in different places have weights of their own; 0 takes it from the first batch.
    dtype : str, default "float32"

    Inputs
    ------
    roots : (N,) int32
    leaves : (P, C) array
        Inputs of the leaves.
    inner : (L, W, C) array
        Inputs of the inner nodes of each level; zeros where a node has none.
    children : (L, W, K) int32
        As in `gluon_rnn.answers.trees`.

    Outputs
    -------
    (N, H) array, the output of each root.
    """

    num_states = 1
    loops = True
    #: whether the number of children is that of the weights
    fixed_children = True

    def __init__(self, hidden_size, input_size=0, max_children=0, dtype="float32", prefix=None, params=None):
        check_sizes(hidden_size=hidden_size)
        check_counts(max_children=max_children, input_size=input_size)
        super().__init__(prefix=prefix, params=params)
        self.hidden_size, self.output_size, self.max_children = hidden_size, hidden_size, max_children
        self.input_size, self._dtype = input_size, dtype

    def _add(self, name, rows, columns=None, init=None, default="zeros"):
        """Make a parameter (rows, columns), or a vector (rows,)."""
        shape = (rows,) if columns is None else (rows, columns)
        with self.name_scope():
            setattr(self, name, self.params.get(name, shape=shape, init=default_or(init, default), dtype=self._dtype,
                                                allow_deferred_init=True))

    def set_input_size(self, input_size):
        """Take `input_size` for C; ValueError where the block has another one."""
        check_input_size(self, input_size)
        self.input_size = input_size
        self.i2h_weight.shape = (self.i2h_weight.shape[0], input_size)

    def set_max_children(self, max_children):
        """Take `max_children` for K; ValueError where the weights are for another number."""
        if self.fixed_children and self.max_children not in (0, max_children):
            raise ValueError(f"{type(self).__name__} has weights for {self.max_children} children a node "
                             f"(max_children), got {max_children}; make the trees binary, or take "
                             "child_sum_tree_lstm, which sums over any number")
        self.max_children = max_children

    def hybrid_forward(self, F, roots, leaves, inner, children, **parameters):
        """Compute the leaves at once, then level by level."""
        H = self.hidden_size
        at_leaves = self._levels(F, leaves, None, parameters)                             # (P, H) each
        tables = [F.concat(F.zeros_like(F.slice_axis(state, axis=0, begin=0, end=1)), state, dim=0)
                  for state in at_leaves]
        places = F.reshape(F.slice_axis(children, axis=2, begin=0, end=1), shape=(-1, 1))  # (L W, 1)
        empty = F.broadcast_axis(F.zeros_like(F.cast(places, dtype=self._dtype)), axis=1, size=H)

        def level(slices, lines):
            inputs, below = slices                                                        # (W, C), (W, K)
            found = [F.take(F.concat(line, table, dim=0), below, axis=0, mode="clip")     # (W, K, H)
                     for line, table in zip(lines, tables)]
            states = self._levels(F, inputs, found, parameters)
            after = [F.concat(state, line, dim=0) for state, line in zip(states, lines)]
            return states[0], [F.slice_like(longer, line, axes=(0,)) for longer, line in zip(after, lines)]

        # foreach asks for states with names of their own
        begin = [F.identity(empty) for _ in range(self.num_states)]
        outputs, _ = F.contrib.foreach(level, [inner, children], begin)
        return F.take(F.concat(F.reshape(outputs, shape=(-1, H)), at_leaves[0], dim=0), roots, axis=0, mode="clip")

    def _levels(self, F, inputs, children, parameters):
        states = self.node_states(F, inputs, children, **parameters)
        return list(states) if isinstance(states, (list, tuple)) else [states]

    def node_states(self, F, inputs, children, **parameters):
        """Return the states (n, H) of n nodes.

        Parameters
        ----------
        inputs : (n, C)
        children : list of (n, K, H), or None for leaves
            Each state of the children, 0 where there is none.
        parameters
        """
        raise NotImplementedError(f"{type(self).__name__} must define node_states()")

    def forward(self, roots, leaves, inner, children):
        """Called by Gluon: check what fits together, then run the block."""
        self._check(roots, leaves, inner, children)
        return super().forward(roots, leaves, inner, children)

    def _check(self, roots, leaves, inner, children):
        if not hasattr(leaves, "shape"):                                                  # a symbol
            return
        name, (L, W, K) = type(self).__name__, children.shape
        if inner.shape[:2] != (L, W) or leaves.shape[1:] != inner.shape[2:]:
            raise ValueError(f"{name} expects leaves (P, C), inner (L, W, C) and children (L, W, K), got "
                             f"{leaves.shape}, {inner.shape} and {children.shape}")
        self.set_max_children(K)
        self.set_input_size(leaves.shape[1])


@tree_encoders.register("recursive")
class RecursiveNetwork(TreeEncoder):
    """The recursive network: one matrix for each place of a child.

        h = act(W x + b + sum_k U_k h_k)

    A leaf has no children, so that its vector is act(W x + b).

    Parameters
    ----------
    hidden_size, input_size, max_children, dtype
        As in `TreeEncoder`.
    activation : str, default "tanh"
        Of `gluon_rnn.nn.checks.ACTIVATIONS`.
    i2h_weight_initializer, h2h_weight_initializer : str or Initializer, optional
        By default Xavier's.
    i2h_bias_initializer : str or Initializer, optional
        By default zeros.

    Inputs/Outputs
    --------------
    As in `TreeEncoder`.

    References
    ----------
    Socher, Lin, Ng & Manning (2011), Parsing Natural Scenes and Natural Language with Recursive Neural Networks:
    p = f(W [c_1; c_2] + b). W x, the symbol of an inner node, is added here.

    Notes
    -----
    Parameters: ``i2h_weight`` (H, C), ``i2h_bias`` (H,), ``h2h_weight`` (H, K H), one block of columns a place.
    """

    def __init__(self, hidden_size, input_size=0, max_children=0, activation="tanh", i2h_weight_initializer=None,
                 h2h_weight_initializer=None, i2h_bias_initializer=None, dtype="float32", prefix=None, params=None):
        check_activation(activation)
        super().__init__(hidden_size, input_size, max_children, dtype, prefix, params)
        self._activation = activation
        self._add("i2h_weight", hidden_size, input_size, i2h_weight_initializer, "xavier")
        self._add("i2h_bias", hidden_size, init=i2h_bias_initializer)
        self._add("h2h_weight", hidden_size, max_children * hidden_size, h2h_weight_initializer, "xavier")

    def set_max_children(self, max_children):
        """Take `max_children` for K; ValueError where the weights are for another number."""
        super().set_max_children(max_children)
        self.h2h_weight.shape = (self.hidden_size, max_children * self.hidden_size)

    def node_states(self, F, inputs, children, i2h_weight, i2h_bias, h2h_weight):
        """Return h (n, H)."""
        total = F.FullyConnected(inputs, i2h_weight, i2h_bias, num_hidden=self.hidden_size)
        if children is not None:
            total = total + F.FullyConnected(children[0], h2h_weight, no_bias=True, num_hidden=self.hidden_size)
        return total if self._activation == "identity" else F.Activation(total, act_type=self._activation)
