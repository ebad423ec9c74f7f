"""Strings of spoken words, joined from recordings of single ones: connected speech for which the words are known."""
from dataclasses import dataclass
from typing import Union

import numpy as np

from gluon_rnn.data.audio import augmentation_of, check_settings, divide
from gluon_rnn.data.audio_files import match_names, read_files
from gluon_rnn.data.audio_reader import AudioReader, read_wav
from gluon_rnn.data.label_strings import LabelStrings, Strings
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets, suggest

__all__ = ["JoinedAudio", "Plan"]


@dataclass
class Plan:
    """How one string is made: `names` of the recordings, silence around them, the speed of playing, a seed for noise.

    ``silences`` are numbers of samples, one more than there are names: before the first, between two, after the last.
    """

    names: list
    silences: list
    speed: float
    seed: int


@datasets.register("joined_audio")
class JoinedAudio(LabelStrings):
    """Recordings of single words, joined at random to strings, as frames of log-mel energies or MFCC.

    Parameters
    ----------
    path, pattern, test, valid, features, num_mels, num_coefficients, window, hop, deltas, standardize, sample_rate, \
augment, split_seed
        As in `gluon_rnn.data.AudioFolder`: a folder or ``.zip`` of .wav files with a label each. Strings of a split are
        made of recordings of that split alone.
    words : (int, int), default (1, 5)
        Fewest and most recordings in a string; all numbers between are equally likely.
    same : str, optional
        A group of `pattern`, such as ``speaker``, in which all recordings of a string agree; by default they are mixed.
    silence : (float, float), default (0, 0.2)
        Shortest and longest silence in s before, between and after the recordings.
    noise : float, >= 0, default 0
        Deviation of white noise that is added to the whole string, full scale being 1; silence is digital zero without.
    train_strings, valid_strings, test_strings : int
        How many strings a split holds.
    redraw : bool, default True
        Whether each epoch trains on `train_strings` new ones.
    string_seed : int, default 0
        Of the strings of all splits; those of an epoch depend on the seed of the recipe.

    Raises
    ------
    ValueError
        If a file is not a whole .wav, a name does not match, or a number is out of range.

    Notes
    -----
    Samples are joined, not features: a frame at an edge hears both sides, as in running speech.
    """

    def __init__(self, path, pattern, test: dict = None, valid: Union[float, dict] = 0.1, *, words=(1, 5),
                 same: str = None, silence=(0.0, 0.2), noise=0.0, train_strings: int = 2000, valid_strings: int = 200,
                 test_strings: int = 500, redraw=True, string_seed: int = 0, features="logmel", num_mels=40,
                 num_coefficients=13, window=0.025, hop=0.01, deltas=0, standardize="train", sample_rate: int = None,
                 augment: dict = None, split_seed: int = 0):
        speeds, self._augment = augmentation_of(augment)
        check_settings(features, standardize, window, hop, deltas, num_mels, num_coefficients)
        sizes = {"train": train_strings, "valid": valid_strings, "test": test_strings}
        _check_strings(words, silence, noise, sizes)
        files = read_files(path)
        groups = match_names(files, pattern, path)
        _check_same(same, next(iter(groups.values())))
        examples = divide(list(files), groups, test, valid, split_seed)
        rate = sample_rate or read_wav(*next((raw, name) for name, raw in files.items()))[1]
        reader = AudioReader(rate, features, num_mels, num_coefficients, window, hop, deltas, standardize)
        self._samples = _samples(reader, files, path, speeds, examples["train"].items)
        self._words, self._silence, self._noise, self._redraw = tuple(words), tuple(silence), noise, redraw
        self._same = {name: None if same is None else found[same] for name, found in groups.items()}
        self._label_of = {name: found["label"] for name, found in groups.items()}
        self._recordings = {split: part.items for split, part in examples.items()}
        self._speeds, self._sizes, self.reader = speeds or [1.0], sizes, reader
        self.labels = sorted({self._label_of[name] for name in self._recordings["train"]})
        self._plans = {split: self._plan(split, [string_seed, number], [1.0])
                       for number, split in enumerate(self._recordings)}
        reader.fit([reader.features_of(self.samples(plan)) for plan in self._plans["train"]])
        parts = {split: ([" + ".join(plan.names) for plan in plans], self._strings(plans))
                 for split, plans in self._plans.items()}
        super().__init__({split: parts[split] for split in ("train", "valid", "test") if split in parts},
                         self.labels, reader)

    # ---- drawing ---------------------------------------------------------------------------------------------------

    def _plan(self, split, seed, speeds):
        """Return the plans of as many strings as the split holds; the same ones for the same seed."""
        rng, rate = np.random.default_rng(seed), self.reader.sample_rate
        pools = {}
        for name in self._recordings[split]:
            pools.setdefault(self._same[name], []).append(name)
        # a pool is drawn as often as it has recordings
        shares = np.array([len(pool) for pool in pools.values()]) / len(self._recordings[split])
        plans, pools = [], list(pools.values())
        for _ in range(self._sizes[split]):
            pool = pools[rng.choice(len(pools), p=shares)]
            names = [pool[index] for index in rng.integers(len(pool), size=rng.integers(*self._words, endpoint=True))]
            silences = np.round(rng.uniform(*self._silence, size=len(names) + 1) * rate).astype(int).tolist()
            plans.append(Plan(names, silences, float(rng.choice(speeds)), int(rng.integers(2**31))))
        return plans

    def samples(self, plan):
        """Return the samples (n,) float32 of the string that a `Plan` describes, at the sample rate of the reader."""
        pieces = [np.zeros(plan.silences[0], dtype=np.float32)]
        for name, silence in zip(plan.names, plan.silences[1:]):
            pieces += [self._samples[plan.speed][name], np.zeros(silence, dtype=np.float32)]
        joined = np.concatenate(pieces)
        if not self._noise:
            return joined
        rng = np.random.default_rng(plan.seed)
        return joined + self._noise * rng.standard_normal(len(joined), dtype=np.float32)

    def plans(self, split):
        """Return the `Plan` of each string of a split."""
        self._of(split)
        return self._plans[split]

    def _strings(self, plans):
        numbers = {label: number for number, label in enumerate(self.labels)}
        for label in {self._label_of[name] for plan in plans for name in plan.names} - set(numbers):
            raise ValueError(f"a recording for validation or testing has the label {label!r}, which no training "
                             f"recording has; {suggest(label, self.labels)}")
        targets = [np.array([numbers[self._label_of[name]] for name in plan.names], dtype=np.int32) for plan in plans]
        sizes = [sum(plan.silences) + sum(len(self._samples[plan.speed][name]) for name in plan.names)
                 for plan in plans]

        def read(row, random):
            frames = self.reader.standardized(self.reader.features_of(self.samples(plans[row])))
            return frames if random is None or self._augment is None else self._augment(frames, random)

        return Strings(targets, list(map(self.reader.num_frames, sizes)), read)

    def drawn(self, seed):
        """Return the `Strings` of one epoch: new ones, or those of "train" where `redraw` is off."""
        return self._strings(self._plan("train", seed, self._speeds)) if self._redraw else super().drawn(seed)

    def describe(self):
        """Return what the data are, in words and numbers."""
        recordings = ", ".join(f"{split} {len(names):,}" for split, names in self._recordings.items())
        return f"{super().describe()}, joined from recordings ({recordings}) of {self.reader.sample_rate} Hz"


