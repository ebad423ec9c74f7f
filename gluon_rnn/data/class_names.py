"""Names of classes: from the names of files, and a check that labels are classes at all."""
from collections import Counter
from pathlib import Path

__all__ = ["class_names", "classes_of_files"]

#: so many different labels may be numbers with decimals, or stand once each
_FEW = 20


def class_names(labels, source=""):
    """Return the different labels of the training examples, sorted; `source` is their file, for messages.

    Raises
    ------
    ValueError
        If there is one class only, or if labels look like measurements: more than 20 different numbers with decimals,
        or more than 20 labels most of which stand once.
    """
    counts, where = Counter(labels), f"{source}: " if source else ""
    if len(counts) < 2:
        raise ValueError(f"{where}all training examples are of one class, {next(iter(counts), None)!r:.82}; a "
                         "classifier needs two or more, so check which column or file is the label")
    shown = ", ".join(repr(label)[:40] for label in sorted(counts)[:3])
    if len(counts) > _FEW and all(map(_is_number, counts)) and not all(map(_is_whole, counts)):
        raise ValueError(f"{where}the labels look like measurements: {len(counts):,} different numbers such as {shown}"
                         "; check which column is the label, or predict numbers with the task 'regression'")
    if len(counts) > _FEW and sum(count == 1 for count in counts.values()) > len(counts) / 2:
        raise ValueError(f"{where}most of the {len(counts):,} labels of the training examples stand once, such as "
                         f"{shown}, so that they cannot be classes; check which column is the label")
    return sorted(counts)


def _is_number(label):
    try:
        float(label)
    except ValueError:
        return False
    return True


def _is_whole(label):
    return float(label).is_integer()


def classes_of_files(paths):
    """Return the class of each file that holds one: its name up to the first dot, or else what differs in the names.

    Parameters
    ----------
    paths : list of Path
        Different ones.

    Examples
    --------
    >>> classes_of_files([Path("names/Dutch.txt"), Path("names/Irish.txt.gz")])
    ['Dutch', 'Irish']
    >>> classes_of_files([Path("rt-polarity.neg"), Path("rt-polarity.pos")])
    ['neg', 'pos']
    >>> classes_of_files([Path("a/train/all.txt"), Path("b/train/all.txt")])
    ['a', 'b']
    """
    short = [path.name.split(".")[0] for path in paths]
    if len(set(short)) == len(short):
        return short
    for split in (lambda path: path.name.split("."), lambda path: [*path.parts[:-1], *path.name.split(".")]):
        parts = [split(path) for path in paths]
        common = set.intersection(*map(set, parts))
        found = [".".join(part for part in each if part not in common) for each in parts]
        if len(set(found)) == len(found) and all(found):
            return found
    return [str(Path(path)) for path in paths]
