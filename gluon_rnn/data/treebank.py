"""Files of trees in brackets whose labels are to be found, such as the Stanford Sentiment Treebank.

References
----------
Socher et al. (2013), Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank.
"""
from collections import Counter

from gluon_rnn.answers.brackets import Tree, parse_trees, without_unary, write_tree
from gluon_rnn.data.labelled import Examples
from gluon_rnn.data.memory import label_of
from gluon_rnn.data.readers import read_text
from gluon_rnn.data.structures import Structures, TreeReader, check_form, sequence_reader
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["Treebank"]

#: the label of every bracket of an item, which is not to tell what is asked for
_HIDDEN = "_"


@datasets.register("treebank")
class Treebank(Structures):
    """Trees in brackets, classified by the label at their root: ``(3 (2 It) (4 works))`` has the label 3.

    Parameters
    ----------
    train, valid : str
        Files of trees, one after the other.
    test : str, optional
    label_names : dict, optional
        From labels as they stand in the file to classes, such as ``{"0": negative, "1": negative, "3": positive}``;
        trees with another label are left out.
    phrases : bool, default False
        Whether each phrase of a training tree, single words too, is an example of its own, with its own label.
    form : {"tree", "sequence"}, default "tree"
        Whether a model gets the tree, or its words from left to right.
    lower : bool, default False
        Whether letters are made small.
    min_freq : int, >= 1, default 1
        Words seen fewer times in the training split are unknown.
    encoding : str, default "utf-8"

    Raises
    ------
    ValueError
        If a file has a bracket too many or too few, or a tree has no label; it names the place.

    Notes
    -----
    Brackets with one part are left out, so that words are leaves. Labels inside a tree are not shown to a model. Equal
    phrases with equal labels are one example. `groups` are depths.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp()) / "trees.txt"
    >>> _ = path.write_text("(1 (1 good) (0 film))\\n(0 (0 bad) (0 film))\\n")
    >>> data = Treebank(path, path, phrases=True)
    >>> data.items("train"), data.labels
    (['( _ good film )', 'film', 'good', '( _ bad film )', 'bad'], ['0', '1'])
    """

    def __init__(self, train, valid, test: str = None, label_names: dict = None, phrases=False, form="tree",
                 lower=False, min_freq=1, encoding="utf-8"):
        check_form(form)
        check_sizes(min_freq=min_freq)
        files = {name: path for name, path in (("train", train), ("valid", valid), ("test", test)) if path is not None}
        trees = {name: _read(path, encoding) for name, path in files.items()}
        if phrases:
            trees["train"] = [node for tree in trees["train"] for node in reversed(tree.nodes()) if _has_label(node)]
        parts, groups, found = {}, {}, {}
        for name, of_split in trees.items():
            found[name] = list(_classified(of_split, label_names, once=name == "train" and phrases))
            if not found[name]:
                raise ValueError(f"{label_of(files[name])}: no tree has one of the labels "
                                 f"{', '.join(map(str, label_names or ()))}; give label_names that the file has")
            items = [write_tree(tree) if form == "tree" else " ".join(tree.leaves()) for tree, _ in found[name]]
            parts[name] = Examples(items, [label for _, label in found[name]])
            groups[name] = [tree.height for tree, _ in found[name]]
        self.vocab, most = _words([tree for tree, _ in found["train"]], lower, min_freq)
        reader = (TreeReader(self.vocab, False, most, lower) if form == "tree" else sequence_reader(self.vocab))
        reader.lower = lower
        super().__init__(parts, reader, groups)


def _read(path, encoding):
    """Return the trees of a file; ValueError with the number of a tree that has no label."""
    where = label_of(path)
    trees = parse_trees(read_text(path, encoding), where)
    for number, tree in enumerate(trees, start=1):
        if not _has_label(tree):
            raise ValueError(f"{where}: tree {number} has no label at its root; write one behind its first bracket, as "
                             "in (3 (2 It) (4 works))")
    return trees


def _has_label(node):
    return bool(node.symbol and node.children)


def _classified(trees, names, once):
    """Yield (tree without labels, class) of trees that have one; equal pairs `once`."""
    seen = set()
    for tree in trees:
        label = tree.symbol if names is None else {str(key): value for key, value in names.items()}.get(tree.symbol)
        if label is None:
            continue
        shown = _hidden(without_unary(tree))
        pair = write_tree(shown), str(label)
        if not once or pair not in seen:
            seen.add(pair)
            yield shown, str(label)


def _hidden(tree):
    kept = {}
    for node in tree.nodes():
        kept[id(node)] = Tree(_HIDDEN, [kept[id(child)] for child in node.children]) if node.children else node
    return kept[id(tree)]


def _words(trees, lower, min_freq):
    """Return the words seen often enough, most frequent first, and the largest number of children."""
    counts, most = Counter(), 1
    for tree in trees:
        for node in tree.nodes():
            if node.children:
                most = max(most, len(node.children))
            else:
                counts[node.symbol.lower() if lower else node.symbol] += 1
    kept = [word for word, count in counts.items() if count >= min_freq]
    return sorted(kept, key=lambda word: (-counts[word], word)), most
