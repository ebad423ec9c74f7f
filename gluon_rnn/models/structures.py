"""Which class a tree, or a node of a graph, belongs to, over any tree or graph encoder.

    x = E[symbol]            0 for nodes without one
    h = encoder(x, ...)      of the root, or of the node that is asked about
    o = W h + b              logits of K classes
"""
import mxnet as mx
import numpy as np

from gluon_rnn.nn.checks import check_rates, check_sizes
from gluon_rnn.nn.graph_block import GraphBlock
from gluon_rnn.registry import graph_encoders, models, tree_encoders

__all__ = ["GraphClassifier", "TreeClassifier"]


class _StructureClassifier(GraphBlock):
    """What both share: embedding, dropout and output layer around an encoder.

    Attributes
    ----------
    structure : str
        What the model takes; the `structure` of a reader.
    input_names : tuple of str
        The arguments of a call, in order.
    """

    structure = None
    input_names = ()
    loops = True
    causal = False

    def __init__(self, encoder, num_classes, vocab_size, embed_size=None, dropout=0.0, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        embed_size = encoder.hidden_size if embed_size is None else embed_size
        check_sizes(num_classes=num_classes, vocab_size=vocab_size, embed_size=embed_size)
        check_rates(dropout=dropout)
        self._dtype, self._dropout = encoder._dtype, dropout
        self.output_size, self.vocab_size, self._embed_size = num_classes, vocab_size, embed_size
        encoder.set_input_size(embed_size)
        with self.name_scope():
            self.encoder = encoder
            self._make("embedding_weight", (vocab_size, embed_size), mx.init.Uniform(0.1))
            self._make("output_weight", (num_classes, encoder.output_size), mx.init.Xavier())
            self._make("output_bias", (num_classes,), "zeros")

    def _make(self, name, shape, init):
        setattr(self, name, self.params.get(name, shape=shape, init=init, dtype=self._dtype))

    def begin_state(self, batch_size=0, **kwargs):
        """Return no states: a structure is answered at once."""
        return []

    def _embed(self, F, ids, weight):
        vectors = F.Embedding(ids, weight, input_dim=self.vocab_size, output_dim=self._embed_size, dtype=self._dtype)
        return F.Dropout(vectors, p=self._dropout) if self._dropout else vectors

    def _classes(self, F, found, weight, bias):
        found = F.Dropout(found, p=self._dropout) if self._dropout else found
        return F.FullyConnected(found, weight, bias, num_hidden=self.output_size)

    def _check_ids(self, what, ids, limit):
        """Raise ValueError for ids outside of 0 to `limit` - 1; those on a GPU are not read, which would wait."""
        if not isinstance(ids, mx.nd.NDArray) or ids.context.device_type == "gpu":
            return
        values = ids.asnumpy()
        if values.size and not (values.min() >= 0 and values.max() < limit):
            wrong = values[(values < 0) | (values >= limit)].flat[0]
            raise ValueError(f"{type(self).__name__}: {what} must lie between 0 and {limit - 1}, got {wrong}; batches "
                             "are made by the reader of the data, reader.batch([...])")


@models.register("tree_classifier")
class TreeClassifier(_StructureClassifier):
    """Which of K classes a tree belongs to.

    Parameters
    ----------
    encoder : HybridBlock
        A `gluon_rnn.nn.trees.TreeEncoder`.
    num_classes : int, >= 1
        K.
    vocab_size : int, >= 1
        V, number of symbols; id 0 is no symbol.
    max_children : int, default 2
        The largest number of children of a node, for encoders with weights for each.
    embed_size : int, optional
        Size of an embedded symbol; default the encoder's `hidden_size`.
    dropout : float in [0, 1), default 0
        Rate on embedded symbols, and on the vector of the root.

    Inputs
    ------
    roots, leaves, symbols, children : int32 arrays
        As in `gluon_rnn.answers.trees`.

    Outputs
    -------
    (N, K) array of logits.

    Raises
    ------
    ValueError
        If an id or a place is out of range, or a node has more children than the encoder has weights for.

    Notes
    -----
    Names in a parameter file: ``embedding_weight``, ``output_weight``, ``output_bias``, ``encoder.*``.

    Examples
    --------
    >>> from gluon_rnn.answers.trees import TreeReader
    >>> from gluon_rnn.nn import NaryTreeLSTM
    >>> reader = TreeReader(["and", "not", "T", "F"])
    >>> model = TreeClassifier(NaryTreeLSTM(8), 2, **reader.model_arguments)
    >>> model.initialize()
    >>> batch = reader.batch([reader("(and T (not F))"), reader("T")])
    >>> model(*[mx.nd.array(part, dtype="int32") for part in batch]).shape
    (2, 2)
    """

    structure = "tree"
    input_names = ("roots", "leaves", "symbols", "children")
    registries = {"encoder": tree_encoders}

    def __init__(self, encoder, num_classes, vocab_size, *, max_children=2, embed_size=None, dropout=0.0, prefix=None,
                 params=None):
        encoder.set_max_children(max_children)
        super().__init__(encoder, num_classes, vocab_size, embed_size, dropout, prefix, params)

    def forward(self, roots, leaves, symbols, children):
        """Called by Gluon: check ids and places, then run the block."""
        if isinstance(children, mx.nd.NDArray):
            nodes = int(np.prod(children.shape[:2])) + leaves.shape[0]
            self._check_ids("leaves", leaves, self.vocab_size)
            self._check_ids("symbols", symbols, self.vocab_size)
            self._check_ids("roots", roots, nodes)
            self._check_ids("children", children, nodes + 1)
            self.encoder.set_max_children(children.shape[2])
        return super().forward(roots, leaves, symbols, children)

    def hybrid_forward(self, F, roots, leaves, symbols, children, embedding_weight, output_weight, output_bias):
        """Compute the logits."""
        seen = F.expand_dims(F.cast(symbols > 0, dtype=self._dtype), axis=2)
        inner = F.broadcast_mul(self._embed(F, symbols, embedding_weight), seen)             # (L, W, E)
        found = self.encoder(roots, self._embed(F, leaves, embedding_weight), inner, children)
        return self._classes(F, found, output_weight, output_bias)


@models.register("graph_classifier")
class GraphClassifier(_StructureClassifier):
    """Which of K classes a node of a graph belongs to, the one that is asked about.

    Parameters
    ----------
    encoder : HybridBlock
        A `gluon_rnn.nn.graphs.GraphEncoder`.
    num_classes : int, >= 1
        K.
    vocab_size : int, >= 1
        Number of marks that a node may have.
    edge_kinds : int, default 2
        R, kinds of edges.
    embed_size : int, optional
        Size of an embedded mark, at most the encoder's `hidden_size`, which is the default.
    dropout : float in [0, 1), default 0
        Rate on embedded marks, and on the state of the node that is asked about.

    Inputs
    ------
    queries, marks, active, sources, targets, kinds, incoming : arrays
        As in `gluon_rnn.answers.graphs`.

    Outputs
    -------
    (N, K) array of logits.

    Raises
    ------
    ValueError
        If an id or a place is out of range.

    Notes
    -----
    Names in a parameter file: ``embedding_weight``, ``output_weight``, ``output_bias``, ``encoder.*``.
    """

    structure = "graph"
    input_names = ("queries", "marks", "active", "sources", "targets", "kinds", "incoming")
    registries = {"encoder": graph_encoders}

    def __init__(self, encoder, num_classes, vocab_size, *, edge_kinds=2, embed_size=None, dropout=0.0, prefix=None,
                 params=None):
        encoder.set_edge_kinds(edge_kinds)
        super().__init__(encoder, num_classes, vocab_size, embed_size, dropout, prefix, params)

    def forward(self, queries, marks, active, sources, targets, kinds, incoming):
        """Called by Gluon: check ids and places, then run the block."""
        if isinstance(marks, mx.nd.NDArray):
            nodes = marks.shape[0]
            self._check_ids("marks", marks, self.vocab_size)
            for what, ids in (("queries", queries), ("sources", sources), ("targets", targets)):
                self._check_ids(what, ids, nodes)
            self._check_ids("kinds", kinds, self.encoder.edge_kinds)
            self._check_ids("incoming", incoming, sources.shape[0] + 1)
        return super().forward(queries, marks, active, sources, targets, kinds, incoming)

    def hybrid_forward(self, F, queries, marks, active, sources, targets, kinds, incoming, embedding_weight,
                       output_weight, output_bias):
        """Compute the logits."""
        nodes = self._embed(F, marks, embedding_weight)                                      # (M, E)
        found = self.encoder(queries, nodes, active, sources, targets, kinds, incoming)
        return self._classes(F, found, output_weight, output_bias)
