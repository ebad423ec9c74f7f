"""Odd recordings: WAV files with every sample format, chunks around the data, sizes of pipes, and broken headers."""
import io
import struct
import zipfile

import numpy as np

from scripts.rough.cases import REFUSED, Case, Either

__all__ = ["KINDS"]

_PCM, _FLOAT, _ALAW, _MULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
#: the end of the identifiers of formats in an extensible header
_GUID = bytes.fromhex("000000001000800000aa00389b71")


class Wave:
    """A recording before it is written."""

    def __init__(self, random):
        self.random, self.channels = random, int(random.integers(1, 5))
        self.rate, self.count = int(random.choice([8000, 11025, 22050, 44100, 48000])), int(random.integers(50, 900))
        self.kind, self.bits = _FORMATS[int(random.integers(len(_FORMATS)))]
        self.data, self.samples = self._encoded()
        self.before, self.behind, self.riff, self.size = b"", b"", None, None
        self.extensible = self.kind == _PCM and random.integers(4) == 0

    def _encoded(self):
        """Return the bytes of random samples, and what they mean, (n, channels) at full scale 1."""
        shape, draw = (self.count, self.channels), self.random.integers
        if self.kind == _FLOAT:
            values = self.random.uniform(-1, 1, shape).astype(f"<f{self.bits // 8}")
            return values.tobytes(), values.astype(np.float64)
        if self.kind in (_ALAW, _MULAW):
            codes = draw(0, 256, shape)
            return codes.astype(np.uint8).tobytes(), (_alaw if self.kind == _ALAW else _mulaw)(codes)
        whole = draw(-2 ** (self.bits - 1), 2 ** (self.bits - 1), shape)
        meant = whole / 2.0 ** (self.bits - 1)
        if self.bits == 8:
            return (whole + 128).astype(np.uint8).tobytes(), meant
        octets = np.frombuffer(whole.astype("<i8").tobytes(), np.uint8).reshape(-1, 8)
        return octets[:, :self.bits // 8].tobytes(), meant

    def content(self, **header):
        """Return the file; `header` has numbers that are to stand in place of the right ones."""
        block = self.channels * self.bits // 8
        found = {"kind": self.kind, "channels": self.channels, "rate": self.rate, "bytes": self.rate * block,
                 "block": block, "bits": self.bits, **header}
        described = struct.pack("<HHIIHH", *found.values())
        if self.extensible and not header:
            described = struct.pack("<HHIIHHHHIH", _EXTENSIBLE, *list(found.values())[1:], 22, self.bits, 0,
                                    self.kind) + _GUID
        elif self.kind != _PCM:
            described += b"\0\0"
        size = len(self.data) if self.size is None else self.size
        data = b"data" + struct.pack("<I", size) + self.data + b"\0" * (len(self.data) % 2)
        body = b"WAVE" + chunk(b"fmt ", described) + self.before + data + self.behind
        return b"RIFF" + struct.pack("<I", len(body) if self.riff is None else self.riff) + body

    def case(self, folder, what, expected=None, content=None):
        """Write the file and return it as a `Case`."""
        from gluon_rnn.answers.audio_file import read_wav
        path = folder / "odd.wav"
        path.write_bytes(self.content() if content is None else content)
        expected = (self.samples.mean(axis=1), self.rate) if expected is None else expected
        about = f"WAV, format {self.kind} of {self.bits} bits, {self.channels} channels, {what}"
        return Case(about, path, lambda: read_wav(path), expected)


_FORMATS = ((_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64), (_ALAW, 8), (_MULAW, 8))


def chunk(name, content):
    """Return a chunk of a RIFF file, filled up to an even size."""
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def _mulaw(codes):
    """Return mu-law codes as numbers, by ITU-T G.711, table 2: 14 bits, here at full scale 1."""
    codes = ~codes & 0xFF
    size = (((codes & 15) * 2 + 33) << ((codes >> 4) & 7)) - 33
    return np.where(codes & 0x80, -size, size) / 2.0 ** 13


def _alaw(codes):
    """Return A-law codes as numbers, by ITU-T G.711, table 1: 13 bits, here at full scale 1."""
    codes = codes ^ 0x55
    part, step = (codes >> 4) & 7, codes & 15
    size = np.where(part == 0, 2 * step + 1, (2 * step + 33) << np.maximum(part - 1, 0))
    return np.where(codes & 0x80, size, -size) / 2.0 ** 12


# ---- kinds ---------------------------------------------------------------------------------------------------------


def recording(folder, random):
    """A recording with chunks that programs write around the data."""
    wave, what = Wave(random), []
    for _ in range(int(random.integers(0, 4))):
        name = (b"bext", b"LIST", b"id3 ", b"cue ", b"PEAK", b"JUNK", b"afsp")[int(random.integers(7))]
        part = chunk(name, bytes(random.integers(0, 256, int(random.integers(1, 99)), dtype=np.uint8)))
        if random.integers(2):
            wave.before += part
        else:
            wave.behind += part
        what.append(name.decode())
    return wave.case(folder, f"chunks {what}")


def piped(folder, random):
    """A recording written to a pipe: sizes are not known, or the outer one is too small."""
    wave, way = Wave(random), int(random.integers(4))
    if way < 3:
        wave.riff, wave.size = ((0, 0), (0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFFFFF, 0x7FFFF000 + 99))[way]
        if len(wave.data) % 2:
            wave.data = wave.data[:-wave.channels * wave.bits // 8]
            wave.samples = wave.samples[:-1]
    else:
        wave.riff = int(random.integers(1, 60))
    odd_rest = len(wave.data) % 2
    return wave.case(folder, f"sizes {wave.riff}, {wave.size}",
                     Either((wave.samples.mean(axis=1), wave.rate)) if odd_rest else None)


def broken_recording(folder, random):
    """A recording with a header that cannot be, samples that are no numbers, or a file that ends too early."""
    wave = Wave(random)
    headers = ({"channels": 0}, {"bits": 0}, {"rate": 0}, {"rate": 2**31 - 1}, {"channels": 65535}, {"block": 0},
               {"kind": 999}, {"rate": 7}, {"bits": 7, "kind": _FLOAT})
    way = int(random.integers(len(headers) + 5))
    if way < len(headers):
        return wave.case(folder, f"header {headers[way]}", REFUSED, wave.content(**headers[way]))
    way -= len(headers)
    if way == 0:
        wave.kind, wave.bits, wave.extensible = _FLOAT, 32, False
        wave.data, wave.samples = wave._encoded()
        values = np.frombuffer(wave.data, "<f4").copy()
        values[int(random.integers(len(values)))] = random.choice([np.nan, np.inf, -np.inf])
        wave.data = values.tobytes()
        return wave.case(folder, "a sample is no number", REFUSED)
    if way == 1:
        wave.data = b""
        return wave.case(folder, "no samples", REFUSED)
    content = wave.content()
    if way == 2:
        return wave.case(folder, "cut", REFUSED, content[:int(random.integers(0, len(content) - 2))])
    if way == 3:
        wave.size = len(wave.data) + int(random.integers(2, 10**6))
        return wave.case(folder, "says more bytes than are there", REFUSED)
    return wave.case(folder, "no format", REFUSED, content.replace(b"fmt ", b"fmx "))


def no_recording(folder, random):
    """A file of another kind that is called .wav."""
    contents = (b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"hello\n" * 50, b"\0" * 4000, bytes(range(256)) * 9,
                b"RIFF" + struct.pack("<I", 99) + b"AVI " + b"\0" * 99, b"fLaC" + b"\xff" * 90, b"OggS" + b"\0" * 90)
    way = int(random.integers(len(contents)))
    return Wave(random).case(folder, f"is {contents[way][:12]}", REFUSED, contents[way])


def archive(folder, random):
    """A .zip of recordings: whole, cut, with a bomb in it, or with a size that is a lie."""
    from gluon_rnn.data.audio_files import read_files
    way, path = int(random.integers(4)), folder / "odd.zip"
    files = {f"{name}.wav": Wave(random).content() for name in ("a", "b")}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in files.items():
            writer.writestr(name, content if way < 2 or name == "a" else bytes(80_000_000))
    content = packed.getvalue()
    if way == 1:
        content = content[:int(random.integers(len(content) - 1))]
    elif way == 3:
        content = content.replace(struct.pack("<I", 80_000_000), struct.pack("<I", 1000))
    path.write_bytes(content)
    expected = [list(files), [content.hex() for content in files.values()]] if way == 0 else REFUSED

    def read():
        found = read_files(path)
        return [list(found), [content.hex() for content in found.values()]]
    return Case(f"zip, {('whole', 'cut', 'bomb', 'a lie')[way]}", path, read, expected)


KINDS = (recording, recording, piped, broken_recording, broken_recording, no_recording, archive)
