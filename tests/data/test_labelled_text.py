"""Labelled texts: columns in any order, one file a class, awkward files, stratified splits, duplicates, real counts.

Tests `labelled.py` too.
"""
import doctest
from collections import Counter

import numpy as np
import pytest

from gluon_rnn.data import LabelledText, TextReader, labelled, labelled_text
from gluon_rnn.data.labelled import stratified
from gluon_rnn.registry import datasets


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return str(path)


def three(folder, train="a b\t1\nc\t0\n", valid="a\t0\n", test="c b\t1\n"):
    return {name: write(folder / f"{name}.tsv", text) for name, text in
            (("train", train), ("valid", valid), ("test", test)) if text}


def test_examples():
    assert doctest.testmod(labelled_text).failed == 0 == doctest.testmod(labelled).failed
    assert datasets.get("labelled_text") is LabelledText


@pytest.mark.parametrize("columns, line", [(["text", "label"], "a b\t1"), (["label", "text"], "1\ta b"),
                                           (["id", "text", "source", "label"], "7\ta b\tx\t1")])
def test_columns_in_any_order(tmp_path, columns, line):
    text = f"{line}\n{line.replace('1', '0')}\n"
    data = LabelledText(**three(tmp_path, *[text] * 3), columns=columns)
    assert data.items("train") == ["a b"] * 2 and data.labels == ["0", "1"] and data.targets("test").tolist() == [1, 0]
    assert [data.vocab.idx_to_token[i] for i in data.inputs("train")[0]] == ["a", "b"]


def test_bom_crlf_blank_lines_header_and_no_last_newline(tmp_path):
    text = "\ufefftext\tlabel\r\n good  film \t1\r\n\r\n   \r\nbad\t0"
    data = LabelledText(**three(tmp_path, text, text, ""), header=True)
    assert data.items("train") == ["good  film", "bad"] and data.splits == ("train", "valid")
    assert data.targets("train").tolist() == [1, 0] and data.inputs("train")[0].dtype == np.int32


def test_other_encodings_and_delimiters(tmp_path):
    path = write(tmp_path / "a.csv", "é;1\nü;0\n" * 5, "latin-1")
    data = LabelledText(path, [0.6, 0.4], encoding="latin-1", delimiter=";", unit="character")
    assert set(data.items("train")) == {"é", "ü"}
    with pytest.raises(ValueError, match="is not utf-8; set encoding"):
        LabelledText(path, [0.6, 0.4], delimiter=";")


@pytest.mark.parametrize("line", ["no label", "a\tb\t1", "\t1", "a\t"])
def test_a_bad_line_is_named(tmp_path, line):
    files = three(tmp_path, f"fine\t0\n\n{line}\n")
    with pytest.raises(ValueError, match=r"train\.tsv: line 3: expected text and label separated by '\\t', got"):
        LabelledText(**files)


def test_one_file_a_class_by_folder_and_by_pattern(tmp_path):
    write(tmp_path / "Czech.txt", "Novák\n\n Dvořák \n" * 5)
    write(tmp_path / "Irish.txt", "O'Brien\n" * 20)
    write(tmp_path / "notes.md", "not a class")
    for path in (tmp_path, tmp_path / "*.txt"):
        data = LabelledText(str(path), [0.5, 0.3, 0.2], unit="character")
        assert data.labels == ["Czech", "Irish"] and data.splits == ("train", "valid", "test")
        assert Counter(data.targets("valid").tolist()) == {0: 3, 1: 6}      # each class has its share
    with pytest.raises(ValueError, match="one for each class; found 0"):
        LabelledText(str(tmp_path / "*.tsv"), [0.5, 0.5])
    with pytest.raises(ValueError, match="one for each class; found 1"):
        LabelledText(str(tmp_path / "C*.txt"), [0.5, 0.5])


