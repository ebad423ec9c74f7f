"""Where a run stands, and sums over its steps."""
from dataclasses import dataclass, field
from typing import Optional

import numpy as np

from gluon_rnn import runtime

__all__ = ["Position", "Totals", "seed_from"]


@dataclass
class Position:
    """Where a run stands, all that a checkpoint knows besides arrays."""

    epoch: int = 0                    # finished epochs
    step_in_epoch: int = 0            # above 0 only after a signal
    step: int = 0                     # updates in all
    selection: Optional[str] = None   # the validation score that selects; None before the first evaluation
    best: Optional[float] = None      # its best value
    best_epoch: int = 0
    first_loss: Optional[float] = None   # of the first step, before its update
    totals: dict = field(default_factory=dict)   # since the last row of metrics


@dataclass
class Totals:
    """Sums over the steps since the last row of metrics: those of one epoch, or of `eval_interval` of them."""

    loss: float = 0.0                 # summed
    size: int = 0                     # units that it covers
    norm: float = 0.0
    clipped: int = 0
    steps: int = 0
    seconds: float = 0.0


def seed_from(seed, epoch, step, rank=0):
    """Seed all random numbers from where a run stands; each worker draws others, the first those of one process."""
    numbers = [seed, epoch, step, *([rank] if rank else [])]
    runtime.seed_all(int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1))
