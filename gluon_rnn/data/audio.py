"""Recordings with a class each: a folder or .zip of .wav files whose names say what they are.

Features are log-mel energies or MFCC by librosa, frame by frame; they are computed once and cached.
"""
import hashlib
import io
import json
import re
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Union

import numpy as np
from scipy.io import wavfile
from scipy.signal import resample_poly

from ..nn.checks import check_sizes
from ..registry import datasets, suggest
from .cache import cached
from .labelled import Examples, Labelled, carve
from .spectra import SpectrumAugmentation

__all__ = ["AudioFolder", "AudioReader", "read_wav"]

FEATURES = ("logmel", "mfcc")
STANDARDIZE = ("train", "recording", "none")
#: about -100 dB below full scale: silence of zeros has a logarithm too
_FLOOR = 1e-10


def read_wav(source, name=None):
    """Return the samples (n,) float32, full scale at 1 and channels averaged, and the sample rate of a .wav file.

    Parameters
    ----------
    source : path, or bytes of a whole file
    name : str, optional
        What to call it in messages; default the path.

    Raises
    ------
    ValueError
        If it is not a whole .wav file of whole or floating-point samples, or holds none.
    """
    name = source if name is None else name
    file = io.BytesIO(source) if isinstance(source, bytes) else Path(source).expanduser()
    with warnings.catch_warnings():
        warnings.simplefilter("error", wavfile.WavFileWarning)            # "reached EOF prematurely" among them
        try:
            rate, samples = wavfile.read(file)
        except FileNotFoundError:
            raise ValueError(f"{name}: no such file; check the path") from None
        except (ValueError, struct.error, EOFError, OSError, wavfile.WavFileWarning) as error:
            raise ValueError(f"{name}: not a whole .wav file ({error}); fetch or record it again") from None
    if not samples.size:
        raise ValueError(f"{name}: the .wav file holds no samples; record it again, or take it out")
    samples = _to_full_scale(samples)
    return (samples if samples.ndim == 1 else samples.mean(axis=1)), rate


def _to_full_scale(samples):
    values = samples.astype(np.float32)
    if samples.dtype == np.uint8:                                         # 8-bit files are unsigned
        return (values - 128) / 128
    return values / -float(np.iinfo(samples.dtype).min) if samples.dtype.kind == "i" else values


class AudioReader:
    """From a .wav file to frames of features (T, C).

    Parameters
    ----------
    sample_rate : int
        In Hz; other recordings are resampled to it.
    features : {"logmel", "mfcc"}
    num_mels : int
        Mel bands, and features of "logmel".
    num_coefficients : int
        Features of "mfcc".
    window, hop : float
        Length of a frame and distance of two in s.
    deltas : int
        How many orders of differences over time stand beside the features: C is (1 + deltas) times as large.
    standardize : {"train", "recording", "none"}
        Whose mean and standard deviation each feature is standardised with.
    mean, deviation : sequence of C floats, optional
        Of the training split, for "train".
    """

    def __init__(self, sample_rate, features, num_mels, num_coefficients, window, hop, deltas, standardize,
                 mean=None, deviation=None):
        self.sample_rate, self.features, self.num_mels = sample_rate, features, num_mels
        self.num_coefficients, self.window, self.hop, self.deltas = num_coefficients, window, hop, deltas
        self.standardize, self.mean, self.deviation = standardize, mean, deviation

    @property
    def model_arguments(self):
        """What a model needs to know of its input."""
        size = self.num_mels if self.features == "logmel" else self.num_coefficients
        return {"input_size": size * (1 + self.deltas)}

    @property
    def settings(self):
        """What the raw features depend on, a dict."""
        return {key: value for key, value in vars(self).items() if key not in ("standardize", "mean", "deviation")}

    def __call__(self, source):
        return self.standardized(self.raw(source))

    def raw(self, source, name=None):
        """Return the features of a .wav file, a path or its bytes, not standardised: (T, C) float32."""
        librosa = _librosa()
        samples, rate = read_wav(source, name)
        if rate != self.sample_rate:
            common = np.gcd(rate, self.sample_rate)
            samples = resample_poly(samples, self.sample_rate // common, rate // common).astype(np.float32)
        frame, hop = round(self.window * self.sample_rate), round(self.hop * self.sample_rate)
        bins = 1 << (frame - 1).bit_length()                              # the next power of two
        with warnings.catch_warnings():
            # a recording shorter than one window is padded with zeros, which is what the warning says
            warnings.filterwarnings("ignore", message="n_fft=.* is too large")
            mels = librosa.feature.melspectrogram(y=samples, sr=self.sample_rate, n_fft=bins, win_length=frame,
                                                  hop_length=hop, n_mels=self.num_mels)
        values = np.log(mels + _FLOOR)                                    # (M, T)
        if self.features == "mfcc":
            values = librosa.feature.mfcc(S=values, n_mfcc=self.num_coefficients)
        orders = [librosa.feature.delta(values, order=order, mode="nearest") for order in range(1, self.deltas + 1)]
        return np.ascontiguousarray(np.concatenate([values, *orders]).T, dtype=np.float32)

    def fit(self, arrays):
        """Take mean and standard deviation from the raw features of the training split."""
        if self.standardize == "train":
            frames = np.concatenate(arrays)
            self.mean = frames.mean(axis=0, dtype=np.float64).tolist()
            self.deviation = np.maximum(frames.std(axis=0, dtype=np.float64), 1e-6).tolist()

    def standardized(self, values):
        """Return raw features (T, C), standardised as `standardize` says."""
        if self.standardize == "none":
            return values
        if self.standardize == "train":
            mean, deviation = np.array(self.mean), np.array(self.deviation)
        else:
            mean, deviation = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-6)
        return ((values - mean) / deviation).astype(np.float32)

    def to_json(self):
        """Return all of it as text."""
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text):
        """Return the reader that `to_json` wrote down."""
        return cls(**json.loads(text))


