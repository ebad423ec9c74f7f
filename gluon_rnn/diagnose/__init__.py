"""The instruments of `gluon_rnn.diagnostics` on a run or a model of the zoo: figures, tables and a few sentences."""
from gluon_rnn.diagnose.diagnosis import INSTRUMENTS, Diagnosis, diagnose, examine
from gluon_rnn.diagnose.inside import Choices, look_inside
from gluon_rnn.diagnose.problems import Problem, problem_of

__all__ = ["Choices", "Diagnosis", "INSTRUMENTS", "Problem", "diagnose", "examine", "look_inside", "problem_of"]
