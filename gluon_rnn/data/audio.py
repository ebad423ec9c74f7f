"""Labelled recordings: a folder or .zip of .wav files whose names contain the class.

Features are log-mel energies or MFCC by librosa, frame by frame; they are computed once and cached.
"""
import inspect
from typing import Union

from gluon_rnn.data.audio_files import digest_of, match_names, read_files, select
from gluon_rnn.data.audio_reader import AudioReader, import_librosa, read_wav
from gluon_rnn.data.cache import cached
from gluon_rnn.data.labelled import Examples, Labelled, carve
from gluon_rnn.data.spectra import SpectrumAugmentation
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets, suggest

__all__ = ["AudioFolder", "augmentation_of", "check_settings", "divide"]

FEATURES = ("logmel", "mfcc")
STANDARDIZE = ("train", "recording", "none")


@datasets.register("audio_folder")
class AudioFolder(Labelled):
    """Labelled recordings, classes taken from file names by a pattern, as frames of log-mel energies or MFCC.

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
        Number of orders of differences over time that are appended to the features.
    standardize : {"train", "recording", "none"}, default "train"
        Each feature has mean 0 and deviation 1 over the training split, or over each recording.
    sample_rate : int, optional
        In Hz; default that of the first recording. Others are resampled.
    augment : dict, optional
        Augmentation of training recordings in each epoch: keys of `gluon_rnn.data.spectra.SpectrumAugmentation`, and
        ``speeds``, a list of numbers between 0.5 and 2, such as ``[0.9, 1, 1.1]``, one of which a recording is played
        at: higher and shorter or lower and longer, another voice (Ko et al. 2015, Audio augmentation for speech
        recognition). Other data are read at their own speed.
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

    example_arguments = {"input_size": 0}

    def __init__(self, path, pattern, test: dict = None, valid: Union[float, dict] = 0.1, *, features="logmel",
                 num_mels=40, num_coefficients=13, window=0.025, hop=0.01, deltas=0, standardize="train",
                 sample_rate: int = None, augment: dict = None, split_seed: int = 0):
        speeds, self._augment = augmentation_of(augment)
        check_settings(features, standardize, window, hop, deltas, num_mels, num_coefficients)
        files = read_files(path)
        groups = match_names(files, pattern, path)
        parts = divide(list(files), groups, test, valid, split_seed)
        rate = sample_rate or read_wav(*next((raw, name) for name, raw in files.items()))[1]
        reader = AudioReader(rate, features, num_mels, num_coefficients, window, hop, deltas, standardize)
        self._arrays = _frames(reader, files, path)
        reader.fit([self._arrays[name] for name in parts["train"].items])
        super().__init__(parts, reader, [f"{rate} Hz, {sum(map(len, self._arrays.values())):,} frames"])
        self._played = []                                                 # the training split at each speed
        for speed in speeds:
            self._arrays = _frames(reader, files, path, speed)
            self._played.append([self._read(name) for name in parts["train"].items])
        del self._arrays

    def _read(self, item):
        return self.reader.standardized(self._arrays[item])

    def keep_train(self, count, seed):
        """Keep only `count` examples of the training split, at each speed; see `Labelled.keep_train`."""
        kept = super().keep_train(count, seed)
        self._played = [[played[row] for row in kept] for played in self._played]
        return kept

    def augmented(self, row, rng):
        """Return training example `row` (T, C), transformed by the augmentation `augment`."""
        frames = self._played[rng.integers(len(self._played))][row] if self._played else super().augmented(row, rng)
        return frames if self._augment is None else self._augment(frames, rng)


def augmentation_of(keys):
    """Return the speeds of the keys of `augment`, and the `SpectrumAugmentation` or None."""
    if keys is None:
        return [], None
    known = ["speeds", *inspect.signature(SpectrumAugmentation).parameters]
    for key in keys:
        if key not in known:
            raise ValueError(f"augment: unknown key {key!r}; {suggest(key, known)}")
    keys = dict(keys)
    speeds = keys.pop("speeds", [])
    if not isinstance(speeds, (list, tuple)) or not all(
            isinstance(speed, (int, float)) and 0.5 <= speed <= 2 for speed in speeds):
        raise ValueError(f"augment: speeds must be a list of numbers between 0.5 and 2, got {speeds!r}")
    try:
        return speeds, SpectrumAugmentation(**keys)
    except TypeError as error:
        raise ValueError(f"augment: all but speeds are numbers ({error})") from None


def _frames(reader, files, path, speed=1.0):
    """Return {name: raw features} of all `files`, at a `speed`, from the cache where they have been made before."""
    key = {"content": digest_of(files), "librosa": import_librosa().__version__, **reader.settings}
    if speed != 1:
        key["speed"] = speed
    arrays = cached(reader.features, key,
                    lambda: [reader.raw(raw, f"{path}: {name}", speed) for name, raw in files.items()])
    return dict(zip(files, arrays))


def check_settings(features, standardize, window, hop, deltas, num_mels, num_coefficients):
    """Raise ValueError where a setting of an `AudioReader` is out of range."""
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


def divide(names, groups, test, valid, seed):
    """Return {split: Examples} of file names; `test` and `valid` as in `AudioFolder`, `groups` from `match_names`."""
    held = select(names, groups, test, "test") if test else []
    rest = [name for name in names if name not in set(held)]
    examples = lambda chosen: Examples(chosen, [groups[name]["label"] for name in chosen])  # noqa: E731
    parts = {"train": examples(rest), "test": examples(held)} if held else {"train": examples(rest)}
    if not isinstance(valid, dict):
        return carve(parts, valid, seed)
    chosen = select(rest, groups, valid, "valid")
    return {**parts, "train": examples([name for name in rest if name not in set(chosen)]), "valid": examples(chosen)}
