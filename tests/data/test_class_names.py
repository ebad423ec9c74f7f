"""Names of classes: what differs in the names of files, and labels that are no classes."""
from pathlib import Path

import pytest

from gluon_rnn.data import LabelledText
from gluon_rnn.data.class_names import class_names, classes_of_files


@pytest.mark.parametrize("paths, classes", [
    (["Arabic.txt", "Czech.txt"], ["Arabic", "Czech"]), (["a.v1.txt", "b.v2.txt"], ["a", "b"]),
    (["rt-polarity.pos", "rt-polarity.neg"], ["pos", "neg"]), (["x.train.pos.txt", "x.train.neg.txt"], ["pos", "neg"]),
    (["pos/all.txt", "neg/all.txt"], ["pos", "neg"]), (["a.b.txt", "a.c.txt", "d.txt"], ["a.b", "a.c", "d"]),
    (["a.txt", "a.txt.gz"], ["a.txt", "a.txt.gz"])])
def test_the_class_is_what_differs(paths, classes):
    assert classes_of_files(list(map(Path, paths))) == classes


def test_two_files_whose_names_begin_alike_are_two_classes(tmp_path):
    for name in ("pos", "neg"):
        (tmp_path / f"rt-polarity.{name}").write_text(f"a {name} film\n" * 10)
    data = LabelledText(str(tmp_path / "rt-polarity.*"), [0.8, 0.2])
    assert data.labels == ["neg", "pos"]
    assert {(item, label) for item, label in zip(data.items("train"), data.targets("train").tolist())} == {
        ("a neg film", 0), ("a pos film", 1)}


def test_labels_that_are_no_classes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="all training examples are of one class, 'a'; a classifier needs two"):
        class_names(["a"] * 9)
    with pytest.raises(ValueError, match="look like measurements: 21 different numbers such as '0.0', '0.1', '0.2'"):
        class_names([f"{number / 10}" for number in range(21)] * 5)
    with pytest.raises(ValueError, match="most of the 30 labels of the training examples stand once"):
        class_names([f"name {number}" for number in range(30)])
    for fine in ([f"{half / 2}" for half in range(11)] * 2, [str(year) for year in range(100)] * 2,
                 [f"word {number}" for number in range(20)]):
        assert class_names(fine) == sorted(set(fine))
    (tmp_path / "a.tsv").write_text("".join(f"text {n}\t{n * 0.37:.3f}\n" for n in range(50)))
    with pytest.raises(ValueError, match="look like measurements.*predict numbers with the task 'regression'"):
        LabelledText(str(tmp_path / "a.tsv"), [0.8, 0.2])
