"""The adding problem: add two numbers that are marked in a long row of them, a test of long memory.

    x_t = (v_t, m_t),  v_t uniform in [0, 1],  m_t = 1 at two steps and 0 at the others,    y = sum_t m_t v_t

Answering 1 always, the mean, has a squared error of 1 / 6, the variance of y. (Le et al. and others print 0.1767.)

References
----------
Hochreiter & Schmidhuber (1997), Long short-term memory, section 5.4: numbers in [-1, 1], marks 1 and -1.
Le, Jaitly & Hinton (2015), A simple way to initialize recurrent networks of rectified linear units, section 4.1: the
form above, two places drawn at random.
"""
import numpy as np

from gluon_rnn.data.trajectories import TrajectoryReader
from gluon_rnn.data.values import SequenceValues
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["AddingProblem", "draw_additions"]


def draw_additions(count, length, rng):
    """Return rows (count, 2 * length) v_1 m_1 v_2 m_2 ... and the sums (count, 1), drawn by a NumPy generator."""
    steps = np.zeros((count, length, 2))
    steps[:, :, 0] = rng.random((count, length))
    marked = np.argsort(rng.random((count, length)), axis=1)[:, :2]       # two different places of each row
    rows = np.arange(count)[:, None]
    steps[rows, marked, 1] = 1
    return steps.reshape(count, -1), steps[rows, marked, 0].sum(axis=1, keepdims=True)


@datasets.register("adding_problem")
class AddingProblem(SequenceValues):
    """The adding problem, generated; see the module.

    Parameters
    ----------
    length : int, >= 2, default 100
        T, steps of every sequence.
    train, valid, test : int, default 20000, 1000, 1000
        Sequences in each split.
    seed : int, default 0
        Of these data alone; other random generators neither change them nor are changed.

    Examples
    --------
    >>> data = AddingProblem(length=4, train=10, valid=2, test=2)
    >>> steps = data.inputs("train")[0]
    >>> steps.shape, float(abs(steps[steps[:, 1] == 1, 0].sum() - data.targets("train")[0, 0])) < 1e-6
    ((4, 2), True)
    """

    def __init__(self, length: int = 100, train: int = 20000, valid: int = 1000, test: int = 1000, seed: int = 0):
        sizes = {"train": train, "valid": valid, "test": test}
        check_sizes(**sizes)
        if isinstance(length, bool) or not isinstance(length, int) or length < 2:
            raise ValueError(f"length must be a whole number of at least 2, two marks need two steps, got {length!r}")
        parts = {name: draw_additions(size, length, np.random.default_rng([seed, number]))
                 for number, (name, size) in enumerate(sizes.items())}
        super().__init__(parts, ["sum"], TrajectoryReader(2, [0.0, 0.0], [1.0, 1.0]))
