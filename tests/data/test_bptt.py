"""Chunks for truncated backpropagation: order, contiguity, whole cover, large ids."""
import numpy as np
import pytest

from gluon_rnn.data import BPTTBatches


def letters(array):
    return ["".join(chr(97 + i) for i in row) for row in array.asnumpy()]


def test_table_of_the_docstring():
    chunks = [(letters(data), letters(target)) for data, target in BPTTBatches(np.arange(13), 3, 3)]
    assert chunks == [(["aei", "bfj", "cgk"], ["bfj", "cgk", "dhl"]), (["dhl"], ["eim"])]


@pytest.mark.parametrize("size, batch_size, bptt, offset", [(50, 1, 7, 0), (50, 4, 5, 0), (101, 7, 3, 2),
                                                            (33, 32, 9, 0)])
def test_columns_are_contiguous_and_every_target_comes_once(size, batch_size, bptt, offset):
    ids = np.random.randint(0, 1000, size)
    batches = BPTTBatches(ids, batch_size, bptt, offset)
    chunks = [(data.asnumpy(), target.asnumpy()) for data, target in batches]
    steps = (size - offset - 1) // batch_size
    assert len(chunks) == len(batches) == -(-steps // bptt)
    assert batches.tokens == steps * batch_size == sum(target.size for _, target in chunks)
    assert all(len(data) == bptt for data, _ in chunks[:-1])
    data, target = (np.concatenate(parts) for parts in zip(*chunks))
    for column in range(batch_size):   # an independent loop over the text
        start = offset + column * steps
        np.testing.assert_array_equal(data[:, column], ids[start:start + steps])
        np.testing.assert_array_equal(target[:, column], ids[start + 1:start + 1 + steps])


def test_ids_that_float32_cannot_hold_survive():
    ids = 2**24 + np.arange(5)   # 2**24 + 1 is the first whole number that float32 lacks
    (data, target), = BPTTBatches(ids, 1, 10)
    assert data.dtype == target.dtype == np.int32
    np.testing.assert_array_equal(data.asnumpy()[:, 0], ids[:-1])


def test_it_can_be_gone_through_again():
    batches = BPTTBatches(np.arange(20), 2, 4)
    once, again = ([data.asnumpy() for data, _ in batches] for _ in range(2))
    assert len(once) == 3 and all((a == b).all() for a, b in zip(once, again))


@pytest.mark.parametrize("size, offset, least", [(12, 0, 13), (15, 3, 16), (0, 0, 13)])
def test_too_short_for_one_batch_says_the_numbers(size, offset, least):
    with pytest.raises(ValueError, match=f"has {size} tokens, too short for one batch: .* 12 .* at least {least}"):
        BPTTBatches(np.arange(size), 12, 5, offset)
    assert len(BPTTBatches(np.arange(least), 12, 5, offset)) == 1


@pytest.mark.parametrize("arguments, message", [((0, 5), "batch_size must be a whole number, at least 1, got 0"),
                                                ((2, 0), "bptt must be"), ((2, 5, -1), "offset must be"),
                                                ((2.5, 5), "batch_size must be")])
def test_numbers_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        BPTTBatches(np.arange(100), *arguments)


@pytest.mark.parametrize("ids", [np.zeros((3, 3), dtype=int), np.zeros(9)])
def test_ids_must_be_one_row_of_integers(ids):
    with pytest.raises(ValueError, match="one row of integers"):
        BPTTBatches(ids, 1, 5)


@pytest.mark.parametrize("bptt, window, size", [(1, 4, 12), (3, 7, 20), (3, 6, 14), (4, 4, 11), (5, 30, 18)])
def test_windows_reach_back_and_the_next_one_begins_where_advance_says(bptt, window, size):
    ids = np.arange(2 * size + 1)
    batches, steps = BPTTBatches(ids, 2, bptt, window=window), size
    begin = 0
    for number, (data, target) in enumerate(batches):
        end = min((number + 1) * bptt, steps)
        assert begin == max(0, (number + 1) * bptt - window)
        np.testing.assert_array_equal(data.asnumpy()[:, 0], ids[begin:end])
        np.testing.assert_array_equal(target.asnumpy()[:, 0], ids[number * bptt + 1:end + 1])
        begin += batches.advance(number)
    assert end == steps and number == len(batches) - 1


def test_a_window_shorter_than_its_chunk_is_refused():
    with pytest.raises(ValueError, match="window must be a whole number, at least 5, got 4"):
        BPTTBatches(np.arange(50), 2, 5, window=4)


@pytest.mark.parametrize("window", [None, 7])
def test_columns_of_workers_are_those_of_the_whole(window):
    ids = np.random.randint(0, 1000, 103)
    whole = BPTTBatches(ids, 6, 5, 2, window)
    shares = [BPTTBatches(ids, 6, 5, 2, window, columns) for columns in ((0, 2), (2, 5), (5, 6))]
    for chunk, *parts in zip(whole, *shares):
        for number in range(2):
            joined = np.concatenate([part[number].asnumpy() for part in parts], axis=1)
            np.testing.assert_array_equal(joined, chunk[number].asnumpy())
    assert all(len(share) == len(whole) and share.tokens == whole.tokens for share in shares)