def _samples(reader, files, path, speeds, train):
    """Return {speed: {name: samples}}: of all files at their own speed, of the training files at the others too."""
    found = {1.0: {name: reader.samples(raw, f"{path}: {name}") for name, raw in files.items()}}
    for speed in {float(speed) for speed in speeds} - {1.0}:
        found[speed] = {name: reader.samples(files[name], f"{path}: {name}", speed) for name in train}
    return found


def _check_strings(words, silence, noise, sizes):
    check_sizes(**{f"{split}_strings": size for split, size in sizes.items()})
    for name, pair, low, kind in (("words", words, 1, int), ("silence", silence, 0, (int, float))):
        right = isinstance(pair, (list, tuple)) and len(pair) == 2 and all(
            isinstance(number, kind) and not isinstance(number, bool) for number in pair)
        if not right or not low <= pair[0] <= pair[1]:
            raise ValueError(f"{name} must be a smallest and a largest number of at least {low}, such as [1, 5], got "
                             f"{pair!r}")
    if isinstance(noise, bool) or not isinstance(noise, (int, float)) or not 0 <= noise < 1:
        raise ValueError(f"noise must be a deviation of at least 0 and below 1, full scale, got {noise!r}")


def _check_same(same, groups):
    if same is not None and same not in groups:
        raise ValueError(f"same: the pattern has no group {same!r}; {suggest(same, list(groups))}")