def _librosa():
    try:
        import librosa
    except ImportError:
        raise ValueError("features of recordings need librosa, which is not installed; "
                         "pip install 'gluon_rnn[data]'") from None
    return librosa


@datasets.register("audio_folder")
class AudioFolder(Labelled):
    """Recordings with a class each, named by a pattern, as frames of log-mel energies or MFCC.

    Parameters
    ----------
    path : str
        A folder, searched with all folders in it, or a ``.zip`` of .wav files.
    pattern : str
        Regular expression that the end of every .wav file's path must match from a folder or the name on, with a
        group ``label`` and any others: ``(?P<label>\\d)_(?P<speaker>\\w+)_(?P<index>\\d+)\\.wav``.
    test : dict, optional
        Which recordings are for testing, by the groups of `pattern`: ``{index: [0, 1, 2, 3, 4]}``, or
        ``{speaker: theo}`` to leave one speaker out. All groups must agree.
    valid : float or dict, default 0.1
        A share of each class of what is not in test, drawn with `split_seed`, or a dict like `test`.
    features : {"logmel", "mfcc"}, default "logmel"
    num_mels : int, default 40
        Mel bands.
    num_coefficients : int, default 13
        Of "mfcc".
    window, hop : float, default 0.025, 0.01
        Length of a frame and distance of two in s.
    deltas : int, default 0
        How many orders of differences over time stand beside the features.
    standardize : {"train", "recording", "none"}, default "train"
        Each feature has mean 0 and deviation 1 over the training split, or over each recording.
    sample_rate : int, optional
        In Hz; default that of the first recording. Others are resampled.
    augment : dict, optional
        Keys of `gluon_rnn.data.spectra.SpectrumAugmentation`: what is done to training recordings, anew each epoch.
    split_seed : int, default 0
        Of the division into train and valid alone.

    Raises
    ------
    ValueError
        If a file is not a whole .wav, a name does not match, or a rule selects nothing; it names the file.

    Notes
    -----
    Features are cached in a folder of the user (`gluon_rnn.data.cache`), under their settings and a hash of all names
    and bytes.
    """

    example_arguments = {"input_size": 2}

    def __init__(self, path, pattern, test: dict = None, valid: Union[float, dict] = 0.1, *, features="logmel",
                 num_mels=40, num_coefficients=13, window=0.025, hop=0.01, deltas=0, standardize="train",
                 sample_rate: int = None, augment: dict = None, split_seed: int = 0):
        self._augment = _augmentation(augment)
        _check_settings(features, standardize, window, hop, deltas, num_mels, num_coefficients)
        files = _read_files(path)
        groups = _match(files, pattern, path)
        parts = _divide(list(files), groups, test, valid, split_seed)
        rate = sample_rate or read_wav(*next((raw, name) for name, raw in files.items()))[1]
        reader = AudioReader(rate, features, num_mels, num_coefficients, window, hop, deltas, standardize)
        key = {"content": _digest(files), "librosa": _librosa().__version__, **reader.settings}
        arrays = cached(features, key, lambda: [reader.raw(raw, f"{path}: {name}") for name, raw in files.items()])
        self._arrays = dict(zip(files, arrays))
        reader.fit([self._arrays[name] for name in parts["train"].items])
        super().__init__(parts, reader, [f"{rate} Hz, {sum(map(len, arrays)):,} frames"])
        del self._arrays

    def _read(self, item):
        return self.reader.standardized(self._arrays[item])

    def augmented(self, row, rng):
        """Return training example `row` (T, C), changed as `augment` says."""
        frames = super().augmented(row, rng)
        return frames if self._augment is None else self._augment(frames, rng)


