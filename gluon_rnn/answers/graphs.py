"""From a graph in words to arrays, and from many graphs to one batch, their disjoint union.

A graph and a question are written as ``a>b b>c c-d e; a d``: edges with a direction, edges without, nodes alone; behind
the semicolon the two nodes that are asked about, the source and the target.

A batch with M nodes, E edges, in-degrees up to D and S steps:

    queries (N,) int32            the target of each graph
    marks (M,) int32              0 a node, 1 the source, 2 the target, 3 both in one
    active (S, M) float32         1 where a node's graph takes this step
    sources, targets, kinds (E,) int32    of each edge; kind 0 along it, 1 against its direction
    incoming (M, D) int32         1 + number of each edge that ends at a node; 0 where there is none
"""
import json
import re

import numpy as np

__all__ = ["Graph", "GraphReader", "MARKS", "join_graphs", "parse_graph"]

#: what the ids of nodes stand for
MARKS = ["node", "source", "target", "source and target"]
_KINDS = 2
_WORD = re.compile(r"([^\s>;-]+)(?:([>-])([^\s>;-]+))?")


class Graph:
    """Nodes 0 to size - 1, edges (n, 3) int of source, target and kind, and the two nodes of a question.

    Each edge is there twice: a directed one along with kind 0 and against its direction with kind 1, another one with
    kind 0 both ways.
    """

    def __init__(self, size, edges, source, target):
        self.size, self.source, self.target = size, source, target
        self.edges = np.array(edges, np.int32).reshape(-1, 3)

    def __len__(self):
        return self.size


class GraphReader:
    """Reader from a graph in words to a `Graph`.

    Parameters
    ----------
    steps : int, >= 1, optional
        Steps of a graph; by default one less than it has nodes, the longest way without a circle.
    """

    structure, row_kind, row_names = "graph", "mark", MARKS

    def __init__(self, steps=None):
        self.steps = steps

    @property
    def model_arguments(self):
        """Arguments of a model that the input determines."""
        return {"vocab_size": len(MARKS), "edge_kinds": _KINDS}

    def __call__(self, item):
        return parse_graph(item)

    def batch(self, graphs):
        """Return the arrays of a batch; see the module."""
        return join_graphs(graphs, self.steps)

    def examples(self):
        """Return some graphs in words."""
        return ["a>b b>c c-d; a d", "a-b; b a", "a>b a>c c>b d; c d"]

    def to_json(self):
        """Return the settings as JSON text."""
        return json.dumps({"steps": self.steps})

    @classmethod
    def from_json(cls, text):
        """Return the reader stored by `to_json`."""
        return cls(**json.loads(text))


def parse_graph(text):
    """Return the `Graph` of ``a>b b-c; a c``; ValueError where a word is no edge, or the question is not two nodes.

    >>> parse_graph("a>b; a b").edges.tolist()
    [[0, 1, 0], [1, 0, 1]]
    """
    parts = text.split(";")
    asked = parts[1].split() if len(parts) == 2 else []
    if len(asked) != 2:
        raise ValueError(f"a graph is written as 'a>b b-c; a c', with two nodes behind one semicolon, got "
                         f"{text[-60:]!r}")
    numbers, edges = {}, []
    for number, word in enumerate(parts[0].split(), start=1):
        match = _WORD.fullmatch(word)
        if not match:
            raise ValueError(f"word {number} of a graph must be an edge a>b or a-b, or a node a, got {word!r}")
        first, kind, second = match.groups()
        ends = [numbers.setdefault(name, len(numbers)) for name in (first, second) if name]
        if kind:
            edges += [(*ends, 0), (*ends[::-1], int(kind == ">"))]
    for name in asked:
        if name not in numbers:
            raise ValueError(f"the graph has no node {name!r}, which is asked about; known: "
                             f"{', '.join(list(numbers)[:20])}")
    return Graph(len(numbers), edges, *(numbers[name] for name in asked))


def join_graphs(graphs, steps=None, *, more_nodes=0, more_edges=0, more_steps=0):
    """Return the seven arrays of a batch of `Graph`; see the module.

    `steps` are those of each graph, by default one less than its nodes. `more_nodes`, `more_edges` and `more_steps`
    are padding, which changes no answer.
    """
    sizes = np.array([graph.size for graph in graphs])
    starts = np.cumsum(sizes) - sizes
    own_steps = np.maximum(sizes - 1, 1) if steps is None else np.full(len(graphs), steps)
    marks = np.zeros(sizes.sum() + more_nodes, np.int32)
    for graph, start in zip(graphs, starts):
        marks[start + graph.source] += 1
        marks[start + graph.target] += 2
    active = np.zeros((own_steps.max() + more_steps, len(marks)), np.float32)
    active[:, :sizes.sum()] = np.arange(len(active))[:, None] < np.repeat(own_steps, sizes)
    edges = np.concatenate([graph.edges + [start, start, 0] for graph, start in zip(graphs, starts)])
    incoming = _incoming(edges[:, 1], len(marks))
    edges = np.concatenate([edges, np.zeros((max(more_edges, int(not len(edges))), 3))]).astype(np.int32)
    queries = (starts + [graph.target for graph in graphs]).astype(np.int32)
    return (queries, marks, active, *(np.ascontiguousarray(column) for column in edges.T), incoming)


def _incoming(targets, nodes):
    """Return (nodes, D) int32: 1 + the number of each edge that ends at a node, 0 where there is none."""
    degrees = np.bincount(targets, minlength=nodes)
    order = np.argsort(targets, kind="stable")
    places = np.arange(len(order)) - np.repeat(np.cumsum(degrees) - degrees, degrees)
    incoming = np.zeros((nodes, max(1, degrees.max(initial=0))), np.int32)
    incoming[targets[order], places] = order + 1
    return incoming
