"""Ids in memory-mapped files: those of memory, found again, made anew where a text changed, few of them resident.

Tests `shards.py` too.
"""
import os
import threading

import numpy as np
import pytest

from gluon_rnn.data import BPTTBatches, Characters, Words, id_files, text
from gluon_rnn.data.id_files import map_ids, pieces_of, release
from gluon_rnn.data.memory import InMemory
from gluon_rnn.data.shards import shards_of

TEXT = "a rose is a rose\nthe sun\n\nalso rises\n" * 30


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GLUON_RNN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def shards(tmp_path):
    """A text in three files, and in one; ends of files are ends of lines."""
    lines, paths = TEXT.splitlines(keepends=True), []
    for number in range(3):
        paths.append(tmp_path / f"part-{number}.txt")
        paths[-1].write_text("".join(lines[40 * number:40 * number + 40]))
    (tmp_path / "whole.txt").write_text(TEXT)
    return paths


SETS = [(Words, {"split": [0.7, 0.2, 0.1]}), (Words, {"max_size": 3, "split": [0.7, 0.3]}),
        (Characters, {"split": [0.5, 0.25]})]


@pytest.mark.parametrize("kind, options", SETS)
def test_ids_and_vocabulary_are_those_of_memory(shards, tmp_path, monkeypatch, kind, options):
    monkeypatch.setattr(id_files, "PIECE", 17)                            # many pieces, the last one shorter
    expected = kind(path=str(tmp_path / "whole.txt"), **options)
    for source in (str(tmp_path / "part-*.txt"), list(map(str, shards))):
        for memory_map in (False, True):
            found = kind(path=source, memory_map=memory_map, **options)
            assert found.vocab.to_json() == expected.vocab.to_json() and found.splits == expected.splits
            for split in found.splits:
                assert isinstance(found.ids(split), np.memmap) == memory_map
                np.testing.assert_array_equal(found.ids(split), expected.ids(split))


def test_a_text_is_read_once_until_it_changes(shards, tmp_path, cache, monkeypatch):
    settings = {"train": str(tmp_path / "part-*.txt"), "valid": str(shards[0]), "memory_map": True}
    first = Words(**settings).ids("train")
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1
    monkeypatch.setattr(text, "read_splits", None)                        # whoever reads a text fails
    np.testing.assert_array_equal(Words(**settings).ids("train"), first)
    with pytest.raises(TypeError):
        Words(**settings, min_freq=2)
    os.utime(shards[1], ns=(1, 1))
    with pytest.raises(TypeError):
        Words(**settings)
    assert sorted(path.name.split("-")[0] for path in cache.iterdir()) == ["corpus"] + 3 * ["corpus"], "no partial ones"


def test_a_damaged_corpus_is_made_anew(shards, cache):
    settings = {"train": str(shards[0]), "valid": str(shards[1]), "memory_map": True}
    expected = np.array(Words(**settings).ids("valid"))
    folder, = (path for path in cache.iterdir() if path.is_dir())
    for name in ("valid.ids", "corpus.json"):
        (folder / name).write_bytes((folder / name).read_bytes()[:-4])
        np.testing.assert_array_equal(Words(**settings).ids("valid"), expected)
    (folder / "train.ids").unlink()
    np.testing.assert_array_equal(Words(**settings).ids("valid"), expected)


def test_processes_that_want_one_corpus_make_it_once(shards, monkeypatch):
    calls, real = [], text.read_splits
    monkeypatch.setattr(text, "read_splits", lambda *arguments: calls.append(1) or real(*arguments))
    found = []
    workers = [threading.Thread(target=lambda: found.append(Words(
        train=str(shards[0]), valid=str(shards[1]), memory_map=True).ids("train"))) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(calls) == 1 and len(found) == 3 and all(np.array_equal(ids, found[0]) for ids in found)


def test_content_in_memory_has_ids_in_files_too():
    given = {key: InMemory(TEXT, key) for key in ("train", "valid")}
    np.testing.assert_array_equal(Words(**given, memory_map=True).ids("train"), Words(**given).ids("train"))


def test_what_was_read_leaves_memory(tmp_path):
    """Eight million ids are 32 MB; all are read, through a view of a part too, and hardly any stay."""
    ids = np.arange(8 * 2**20, dtype=np.int32)
    ids.tofile(tmp_path / "ids")
    mapped = map_ids(tmp_path / "ids")
    before = resident(tmp_path / "ids")
    found = sum(int(piece.sum(dtype=np.int64)) for _, piece in pieces_of(mapped[3:]))
    assert found == int(ids.sum(dtype=np.int64)) - 3
    assert int(mapped[-1]) == ids[-1] and resident(tmp_path / "ids") - before < 3
    for number, _ in enumerate(BPTTBatches(mapped, 4, 2**15)):
        if number % 7 == 6:                                               # a piece of 4 MiB, blocks of 2 at 4 places
            assert resident(tmp_path / "ids") - before < 21
    release(ids)                                                          # nothing to do


def resident(path):
    """Return how many MiB of a mapped file this process has in memory (Linux)."""
    total, inside = 0, False
    with open("/proc/self/smaps", encoding="utf-8") as file:
        for line in file:
            if "-" in line.split(" ")[0]:
                inside = line.rstrip().endswith(str(path))
            elif inside and line.startswith("Rss:"):
                total += int(line.split()[1])
    return total / 1024


@pytest.mark.parametrize("source, sentence", [
    ("nothing-*.txt", r"nothing-\*.txt: no such file that fits this pattern; "), ([], "the list|a list of text files"),
    (["there-is-none.txt"], "there-is-none.txt: no such file; ")])
@pytest.mark.parametrize("memory_map", [False, True])
def test_what_is_not_there_is_one_sentence(source, sentence, memory_map):
    with pytest.raises(ValueError, match=sentence):
        Words(train=source, valid=source, memory_map=memory_map)


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path):
    (tmp_path / "a[1].txt").write_text("a")
    (tmp_path / "a1.txt").write_text("b")
    assert shards_of(str(tmp_path / "a[1].txt")) == [str(tmp_path / "a[1].txt")]
