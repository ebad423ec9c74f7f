"""Piano rolls from .mat files: what is read, transposition, and each thing that can be wrong."""
import pathlib

import numpy as np
import pytest
import scipy.io

from gluon_rnn.data import PianoRoll, transpose


def cells(*pieces):
    """Return pieces as MATLAB's 1 x N cell array."""
    array = np.empty((1, len(pieces)), dtype=object)
    for index, piece in enumerate(pieces):
        array[0, index] = piece
    return array


def roll(frames, keys=6):
    return np.random.randint(0, 2, (frames, keys)).astype(np.uint8)


@pytest.fixture
def write(tmp_path):
    def write(**content):
        scipy.io.savemat(tmp_path / "rolls.mat", content)
        return str(tmp_path / "rolls.mat")
    return write


def test_pieces_as_they_were_written(write):
    pieces = [roll(5), roll(2), roll(9)]
    data = PianoRoll(write(traindata=cells(*pieces[:2]), validdata=cells(pieces[2]), testdata=cells(pieces[0])))
    assert data.splits == ("train", "valid", "test") and data.num_keys == 6
    for got, want in zip(data.rolls("train"), pieces):
        np.testing.assert_array_equal(got, want)
        assert got.dtype == np.float32
    assert "train 2, valid 1, test 1; 6 keys" in repr(data)


def test_without_test_data(write):
    data = PianoRoll(write(traindata=cells(roll(3)), validdata=cells(roll(3))))
    assert data.splits == ("train", "valid")
    with pytest.raises(ValueError, match="no split 'tests' in this data set"):
        data.rolls("tests")


@pytest.mark.parametrize("content, message", [
    ({"traindata": cells(roll(3))}, "validdata is missing; the file has traindata"),
    ({"train": cells(roll(3))}, "traindata and validdata is missing"),
    ({"traindata": cells(roll(3), roll(1)), "validdata": cells(roll(3))},
     r"rolls.mat: traindata, piece 2: expected a matrix of at least 2 frames by keys, got uint8 of shape \(1, 6\)"),
    ({"traindata": cells(roll(3)), "validdata": cells(roll(3) * 0 + 2)}, "validdata, piece 1: expected 0 and 1 only"),
    ({"traindata": cells(roll(3)), "validdata": cells(roll(3, 7))}, "validdata, piece 1: expected 6 keys .* got 7"),
    ({"traindata": cells("notes"), "validdata": cells(roll(3))}, "traindata, piece 1: expected a matrix"),
    ({"traindata": cells(roll(3)), "validdata": cells()}, "validdata holds no piece"),
])
def test_wrong_files(write, content, message):
    with pytest.raises(ValueError, match=message):
        PianoRoll(write(**content))


def test_files_that_cannot_be_read(tmp_path, write):
    with pytest.raises(ValueError, match="no such file"):
        PianoRoll(str(tmp_path / "none.mat"))
    path = pathlib.Path(write(traindata=cells(roll(30)), validdata=cells(roll(30))))
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    with pytest.raises(ValueError, match="rolls.mat: not a MATLAB file that SciPy can read"):
        PianoRoll(path)
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400))
    with pytest.raises(ValueError, match="a MATLAB 7.3 file, which is HDF5; save it with the option -v7"):
        PianoRoll(path)


@pytest.mark.parametrize("semitones, shift", [(0, 0), (1, 1), (-1, -1), (-2, -2), (-9, -2), (3, 3), (11, 3)])
def test_transposition_stays_on_the_keyboard(semitones, shift):
    piece = np.zeros((4, 10))
    piece[:, 2], piece[1, 6] = 1, 1
    moved = transpose(piece, semitones)
    assert moved.sum() == piece.sum()
    for frame, key in np.argwhere(piece):
        assert moved[frame, key + shift]


def test_transposition_of_silence():
    np.testing.assert_array_equal(transpose(np.zeros((2, 3)), 5), np.zeros((2, 3)))


@pytest.mark.real_data
def test_jsb_chorales(data_root):
    data = PianoRoll(str(data_root / "poly_music" / "JSB_Chorales.mat"))
    assert [len(data.rolls(split)) for split in data.splits] == [229, 76, 77] and data.num_keys == 88
    assert [sum(map(len, data.rolls(split))) for split in data.splits] == [13807, 4602, 4725]
