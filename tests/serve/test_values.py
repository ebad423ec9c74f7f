"""Checks of single values; recordings are made here, chunk by chunk."""
import base64
import io
import json
import struct

import numpy as np
import pytest
import scipy.io.wavfile

from gluon_rnn.answers.trajectories import TrajectoryReader
from gluon_rnn.serve.values import numbers, row, series, shown, text, wav


@pytest.mark.parametrize("value", [[[1, 2.5], [3, 4]], [1, 2.5, 3, 4]])
def test_steps_are_lists_or_flat(value):
    found = numbers(value, 2, 10)
    assert found.dtype == np.float64 and found.tolist() == [[1, 2.5], [3, 4]]


def test_null_is_nan_where_it_may_be():
    np.testing.assert_array_equal(numbers([1, None], 1, 10, missing=True), [[1], [np.nan]])
    for value in ([[1, 2], None], [1, 2, None, None], [[1, 2], [None, None]]):
        np.testing.assert_array_equal(series(value, ["a", "b"], 10), [[1, 2], [np.nan, np.nan]])
    with pytest.raises(ValueError, match="all of one length, got"):
        numbers([1, None], 1, 10)


@pytest.mark.parametrize("value, message", [
    ("1,2", "expected steps of 2 numbers, a list, got '1,2'"),
    ({}, "a list, got {}"),
    ([], "got [] of shape (0,)"),
    ([1, 2, 3], "of shape (3,)"),
    ([[1, 2, 3]], "of shape (1, 3)"),
    ([[[1, 2]]], "of shape (1, 1, 2)"),
    ([[1, 2], [3]], "all of one length"),
    ([[1, 2], 3], "all of one length"),
    ([True, 1], "all of one length, got [True, 1]"),
    (["1", "2"], "all of one length, got ['1', '2']"),
    ([float("nan"), 1], "got nan in step 0"),
    ([0, 0, 1, float("inf")], "got inf in step 1"),
    ([10**400, 1], "got one too large for a floating-point number"),
    ([1] * 22, "expected at most 10 steps, got 11"),
])
def test_what_is_no_step_is_one_sentence(value, message):
    with pytest.raises(ValueError) as caught:
        numbers(value, 2, 10)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_row_may_be_text_or_lists():
    reader = TrajectoryReader(2, [0, 0], [1, 1], delimiter=";")
    assert row("1;2;3;4", reader, 10) == row([[1, 2], [3, 4]], reader, 10) == (1.0, 2.0, 3.0, 4.0)
    for wrong, message in [("1,2", "expected numbers with ';' between them, got '1,2'"), ("", "got ''"),
                           ("1;2;3", "of shape (3,)"), ("nan;1", "got nan"), ("1;2;" * 10 + "1;2", "at most 10 steps")]:
        with pytest.raises(ValueError) as caught:
            row(wrong, reader, 10)
        assert message in str(caught.value)


def test_half_of_a_character_is_no_text():
    assert text(json.loads(r'"a\ud83d\ude00 b"'), 10) == "a\U0001f600 b"
    with pytest.raises(ValueError) as caught:
        text(json.loads(r'"a\ud800 b"'), 10, what="a sentence")
    assert str(caught.value) == (r"expected a sentence, got '\ud800', half of a character, at position 1; send both "
                                 "halves, or leave it out")


def recording(rate=8000):
    file = io.BytesIO()
    scipy.io.wavfile.write(file, rate, np.zeros(100, np.int16))
    return file.getvalue()


def encoded(content):
    return {"wav": base64.b64encode(content).decode()}


def test_a_recording_comes_as_base64():
    assert wav(encoded(recording())) == recording()
    chunk = b"LIST" + struct.pack("<I", 3) + b"abc\0"                     # of odd size, so padded
    assert wav(encoded(recording()[:12] + chunk + recording()[12:]))


@pytest.mark.parametrize("value, message", [
    ("/etc/hostname", "expected {\"wav\": the bytes of a .wav file in base64}, got '/etc/hostname'"),
    ({"wav": "/etc/hostname", "other": 1}, "expected {\"wav\""),
    ({"wav": b"RIFF"}, "expected {\"wav\""),
    ({"wav": "?"}, "expected the bytes of a .wav file in base64, got '?'"),
    (encoded(b"RIFFsomething else"), "expected the bytes of a .wav file, got 18 bytes without its header"),
    (encoded(b""), "got 0 bytes"),
    (encoded(recording(1)), "expected a recording of at least 1000 samples a second, got 1"),
    # a second header behind the first: a reader may take either
    (encoded(recording()[:36] + recording(2)[12:36] + recording()[36:]), "at least 1000 samples a second, got 2"),
])
def test_what_is_no_recording_is_refused_and_no_path_is_opened(value, message):
    with pytest.raises(ValueError) as caught:
        wav(value)
    assert message in str(caught.value)


def test_long_values_are_quoted_in_part():
    assert len(shown("a" * 1000)) <= 80 and len(shown([[1] * 1000] * 1000)) <= 80 and shown(None) == "null"
