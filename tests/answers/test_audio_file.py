"""Recordings as people have them: chunks around the samples, sizes of a pipe, other codes; and those that are none."""
import io
import struct

import numpy as np
import pytest
from scipy.io import wavfile

from gluon_rnn.answers.audio_file import read_wav

soundfile = pytest.importorskip("soundfile", reason="soundfile is in the extra data")
RANDOM = np.random.default_rng(0)
SAMPLES = (8000 * RANDOM.standard_normal(501)).clip(-32768, 32767).astype(np.int16)


def chunk(key, content, size=None):
    return key + struct.pack("<I", len(content) if size is None else size) + content + b"\0" * (len(content) % 2)


def fmt(kind=1, channels=1, rate=8000, bits=16):
    block = channels * bits // 8
    return chunk(b"fmt ", struct.pack("<HHIIHH", kind, channels, rate, min(rate * block, 2**32 - 1), block, bits))


def wav(*chunks, size=None):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


DATA = SAMPLES.tobytes()


@pytest.mark.parametrize("before, behind", [
    ([chunk(b"bext", b"\0" * 603)], []), ([chunk(b"LIST", b"INFOISFT\x04\0\0\0a\0\0\0")], []),
    ([], [chunk(b"id3 ", b"ID3" * 9)]),
    ([chunk(b"PEAK", b"\0" * 16)], [chunk(b"cue ", b"\0" * 28), chunk(b"LIST", b"adtl")]),
    ([chunk(b"junk", b"odd")], []), ([], [b"rest"]), ([], [chunk(b"LIST", b"cut", size=1000)])])
def test_chunks_around_the_samples_are_left_out(before, behind):
    got, rate = read_wav(wav(*before, fmt(), chunk(b"data", DATA), *behind), "a.wav")
    assert rate == 8000
    np.testing.assert_array_equal(got, SAMPLES / np.float32(32768))


@pytest.mark.parametrize("size, riff", [(0, 0), (0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFFFFF, 0x7FFFFFFF + 36), (0, 36),
                                        (0xFFFFFFFF - 36, 0xFFFFFFFF), (None, 0), (None, 4), (None, 0xFFFFFFFF)])
def test_sizes_of_a_file_that_was_written_to_a_pipe(size, riff):
    got, _ = read_wav(wav(fmt(), chunk(b"data", DATA, size), size=riff), "a.wav")
    np.testing.assert_array_equal(got, SAMPLES / np.float32(32768))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_samples_are_those_of_scipy_bit_for_bit(dtype, channels):
    values = RANDOM.uniform(-0.9, 0.9, (400, channels))
    if dtype[0] != "f":
        info = np.iinfo(dtype)
        values = (values * (info.max - info.min) / 2 + (info.max + info.min + 1) // 2).astype(dtype)
    file = io.BytesIO()
    wavfile.write(file, 8000, values.astype(dtype)[:, 0] if channels == 1 else values.astype(dtype))
    raw = wavfile.read(io.BytesIO(file.getvalue()))[1]
    scaled = raw.astype(np.float32)
    if dtype == "uint8":
        scaled = (scaled - 128) / 128
    elif dtype[0] == "i":
        scaled = scaled / -float(np.iinfo(dtype).min)
    want = scaled if channels == 1 else scaled.mean(axis=1)
    got, _ = read_wav(file.getvalue(), "a.wav")
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("subtype, error", [("ULAW", 0.04), ("ALAW", 0.04), ("PCM_24", 2**-15), ("IMA_ADPCM", 0.2)])
@pytest.mark.parametrize("form", ["WAV", "WAVEX"])
def test_other_codes(subtype, error, form):
    if form == "WAVEX" and subtype == "IMA_ADPCM":
        pytest.skip("there is none of it")
    smooth = 0.5 * np.sin(np.arange(1010) / 20)                           # two blocks of ADPCM
    file = io.BytesIO()
    soundfile.write(file, smooth, 8000, format=form, subtype=subtype)
    got, _ = read_wav(file.getvalue(), "a.wav")
    assert np.abs(got[:1010] - smooth).max() < error


def test_another_format_that_libsndfile_reads(tmp_path):
    soundfile.write(tmp_path / "a.flac", SAMPLES, 16000)
    got, rate = read_wav(tmp_path / "a.flac")
    assert rate == 16000
    np.testing.assert_array_equal(got, SAMPLES / np.float32(32768))


NAN = np.array([0, np.nan, 0], np.float32).tobytes()


@pytest.mark.parametrize("content, sentence", [
    (wav(fmt(channels=0), chunk(b"data", DATA)), "0 channels, and recordings have 1 to 64"),
    (wav(fmt(channels=999), chunk(b"data", DATA)), "999 channels"), (wav(fmt(bits=0), chunk(b"data", DATA)), "0 bits"),
    (wav(fmt(rate=0), chunk(b"data", DATA)), "a sample rate of 0 Hz, and recordings have 1,000 to 768,000"),
    (wav(fmt(rate=2**31 - 1), chunk(b"data", DATA)), "a sample rate of 2147483647 Hz"),
    (wav(fmt(kind=3, bits=32), chunk(b"data", NAN)), "sample 1 is not a finite number"),
    (wav(fmt(), chunk(b"data", b"")), "the recording holds no samples"), (wav(fmt()), "it has no 'data' chunk"),
    (wav(chunk(b"data", DATA)), "it has no 'fmt' chunk"), (wav(chunk(b"fmt ", b"12")), "it has no 'data' chunk"),
    (wav(chunk(b"fmt ", b"12"), chunk(b"data", DATA)), "its format takes 16 bytes, got 2"),
    (wav(fmt(), chunk(b"data", DATA, size=2000)), "its 'data' chunk says 2,000 bytes, and 1,002 are there"),
    (b"", "not a whole .wav file"), (b"RIFF", "not a whole .wav file"), (b"no sound at all", "not a whole .wav file"),
    (wav(fmt(kind=77), chunk(b"data", DATA)), "not a whole .wav file")])
def test_what_is_no_recording_is_one_sentence(content, sentence):
    with pytest.raises(ValueError, match=f"a.wav: .*{sentence}") as error:
        read_wav(content, "a.wav")
    assert "\n" not in str(error.value)


def test_damaged_headers_never_end_in_a_traceback():
    whole = bytearray(wav(chunk(b"LIST", b"INFO"), fmt(), chunk(b"data", DATA)))
    for _ in range(300):
        damaged = whole.copy()
        for place in RANDOM.integers(0, 70, RANDOM.integers(1, 6)):
            damaged[place] = RANDOM.integers(256)
        try:
            samples, rate = read_wav(bytes(damaged), "a.wav")
        except ValueError:
            continue
        assert np.isfinite(samples).all() and len(samples) and 1000 <= rate <= 768_000
