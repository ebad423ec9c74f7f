"""Characters and words: tokens, vocabulary, ids, error sentences, and the published counts of the real files.

Tests `gluon_rnn/answers/text.py` too.
"""
import collections
import gzip
import time

import gluonnlp
import numpy as np
import pytest

from gluon_rnn.data import BPTTBatches, Characters, Words, encode, tokenize
from gluon_rnn.registry import datasets

TEXT = "the end sat\n\non the mat\n the mat"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT)
    return tmp_path / "a.txt"


def files(folder, **texts):
    """Write one file for each text and return their paths by name."""
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return {name: str(folder / f"{name}.txt") for name in texts}


def decoded(data, split):
    return [data.vocab.idx_to_token[index] for index in data.ids(split)]


def test_characters_by_position(path):
    data = Characters(path=path, split=[0.75, 0.25])
    cut = int(0.75 * len(TEXT))
    assert "".join(decoded(data, "train")) == TEXT[:cut] and "".join(decoded(data, "valid")) == TEXT[cut:]
    assert data.splits == ("train", "valid")
    assert sorted(data.vocab.idx_to_token) == sorted(set(TEXT[:cut]))   # no special token
    assert data.ids("train").dtype == np.int32
    assert (data.unit, data.separator, data.entropy_rate) == ("character", "", None)


def test_words_mark_every_line_blank_ones_too(path):
    data = Words(train=path, valid=path)
    assert decoded(data, "train") == ["the", "end", "sat", "<eos>", "<eos>", "on", "the", "mat", "<eos>",
                                      "the", "mat", "<eos>"]
    # special tokens, then by frequency, equal ones by alphabet
    assert data.vocab.idx_to_token == ["<unk>", "<eos>", "the", "mat", "end", "on", "sat"]
    assert (data.unit, data.separator) == ("word", " ")


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_last_line_counts_once_with_or_without_newline(tmp_path, ending):
    named = files(tmp_path, train="a b" + ending, valid="a")
    assert decoded(Words(**named), "train") == ["a", "b", "<eos>"]


def test_vocabulary_is_that_of_train_alone(tmp_path):
    named = files(tmp_path, train="a a b", valid="a c", test="d")
    data = Words(**named)
    assert data.splits == ("train", "valid", "test")
    assert "c" not in data.vocab.token_to_idx and decoded(data, "valid") == ["a", "<unk>", "<eos>"]


def test_min_freq_and_max_size(tmp_path):
    named = files(tmp_path, train="a a a b b c", valid="c b a")
    assert Words(**named, min_freq=2).vocab.idx_to_token == ["<unk>", "<eos>", "a", "b"]
    assert Words(**named, max_size=1).vocab.idx_to_token == ["<unk>", "<eos>", "a"]
    data = Characters(**named, min_freq=2, unknown_token="<unk>")
    assert data.vocab.idx_to_token == ["<unk>", " ", "a", "b"]
    assert decoded(data, "valid") == ["<unk>", " ", "b", " ", "a"]


def test_unseen_character_is_one_sentence_or_the_unknown_token(tmp_path):
    named = files(tmp_path, train="abab", valid="abéb")
    with pytest.raises(ValueError, match="the valid split has 'é' at position 2, .* 2 tokens .* set unknown_token"):
        Characters(**named)
    assert decoded(Characters(**named, unknown_token="<unk>"), "valid") == ["a", "b", "<unk>", "b"]
    with pytest.raises(ValueError, match="the valid split has 'abéb' at position 0"):
        Words(**named, unknown_token=None)


def test_prefix_with_an_unseen_token(path):
    data = Characters(path=path, split=[0.9, 0.1])
    np.testing.assert_array_equal(encode("the", data.vocab), encode(data.tokenize("the"), data.vocab))
    with pytest.raises(ValueError, match="the prefix has 'Q' at position 1"):
        encode("eQ", data.vocab, "the prefix")
    with pytest.raises(ValueError, match="the prefix has '\\\\udcff' at position 0"):   # a raw byte of a command line
        encode("\udcff", data.vocab, "the prefix")
    assert len(encode("", data.vocab)) == len(encode([], data.vocab)) == 0