def test_stratified_parts_do_not_overlap_and_do_not_move():
    labels = ["a"] * 10 + ["b"] * 31 + ["c"]
    parts = stratified(labels, [0.7, 0.2, 0.1], seed=3)
    assert sorted(sum(parts, [])) == list(range(42)) and parts == stratified(labels, [0.7, 0.2, 0.1], seed=3)
    assert parts != stratified(labels, [0.7, 0.2, 0.1], seed=4)
    assert [Counter(labels[i] for i in part)["b"] for part in parts] == [22, 6, 3]
    more = stratified(labels + ["c"], [0.7, 0.2, 0.1], seed=3)              # other classes stay where they were
    assert [[i for i in part if i < 41] for part in more] == [[i for i in part if i < 41] for part in parts]


def test_fewer_training_examples_keep_proportions_and_the_vocabulary(tmp_path):
    write(tmp_path / "a.tsv", "".join(f"w{number}\t{'abbb'[number % 4]}\n" for number in range(80)))
    drawn = {}
    for count, seed in ((2, 0), (8, 0), (20, 0), (20, 1), (40, 0)):
        data = LabelledText(str(tmp_path / "a.tsv"), [0.5, 0.5])
        whole, words, valid = data.items("train"), data.vocab.idx_to_token, data.items("valid")
        kept = data.keep_train(count, seed)
        assert data.items("train") == [whole[row] for row in kept] and len(set(kept)) == count
        assert len(data.inputs("train")) == len(data.targets("train")) == count
        assert [data.vocab.idx_to_token[ids[0]] for ids in data.inputs("train")] == data.items("train")
        assert data.vocab.idx_to_token == words and data.items("valid") == valid
        assert data.describe().startswith(f"train {count},")
        classes = Counter(data.targets("train").tolist())
        assert min(classes[0], classes[1]) >= 1 and abs(classes[0] - count / 4) <= 1
        drawn[count, seed] = set(kept)
    assert drawn[2, 0] < drawn[8, 0] < drawn[20, 0] < drawn[40, 0] and drawn[20, 0] != drawn[20, 1]
    for count in (1, 41):
        with pytest.raises(ValueError, match=f"train_limit must be from 2, one .* class, to the 40 .*got {count}"):
            LabelledText(str(tmp_path / "a.tsv"), [0.5, 0.5]).keep_train(count, 0)


def test_duplicates_are_counted_and_removed_from_the_earlier_split(tmp_path):
    files = three(tmp_path, "a b\t1\na b\t1\na b\t0\nc\t0\ne\t1\n", "c\t0\nd\t1\n", "a b\t1\n")
    data = LabelledText(**files)
    assert "3 duplicates across splits" in data.describe() and "removed" not in data.describe()
    data = LabelledText(**files, deduplicate=True)
    assert data.items("train") == ["a b", "e"] and data.targets("train").tolist() == [0, 1]      # the other label stays
    assert data.items("valid") == ["c", "d"] and data.items("test") == ["a b"]
    assert "0 duplicates across splits" in data.describe() and "3 duplicates removed" in data.describe()


def test_duplicates_are_removed_before_a_random_division(tmp_path):
    path = write(tmp_path / "a.tsv", "same\t1\n" * 50 + "".join(f"{i}\t0\n{i}!\t1\n" for i in range(30)))
    data = LabelledText(path, [0.5, 0.5], deduplicate=True)
    texts = data.items("train") + data.items("valid")
    assert len(texts) == 61 and texts.count("same") == 1 and "49 duplicates removed" in data.describe()


def test_letters_alone_may_decide(tmp_path):
    files = three(tmp_path, "Ah, well!\t1\nb\t0\nc\t1\n", "ah well\t1\n", "")
    assert "0 duplicates across" in LabelledText(**files).describe()
    assert LabelledText(**files, deduplicate=True, compare="letters").items("train") == ["b", "c"]


def test_unit_case_frequency_and_length(tmp_path):
    files = three(tmp_path, "A a b B c\t1\nD\t0\n", "e d\t0\n")
    data = LabelledText(**files, lower=True, min_freq=2, max_length=4)
    assert data.vocab.idx_to_token == ["<unk>", "a", "b"] and data.inputs("train")[0].tolist() == [1, 1, 2, 2]
    assert data.inputs("valid")[0].tolist() == [0, 0] and data.items("train")[0] == "A a b B c"
    assert LabelledText(**files, unit="character").inputs("train")[0].size == 9


