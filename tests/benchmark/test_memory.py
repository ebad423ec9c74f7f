"""The benchmark of memory: the corpus it writes, and that a measurement is complete; how much is not tested here."""
import collections

import numpy as np
import pytest

from gluon_rnn.benchmark import memory
from gluon_rnn.cli import benchmark
from gluon_rnn.cli.main import main


def test_corpus_has_the_tokens_and_the_frequencies(tmp_path):
    memory.write_corpus(tmp_path / "corpus.txt", 21_000, np.random.default_rng(0))
    lines = (tmp_path / "corpus.txt").read_text().splitlines()
    words = collections.Counter(word for line in lines for word in line.split())
    assert len(lines) == 1000 and sum(words.values()) == 20_000
    share = 1 / (1 / np.arange(1, memory.VOCABULARY + 1)).sum()           # of the most frequent word: 10 %
    assert abs(words["word0"] - 20_000 * share) < 4 * np.sqrt(20_000 * share)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A measurement, which takes a process that trains, and the folder it was made in."""
    folder = tmp_path_factory.mktemp("memory")
    (_, found), = memory.run(folder, [6_000], updates=1, memory_map=True)
    return found, folder


def test_script_prints_a_line_for_each_size(capsys, monkeypatch, measured):
    monkeypatch.setattr(benchmark.memory, "run", lambda folder, sizes, **how: [(size, measured[0]) for size in sizes])
    assert main(["benchmark", "memory"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if not line.startswith("#")]
    assert [line[0] for line in lines] == ["tokens", *2 * ["1,000,000", "10,000,000"]]
    assert float(lines[1][1]) == pytest.approx(measured[0]["ids"], abs=0.05)


def test_a_measurement_is_complete(measured):
    found, folder = measured
    assert 0.9 * 6_000 < found["tokens"] <= 6_000
    assert found["ids"] == np.float64(4 * 285 * 21) / 2**20               # 285 lines of 20 words and an end
    assert 0 < found["before"] < found["peak"] and found["trained"] <= found["peak"] + 1
    assert [path.name for path in folder.iterdir()] == ["cache"], "the corpus is deleted, its ids are in files"