def test_tokenize():
    assert tokenize("a  b", "character") == ["a", " ", " ", "b"] and tokenize(" a  b\n", "word") == ["a", "b"]
    with pytest.raises(ValueError, match="'character' or 'word', got 'byte'"):
        tokenize("a", "byte")


def test_characters_beyond_the_basic_plane(tmp_path):
    named = files(tmp_path, train="a😀b😀", valid="😀a")
    data = Characters(**named)
    assert decoded(data, "train") == ["a", "😀", "b", "😀"] and decoded(data, "valid") == ["😀", "a"]


@pytest.mark.parametrize("kind", [Characters, Words])
def test_vocabulary_survives_json(path, kind):
    vocab = kind(path=path, split=[0.8, 0.2], unknown_token="<unk>").vocab
    back = gluonnlp.Vocab.from_json(vocab.to_json())
    assert back.idx_to_token == vocab.idx_to_token and back.token_to_idx == vocab.token_to_idx
    np.testing.assert_array_equal(encode(["the", "t", "Q"], back), encode(["the", "t", "Q"], vocab))


@pytest.mark.parametrize("arguments, message", [
    ({"path": "P", "split": [0.9, 0.1], "train": "P"}, "path and train are both given"),
    ({"path": "P"}, "path needs split as well"),
    ({"train": "P"}, "valid missing, given: train"),
    ({}, "train and valid missing, given: nothing"),
    ({"train": "P", "valid": "P", "split": [0.9, 0.1]}, "split .* leave it out"),
    ({"path": "P", "split": [0.97, 0.01, 0.01]}, "a.txt: split .* leaves nothing of 32 for valid"),
    ({"path": "P", "split": [0.9, 0.1], "min_freq": 0}, "min_freq must be a whole number, at least 1, got 0"),
    ({"path": "P", "split": [0.9, 0.1], "max_size": 2.5}, "max_size must be"),
    ({"path": "P", "split": [0.9, 0.1], "min_freq": 2}, "needs an unknown_token"),
    ({"path": "nowhere", "split": [0.9, 0.1]}, "nowhere: no such file"),
])
def test_wrong_arguments(path, arguments, message):
    with pytest.raises(ValueError, match=message):
        Characters(**{key: path if value == "P" else value for key, value in arguments.items()})


def test_no_such_split(path):
    with pytest.raises(ValueError, match="no split 'validd' in this data set; did you mean 'valid'"):
        Characters(path=path, split=[0.8, 0.2]).ids("validd")


def test_registered_by_name(path):
    assert len(datasets.build("characters", path=str(path), split=[0.8, 0.2]).vocab) > 5
    with pytest.raises(ValueError, match="did you mean 'encoding'"):
        datasets.build("words", path=str(path), encodin="utf-8")


@pytest.mark.real_data
def test_tinyshakespeare(data_root):
    path = data_root / "tinyshakespeare" / "input.txt"
    start = time.perf_counter()
    data = Characters(path=path, split=[0.9, 0.1])
    seconds = time.perf_counter() - start
    assert len(data.vocab) == 65
    assert [len(data.ids(split)) for split in data.splits] == [1_003_854, 111_540]
    assert "".join(decoded(data, "valid")) == path.read_text()[1_003_854:]
    # It takes 0.05 s alone; 2 s leaves room for a busy machine.
    assert seconds < 2
    assert BPTTBatches(data.ids("train"), 64, 64).tokens == 1_003_853 // 64 * 64


@pytest.mark.real_data
def test_wikitext_2_has_the_published_counts(data_root):
    folder = data_root / "wikitext-2"
    data = Words(**{split: folder / f"{split}.txt.gz" for split in ("train", "valid", "test")})
    assert [len(data.ids(split)) for split in data.splits] == [2_088_628, 217_646, 245_569]
    assert len(data.vocab) == 33_278
    # an independent count: line by line
    with gzip.open(folder / "valid.txt.gz", "rt", encoding="utf-8") as lines:
        counts = collections.Counter(word for line in lines for word in line.split() + ["<eos>"])
    ids = data.ids("valid")
    for word in ("the", "<unk>", "<eos>"):
        assert (ids == data.vocab[word]).sum() == counts[word]
