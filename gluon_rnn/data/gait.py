"""Generated walking: angles of hip, knee and ankle over strides, of several walkers with habits of their own.

With the phase phi of a stride (0 at heel strike) and joint j of a walker,

    y_j = o_j + b_j + s_j sum_{k=1..4} (a_jk cos(k (phi - d_j)) + c_jk sin(k (phi - d_j))) + e,     in degrees

a, b, c are `JOINTS`, the same for all. Of a walker's own are offsets o, amplitudes s, delays of the joints d, small
changes of each a and c, and the cadence f. The phase moves by 2 pi f exp(w_t) / rate a frame, where w is a slow
change of pace, an AR(1) process with a memory of about a second. e is white noise of measurement.

The curves are smooth ones of the known shape, with round numbers: a knee that bends twice a stride, to about 20 and 60
degrees. They are nobody's measurements.

References
----------
Winter (1991), The biomechanics and motor control of human gait: what the curves of joints look like.
"""
from dataclasses import dataclass

import numpy as np

from gluon_rnn.data.labelled import Examples, Labelled
from gluon_rnn.data.readers import SPLITS
from gluon_rnn.data.series import Recording, SeriesSet
from gluon_rnn.data.trajectories import TrajectoryReader
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["JOINTS", "GaitSeries", "GaitWalkers", "Walker", "draw_walker", "walk"]

# Mean, then cosine and sine of each of four harmonics of a stride, in degrees; flexion is positive.
JOINTS = {
    "hip": (12.0, ((19.5, -1.5), (-3.0, -2.5), (-0.5, 0.0), (0.0, 0.0))),
    "knee": (22.0, ((-2.0, -18.0), (-16.0, 6.0), (-0.5, 3.5), (0.0, 0.5))),
    "ankle": (0.5, ((-1.5, 6.5), (1.0, -8.5), (-2.5, 0.0), (2.5, 0.5))),
}
#: frames within which a change of pace is forgotten, to 1/e
PACE_MEMORY = 25


@dataclass(frozen=True)
class Walker:
    """The habits of one walker: `cadence` strides a second, `means` (3,), `harmonics` (3, 4, 2) of the joints."""

    cadence: float
    means: np.ndarray
    harmonics: np.ndarray

    def angles(self, phase):
        """Return the angles (T, 3) at phases (T,), in degrees and without noise."""
        waves = np.outer(phase, np.arange(1, 5))                          # (T, 4)
        cosines, sines = self.harmonics[:, :, 0], self.harmonics[:, :, 1]
        return self.means + np.cos(waves) @ cosines.T + np.sin(waves) @ sines.T


def draw_walker(rng, variety=1.0):
    """Return a `Walker` drawn by a NumPy generator.

    Parameters
    ----------
    rng : numpy.random.Generator
    variety : float from 0 to 6, default 1.0
        How much walkers differ: cadence 0.9 strides a second, 15 % more or less; and with normal deviations, per joint
        2 degrees of offset, 10 % of amplitude, 0.1 radians of delay, and 10 % of each harmonic. With 0 all are one.
    """
    cadence = 0.9 * (1 + 0.15 * variety * rng.uniform(-1, 1))
    means = np.array([mean for mean, _ in JOINTS.values()]) + 2 * variety * rng.standard_normal(3)
    harmonics = np.array([waves for _, waves in JOINTS.values()])
    harmonics = harmonics * (1 + 0.1 * variety * rng.standard_normal((3, 1, 1)))
    harmonics = harmonics * (1 + 0.1 * variety * rng.standard_normal((3, 4, 2)))
    angles = 0.1 * variety * rng.standard_normal((3, 1)) * np.arange(1, 5)
    turned = (harmonics[..., 0] + 1j * harmonics[..., 1]) * np.exp(1j * angles)
    return Walker(cadence, means, np.stack([turned.real, turned.imag], axis=-1))


def walk(walker, frames, rng, rate=25, wander=0.05, noise=0.5):
    """Return `frames` frames of angles (T, 3) of a `Walker`, from a random phase on, drawn by a NumPy generator.

    Parameters
    ----------
    walker : Walker
    frames : int
    rng : numpy.random.Generator
    rate : float, default 25
        Frames a second.
    wander : float, default 0.05
        Deviation of w, the logarithm of the pace.
    noise : float, default 0.5
        Deviation of e, degrees.
    """
    from scipy import signal  # takes longer to load than to use
    kept = np.exp(-1 / PACE_MEMORY)
    shocks = np.sqrt(1 - kept ** 2) * rng.standard_normal(frames)
    shocks[0] = rng.standard_normal()                                     # from the process's own distribution
    pace = signal.lfilter([1], [1, -kept], shocks)                        # w_t = kept w_{t-1} + shock_t
    steps = 2 * np.pi * walker.cadence / rate * np.exp(wander * pace)
    phase = rng.uniform(0, 2 * np.pi) + np.cumsum(steps)
    return walker.angles(phase) + noise * rng.standard_normal((frames, 3))


