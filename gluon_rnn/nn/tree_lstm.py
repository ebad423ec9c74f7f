"""Tree-LSTMs: a memory cell a node, with a forget gate for each of its children.

With x the node's input, h_k and c_k the states of its children, gates i, f, g, o:

    child-sum        s = sum_k h_k
                     i, g, o = W x + b + U s,    f_k = W_f x + b_f + U_f h_k
    N-ary            i, g, o = W x + b + sum_l U_l h_l,    f_k = W_f x + b_f + sum_l U_{f,kl} h_l
    both             c = sigmoid(i) tanh(g) + sum_k sigmoid(f_k) c_k,    h = sigmoid(o) tanh(c)

References
----------
Tai, Socher & Manning (2015), Improved Semantic Representations From Tree-Structured Long Short-Term Memory Networks,
equations (2) to (8), child-sum, and (9) to (14), N-ary; "binary" where there are two children.
"""
import mxnet as mx

from gluon_rnn.nn.trees import TreeEncoder
from gluon_rnn.registry import tree_encoders

__all__ = ["ChildSumTreeLSTM", "NaryTreeLSTM"]


class _TreeLSTM(TreeEncoder):
    """What both share: inputs of four gates i, f, g, o, and how a cell remembers."""

    num_states = 2

    def __init__(self, hidden_size, input_size=0, max_children=0, i2h_weight_initializer=None,
                 h2h_weight_initializer=None, i2h_bias_initializer=None, dtype="float32", prefix=None, params=None):
        super().__init__(hidden_size, input_size, max_children, dtype, prefix, params)
        self._add("i2h_weight", 4 * hidden_size, input_size, i2h_weight_initializer, "xavier")
        self._add("i2h_bias", 4 * hidden_size, init=i2h_bias_initializer, default=mx.init.LSTMBias(1.0))
        self._add("h2h_weight", *self._h2h_shape(max_children), h2h_weight_initializer, "xavier")

    def _h2h_shape(self, max_children):
        """Return the shape of h2h_weight."""
        raise NotImplementedError(f"{type(self).__name__} must define _h2h_shape()")

    def node_states(self, F, inputs, children, i2h_weight, i2h_bias, h2h_weight):
        """Return h and c (n, H); see the module."""
        H = self.hidden_size
        gates = F.FullyConnected(inputs, i2h_weight, i2h_bias, num_hidden=4 * H)              # (n, 4 H)
        i, f, g, o = F.split(gates, num_outputs=4, axis=1)
        kept = 0
        if children is not None:
            h, c = children                                                                  # (n, K, H)
            (i, g, o), f = self._add_children(F, (i, g, o), f, h, h2h_weight)                # f (n, K, H)
            kept = F.sum(F.sigmoid(f) * c, axis=1)
        cell = F.sigmoid(i) * F.tanh(g) + kept
        return F.sigmoid(o) * F.tanh(cell), cell


@tree_encoders.register("child_sum_tree_lstm")
class ChildSumTreeLSTM(_TreeLSTM):
    """Child-sum Tree-LSTM: any number of children, whose order makes no difference.

    Parameters
    ----------
    hidden_size : int, >= 1
        H.
    input_size : int, default 0
        C; 0 takes it from the first input.
    max_children : int, default 0
        Taken for the other encoders' sake; the weights are the same for any number.
    i2h_weight_initializer, h2h_weight_initializer : str or Initializer, optional
        By default Xavier's.
    i2h_bias_initializer : str or Initializer, optional
        By default `mxnet.init.LSTMBias`: a forget bias of 1.
    dtype : str, default "float32"

    Inputs/Outputs
    --------------
    As in `gluon_rnn.nn.trees.TreeEncoder`.

    Notes
    -----
    Parameters: ``i2h_weight`` (4 H, C) and ``i2h_bias`` (4 H,) of i, f, g, o; ``h2h_weight`` (4 H, H) likewise.
    """

    fixed_children = False

    def _h2h_shape(self, max_children):
        return 4 * self.hidden_size, self.hidden_size

    def _add_children(self, F, gates, f, h, weight):
        H = self.hidden_size
        of_f = F.slice_axis(weight, axis=0, begin=H, end=2 * H)
        others = F.concat(F.slice_axis(weight, axis=0, begin=0, end=H),
                          F.slice_axis(weight, axis=0, begin=2 * H, end=4 * H), dim=0)
        summed = F.FullyConnected(F.sum(h, axis=1), others, no_bias=True, num_hidden=3 * H)
        added = F.split(summed, num_outputs=3, axis=1)
        f = F.broadcast_add(F.expand_dims(f, axis=1),
                            F.FullyConnected(h, of_f, no_bias=True, num_hidden=H, flatten=False))
        return [gate + more for gate, more in zip(gates, added)], f


@tree_encoders.register("nary_tree_lstm")
class NaryTreeLSTM(_TreeLSTM):
    """N-ary Tree-LSTM: weights of their own for the first, second, ... child; binary with two.

    Parameters
    ----------
    hidden_size : int, >= 1
        H.
    input_size : int, default 0
        C; 0 takes it from the first input.
    max_children : int, default 0
        K, 2 for the binary one; 0 takes it from the first batch. Nodes may have fewer.
    i2h_weight_initializer, h2h_weight_initializer : str or Initializer, optional
        By default Xavier's.
    i2h_bias_initializer : str or Initializer, optional
        By default `mxnet.init.LSTMBias`: a forget bias of 1.
    dtype : str, default "float32"

    Inputs/Outputs
    --------------
    As in `gluon_rnn.nn.trees.TreeEncoder`.

    Notes
    -----
    Parameters: ``i2h_weight`` (4 H, C) and ``i2h_bias`` (4 H,) of i, f, g, o; ``h2h_weight`` ((3 + K) H, K H), rows i,
    g, o, f_1 to f_K, one block of columns a child.
    """

    def _h2h_shape(self, max_children):
        return ((3 + max_children) * self.hidden_size if max_children else 0), max_children * self.hidden_size

    def set_max_children(self, max_children):
        """Take `max_children` for K; ValueError where the weights are for another number."""
        super().set_max_children(max_children)
        self.h2h_weight.shape = self._h2h_shape(max_children)

    def _add_children(self, F, gates, f, h, weight):
        H, K = self.hidden_size, self.max_children
        added = F.split(F.FullyConnected(h, weight, no_bias=True, num_hidden=(3 + K) * H), num_outputs=3 + K, axis=1)
        f = F.broadcast_add(F.expand_dims(f, axis=1), F.stack(*added[3:], axis=1))
        return [gate + more for gate, more in zip(gates, added[:3])], f
