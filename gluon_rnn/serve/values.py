"""Values that clients send, checked: texts, rows of numbers, recordings. Each check is one sentence."""
import base64
import binascii
import reprlib
import struct
from typing import Annotated, Any

import numpy as np
from pydantic import PlainValidator, WithJsonSchema

__all__ = ["checked", "numbers", "row", "series", "shown", "text", "wav", "within"]

_LOWEST_RATE = 1000     # Hz; a header that says less makes resampling a small file into a huge one


def checked(function, schema):
    """Return the pydantic type of what ``function(value)`` returns or refuses by a ValueError; `schema` is for docs."""
    return Annotated[Any, PlainValidator(function), WithJsonSchema(schema)]


def shown(value):
    """Return a value as messages quote it, in at most about 80 characters."""
    if value is None:
        return "null"
    short = reprlib.Repr()
    short.maxstring = short.maxother = 60
    return short.repr(value)[:80]


def text(value, limit, unit="character", what="a text"):
    """Return a text of at least one token and at most `limit` characters."""
    if not isinstance(value, str):
        raise ValueError(f"expected {what}, got {shown(value)}")
    if not (value if unit == "character" else value.strip()):
        raise ValueError(f"expected {what} with at least one {unit}, got {shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:                                   # JSON may have it, an answer may not
        raise ValueError(f"expected {what}, got {shown(value[error.start])}, half of a character, at position "
                         f"{error.start}; send both halves, or leave it out") from None
    return within(value, len(value), limit, "characters")


def within(value, size, limit, of):
    """Return `value` if its `size` is at most `limit`."""
    if size > limit:
        raise ValueError(f"expected at most {limit} {of}, got {size}; send less, or start the server with --max-length")
    return value


def numbers(value, columns, limit, what="steps", missing=False):
    """Return steps (T, columns) float64 of a list of steps, or of one flat list of all their numbers.

    Parameters
    ----------
    value : list of float, or of lists of `columns` floats
    limit : int
        Most steps.
    missing : bool
        Whether null, which becomes NaN, may stand for a number.
    """
    expected = f"expected {what} of {columns} number{'s' * (columns != 1)}"
    if not isinstance(value, list):
        raise ValueError(f"{expected}, a list, got {shown(value)}")
    cells = np.asarray(value, dtype=object)
    kinds = set(map(type, cells.ravel()))
    if not kinds <= ({int, float, type(None)} if missing else {int, float}):
        raise ValueError(f"{expected}, all of one length, got {shown(value)}")
    if not cells.size or cells.ndim > 2 or (cells.ndim == 2 and cells.shape[1] != columns) or cells.size % columns:
        raise ValueError(f"{expected}, got {shown(value)} of shape {cells.shape}")
    within(value, cells.size // columns, limit, what)
    try:
        rows = cells.astype(np.float64).reshape(-1, columns)
    except OverflowError:
        raise ValueError(f"{expected}, got one too large for a floating-point number") from None
    finite = np.isfinite(rows) if not missing else ~np.isinf(rows)
    if not finite.all():
        raise ValueError(f"{expected}, got {rows[~finite][0]} in step {int(np.argwhere(~finite)[0, 0])}")
    return rows


def row(value, reader, limit):
    """Return the flat numbers of a `gluon_rnn.answers.trajectories.TrajectoryReader`'s row, a text or lists."""
    if isinstance(value, str):
        try:
            value = [float(field) for field in value.split(reader.delimiter)]
        except ValueError:
            raise ValueError(f"expected numbers with {reader.delimiter!r} between them, got {shown(value)}") from None
    return tuple(numbers(value, reader.features, limit).ravel().tolist())


def series(value, names, limit):
    """Return measured values (T, C) of the columns `names`; null, for a number or a whole row, is NaN."""
    if isinstance(value, list) and any(isinstance(each, list) for each in value):
        value = [[None] * len(names) if each is None else each for each in value]
    return numbers(value, len(names), limit, "rows", missing=True)


def wav(value):
    """Return the bytes of a .wav file from ``{"wav": base64 text}``."""
    encoded = value.get("wav") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(encoded, str):
        raise ValueError(f'expected {{"wav": the bytes of a .wav file in base64}}, got {shown(value)}')
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"expected the bytes of a .wav file in base64, got {shown(encoded)} ({error})") from None
    rates = list(_sample_rates(content))
    if not rates:
        raise ValueError(f"expected the bytes of a .wav file, got {len(content)} bytes without its header")
    if min(rates) < _LOWEST_RATE:
        raise ValueError(f"expected a recording of at least {_LOWEST_RATE} samples a second, got {min(rates)}")
    return content


def _sample_rates(content):
    """Yield the sample rate of each "fmt " chunk of a RIFF file; what reads it may take any of them."""
    order = {b"RIFF": "<", b"RIFX": ">"}.get(content[:4])
    place = len(content) if order is None else 12
    while place + 16 <= len(content):
        size, = struct.unpack_from(f"{order}I", content, place + 4)
        if content[place:place + 4] == b"fmt ":
            yield struct.unpack_from(f"{order}I", content, place + 12)[0]
        place += 8 + size + size % 2
