"""Learning-rate schedules by name: MXNet's own schedulers under the words of this package's recipes.

A schedule is a function of the number of updates made so far, so that a resumed run needs no state of it; `Plateau`,
which looks at the validation loss, is the one with state.
"""
from mxnet import lr_scheduler

from gluon_rnn.optim import ranges
from gluon_rnn.registry import Registry

__all__ = ["Plateau", "build", "schedules"]

schedules = Registry("schedule")

# Every builder takes (base, total_steps, epoch_steps) by position, and the keys of the recipe by keyword.
GIVEN = ("base", "total_steps", "epoch_steps")


def build(name, base, total_steps, epoch_steps, **arguments):
    """Return the schedule `name` as a callable ``rate(step)``, step counted from 1.

    Parameters
    ----------
    name : str
        One of ``schedules.names()``.
    base : float
        The optimiser's learning rate: the highest one of the schedule.
    total_steps, epoch_steps : int
        Updates in the whole run and in one epoch.

    Raises
    ------
    ValueError
        If a number is out of its range, or MXNet's scheduler refuses it.
    """
    ranges.check(arguments)
    return schedules.get(name)(base, total_steps, epoch_steps, **arguments)


@schedules.register("constant")
def constant(base, total_steps, epoch_steps, *, warmup_steps: int = 0):
    """The same rate all the time, after a linear rise over `warmup_steps`."""
    # A factor of 1 is MXNet's way to say constant; its base class has the warm-up but no rate after it.
    return lr_scheduler.FactorScheduler(total_steps + 1, factor=1, base_lr=base, warmup_steps=warmup_steps)


@schedules.register("cosine")
def cosine(base, total_steps, epoch_steps, *, warmup_steps: int = 0, final_learning_rate: float = 0.0):
    """Half a cosine from the base rate down to `final_learning_rate` at the last step (Loshchilov & Hutter 2017)."""
    _check_warmup("cosine", warmup_steps, total_steps)
    return lr_scheduler.CosineScheduler(total_steps, base_lr=base, final_lr=final_learning_rate,
                                        warmup_steps=warmup_steps)


@schedules.register("poly")
def poly(base, total_steps, epoch_steps, *, warmup_steps: int = 0, final_learning_rate: float = 0.0, power: int = 2):
    """``final + (base - final) * (1 - step / total) ** power``."""
    _check_warmup("poly", warmup_steps, total_steps)
    return lr_scheduler.PolyScheduler(total_steps, base_lr=base, pwr=power, final_lr=final_learning_rate,
                                      warmup_steps=warmup_steps)


@schedules.register("factor")
def factor(base, total_steps, epoch_steps, *, factor: float = 0.5, every_epochs: float = 1.0, warmup_steps: int = 0):
    """Multiply the rate by `factor` every `every_epochs` epochs."""
    return lr_scheduler.FactorScheduler(max(1, round(every_epochs * epoch_steps)), factor=factor, base_lr=base,
                                        warmup_steps=warmup_steps)


@schedules.register("multifactor")
def multifactor(base, total_steps, epoch_steps, *, epochs: list, factor: float = 0.1, warmup_steps: int = 0):
    """Multiply the rate by `factor` at the end of each of the `epochs`."""
    numbers = all(type(epoch) in (int, float) and epoch > 0 for epoch in epochs)
    steps = [max(1, round(epoch * epoch_steps)) for epoch in epochs] if numbers else []
    if not steps or sorted(set(steps)) != steps:
        raise ValueError(f"epochs: expected increasing numbers of epochs such as [10, 15], got {epochs}")
    return lr_scheduler.MultiFactorScheduler(steps, factor=factor, base_lr=base, warmup_steps=warmup_steps)


@schedules.register("plateau")
class Plateau:
    """Multiply the rate by `factor` when the validation loss has not improved for more than `patience` evaluations.

    There is an evaluation every ``training.eval_interval`` epochs.

    Parameters
    ----------
    factor : float
        In (0, 1).
    patience : int
        Evaluations without improvement that are let pass; 0 anneals at the first one.
    """

    def __init__(self, base, total_steps, epoch_steps, *, factor: float = 0.25, patience: int = 0):
        if not 0 < factor < 1:
            raise ValueError(f"factor: expected a number between 0 and 1, got {factor}")
        self.base, self.factor, self.patience = base, factor, patience
        self.best, self.waited, self.scale = float("inf"), 0, 1.0

    def __call__(self, step):
        return self.base * self.scale

    def observe(self, loss):
        """Take note of the validation loss of one evaluation."""
        if loss < self.best:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited > self.patience:
            self.scale, self.waited = self.scale * self.factor, 0

    def state(self):
        """Return what a checkpoint must hold, as a dict of numbers."""
        return {"best": self.best, "waited": self.waited, "scale": self.scale}

    def set_state(self, state):
        """Go back to what `state` returned."""
        vars(self).update(state)


def _check_warmup(name, warmup_steps, total_steps):
    if warmup_steps >= total_steps:
        raise ValueError(f"warmup_steps: expected less than the {total_steps} steps of the whole run for the "
                         f"{name!r} schedule, got {warmup_steps}; lower warmup_steps or raise training.epochs")
