"""Training: the loop, updates, checkpoints and what a run leaves behind; what is learnt is the affair of a task."""
from gluon_rnn.training.loop import Interrupted, TrainingError, train

__all__ = ["Interrupted", "TrainingError", "train"]
