"""Steps from a public file to the one that recipes read."""
import gzip
import hashlib
import zipfile

import pytest

from gluon_rnn.public_data import prepare
from gluon_rnn.public_data.content import content_of


@pytest.fixture
def target(tmp_path):
    return tmp_path / "target"


def archive(path, files):
    with zipfile.ZipFile(path, "w") as packed:
        for name, body in files.items():
            packed.writestr(name, body)
    return path


def test_gzip_is_the_same_at_any_time(tmp_path, target, monkeypatch):
    source = tmp_path / "source.txt"
    source.write_bytes(b"line\r\n" * 1000)
    prepare.gzip_file(source, target)
    first = target.read_bytes()
    monkeypatch.setattr("time.time", lambda: 0)
    prepare.gzip_file(source, target)
    assert target.read_bytes() == first and gzip.decompress(first) == source.read_bytes()


def test_unzip_takes_one_file(tmp_path, target):
    prepare.unzip(archive(tmp_path / "a.zip", {"a/b.txt": b"\xff\r\n", "b.txt": b"no"}), target, "a/b.txt")
    assert target.read_bytes() == b"\xff\r\n"


def test_zip_folder_takes_one_folder_of_a_repository(tmp_path):
    source = archive(tmp_path / "a.zip", {"repo-1/": b"", "repo-1/wav/2.wav": b"two", "repo-1/wav/1.wav": b"one",
                                          "repo-1/README.md": b"no", "repo-1/wavs/3.wav": b"no"})
    prepare.zip_folder(source, tmp_path / "made.zip", "wav")
    with zipfile.ZipFile(tmp_path / "made.zip") as made:
        assert {name: made.read(name) for name in made.namelist()} == {"wav/1.wav": b"one", "wav/2.wav": b"two"}
        assert made.namelist() == sorted(made.namelist())
    by_hand = archive(tmp_path / "hand.zip", {"wav/2.wav": b"two", "wav/1.wav": b"one"})
    assert content_of(tmp_path / "made.zip") == content_of(by_hand)


def test_drop_lines(tmp_path, target):
    source = tmp_path / "source.txt"
    source.write_bytes(b"".join(b"%d\r\n" % number for number in range(1, 11)) + b"last")
    prepare.drop_lines(source, target, [[2, 4], [9, 9]])
    assert target.read_bytes().split(b"\r\n") == [b"1", b"5", b"6", b"7", b"8", b"10", b"last"]


def pairs():
    """Return 30,000 lines: three translations of each of 10,000 sentences, every tenth sentence too long."""
    long = "a b c d e f g h i j k"
    return [f"{long if number % 10 == 0 else 'word'} {number}\tmot\u00a0{number} {letter}"
            for number in range(10_000) for letter in "xyz"]


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    source = archive(folder / "pairs.zip", {"fra.txt": "\n".join([*pairs(), ""])})
    for part in ("train", "valid", "test"):
        prepare.split_pairs(source, folder / part, "fra.txt", part)
    return {part: (folder / part).read_text(encoding="utf-8").split("\n")[:-1] for part in ("train", "valid", "test")}


def test_split_pairs_takes_about_as_many_as_it_should(parts):
    chosen = [line for lines in parts.values() for line in lines]
    assert 19_500 < len(chosen) < 20_500 and len(set(chosen)) == len(chosen) and set(chosen) <= set(pairs())
    assert [len(lines) / len(chosen) for lines in parts.values()] == pytest.approx([0.8, 0.1, 0.1], abs=0.02)
    assert not any("a b c" in line for line in chosen)
    assert all(lines == sorted(lines, key=pairs().index) for lines in ([*parts["valid"][:50]], [*parts["test"][:50]]))


def test_split_pairs_keeps_translations_together(parts):
    english = {part: {line.split("\t")[0] for line in lines} for part, lines in parts.items()}
    assert not english["train"] & english["valid"] and not english["test"] & (english["train"] | english["valid"])
    assert all(len(lines) == 3 * len(english[part]) for part, lines in parts.items())


@pytest.mark.real_data
def test_the_real_pairs_lie_in_the_ranges_of_their_parts(data_root):
    """127,895 pairs were short enough (their source is not here): the first and last place of each part."""
    share = 20_000 / 127_895
    for part, (low, high) in {"train": (0, 0.8), "valid": (0.8, 0.9), "test": (0.9, 1)}.items():
        lines = (data_root / "eng_fra" / f"eng-fra.{part}.txt").read_text(encoding="utf-8").split("\n")[:-1]
        places = [int.from_bytes(hashlib.sha1(line.split("\t")[0].encode()).digest(), "big") / 2**160 / share
                  for line in lines]
        assert low <= min(places) < low + 0.01 and high - 0.01 < max(places) < high
        assert max(len(side.split()) for line in lines for side in line.split("\t")[:2]) == 10
