"""Parallel text: tables and pairs of files, awkward lines, vocabularies, duplicates, references, errors with lines."""
import gzip

import numpy as np
import pytest

from gluon_rnn.data.parallel_text import ParallelText, Ragged
from gluon_rnn.registry import datasets

TABLE = "Go.\tVa !\nRun!\tCours !\nRun!\tCourez !\nWho?\tQui ?\n"


def write(folder, name, text, encoding="utf-8"):
    path = folder / name
    raw = text.encode(encoding)
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return str(path)


def load(folder, text=TABLE, name="pairs.tsv", **options):
    path = write(folder, name, text, options.get("encoding", "utf-8"))
    return ParallelText(train=path, valid=path, **options)


def words(data, split, side):
    vocab = (data.source_vocab, data.target_vocab)[side]
    return [[vocab.idx_to_token[index] for index in sequence] for sequence in data.ids(split)[side]]


@pytest.mark.parametrize("name", ["pairs.tsv", "pairs.tsv.gz"])
@pytest.mark.parametrize("ending, bom", [("\n", ""), ("\r\n", "\ufeff"), ("\r", "")])
def test_a_table_in_any_dress(tmp_path, name, ending, bom):
    text = (bom + TABLE + "\n \n").replace("\n", ending)
    data = load(tmp_path, text, name)
    assert data.texts("train") == [("Go.", "Va !"), ("Run!", "Cours !"), ("Run!", "Courez !"), ("Who?", "Qui ?")]
    assert words(data, "train", 1)[:2] == [["Va", "!", "<eos>"], ["Cours", "!", "<eos>"]]
    assert words(data, "train", 0)[0] == ["Go", "\uffed.", "<eos>"]


def test_two_files_and_no_break_spaces(tmp_path):
    files = [write(tmp_path, "a.en", "Go.\n\nWho\u2028is?\n"), write(tmp_path, "a.fr", "Va\u202f!\n\nQui\u00a0?")]
    data = ParallelText(train=files, valid=files)
    assert data.texts("valid") == [("Go.", "Va\u202f!"), ("Who\u2028is?", "Qui\u00a0?")]
    assert words(data, "valid", 1) == [["Va", "!", "<eos>"], ["Qui", "?", "<eos>"]]
    assert data.references("valid") == {"Go.": ["Va !"], "Who is?": ["Qui ?"]}


def test_columns_encoding_and_direction(tmp_path):
    text = "1\tété\tsummer\tCC-BY\n2\tnoël\tchristmas\tCC-BY\n"
    data = load(tmp_path, text, columns=["number", "source", "target"], encoding="latin-1")
    assert data.texts("train") == [("été", "summer"), ("noël", "christmas")]


def test_a_pair_with_an_empty_side_is_counted(tmp_path):
    files = [write(tmp_path, "a", "Go.\n\nHi\n"), write(tmp_path, "b", "Va !\nQui ?\n  \n")]
    data = ParallelText(train=files, valid=files)
    assert data.texts("train") == [("Go.", "Va !")]
    assert "4 pairs with an empty side left out" in data.describe()      # two in each split
    assert "2 pairs with an empty side" in load(tmp_path, TABLE + "Oh\t\n").describe()


def test_vocabularies_are_those_of_train(tmp_path):
    train = write(tmp_path, "train", "a a b\tx x y\na c\tx z\n")
    valid = write(tmp_path, "valid", "a d b\ty w\n")
    data = ParallelText(train=train, valid=valid, min_freq=2)
    assert data.source_vocab.idx_to_token == ["<unk>", "<bos>", "<eos>", "a"]
    assert data.target_vocab.idx_to_token == ["<unk>", "<bos>", "<eos>", "x"]
    assert words(data, "valid", 0) == [["a", "<unk>", "<unk>", "<eos>"]]
    assert data.splits == ("train", "valid")


def test_references_group_all_translations_once(tmp_path):
    data = load(tmp_path, TABLE + "Run!\tCours\u00a0!\nGo.\tVas-y !\n")
    assert data.references("valid") == {"Go.": ["Va !", "Vas-y !"], "Run!": ["Cours !", "Courez !"], "Who?": ["Qui ?"]}
    assert load(tmp_path, lower=True).references("valid")["go."] == ["va !"]