class _Walkers:
    """Draws the sequences of all walkers: (walker, split, number) has a random generator of its own."""

    def __init__(self, walkers, counts, frames, seed, variety, wander, noise):
        check_sizes(walkers=walkers, frames=frames, **dict(zip(SPLITS, counts)))
        for name, value in (("variety", variety), ("wander", wander), ("noise", noise)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < np.inf:
                raise ValueError(f"{name} must be a number of at least 0, got {value!r}")
        self.people = [draw_walker(np.random.default_rng([seed, 0, number]), variety) for number in range(walkers)]
        self._counts, self._draw = dict(zip(SPLITS, counts)), (frames, wander, noise)
        self._seed = seed

    def sequences(self, split):
        """Return (name of the walker, angles (T, 3)) of a split, walker by walker."""
        frames, wander, noise = self._draw
        return [(f"walker {number}",
                 walk(walker, frames, np.random.default_rng([self._seed, 1 + SPLITS.index(split), number, count]),
                      wander=wander, noise=noise))
                for number, walker in enumerate(self.people) for count in range(self._counts[split])]


@datasets.register("gait_series")
class GaitSeries(SeriesSet):
    """Walking as series without inputs, for the task ``forecasting``: the next frame of three joints; see the module.

    Parameters
    ----------
    walkers : int, >= 1, default 8
        Each of them is in every split.
    frames : int, default 250
        Of each recording, 25 a second.
    train, valid, test : int, default 4, 1, 2
        Recordings of each walker.
    seed : int, default 0
        Of walkers and recordings; other random generators neither change them nor are changed.
    variety : float from 0 to 6, default 1.0
        How much walkers differ; see `draw_walker`.
    wander : float, default 0.05
        Deviation of the logarithm of the pace.
    noise : float, default 0.5
        Deviation of the noise of measurement, degrees. The error of the best predictor is larger, since it has to find
        phase and pace in noisy frames; it has no closed form.

    Attributes
    ----------
    people : list of Walker
    """

    def __init__(self, walkers: int = 8, frames: int = 250, train: int = 4, valid: int = 1, test: int = 2,
                 seed: int = 0, variety=1.0, wander=0.05, noise=0.5):
        drawn = _Walkers(walkers, (train, valid, test), frames, seed, variety, wander, noise)
        self.people = drawn.people
        parts = {split: [Recording(f"{name}, {split} {number}", np.zeros((len(angles), 0)), angles)
                         for number, (name, angles) in enumerate(drawn.sequences(split))] for split in SPLITS}
        super().__init__(parts, [], list(JOINTS))


@datasets.register("gait_walkers")
class GaitWalkers(Labelled):
    """Short pieces of walking, for the task ``classification``: who walks; see the module.

    Parameters
    ----------
    walkers : int, >= 2, default 8
    frames : int, default 30
        Of each piece, 25 a second: about a stride, from any phase on.
    train, valid, test : int, default 60, 20, 40
        Pieces of each walker.
    seed : int, default 0
        As of `GaitSeries`, whose walkers these are for the same seed and variety.
    variety, wander, noise : float, default 1.0, 0.05, 0.5
        See `GaitSeries`.

    Notes
    -----
    Each joint is standardised with mean and deviation over all frames of the training split.
    """

    example_arguments = {"input_size": 0}

    def __init__(self, walkers: int = 8, frames: int = 30, train: int = 60, valid: int = 20, test: int = 40,
                 seed: int = 0, variety=1.0, wander=0.05, noise=0.5):
        if walkers == 1:
            raise ValueError("walkers must be at least 2, got 1; one walker leaves nothing to tell apart")
        drawn = _Walkers(walkers, (train, valid, test), frames, seed, variety, wander, noise)
        self.people, parts = drawn.people, {}
        for split in SPLITS:
            names, pieces = zip(*drawn.sequences(split))
            parts[split] = Examples([tuple(piece.ravel().tolist()) for piece in pieces], names)
        super().__init__(parts, TrajectoryReader.fit(parts["train"].items, len(JOINTS)))