def test_reader_survives_its_json(tmp_path):
    reader = LabelledText(**three(tmp_path), lower=True, max_length=2).reader
    again = TextReader.from_json(reader.to_json())
    assert again("B A c zz").tolist() == reader("B A c zz").tolist() and again("").shape == (0,)
    assert again.model_arguments == {"vocab_size": 4}


def test_label_names(tmp_path):
    data = LabelledText(**three(tmp_path), label_names={0: "bad", "1": "good"})
    assert data.labels == ["bad", "good"] and data.targets("train").tolist() == [1, 0]
    with pytest.raises(ValueError, match="no name for the label '0'; it names 1"):
        LabelledText(**three(tmp_path), label_names={1: "good"})


@pytest.mark.parametrize("change, message", [
    ({"columns": ["text"]}, "'text' and 'label' among them"),
    ({"columns": ["text", "label", "text"]}, "must name each column once"),
    ({"unit": "line"}, "unit must be 'character' or 'word'"), ({"min_freq": 0}, "min_freq must be"),
    ({"max_length": 0}, "max_length must be"), ({"compare": "sound"}, "compare must be 'text' or 'letters'"),
    ({"valid": None}, "give either path and split, or train and valid"), ({"split": [0.5, 0.5]}, "give either path"),
    ({"train": "nothing.tsv"}, r"found 0; check the path"),
])
def test_wrong_arguments(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        LabelledText(**{**three(tmp_path), **change})


def test_wrong_splits(tmp_path):
    path = write(tmp_path / "a.tsv", "a\t1\nb\t0\n" * 5)
    for split, message in ((None, "path goes with split"), ([0.5], "must be 2 or 3 fractions"),
                           ([0.9, 0.2], "sum of at most 1"), ([0.99, 0.01], "leaves nothing of 10 texts for valid")):
        with pytest.raises(ValueError, match=message):
            LabelledText(path, split)
    with pytest.raises(ValueError, match="the test split has the label '7', which no training example has"):
        LabelledText(**three(tmp_path, test="a\t7\n"))
    with pytest.raises(ValueError, match="no split 'dev' in this data set"):
        LabelledText(path, [0.5, 0.5]).items("dev")


@pytest.mark.real_data
def test_counts_of_the_real_files(data_root):
    """The numbers that come with the data: 18,012 distinct names, 572 distinct lines of Poe, the sizes of SST-2."""
    names = LabelledText(str(data_root / "names" / "*.txt"), [0.8, 0.1, 0.1], unit="character", deduplicate=True)
    assert sum(len(names.items(split)) for split in names.splits) == 18012 and len(names.labels) == 18
    poems = LabelledText(str(data_root / "poems"), [0.8, 0.1, 0.1], deduplicate=True, compare="letters")
    lines = Counter(poems.labels[i] for split in poems.splits for i in poems.targets(split))
    assert lines["edgar_allan_poe"] == 572 and lines["robert_frost"] == 1366
    folder = data_root / "sst2"
    files = {"train": folder / "train.tsv", "valid": folder / "dev.tsv", "test": folder / "test.tsv"}
    sst2 = LabelledText(**files, label_names={0: "negative", 1: "positive"})
    assert [len(sst2.items(split)) for split in sst2.splits] == [6920, 872, 1821]
    assert [int(sst2.targets(split).sum()) for split in sst2.splits] == [3610, 444, 909]
    assert "3 duplicates across splits" in sst2.describe()


def test_a_line_of_a_megabyte_is_read_and_refused_at_once(tmp_path):
    text = "word " * 200_000 + "\ta\nfine\tb\n"
    with pytest.raises(ValueError, match="the train split has a text of 200,000 words, which begins with 'word word"):
        LabelledText(**three(tmp_path, text, "fine\tb\n", "fine\ta\n"))
    assert len(LabelledText(**three(tmp_path, text, "fine\tb\n", "fine\ta\n"), max_length=50).inputs("train")[0]) == 50
