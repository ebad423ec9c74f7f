"""Expressions in brackets, generated, and what they amount to: nested and, or, not; nested operations on digits.

Both are drawn at given depths, so that a network can be tried on deeper ones than it has learnt from. The depth of an
operation is one more than that of its deepest part.

References
----------
Bowman, Manning & Potts (2015), Tree-structured composition in neural networks without tree-structured architectures:
logic, longer than trained on.
Nangia & Bowman (2018), ListOps: A diagnostic dataset for latent tree learning.
"""
from gluon_rnn.answers.brackets import Tree, write_tree
from gluon_rnn.data.structures import Structures, TreeReader, check_form, check_range, draw_parts, sequence_reader
from gluon_rnn.nn.checks import check_counts
from gluon_rnn.registry import datasets

__all__ = ["ListOps", "LogicTrees", "evaluate_digits", "evaluate_logic"]

_DIGITS = [str(digit) for digit in range(10)]
_OPERATIONS = {"MIN": min, "MAX": max, "MED": lambda values: _median(values), "SM": lambda values: sum(values) % 10}
#: share of the parts of an operation that are digits, but for the deepest one
_PLAIN = 0.7


def evaluate_logic(tree, variables):
    """Return "true" or "false" where a logical expression is so whatever its variables are, else "depends".

    Parameters
    ----------
    tree : Tree
        Of ``and``, ``or``, ``not``, ``T``, ``F`` and `variables`.
    variables : list of str

    Examples
    --------
    >>> from gluon_rnn.answers.brackets import parse_tree
    >>> [evaluate_logic(parse_tree(text), ["p"]) for text in ("(or p (not p))", "(and p T)")]
    ['true', 'depends']
    """
    # a bit for each way to give the variables values
    rows = range(2 ** len(variables))
    always = (1 << len(rows)) - 1
    bits = {name: sum(1 << row for row in rows if row >> place & 1) for place, name in enumerate(variables)}
    bits.update(T=always, F=0)
    found = {}
    for node in tree.nodes():
        below = [found[id(child)] for child in node.children]
        found[id(node)] = (bits[node.symbol] if not below else always ^ below[0] if node.symbol == "not" else
                           below[0] & below[1] if node.symbol == "and" else below[0] | below[1])
    truth = found[id(tree)]
    return "true" if truth == always else "depends" if truth else "false"


def _median(values):
    ordered, middle = sorted(values), len(values) // 2
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) // 2


def evaluate_digits(tree):
    """Return the value, 0 to 9, of nested MIN, MAX, MED (the median, rounded down) and SM (the sum modulo 10)."""
    found = {}
    for node in tree.nodes():
        below = [found[id(child)] for child in node.children]
        found[id(node)] = _OPERATIONS[node.symbol](below) if below else int(node.symbol)
    return found[id(tree)]


def _draw_logic(depth, names, draws):
    """Return an expression of exactly `depth`; of two parts one is as deep as it may be, the other any depth below."""
    if depth == 0:
        return Tree(draws.one_of(names))
    symbol = draws.one_of(["and", "and", "or", "or", "not"])
    parts = [_draw_logic(depth - 1, names, draws)]
    if symbol != "not":
        parts.insert(draws.below(2), _draw_logic(draws.below(depth), names, draws))
    return Tree(symbol, parts)


def _draw_digits(depth, most, draws):
    if depth == 0:
        return Tree(draws.one_of(_DIGITS))
    depths = [0 if draws.happens(_PLAIN) else draws.below(depth) for _ in range(1 + draws.below(most - 1))]
    depths.insert(draws.below(len(depths) + 1), depth - 1)
    return Tree(draws.one_of(list(_OPERATIONS)), [_draw_digits(below, most, draws) for below in depths])


