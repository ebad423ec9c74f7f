"""Random graphs and questions on two of their nodes, with exact answers: is there a way, and how long is the shortest?

References
----------
Veličković et al. (2020), Neural Execution of Graph Algorithms: reachability and shortest paths, larger than trained on.
"""
from collections import deque

from gluon_rnn.data.structures import GraphReader, Structures, check_range, draw_parts
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["GraphReachability", "GraphShortestPath", "distances"]


def distances(size, edges, source):
    """Return the number of edges on the shortest way from `source` to each node, -1 where there is none, a list.

    Parameters
    ----------
    size : int
    edges : list of (int, int)
        Each may be taken from its first node to its second.
    source : int

    Notes
    -----
    Breadth-first search: Cormen, Leiserson, Rivest & Stein (2009), Introduction to Algorithms, section 22.2.
    """
    following, found = [[] for _ in range(size)], [-1] * size
    for first, second in edges:
        following[first].append(second)
    found[source], waiting = 0, deque([source])
    while waiting:
        node = waiting.popleft()
        for other in following[node]:
            if found[other] < 0:
                found[other] = found[node] + 1
                waiting.append(other)
    return found


#: graphs that are drawn for a question before it is given up
_TRIES = 1000


class _GraphQuestions(Structures):
    """What both share: splits by the number of nodes, a generator for each item."""

    structure, group_name = "graph", "nodes"

    def __init__(self, draw, nodes, test_nodes, sizes, steps, seed, labels):
        learnt = check_range("nodes", nodes, 2)
        ranges = {"train": learnt, "valid": learnt, "test": check_range("test_nodes", test_nodes, 2)}
        if steps is not None:
            check_sizes(steps=steps)
        parts, groups = draw_parts(sizes, ranges, seed, draw)
        super().__init__(parts, GraphReader(steps), groups, labels)


def _check_degree(degree, least):
    if isinstance(degree, bool) or not isinstance(degree, (int, float)) or not least < degree:
        raise ValueError(f"degree must be a number above {least}, got {degree!r}")


def _in_words(size, edges, sign, source, target):
    """Return a graph in words; nodes without edges stand alone."""
    lonely = sorted(set(range(size)) - {node for edge in edges for node in edge})
    words = [*(f"{first}{sign}{second}" for first, second in edges), *map(str, lonely)]
    return f"{' '.join(words)}; {source} {target}"


@datasets.register("graph_reachability")
class GraphReachability(_GraphQuestions):
    """Whether there is a way from one node to another along directed edges; generated.

    Parameters
    ----------
    nodes : [int, int], default (4, 10)
        Least and largest number of nodes of the graphs of train and valid.
    test_nodes : [int, int], default (11, 30)
        Of those of test.
    degree : float, > 0, default 1.2
        Edges for each node, drawn among all pairs of two nodes.
    steps : int, >= 1, optional
        Steps of a graph; by default one less than it has nodes.
    train, valid, test : int, default 8000, 1000, 2000
        Graphs in each split; half of the answers are "yes".
    seed : int, default 0
        Of these data alone.

    Examples
    --------
    >>> data = GraphReachability(nodes=[3, 3], train=4, valid=1, test=1)
    >>> data.items("train")[:2], [data.labels[target] for target in data.targets("train")[:2]]
    (['1>2 0>2 0>1 1>0; 2 0', '2>0 2>1 0>2 1>0; 0 2'], ['no', 'yes'])
    """

    def __init__(self, nodes=(4, 10), test_nodes=(11, 30), degree: float = 1.2, steps: int = None, train: int = 8000,
                 valid: int = 1000, test: int = 2000, seed: int = 0):
        _check_degree(degree, 0)

        def draw(draws, size, row):
            pairs = [(a, b) for a in range(size) for b in range(size) if a != b]
            count = min(len(pairs) - 1, max(1, round(degree * size)))
            for _ in range(_TRIES):                                       # until an answer of the wanted kind is there
                edges, source = draws.sample(pairs, count), draws.below(size)
                found = distances(size, edges, source)
                wanted = [node for node in range(size) if node != source and (found[node] > 0) == bool(row % 2)]
                if wanted:
                    return _in_words(size, edges, ">", source, draws.one_of(wanted)), "yes" if row % 2 else "no"
            kind, advice = ("with", "raise") if row % 2 else ("without", "lower")
            raise ValueError(f"degree {degree} leaves hardly any two of {size} nodes {kind} a way between them; "
                             f"{advice} it")

        super().__init__(draw, nodes, test_nodes, {"train": train, "valid": valid, "test": test}, steps, seed,
                         ["yes", "no"])


@datasets.register("graph_shortest_path")
class GraphShortestPath(_GraphQuestions):
    """How many edges the shortest way between two nodes has, edges without direction; generated.

    Parameters
    ----------
    nodes : [int, int], default (4, 10)
        Least and largest number of nodes of the graphs of train and valid.
    test_nodes : [int, int], default (11, 30)
        Of those of test.
    degree : float, >= 1, default 1.2
        Edges for each node: a random tree, and then edges between random nodes.
    longest : int, >= 1, default 6
        The classes are 1 to this length, drawn equally often where a graph has them; questions on longer ways do not
        come up.
    steps : int, >= 1, optional
        Steps of a graph; by default one less than it has nodes.
    train, valid, test : int, default 8000, 1000, 2000
        Graphs in each split.
    seed : int, default 0
        Of these data alone.

    Examples
    --------
    >>> data = GraphShortestPath(nodes=[4, 4], train=9, valid=1, test=1, longest=3)
    >>> data.items("train")[0], data.labels[data.targets("train")[0]]
    ('1-0 2-1 2-0 1-3; 3 1', '1')
    """

    def __init__(self, nodes=(4, 10), test_nodes=(11, 30), degree: float = 1.2, longest: int = 6, steps: int = None,
                 train: int = 8000, valid: int = 1000, test: int = 2000, seed: int = 0):
        _check_degree(degree, 0.99)
        check_sizes(longest=longest)

        def draw(draws, size, row):
            edges = [(max(0, node - 1 - draws.below(2)), node) for node in range(1, size)]
            more = {tuple(sorted(draws.sample(range(size), 2))) for _ in range(round((degree - 1) * size))}
            names = draws.sample(range(size), size)
            edges = [(names[a], names[b]) for a, b in [*edges, *sorted(more - set(edges))]]
            source = draws.below(size)
            found = distances(size, [*edges, *((b, a) for a, b in edges)], source)
            length = draws.one_of(sorted({length for length in found if 0 < length <= longest}))
            target = draws.one_of([node for node in range(size) if found[node] == length])
            return _in_words(size, draws.sample(edges, len(edges)), "-", source, target), str(length)

        super().__init__(draw, nodes, test_nodes, {"train": train, "valid": valid, "test": test}, steps, seed,
                         [str(length) for length in range(1, longest + 1)])