def test_duplicates_are_counted_and_removed_where_wanted(tmp_path):
    train = write(tmp_path, "train", TABLE + TABLE + "Hi\tSalut\n")
    valid = write(tmp_path, "valid", "Run!\tFuyez !\n")
    counted = ParallelText(train=train, valid=valid)
    assert len(counted.texts("train")) == 9
    assert "4 training pairs whose source is in valid or test too" in counted.describe()
    removed = ParallelText(train=train, valid=valid, deduplicate=True)
    assert removed.texts("train") == [("Go.", "Va !"), ("Who?", "Qui ?"), ("Hi", "Salut")]
    assert "6 duplicates removed" in removed.describe()
    with pytest.raises(ValueError, match="deduplicate leaves no training pair"):
        load(tmp_path, deduplicate=True)


def test_a_random_division_keeps_translations_together(tmp_path):
    text = "".join(f"s{i}\tt{i} {j}\n" for i in range(40) for j in range(3))
    path = write(tmp_path, "pairs", text)
    parts = [ParallelText(path, [0.5, 0.25, 0.25], split_seed=seed) for seed in (0, 0, 1)]
    sources = [{source for source, _ in parts[0].texts(split)} for split in ("train", "valid", "test")]
    assert [len(part) for part in sources] == [20, 10, 10]
    assert not sources[0] & sources[1] and not sources[0] & sources[2] and not sources[1] & sources[2]
    assert sum(len(parts[0].texts(split)) for split in parts[0].splits) == 120
    assert parts[0].texts("test") == parts[1].texts("test") != parts[2].texts("test")


def test_long_training_pairs_are_left_out(tmp_path):
    data = load(tmp_path, TABLE + "a b c d\te\n", max_length=3)
    assert len(data.texts("train")) == 4 == len(data.ids("train")[0])
    assert len(data.texts("valid")) == 5
    assert "1 training pairs longer than 3 left out" in data.describe()


def test_ragged():
    ragged = Ragged([[1, 2, 3], [], [4]])
    assert [part.tolist() for part in ragged] == [[1, 2, 3], [], [4]]
    assert ragged.lengths.tolist() == [3, 0, 1]
    assert ragged.ids.dtype == np.int32
    assert len(Ragged([])) == 0


def test_errors_name_file_and_line(tmp_path):
    with pytest.raises(ValueError, match=r"pairs.tsv: line 5: expected source, target separated by '\\t', got 'Oh no'"):
        load(tmp_path, TABLE + "Oh no\n")
    files = [write(tmp_path, "a", "1\n2\n3\n"), write(tmp_path, "b", "1\n2\n")]
    with pytest.raises(ValueError, match="a has 3 lines and .*b has 2; line by line"):
        ParallelText(train=files, valid=files)
    with pytest.raises(ValueError, match="train: expected one table or two files .* got 3 files"):
        ParallelText(train=[*files, "c"], valid=files)
    with pytest.raises(ValueError, match="columns names the columns of one table, but train is two files"):
        ParallelText(train=files, valid=files, columns=["source", "target"])
    with pytest.raises(ValueError, match="columns must name each column once"):
        ParallelText(train=files, valid=files, columns=["source", "text"])
    with pytest.raises(ValueError, match="no such file"):
        ParallelText(train=str(tmp_path / "none"), valid=files)


@pytest.mark.parametrize("options, message", [
    ({"path": "x"}, "path goes with split"), ({"train": "x"}, "given: train; give either path and split"),
    ({"train": "x", "valid": "y", "split": [0.5, 0.5]}, "train, valid and split"), ({}, "given: no file"),
    ({"path": "x", "min_freq": 0}, "min_freq must be a whole number of at least 1")])
def test_argument_errors(options, message):
    with pytest.raises(ValueError, match=message):
        ParallelText(**options)


def test_wrong_split_and_empty_file(tmp_path):
    with pytest.raises(ValueError, match="no split 'tests' in this data set; known"):
        load(tmp_path).ids("tests")
    with pytest.raises(ValueError, match="no pair of sentences in"):
        load(tmp_path, "\n\n")
    with pytest.raises(ValueError, match="max_length 1 leaves no training pair"):
        load(tmp_path, max_length=1)


@pytest.mark.real_data
def test_real_sentences_have_the_published_counts(data_root):
    files = {name: str(data_root / "eng_fra" / f"eng-fra.{name}.txt") for name in ("train", "valid", "test")}
    data = datasets.build("parallel_text", **files)
    assert [len(data.texts(split)) for split in data.splits] == [15794, 1964, 2039]
    assert len(data.references("valid")) == 1333
    assert len(data.references("test")) == 1370
    assert "0 training pairs whose source is in valid or test too" in data.describe()
    for source, target in data.texts("test"):
        assert data.tokenizer.join(data.tokenizer.split(target)) == data.tokenizer.normalise(target)
        assert source
