"""The latching problem: which of two signals a sequence began with, behind a long tail of noise.

    x_t = (u_t, v_t, e_t),  (u, v)_1 = (1, 0) in class A, (0, 1) in class B, later (0, 0)
    e_t = 0 for t <= 3,  uniform in [-noise, noise] from there on

To answer at the end, a network has to keep one bit against the noise for as long as the sequence lasts.

References
----------
Bengio, Simard and Frasconi (1994), Learning long-term dependencies with gradient descent is difficult, section 3.
Lin, Horne, Tino and Giles (1996), Learning long-term dependencies in NARX recurrent neural networks, section 4.
"""
import numpy as np

from gluon_rnn.data.labelled import Examples, Labelled
from gluon_rnn.data.trajectories import TrajectoryReader
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["Latching", "draw_latches"]

#: steps without noise at the beginning
QUIET = 3


def draw_latches(count, length, noise, rng):
    """Return steps (count, length, 3) and classes (count,), 0 or 1, as many of each, drawn by a NumPy generator."""
    classes = rng.permutation(np.arange(count) % 2)
    steps = np.zeros((count, length, 3))
    steps[np.arange(count), 0, classes] = 1
    steps[:, QUIET:, 2] = rng.uniform(-noise, noise, (count, length - QUIET))
    return steps, classes


@datasets.register("latching")
class Latching(Labelled):
    """The latching problem, generated; see the module.

    Parameters
    ----------
    length : int, >= 4, default 50
        T, steps of every sequence.
    noise : float, >= 0, default 0.2
        Half of the range of the noise.
    train, valid, test : int, default 400, 200, 200
        Sequences in each split, half of them of each class.
    seed : int, default 0
        Of these data alone; other random generators neither change them nor are changed.

    Examples
    --------
    >>> data = Latching(length=6, train=10, valid=2, test=2)
    >>> data.labels, data.inputs("train")[0].shape
    (['A', 'B'], (6, 3))
    """

    example_arguments = {"input_size": 0}

    def __init__(self, length: int = 50, noise: float = 0.2, train: int = 400, valid: int = 200, test: int = 200,
                 seed: int = 0):
        sizes = {"train": train, "valid": valid, "test": test}
        check_sizes(**sizes)
        if isinstance(length, bool) or not isinstance(length, int) or length <= QUIET:
            raise ValueError(f"length must be a whole number of at least {QUIET + 1}, the noise begins behind step "
                             f"{QUIET}, got {length!r}")
        if not noise >= 0:
            raise ValueError(f"noise must be a number of at least 0, got {noise!r}")
        parts = {}
        for number, (name, size) in enumerate(sizes.items()):
            steps, classes = draw_latches(size, length, noise, np.random.default_rng([seed, number]))
            parts[name] = Examples([tuple(row) for row in steps.reshape(size, -1).tolist()],
                                   ["AB"[number] for number in classes])
        super().__init__(parts, TrajectoryReader(3, [0.0] * 3, [1.0] * 3))
