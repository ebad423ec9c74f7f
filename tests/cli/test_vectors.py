"""``gluon-rnn vectors``: neighbours, correlations, a file that is read back, messages."""
import numpy as np
import pytest

from gluon_rnn.answers.vector_table import VectorTable
from gluon_rnn.cli.main import main
from gluon_rnn.data.word2vec_text import read_vectors, write_vectors

WORDS = ["a", "b", "c", "d"]


@pytest.fixture
def files(tmp_path):
    """Return the paths of two files of vectors and of one of pairs."""
    angles = np.array([0.0, 0.3, 0.7, 0.5])
    write_vectors(tmp_path / "one.txt", VectorTable(WORDS, np.stack([np.cos(angles), np.sin(angles)], axis=1)))
    write_vectors(tmp_path / "two.txt", VectorTable(["x", *WORDS[:3]], np.eye(4)))
    (tmp_path / "pairs.csv").write_text("a,b,9\na,c,1\nb,c,5\n")
    return [str(tmp_path / name) for name in ("one.txt", "two.txt", "pairs.csv")]


def test_one_model_is_shown_and_written(files, tmp_path, capsys):
    one, _, pairs = files
    assert main(["vectors", one, "--nearest", "a", "--count", "2", "--similarity", pairs, "--output",
                 str(tmp_path / "out.txt.gz")]) == 0
    size, word, near, correlation, written = capsys.readouterr().out.splitlines()
    assert size.endswith("4 words, 2 numbers each") and word == "a:" and near.endswith("b 0.96, d 0.88")
    assert correlation.endswith("Spearman correlation 1.000 on 3 of 3 pairs") and written.endswith("out.txt.gz")
    np.testing.assert_array_equal(read_vectors(tmp_path / "out.txt.gz").vectors, read_vectors(one).vectors)


def test_several_are_compared_on_shared_words(files, capsys):
    assert main(["vectors", *files[:2], "--nearest", "a"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all("3 words" in line for line in lines[:2]) and "d" not in lines[3].split()


@pytest.mark.parametrize("options, message", [
    (["--output", "x.txt"], "--output x.txt: a file holds the vectors of one model, and 2 are named"),
    (["--count", "0"], "--count: expected a number of at least 1, got 0"),
    (["--similarity", "nowhere.csv"], "nowhere.csv: no such file")])
def test_mistakes(files, options, message):
    with pytest.raises(ValueError, match=message):
        main(["vectors", *files[:2], *options])
