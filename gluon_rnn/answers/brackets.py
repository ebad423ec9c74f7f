"""Trees written in brackets: ``(MAX 2 (MIN 4 7))``, and as in treebanks, ``(3 (2 It) (4 works))``.

    tree = symbol  |  "(" [symbol] tree ... tree ")"

Symbols are separated by white space and brackets. The treebanks of Penn and Stanford write a bracket that is a word as
``-LRB-`` or ``-RRB-``, square and curly ones as ``-LSB-``, ``-RSB-``, ``-LCB-``, ``-RCB-``, and ``/`` and ``*`` as
``\\/`` and ``\\*``.

References
----------
Bies et al. (1995), Bracketing Guidelines for Treebank II Style Penn Treebank Project.
Socher et al. (2013), Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank.
"""
import re
from dataclasses import dataclass, field

__all__ = ["Tree", "parse_tree", "parse_trees", "without_unary", "write_tree"]

_TOKEN = re.compile(r"[()]|[^\s()]+")
_ESCAPES = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]", "-LCB-": "{", "-RCB-": "}"}
_WRITTEN = {character: escape for escape, character in _ESCAPES.items()}


@dataclass
class Tree:
    """A node and what is below it; a leaf has no children. `symbol` is "" where a bracket has none."""

    symbol: str
    children: list = field(default_factory=list)

    def nodes(self):
        """Return all nodes, children before their parents, the root last; no recursion, so any depth will do."""
        found, open_nodes = [], [self]
        while open_nodes:
            node = open_nodes.pop()
            found.append(node)
            open_nodes.extend(node.children)
        return found[::-1]

    def leaves(self):
        """Return the symbols of the leaves from left to right."""
        return [node.symbol for node in self.nodes() if not node.children]

    @property
    def height(self):
        """Edges on the longest way from this node to a leaf; 0 of a leaf."""
        heights = {}
        for node in self.nodes():
            heights[id(node)] = 1 + max((heights[id(child)] for child in node.children), default=-1)
        return heights[id(self)]


def parse_tree(text, where="the tree"):
    """Return the one `Tree` in `text`; errors as in `parse_trees`, and ValueError unless there is exactly one."""
    trees = parse_trees(text, where)
    if len(trees) != 1:
        raise ValueError(f"{where}: expected one tree, got {len(trees)}; pass them one by one")
    return trees[0]


def parse_trees(text, where="the text"):
    """Return all trees of a text, a list of `Tree`.

    Parameters
    ----------
    text : str
        One tree after another; white space and line breaks separate symbols and mean nothing else.
    where : str
        What messages call the text, such as the path of a file.

    Raises
    ------
    ValueError
        Where brackets do not close, close twice or hold nothing; it names line and column.

    Examples
    --------
    >>> parse_trees("(3 (2 It) (4 works))")[0].leaves()
    ['It', 'works']
    """
    trees, open_nodes, previous = [], [], None
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token == "(":
            open_nodes.append((Tree(""), match.start()))
        elif token == ")":
            _add(trees, open_nodes, _closed(open_nodes, text, where, match.start()))
        elif previous == "(":
            open_nodes[-1][0].symbol = _unescaped(token)
        else:
            _add(trees, open_nodes, Tree(_unescaped(token)))
        previous = token
    if open_nodes:
        raise ValueError(f"{where}, {_place(text, open_nodes[-1][1])}: this bracket is never closed; add ')', or take "
                         "'(' away")
    return trees


def _closed(open_nodes, text, where, position):
    """Take the node that a closing bracket ends from those that are open; one that holds a symbol alone is a leaf."""
    if not open_nodes:
        raise ValueError(f"{where}, {_place(text, position)}: ')' closes nothing; take it away, or add '(' before it")
    node, start = open_nodes.pop()
    if not node.symbol and not node.children:
        raise ValueError(f"{where}, {_place(text, start)}: these brackets hold nothing; write a symbol into them, or "
                         "take them away")
    return node


def _add(trees, open_nodes, node):
    (open_nodes[-1][0].children if open_nodes else trees).append(node)


def _place(text, position):
    line = text.count("\n", 0, position) + 1
    return f"line {line}, column {position - text.rfind(chr(10), 0, position)}"


def _unescaped(symbol):
    return _ESCAPES.get(symbol) or symbol.replace("\\/", "/").replace("\\*", "*")


def _escaped(symbol):
    return _WRITTEN.get(symbol) or symbol.replace("/", "\\/").replace("*", "\\*")


def write_tree(tree):
    """Return a tree as text that `parse_tree` reads back, brackets and symbols separated by blanks.

    >>> write_tree(parse_tree("(not (and T F))"))
    '( not ( and T F ) )'
    """
    written, left = [], [tree]
    while left:
        node = left.pop()
        if isinstance(node, str):
            written.append(node)
        elif not node.children:
            written.append(_escaped(node.symbol))
        else:
            written += ["(", _escaped(node.symbol)] if node.symbol else ["("]
            left += [")", *reversed(node.children)]
            if not node.symbol and not node.children[0].children:         # a bare leaf there would be the symbol
                written += ["(", _escaped(left.pop().symbol), ")"]
    return " ".join(written)


def without_unary(tree):
    """Return a tree in which nodes with one child are replaced by that child, so that words are leaves.

    >>> write_tree(without_unary(parse_tree("(3 (2 (2 It)) (4 works))")))
    '( 3 It works )'
    """
    kept = {}
    for node in tree.nodes():
        children = [kept[id(child)] for child in node.children]
        kept[id(node)] = children[0] if len(children) == 1 else Tree(node.symbol, children)
    return kept[id(tree)]
