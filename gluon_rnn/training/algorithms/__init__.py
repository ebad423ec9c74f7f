"""Learning algorithms beside backpropagation through time: truncated windows, RTRL, UORO.

Here is what works on any layer, by itself. `settings.py` has what a recipe may say, `windows.py` and `online.py` the
steps of training.
"""
from gluon_rnn.training.algorithms.rtrl import RTRL
from gluon_rnn.training.algorithms.transitions import EmbeddedTransition, Transition, transition_of
from gluon_rnn.training.algorithms.uoro import UORO

__all__ = ["RTRL", "UORO", "EmbeddedTransition", "Transition", "transition_of"]
