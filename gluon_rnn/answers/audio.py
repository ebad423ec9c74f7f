"""From a .wav file to frames of log-mel energies or MFCC: SciPy resamples, librosa makes the features.

Both are imported when a recording is read.
"""
import importlib
import json
import warnings

import numpy as np

from gluon_rnn.answers.audio_file import read_wav
from gluon_rnn.answers.columns import check_finite

__all__ = ["AudioReader", "import_librosa", "read_wav"]

#: about -100 dB below full scale: silence of zeros has a logarithm too
_FLOOR = 1e-10


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
        Number of orders of differences over time that are appended to the features: C is (1 + deltas) times as large.
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
        """Arguments of a model that the input determines."""
        size = self.num_mels if self.features == "logmel" else self.num_coefficients
        return {"input_size": size * (1 + self.deltas)}

    @property
    def settings(self):
        """What the raw features depend on, a dict."""
        return {key: value for key, value in vars(self).items() if key not in ("standardize", "mean", "deviation")}

    def __call__(self, source):
        """Return the features (T, C) float32 of a recording, standardised.

        Parameters
        ----------
        source : path of a .wav file, its bytes, or an array (T, C)
            An array holds features that this method returned before; it needs neither SciPy nor librosa.
        """
        if isinstance(source, np.ndarray):
            return self._checked(source)
        return self.standardized(self.raw(source))

    def _checked(self, features):
        size = self.model_arguments["input_size"]
        if features.ndim != 2 or features.shape[1] != size or features.dtype.kind != "f":
            raise ValueError(f"expected a recording, or features (T, {size}) of floating-point numbers, got an array "
                             f"of {features.dtype} of shape {features.shape}")
        check_finite(features, "features of a recording", "make them of a whole recording")
        return features.astype(np.float32)

    def raw(self, source, name=None, speed=1.0):
        """Return the features of a .wav file, a path or its bytes, not standardised: (T, C) float32.

        `speed` resamples the recording: a factor above 1 makes it shorter and higher, below 1 longer and lower.
        """
        return self.features_of(self.samples(source, name, speed))

    def samples(self, source, name=None, speed=1.0):
        """Return the samples (n,) float32 of a .wav file at `sample_rate`; arguments as those of `raw`."""
        samples, rate = read_wav(source, name)
        rate = round(rate * speed)
        if rate == self.sample_rate:
            return samples
        common = np.gcd(rate, self.sample_rate)
        resample = _import_scipy("signal").resample_poly
        return resample(samples, self.sample_rate // common, rate // common).astype(np.float32)

    def num_frames(self, size):
        """Return T, the number of frames of `size` samples: frames are centred at every `hop` from the first on."""
        return 1 + size // round(self.hop * self.sample_rate)

    def features_of(self, samples):
        """Return the features (T, C) float32 of samples (n,), not standardised."""
        librosa = import_librosa()
        frame, hop = round(self.window * self.sample_rate), round(self.hop * self.sample_rate)
        bins = 1 << (frame - 1).bit_length()                              # the next power of two
        with warnings.catch_warnings():
            # librosa warns that it pads a recording shorter than one window with zeros
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
        """Return the settings and statistics as JSON text."""
        return json.dumps(vars(self))

    @classmethod
    def from_json(cls, text):
        """Return the reader stored by `to_json`."""
        return cls(**json.loads(text))


def _import_scipy(module):
    try:
        return importlib.import_module(f"scipy.{module}")
    except ImportError:
        raise ValueError("reading recordings needs SciPy, which is not installed; pip install scipy") from None


def import_librosa():
    """Return librosa; ValueError with the remedy if it is not installed."""
    try:
        import librosa
    except ImportError:
        raise ValueError("features of recordings need librosa, which is not installed; "
                         "pip install 'gluon_rnn[data]'") from None
    return librosa
