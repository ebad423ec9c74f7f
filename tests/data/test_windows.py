"""Windows never cross recordings, never aim at context, and miss no row that can be a target."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon_rnn.data import Recording, Windows


def ramp(name, rows, start=0, first=0.0):
    """A recording whose values say where they are from: x is y + 0.5."""
    y = np.arange(first, first + rows)[:, None]
    return Recording(name, y + 0.5, y, start)


def test_windows_by_hand():
    windows = Windows([ramp("a", 10), ramp("b", 5, start=3, first=100)], length=2, washout=1, stride=4)
    assert windows.places.tolist() == [[0, 0], [0, 4], [0, 7], [1, 2]]
    batch = windows.batch([1, 3])
    assert batch.y.shape == (3, 2, 1) and batch.y.dtype == batch.x.dtype == np.float32
    assert batch.y[:, :, 0].T.tolist() == [[4, 5, 6], [102, 103, 104]]
    np.testing.assert_array_equal(batch.x, batch.y + 0.5)
    assert (batch.recording.tolist(), batch.first.tolist()) == ([0, 1], [4, 2])


@pytest.mark.parametrize("poison", [np.nan, 1e9])
def test_a_poisoned_second_recording_reaches_no_window_of_the_first(poison):
    bad = Recording("bad", np.full((30, 2), poison), np.full((30, 1), poison))
    good = [Recording(name, np.random.randn(23, 2), np.random.randn(23, 1)) for name in "ab"]
    windows = Windows([good[0], bad, good[1]], length=5, washout=3, stride=2)
    for batch in windows.batches(4, seed=1):
        clean = (np.abs(batch.x) < 10).all(axis=(0, 2)) & (np.abs(batch.y) < 10).all(axis=(0, 2))
        np.testing.assert_array_equal(clean, batch.recording != 1)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(8, 25)), min_size=1, max_size=4), st.integers(1, 8),
       st.integers(0, 12), st.data())
def test_every_possible_target_is_covered_and_no_other(sizes, length, washout, draw):
    stride = draw.draw(st.integers(1, length))
    recordings = [ramp(str(number), max(start, washout) + rows, start, 1000 * number)
                  for number, (start, rows) in enumerate(sizes)]
    windows = Windows(recordings, length, washout, stride)
    batch = windows.batch(range(len(windows)))
    wanted = np.concatenate([part.y[max(part.start, washout):, 0] for part in recordings])
    np.testing.assert_array_equal(np.unique(batch.y[washout:]), wanted)
    np.testing.assert_array_equal(np.diff(batch.y[..., 0], axis=0), 1)      # no jump: one recording, one piece
    assert (batch.y[0, :, 0] == 1000 * batch.recording + batch.first).all()
    assert len(np.unique(windows.places, axis=0)) == len(windows)


def test_batches_in_order_and_shuffled():
    windows = Windows([ramp("a", 50)], length=3, stride=1)
    assert len(windows) == 48 and len(windows.batches(10)) == 5
    in_order = np.concatenate([batch.first for batch in windows.batches(10)])
    np.testing.assert_array_equal(in_order, np.arange(48))

    def order(seed, epoch):
        return np.concatenate([batch.first for batch in windows.batches(10, seed, epoch)]).tolist()

    assert sorted(order(0, 0)) == list(range(48)) and order(0, 0) == order(0, 0)
    assert len({tuple(order(*key)) for key in ((0, 0), (0, 1), (1, 0))}) == 3
    batches = windows.batches(10, 0, 0)
    assert [batch.first.tolist() for batch in batches] == [batch.first.tolist() for batch in batches]   # twice


def test_without_inputs():
    windows = Windows([Recording("a", np.zeros((9, 0)), np.zeros((9, 2)))], length=4)
    batch = next(iter(windows.batches(8)))
    assert batch.x.shape == (4, 3, 0) and batch.y.shape == (4, 3, 2)


@pytest.mark.parametrize("arguments, sentence", [
    (dict(length=5, washout=6), "recording a: the first 6 of its 10 rows are lags"),
    (dict(length=11), "too short for a window of 11"), (dict(length=0), "length must be"),
    (dict(length=2, stride=0), "stride must be"), (dict(length=2, washout=-1), "washout must be"),
])
def test_mistakes(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Windows([ramp("a", 10)], **arguments)


def test_context_alone_is_no_window():
    with pytest.raises(ValueError, match="recording a: the first 8 of its 10"):
        Windows([ramp("a", 10, start=8)], length=3)
    with pytest.raises(ValueError, match="no recordings"):
        Windows([], 3)
