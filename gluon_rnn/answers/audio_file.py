"""Recordings from files and bytes: libsndfile reads them (`soundfile`), and what it is given is checked here first.

A WAV file is given to it as two chunks, "fmt " and "data", of sizes that are right. What programs put around them
(bext, LIST, id3, cue, PEAK) is left out, and a file that was written to a pipe, whose sizes are not known, is read to
its end.
"""
import io
import struct
from pathlib import Path

import numpy as np

__all__ = ["read_wav"]

#: Hz; and numbers of channels and of samples, 1.5 hours at 48 kHz in stereo
_RATES, _CHANNELS, _SAMPLES = (1_000, 768_000), 64, 2**29
#: sizes from here on stand for "not known": 0x7FFFFFFF and 0xFFFFFFFF less a header
_UNKNOWN = 0x7FFFF000
_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE


def read_wav(source, name=None):
    """Return the samples (n,) float32, full scale at 1 and channels averaged, and the sample rate of a recording.

    Parameters
    ----------
    source : path, or bytes of a whole file
        WAV with whole, floating-point, mu-law, A-law or ADPCM samples, or what else libsndfile reads (FLAC, AIFF, Ogg).
    name : str, optional
        What to call it in messages; default the path.

    Raises
    ------
    ValueError
        If it is not a whole recording, holds no samples or some that are not finite, or has a sample rate, a number of
        channels or a length that no recording has.
    """
    soundfile, name = _import_soundfile(), source if name is None else name
    content = source if isinstance(source, bytes) else _content(source, name)
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        content = _plain_wav(content, name)
    samples, rate = _decoded(soundfile, content, name)
    if not len(samples):
        raise ValueError(f"{name}: the recording holds no samples; record it again, or take it out")
    if not np.isfinite(samples).all():
        place = int(np.argmin(np.isfinite(samples).all(axis=1)))
        raise ValueError(f"{name}: sample {place} is not a finite number; record it again, or take it out")
    return (samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)), rate


def _content(path, name):
    try:
        return Path(path).expanduser().read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{name}: no such file; check the path") from None
    except OSError as error:
        raise ValueError(f"{name}: the file cannot be read ({error.strerror}); check the path") from None


def _decoded(soundfile, content, name):
    """Return samples (n, channels) float32 and the sample rate of what libsndfile reads."""
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            _check_numbers(file.samplerate, file.channels, name)
            if file.frames * file.channels > _SAMPLES:
                raise ValueError(f"{name}: {file.frames:,} samples of {file.channels} channels are more than one "
                                 "recording may have; cut it into parts")
            return file.read(dtype="float32", always_2d=True), file.samplerate
    except (soundfile.SoundFileError, TypeError) as error:                # TypeError: taken for a raw file
        raise ValueError(f"{name}: not a whole .wav file ({error}); fetch or record it again") from None


def _check_numbers(rate, channels, name):
    if not _RATES[0] <= rate <= _RATES[1]:
        raise ValueError(f"{name}: a sample rate of {rate} Hz, and recordings have {_RATES[0]:,} to {_RATES[1]:,}; the "
                         "header is damaged, record it again")
    if not 1 <= channels <= _CHANNELS:
        raise ValueError(f"{name}: {channels} channels, and recordings have 1 to {_CHANNELS}; the header is damaged, "
                         "record it again")


# ---- WAV -----------------------------------------------------------------------------------------------------------


def _plain_wav(content, name):
    """Return a WAV file as one with the chunks that matter alone, and right sizes."""
    chunks = _chunks(content, name)
    for needed in (b"fmt ", b"data"):
        if needed not in chunks:
            raise ValueError(f"{name}: not a whole .wav file (it has no {needed.decode().strip()!r} chunk); fetch or "
                             "record it again")
    kind, channels, rate, _, block, bits = _format(chunks[b"fmt "], name)
    _check_numbers(rate, channels, name)
    if kind in (_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE) and not (bits and block):
        raise ValueError(f"{name}: samples of {bits} bits, {block} bytes together; the header is damaged, record it "
                         "again")
    kept = [(key, chunks[key]) for key in (b"fmt ", b"fact", b"data") if key in chunks]
    body = b"".join(key + struct.pack("<I", len(part)) + part + b"\0" * (len(part) % 2) for key, part in kept)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body


def _format(chunk, name):
    if len(chunk) < 16:
        raise ValueError(f"{name}: not a whole .wav file (its format takes 16 bytes, got {len(chunk)}); fetch or "
                         "record it again")
    return struct.unpack_from("<HHIIHH", chunk)


def _chunks(content, name):
    """Return {name: bytes} of the chunks of a WAV file, the first of each name."""
    found, place = {}, 12
    while place + 8 <= len(content):
        key, (size,) = content[place:place + 4], struct.unpack_from("<I", content, place + 4)
        begin, rest = place + 8, len(content) - place - 8
        if key == b"data" and (size >= _UNKNOWN or (size == 0 and _is_of_a_pipe(content))):
            size = rest
        if size > rest and key in (b"fmt ", b"data"):
            raise ValueError(f"{name}: not a whole .wav file (its {key.decode().strip()!r} chunk says {size:,} bytes, "
                             f"and {rest:,} are there); fetch or record it again")
        found.setdefault(key, content[begin:begin + size])
        place = begin + size + size % 2
    return found


def _is_of_a_pipe(content):
    """Whether the size in front of all says that whoever wrote the file did not know it."""
    size, = struct.unpack_from("<I", content, 4)
    return size == 0 or size >= _UNKNOWN or size == 36                    # 36: the size of a header alone


def _import_soundfile():
    try:
        import soundfile
    except (ImportError, OSError):                                        # OSError: without libsndfile
        raise ValueError("reading recordings needs soundfile and libsndfile, which are not installed; "
                         "pip install soundfile") from None
    return soundfile
