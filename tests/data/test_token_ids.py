"""Reading in pieces: the same tokens wherever a piece ends, and no memory but the ids'."""
import gc
import gzip
import tracemalloc

import numpy as np
import pytest

from gluon_rnn.data import BPTTBatches, Characters, Words, readers
from gluon_rnn.data.readers import read_chunks
from gluon_rnn.data.token_ids import CharacterIds, WordIds

TEXT = "a bc\tdef  a\n\n  bc gh\u2028i bc\nend"


def words_of(text):
    return (text if text.endswith("\n") else text + "\n").replace("\n", " <eos> ").split()


def pieces(monkeypatch, size):
    """Let files be read in pieces of `size` characters."""
    whole = read_chunks
    monkeypatch.setattr("gluon_rnn.data.token_ids.read_chunks", lambda path, encoding: whole(path, encoding, size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("text", [TEXT, TEXT + "\n", TEXT + " ", "\n", "a", "a b " * 20])
def test_words_are_the_same_wherever_a_piece_ends(tmp_path, monkeypatch, size, text):
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    pieces(monkeypatch, size)
    reader = WordIds("<eos>")
    ids, expected = reader.read(tmp_path / "a.txt", "utf-8"), words_of(text)
    assert ids.dtype == np.int32 and ids.flags.writeable
    names = list(dict.fromkeys(expected))
    assert [names[index] for index in ids] == expected
    assert reader.count(ids) == {name: expected.count(name) for name in names}


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_characters_are_the_same_wherever_a_piece_ends(tmp_path, monkeypatch, size):
    (tmp_path / "a.txt").write_text("aé😀\nb", encoding="utf-8")
    pieces(monkeypatch, size)
    reader = CharacterIds()
    ids = reader.read(tmp_path / "a.txt", "utf-8")
    assert "".join(map(chr, ids)) == "aé😀\nb"
    assert reader.count(ids) == dict.fromkeys("aé😀\nb", 1)


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_pieces_join_to_the_text(tmp_path, size):
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress("\ufeffone\r\ntwo\rthree".encode()))
    assert "".join(read_chunks(path, "utf-8", size)) == readers.read_text(path) == "one\ntwo\nthree"


def test_position_of_a_missing_token_counts_from_the_start_of_the_split(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("ab" * 50 + "aé")
    monkeypatch.setattr("gluon_rnn.data.id_files.PIECE", 4)
    with pytest.raises(ValueError, match="the valid split has 'é' at position 11, "):
        Characters(path=tmp_path / "a.txt", split=[90 / 102, 12 / 102])


@pytest.mark.parametrize("kind, text", [(Words, "some words that come again and again\n"), (Characters, "abcdefgh")])
def test_memory_is_that_of_the_ids(tmp_path, monkeypatch, kind, text):
    """Sixteen times the text: the peak grows by the ids and their room to grow, an eighth, not by strings or copies."""
    pieces(monkeypatch, 2**12)
    monkeypatch.setattr("gluon_rnn.data.id_files.PIECE", 2**12)
    peaks, sizes = [], []
    for repeats in (8_000, 128_000):
        (tmp_path / "a.txt").write_text(text * repeats)
        gc.collect()
        tracemalloc.start()
        data = kind(path=tmp_path / "a.txt", split=[0.9, 0.1])
        batches = BPTTBatches(data.ids("train"), 20, 35)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        sizes.append(sum(data.ids(split).nbytes for split in data.splits))
        assert batches.tokens
    assert peaks[1] - peaks[0] < 1.3 * (sizes[1] - sizes[0])
