"""What a recipe may say of its learning algorithm: ``training.algorithm: {name: tbptt, k1: 5, k2: 35}``.

The classes here are the schema of that section, as constructors are of all named parts, and say which step of training
each algorithm takes. A task lists those that it can learn by in `Task.algorithms`.
"""
from typing import Optional

from gluon_rnn import runtime
from gluon_rnn.config import ConfigError
from gluon_rnn.registry import Registry
from gluon_rnn.training.algorithms.norm_preserving import NormPreservingStep
from gluon_rnn.training.algorithms.online import OnlineStep
from gluon_rnn.training.algorithms.rtrl import RTRL
from gluon_rnn.training.algorithms.uoro import UORO
from gluon_rnn.training.algorithms.windows import WindowStep
from gluon_rnn.training.step import TrainStep

__all__ = ["RECURRENT", "algorithms", "algorithm_of"]

algorithms = Registry("learning algorithm")
#: names of those that need states which run on from one update to the next
RECURRENT = ("tbptt", "rtrl", "uoro")


def algorithm_of(config):
    """Return the algorithm of a checked recipe; ConfigError where a value of it is wrong."""
    section = config.training.algorithm
    if config.training.norm_preserving and section.name != "bptt":
        raise ConfigError("training.norm_preserving: the regulariser needs gradients of whole sequences, those of the "
                          f"algorithm bptt, got {section.name}; choose bptt, or leave the key out")
    try:
        return algorithms.build(section.name, **section.arguments)
    except ValueError as error:
        raise ConfigError(f"training.algorithm.{error}") from error


@algorithms.register("bptt")
class BackpropagationThroughTime:
    """Back through all steps of each batch: a whole sequence, or a chunk of `data.bptt` steps of a stream.

    The cost of a step is that of the network three times over: O(H^2) multiplications, and O(H) numbers kept a step.

    References
    ----------
    Werbos (1990), Backpropagation through time: what it does and how to do it.
    """

    step_class = TrainStep

    def window(self, bptt):
        """Return (k1, k2): steps of a stream from update to update, and steps that gradients go back."""
        return bptt, bptt

    def check(self, graph, config):
        """Raise ConfigError where the graph of a task cannot learn so; see `gluon_rnn.tasks.task.Task.graph`."""

    def make_step(self, graph, devices, settings, *others):
        """Return the step of training, of the arguments of `TrainStep`."""
        step_class = NormPreservingStep if settings.norm_preserving else self.step_class
        return step_class(graph, devices, settings, *others)


@algorithms.register("tbptt")
class TruncatedBackpropagation(BackpropagationThroughTime):
    """An update every k1 steps of a stream, from gradients that go back k2 steps: BPTT(h; h') with h = k2, h' = k1.

    The losses of an update are those of its k1 steps, and each reaches the parameters as they act in the last k2 steps
    before the update: k2 - k1 to k2 steps back from a loss. States are carried, and no gradient passes what is
    further back. The cost of a step is that of bptt times k2 / k1. With k1 = k2 it is bptt.

    Parameters
    ----------
    k1 : int, default `data.bptt`
        Steps from one update to the next.
    k2 : int, default `data.bptt`
        Steps that gradients go back; at least k1, so that each loss has a gradient.

    References
    ----------
    Williams and Peng (1990), An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories.
    """

    step_class = WindowStep

    def __init__(self, k1: Optional[int] = None, k2: Optional[int] = None):
        for name, value in (("k1", k1), ("k2", k2)):
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected a number of steps of at least 1, got {value}")
        self._k1, self._k2 = k1, k2

    def window(self, bptt):
        """Return (k1, k2); ConfigError if k2 is below k1."""
        k1, k2 = (bptt if value is None else value for value in (self._k1, self._k2))
        if k2 < k1:
            raise ConfigError(f"training.algorithm: gradients that go back k2 = {k2} steps do not reach all losses of "
                              f"k1 = {k1} steps; choose k2 of at least k1 (both are data.bptt where they are left out)")
        return k1, k2


class _Online(BackpropagationThroughTime):
    """What algorithms share that carry derivatives forward and make an update at each step of a stream."""

    learner = None

    def window(self, bptt):
        """Return (1, 1)."""
        return 1, 1

    def check(self, graph, config):
        """Raise ConfigError where the network has no derivatives here, or is too large."""
        if len(runtime.devices(config.device)) > 1:
            raise ConfigError(f"device: {config.training.algorithm.name} runs on one device, got {config.device!r}; "
                              "name one, or choose training.algorithm bptt or tbptt")
        try:
            transition = graph.transition()
        except ValueError as error:
            raise ConfigError(f"training.algorithm: {error}") from error
        self._check_size(transition, config.data.batch_size)

    def _check_size(self, transition, rows):
        """Raise ConfigError where a step is too much work."""

    def make_step(self, *arguments):
        """Return the step of training, of the arguments of `TrainStep`."""
        return OnlineStep(self.learner, *arguments)


@algorithms.register("rtrl")
class RealTimeRecurrentLearning(_Online):
    """Exact gradients carried forward, an update at each step; one layer of `RNN`, `GRU` or `Jordan`.

    The cost of a step is O(H^4): N S^2 P multiplications for N rows, S states and P parameters of embedding and layer,
    where P is of the order H^2; and N S P numbers of memory, O(H^3). See `gluon_rnn.training.algorithms.rtrl`.

    Parameters
    ----------
    max_multiplications : float, default 1e9
        A network with more of them a step is refused; 1e9 take one to two seconds on one core.

    References
    ----------
    Williams and Zipser (1989), A Learning Algorithm for Continually Running Fully Recurrent Neural Networks.
    """

    learner = RTRL

    def __init__(self, max_multiplications: float = 1e9):
        if not max_multiplications > 0:
            raise ValueError(f"max_multiplications: expected a number above 0, got {max_multiplications}")
        self._most = max_multiplications

    def _check_size(self, transition, rows):
        states, size = transition.state_size, transition.size
        cost = rows * states ** 2 * size
        if cost > self._most:
            raise ConfigError(
                f"training.algorithm: rtrl takes N S^2 P multiplications a step, of the order H^4: {cost:.3g} for "
                f"N = {rows} rows, S = {states} states and P = {size} parameters of embedding and layer, above "
                f"max_multiplications = {self._most:.3g}; choose a smaller hidden_size, vocabulary or data.batch_size, "
                "or uoro or tbptt, whose steps are of the order H^2")


@algorithms.register("uoro")
class UnbiasedOnlineRecurrentOptimisation(_Online):
    """Gradients carried forward as one random product, an update at each step; one layer of `RNN`, `GRU` or `Jordan`.

    The cost of a step is O(H^2), as that of bptt; the gradients are noisy, so that it takes a low learning rate. See
    `gluon_rnn.training.algorithms.uoro`.

    References
    ----------
    Tallec and Ollivier (2018), Unbiased Online Recurrent Optimization.
    """

    learner = UORO
