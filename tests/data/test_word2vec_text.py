"""Vectors as text: read back as they were, by us and by gensim; files that are none, in one sentence."""
import gzip

import numpy as np
import pytest

from gluon_rnn.answers.vector_table import VectorTable
from gluon_rnn.data.word2vec_text import read_vectors, write_vectors

WORDS = ["the", "naïve", "1,000", "\u00a0x".strip(), "<b>", "🙂"]


@pytest.fixture
def table():
    values = np.random.default_rng(0).normal(size=(len(WORDS), 3)) * 10.0 ** np.arange(-3, 3)[:, None]
    return VectorTable(WORDS, values.astype(np.float32))


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
def test_every_number_comes_back_as_it_was(table, tmp_path, name):
    write_vectors(tmp_path / name, table)
    again = read_vectors(tmp_path / name)
    assert again.words == table.words and again.vectors.dtype == np.float32
    np.testing.assert_array_equal(again.vectors, table.vectors)
    text = (gzip.open if name.endswith("gz") else open)(tmp_path / name, "rt", encoding="utf-8").read()
    assert text.startswith(f"{len(WORDS)} 3\nthe ") and text.count("\n") == 1 + len(WORDS)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_write_that_breaks_off_leaves_the_old_file_alone(tmp_path):
    write_vectors(tmp_path / "a.txt", VectorTable(["old"], np.ones((1, 2))))
    with pytest.raises(UnicodeEncodeError):
        write_vectors(tmp_path / "a.txt", VectorTable(["new", "\ud800"], np.ones((2, 2))))
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"] and read_vectors(tmp_path / "a.txt").words == ["old"]


def test_gensim_reads_it_back_and_we_read_what_gensim_writes(table, tmp_path):
    keyed = pytest.importorskip("gensim.models").KeyedVectors
    write_vectors(tmp_path / "ours.txt", table)
    theirs = keyed.load_word2vec_format(str(tmp_path / "ours.txt"))
    assert theirs.index_to_key == WORDS
    np.testing.assert_array_equal(theirs.vectors, table.vectors)
    nearest = [word for word, _ in table.nearest("the", 3)]
    assert [word for word, _ in theirs.most_similar("the", topn=3)] == nearest
    theirs.save_word2vec_format(str(tmp_path / "theirs.txt"))
    again = read_vectors(tmp_path / "theirs.txt")
    assert again.words == WORDS
    np.testing.assert_allclose(again.vectors, table.vectors, rtol=1e-6)   # gensim writes what repr gives


def test_a_file_without_the_first_line_is_read_too(tmp_path):
    (tmp_path / "glove.txt").write_text("a 1 2\nb 3 4\n")
    assert read_vectors(tmp_path / "glove.txt").vectors.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("text, message", [
    ("2 2\na 1 2\n", "the first line says 2 words, and 1 follow"),
    ("2 2\na 1 2\nb 3\n", "line 3 has 1 numbers behind its word, expected 2"),
    ("2 2\na 1 2\nb 3 x\n", "line 3: expected 2 numbers behind a word, got '3 x'"),
    ("2 2\na 1 2\na 3 4\n", "the word 'a' is there twice"),
    ("2 2\na 1 2\nb 3 nan\n", "the vector of 'b' has a number that is not finite"),
    ("words\n", "line 1 has 0 numbers behind its word"),
    ("0 5\n", "there are no vectors in the file")])
def test_what_is_no_file_of_vectors(tmp_path, text, message):
    (tmp_path / "bad.txt").write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read_vectors(tmp_path / "bad.txt")
    assert "bad.txt" in str(caught.value) and "\n" not in str(caught.value)


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match="the word 'a b' has white space in it"):
        write_vectors(tmp_path / "x.txt", VectorTable(["a b"], [[1.0]]))
    with pytest.raises(ValueError, match="there is no folder '.*nowhere' to write 'x.txt' to"):
        write_vectors(tmp_path / "nowhere" / "x.txt", VectorTable(["a"], [[1.0]]))