def _augmentation(keys):
    if keys is None:
        return None
    try:
        return SpectrumAugmentation(**keys)
    except TypeError as error:
        raise ValueError(f"augment: {error}; see SpectrumAugmentation") from None


def _check_settings(features, standardize, window, hop, deltas, num_mels, num_coefficients):
    check_sizes(num_mels=num_mels, num_coefficients=num_coefficients)
    for name, value, known in (("features", features, FEATURES), ("standardize", standardize, STANDARDIZE)):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
    if deltas not in (0, 1, 2):
        raise ValueError(f"deltas must be 0, 1 or 2, got {deltas!r}")
    if not 0 < hop <= window:
        raise ValueError(f"hop and window are lengths in s with 0 < hop <= window, got hop {hop} and window {window}")
    if features == "mfcc" and num_coefficients > num_mels:
        raise ValueError(f"num_coefficients {num_coefficients} is more than num_mels {num_mels}; raise num_mels")


def _read_files(path):
    """Return {name: bytes} of all .wav files in a folder or zip, sorted by name."""
    folder = Path(path).expanduser()
    if folder.is_dir():
        found = {str(file.relative_to(folder).as_posix()): file for file in sorted(folder.rglob("*"))}
        files = {name: file.read_bytes() for name, file in found.items() if name.lower().endswith(".wav")}
    elif folder.is_file():
        try:
            with zipfile.ZipFile(folder) as archive:
                names = sorted(name for name in archive.namelist() if name.lower().endswith(".wav"))
                files = {name: archive.read(name) for name in names}
        except zipfile.BadZipFile as error:
            raise ValueError(f"{path}: not a whole .zip ({error}); fetch it again, or give a folder") from None
    else:
        raise ValueError(f"{path}: no such folder or .zip; check the path and the folder data_root (GLUON_RNN_DATA)")
    if not files:
        raise ValueError(f"{path}: no .wav file in it; check the path")
    return files


def _digest(files):
    digest = hashlib.sha256()
    for name, raw in files.items():
        digest.update(f"{name}\0{len(raw)}\0".encode())
        digest.update(raw)
    return digest.hexdigest()


def _match(files, pattern, path):
    """Return {name: groups of the pattern}."""
    try:
        compiled = re.compile(rf"(?:^|.*/){pattern}$")
    except re.error as error:
        raise ValueError(f"pattern {pattern!r} is not a regular expression: {error}") from None
    if "label" not in compiled.groupindex:
        raise ValueError(f"pattern {pattern!r} must have a group (?P<label>...)")
    matches = {name: compiled.match(name) for name in files}
    for name, match in matches.items():
        if match is None:
            raise ValueError(f"{path}: {name} does not match the pattern {pattern!r}; mend the pattern, or take the "
                             "file out")
    return {name: match.groupdict() for name, match in matches.items()}


def _divide(names, groups, test, valid, seed):
    """Return {split: Examples} of file names."""
    held = _select(names, groups, test, "test") if test else []
    rest = [name for name in names if name not in set(held)]
    examples = lambda chosen: Examples(chosen, [groups[name]["label"] for name in chosen])  # noqa: E731
    parts = {"train": examples(rest), "test": examples(held)} if held else {"train": examples(rest)}
    if not isinstance(valid, dict):
        return carve(parts, valid, seed)
    chosen = _select(rest, groups, valid, "valid")
    return {**parts, "train": examples([name for name in rest if name not in set(chosen)]), "valid": examples(chosen)}


def _select(names, groups, rule, split):
    """Return the names whose groups have one of the values that `rule` gives for each group."""
    for group, values in rule.items():
        known = sorted({str(groups[name].get(group)) for name in names})
        if group not in groups[names[0]]:
            raise ValueError(f"{split}: the pattern has no group {group!r}; {suggest(group, list(groups[names[0]]))}")
        for value in _values(values):
            if value not in known:
                raise ValueError(f"{split}: no recording has {group} {value!r}; {suggest(value, known)}")
    chosen = [name for name in names if all(groups[name][group] in _values(values) for group, values in rule.items())]
    if len(chosen) in (0, len(names)):
        raise ValueError(f"{split}: {rule} selects {len(chosen)} of {len(names)} recordings; leave some for both sides")
    return chosen


def _values(values):
    return [str(value) for value in (values if isinstance(values, (list, tuple)) else [values])]
