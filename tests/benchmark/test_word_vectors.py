"""The benchmark of word vectors on a few lines, with a stand-in for gensim where that is not installed.

Tests `gensim_peer.py` and `scripts/benchmark_word_vectors.py` too.
"""
import json
import sys
import types

import pytest

from gluon_rnn.benchmark import gensim_peer, word_vectors
from gluon_rnn.benchmark.peers import PeerError
from scripts import benchmark_word_vectors


@pytest.fixture
def text(tmp_path):
    (tmp_path / "text.txt").write_text("a rose is a <unk> rose in the sun\n" * 30)
    return tmp_path / "text.txt"


def test_ours_trains_an_epoch_of_the_text(text):
    case = {**word_vectors.CASE, "text": str(text), "architecture": "skip_gram", "threads": 1}
    found = word_vectors.ours(case)
    assert found["words"] == 30 * 10 and 0 < found["seconds"] < 60        # the ends of lines are words of the data set


def test_gensim_is_given_the_same_sizes(text, monkeypatch, capsys):
    made = {}

    class Word2Vec:
        corpus_count = 30

        def __init__(self, **arguments):
            made.update(arguments)

        def build_vocab(self, lines):
            made["lines"] = lines

        def train(self, lines, total_examples, epochs):
            made["epochs_trained"] = epochs

    models = types.SimpleNamespace(Word2Vec=Word2Vec)
    monkeypatch.setitem(sys.modules, "gensim", types.SimpleNamespace(__version__="4", models=models))
    monkeypatch.setitem(sys.modules, "gensim.models", models)
    gensim_peer.main({**word_vectors.CASE, "text": str(text), "architecture": "cbow", "threads": 2})
    assert json.loads(capsys.readouterr().out)["version"] == "4" and made["epochs_trained"] == 1
    assert made["lines"][0] == ["a", "rose", "is", "a", "rose", "in", "the", "sun"] and len(made["lines"]) == 30
    assert (made["sg"], made["workers"], made["vector_size"], made["negative"]) == (0, 2, 100, 5)


def test_the_table(text, monkeypatch, capsys):
    seconds = {"ours": iter([2.0, 1.0, 9.0]), "gensim": iter([4.0, 4.0, 5.0])}

    def measure(command, case):
        name = "gensim" if command[-1] == gensim_peer.__file__ else "ours"
        return {"seconds": next(seconds[name]), "version": "1", "words": 4000}

    monkeypatch.setattr(word_vectors, "measure", measure)
    assert benchmark_word_vectors.main(["--text", str(text), "--threads", "1", "--architectures", "cbow"]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.startswith("# size 100, window 5") and "ours     2.0 k words/s" in line and "gensim     1.0" in line
    assert line.endswith("ours / gensim 2.00")


def test_a_peer_that_fails_says_why():
    with pytest.raises(PeerError, match="python.* failed: .*no good"):
        word_vectors.measure([sys.executable, "-c", "raise SystemExit('no good')"], {"threads": 1})
