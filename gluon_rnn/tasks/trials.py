"""Made-up arrays and raw input for a trained model: by these a bundle is compared with the run that it was made of.

Everything is drawn from one seed, so that an export is checked on the same input each time.
"""
import io

import mxnet as mx
import numpy as np

from gluon_rnn.answers.audio import AudioReader
from gluon_rnn.answers.text import TextReader

__all__ = ["features", "ids", "items", "recording", "sentences", "sound"]

#: tokens, or steps, of the items
_LENGTHS = (9, 1, 4)


def ids(size):
    """Return token ids (8, 2) below `size`, an NDArray of int32."""
    return mx.nd.array(np.arange(16).reshape(8, 2) % size, dtype="int32")


def features(size):
    """Return standard normal features (8, 2, `size`), an NDArray."""
    return mx.nd.array(np.random.default_rng(0).standard_normal((8, 2, size)))


def sentences(tokens, separator, rng):
    """Return texts of tokens drawn from a list."""
    return [separator.join(rng.choice(tokens, length)) for length in _LENGTHS]


def items(reader):
    """Return raw items as a reader takes them: texts, .wav files as bytes, rows of numbers, trees or graphs as text."""
    rng = np.random.default_rng(1)
    if hasattr(reader, "structure"):
        return reader.examples()
    if isinstance(reader, TextReader):
        special = {getattr(reader.vocab, f"{kind}_token", None) for kind in ("unknown", "padding", "bos", "eos")}
        tokens = [token for token in reader.vocab.idx_to_token if token not in special]
        return sentences(tokens, "" if reader.unit == "character" else " ", rng)
    if isinstance(reader, AudioReader):
        return [sound(reader.sample_rate, seconds, rng) for seconds in (0.6, 0.3)]
    return [tuple((reader.mean + reader.deviation * rng.standard_normal((length, reader.features))).ravel())
            for length in _LENGTHS]


def sound(sample_rate, seconds, rng):
    """Return a .wav file of noise that swells, as bytes."""
    from scipy.io import wavfile
    samples = np.linspace(0, 0.3, int(sample_rate * seconds)) * rng.standard_normal(int(sample_rate * seconds))
    file = io.BytesIO()
    wavfile.write(file, sample_rate, (np.clip(samples, -1, 1) * 32767).astype(np.int16))
    return file.getvalue()


def recording(scaler, rows):
    """Return inputs (rows, Cx), None without any, and targets (rows, Ky) in the units of a `SeriesScaler`."""
    rng, columns = np.random.default_rng(2), []
    for part, names in ((scaler.x, scaler.input_names), (scaler.y, scaler.target_names)):
        columns.append(part.inverse(0.5 * rng.standard_normal((rows, len(names)))) if names else None)
    return columns
