"""From a tree in brackets to arrays, and from many trees to one batch that is computed level by level.

A batch is four arrays, int32. With L levels of inner nodes, the widest of W nodes, up to K children, P leaves:

    roots (N,)               places of the roots among all nodes: l W + w, or L W + p of a leaf
    leaves (P,)              symbol of each leaf
    symbols (L, W)           symbol of each inner node; 0 where there is none
    children (L, W, K)       where each child is found when level l is computed

The last W L rows computed are kept as a delay line, the newest level first: a child on level j in column w is at
(l - 1 - j) W + w. Behind these follow a row of zeros, at L W, for children that are not there, and the leaves. So a
graph that shifts this line by W rows a level is the same for any number of levels.
"""
import json

import numpy as np

from gluon_rnn.answers.brackets import Tree, parse_tree, without_unary, write_tree

__all__ = ["TreeReader", "TreeTable", "join_trees"]


class TreeTable:
    """The nodes of one tree by their height.

    Parameters
    ----------
    levels : list of list of (int, list of (int, int))
        For each height from 0 its nodes: the id of the symbol, and (height, place on it) of each child.
    """

    def __init__(self, levels):
        self.levels = levels

    def __len__(self):
        return sum(map(len, self.levels))

    @property
    def max_children(self):
        """The largest number of children of a node."""
        return max((len(children) for level in self.levels for _, children in level), default=0)


class TreeReader:
    """Reader from a tree in brackets to its `TreeTable`.

    Parameters
    ----------
    symbols : list of str
        Those that the network knows; the id of the first is 2. Id 0 is no symbol, 1 an unknown one.
    inner : bool, default True
        Whether inner nodes have a symbol that the network sees (an operator). False is for treebanks, whose brackets
        have labels: only words, the leaves, are seen, and nodes with one child are left out.
    max_children : int, >= 1, default 2
        K, of a batch at least.
    lower : bool, default False
        Whether letters are made small first.
    """

    structure, row_kind = "tree", "symbol"

    def __init__(self, symbols, inner=True, max_children=2, lower=False):
        self.symbols, self.inner, self.max_children, self.lower = list(symbols), inner, max_children, lower
        self._ids = {symbol: number for number, symbol in enumerate(self.symbols, start=2)}

    @property
    def model_arguments(self):
        """Arguments of a model that the input determines."""
        return {"vocab_size": len(self.symbols) + 2, "max_children": self.max_children}

    @property
    def row_names(self):
        """What each id stands for."""
        return ["<none>", "<unk>", *self.symbols]

    def __call__(self, item):
        tree = parse_tree(item)
        return self.table(tree if self.inner else without_unary(tree))

    def table(self, tree):
        """Return the `TreeTable` of a `gluon_rnn.answers.brackets.Tree`."""
        levels, places = [], {}
        for node in tree.nodes():
            below = [places[id(child)] for child in node.children]
            height = 1 + max((place[0] for place in below), default=-1)
            levels += [[] for _ in range(height + 1 - len(levels))]
            places[id(node)] = height, len(levels[height])
            levels[height].append((self._id(node), below))
        return TreeTable(levels)

    def _id(self, node):
        seen = node.symbol and (self.inner or not node.children)
        return self._ids.get(node.symbol.lower() if self.lower else node.symbol, 1) if seen else 0

    def batch(self, tables):
        """Return the arrays of a batch; see the module."""
        return join_trees(tables, self.max_children)

    def examples(self):
        """Return some trees in brackets, of symbols that are known."""
        names = [write_tree(Tree(symbol)) for symbol in self.symbols * 3][:3]
        below = " ".join(names[:self.max_children])
        return [f"({names[0]} {below})", names[1], f"({names[2]} ({names[0]} {below}))"]

    def to_json(self):
        """Return the settings as JSON text."""
        return json.dumps({"symbols": self.symbols, "inner": self.inner, "max_children": self.max_children,
                           "lower": self.lower}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text):
        """Return the reader stored by `to_json`."""
        return cls(**json.loads(text))


def join_trees(tables, max_children=1, levels=1, width=1):
    """Return roots, leaves, symbols and children of a batch of `TreeTable`; see the module.

    Parameters
    ----------
    tables : list of TreeTable
    max_children, levels, width : int, >= 1, default 1
        K, L and W at least; more than needed is padding, which changes no answer.
    """
    counts = max(len(table.levels) for table in tables)
    widths = np.array([[len(table.levels[h]) if h < len(table.levels) else 0 for h in range(counts)]
                       for table in tables])
    starts = np.cumsum(widths, axis=0) - widths                             # of each tree on each height
    L, W = max(levels, counts - 1), max(width, *widths[:, 1:].sum(axis=0), 1)
    K = max(max_children, *(table.max_children for table in tables))
    symbols, children = np.zeros((L, W), np.int32), np.full((L, W, K), L * W, np.int32)
    roots, leaves = np.zeros(len(tables), np.int32), []
    for number, (table, start) in enumerate(zip(tables, starts.tolist())):
        leaves += [symbol for symbol, _ in table.levels[0]]
        for height, nodes in enumerate(table.levels[1:], start=1):
            for column, (symbol, below) in enumerate(nodes, start=start[height]):
                symbols[height - 1, column] = symbol
                children[height - 1, column, :len(below)] = [
                    _found_at(height, h, start[h] + place, L * W, W) for h, place in below]
        top = len(table.levels) - 1
        roots[number] = (top - 1) * W + start[top] if top else L * W + start[0]
    return roots, np.array(leaves, np.int32), symbols, children


def _found_at(height, below, column, rows, width):
    """Return where a node of height `below` is found while nodes of `height` are computed."""
    return rows + 1 + column if below == 0 else (height - 1 - below) * width + column