class _Expressions(Structures):
    """What both share: splits by depth, the two forms, a generator for each item."""

    def __init__(self, draw, symbols, max_children, depth, test_depth, sizes, form, seed, labels):
        check_form(form)
        learnt = check_range("depth", depth, 0)
        ranges = {"train": learnt, "valid": learnt, "test": check_range("test_depth", test_depth, 0)}

        def item(draws, group, row):
            tree, label = draw(group, draws)
            return write_tree(tree), label

        parts, groups = draw_parts(sizes, ranges, seed, item)
        self.vocab = ["(", ")", *symbols]
        reader = TreeReader(symbols, max_children=max_children) if form == "tree" else sequence_reader(self.vocab)
        super().__init__(parts, reader, groups, labels)


@datasets.register("logic_trees")
class LogicTrees(_Expressions):
    """Nested and, or, not of constants and variables: always true, always false, or neither; generated.

    Parameters
    ----------
    depth : [int, int], default (1, 4)
        Least and largest depth of the expressions of train and valid.
    test_depth : [int, int], default (5, 8)
        Of those of test.
    variables : int, 0 to 4, default 0
        How many variables there are beside the constants T and F. With none the classes are "true" and "false", with
        some there is "depends" too.
    train, valid, test : int, default 8000, 1000, 2000
        Expressions in each split.
    form : {"tree", "sequence"}, default "tree"
        Whether a model gets the tree, or brackets and symbols one after the other.
    seed : int, default 0
        Of these data alone.

    Examples
    --------
    >>> data = LogicTrees(depth=[2, 2], train=3, valid=1, test=1, seed=1)
    >>> data.items("train")[0], data.labels[data.targets("train")[0]]
    ('( or ( not T ) F )', 'false')
    """

    def __init__(self, depth=(1, 4), test_depth=(5, 8), variables: int = 0, train: int = 8000, valid: int = 1000,
                 test: int = 2000, form="tree", seed: int = 0):
        check_counts(variables=variables)
        names = list("pqrs")[:variables]
        if len(names) < variables:
            raise ValueError(f"variables must be at most 4, got {variables}")

        def draw(depth, draws):
            tree = _draw_logic(depth, ["T", "F", *names], draws)
            return tree, evaluate_logic(tree, names)

        super().__init__(draw, ["and", "or", "not", "T", "F", *names], 2, depth, test_depth,
                         {"train": train, "valid": valid, "test": test}, form, seed,
                         ["true", "false", *(["depends"] if names else [])])


@datasets.register("listops")
class ListOps(_Expressions):
    """Nested MIN, MAX, MED (the median, rounded down) and SM (the sum modulo 10) of digits; generated.

    Parameters
    ----------
    depth : [int, int], default (1, 3)
        Least and largest depth of the expressions of train and valid.
    test_depth : [int, int], default (4, 6)
        Of those of test.
    arguments : int, >= 2, default 3
        The largest number of parts of an operation; the least is 2.
    train, valid, test : int, default 20000, 1000, 2000
        Expressions in each split.
    form : {"tree", "sequence"}, default "tree"
        Whether a model gets the tree, or brackets and symbols one after the other.
    seed : int, default 0
        Of these data alone.

    Examples
    --------
    >>> data = ListOps(depth=[1, 1], train=3, valid=1, test=1, seed=3)
    >>> data.items("train")[0], data.labels[data.targets("train")[0]]
    ('( SM 3 3 2 )', '8')
    """

    def __init__(self, depth=(1, 3), test_depth=(4, 6), arguments: int = 3, train: int = 20000, valid: int = 1000,
                 test: int = 2000, form="tree", seed: int = 0):
        if isinstance(arguments, bool) or not isinstance(arguments, int) or arguments < 2:
            raise ValueError(f"arguments must be a whole number of at least 2, got {arguments!r}")

        def draw(depth, draws):
            tree = _draw_digits(depth, arguments, draws)
            return tree, str(evaluate_digits(tree))

        super().__init__(draw, [*_OPERATIONS, *_DIGITS], arguments, depth, test_depth,
                         {"train": train, "valid": valid, "test": test}, form, seed, _DIGITS)
