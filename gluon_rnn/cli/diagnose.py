"""Say how far back the gradient of a trained model reaches, and whether its bptt is long enough.

On a batch of the model's data: the norm of the gradient by lag and layer, the spectral radius of the state Jacobian,
how often gates are shut or open, and the gradient truncated to k steps beside the full one. Pictures and tables go to
a folder, a few sentences to the terminal. What a model has nothing for is said and left out.
"""
from gluon_rnn.cli.options import add_checkpoint, add_run

EXAMPLE = "gluon-rnn diagnose runs/quickstart-1 --data valid --steps 70 --output diagnosis"


def run(options):
    """Print the sentences, and write pictures and tables."""
    from gluon_rnn.diagnose import diagnose
    print(diagnose(options.run, options.data, options.output, options.checkpoint, steps=options.steps).summary())
    return 0


def add_arguments(parser):
    """Add the options of this command to a parser."""
    add_run(parser)
    parser.add_argument("--data", metavar="SPLIT",
                        help="train, valid or test; default: test where there is one, else valid")
    parser.add_argument("--output", metavar="DIR", help="where pictures and tables go; default: diagnosis in the "
                                                        "folder of the run, runs/NAME of a zoo model")
    parser.add_argument("--steps", type=int, help="length of the sequences of a language model or a forecaster; "
                                                  "default: 4 times bptt, at most 256, at least 2 times")
    add_checkpoint(parser)
