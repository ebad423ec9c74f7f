"""Show how far back a trained model learns, what its states and units hold, and what its answers rest on.

Through time, on a batch of the model's data: the norm of the gradient by lag and layer, the spectral radius of the
state Jacobian, how often gates are shut or open, and the gradient truncated to k steps beside the full one. Inside:
mean states by word as a tree of clusters, neighbours and a map of embeddings, single units coloured over a text, and
the inputs that answers rest on. Pictures and tables go to a folder, a few sentences to the terminal. What a model has
nothing for is said and left out.
"""
from gluon_rnn.cli.options import add_checkpoint, add_run

EXAMPLE = "gluon-rnn diagnose runs/quickstart-1 --data valid --only gradient truncation states --output diagnosis"

INSTRUMENTS = ("gradient", "jacobian", "gates", "truncation", "states", "embeddings", "units", "saliency")


def run(options):
    """Print the sentences, and write pictures and tables."""
    from gluon_rnn.diagnose import Choices, diagnose
    choices = Choices(options.words, options.by, options.state, options.units, options.map)
    print(diagnose(options.run, options.data, options.output, options.checkpoint, steps=options.steps,
                   only=options.only, choices=choices).summary())
    return 0


def add_arguments(parser):
    """Add the options of this command to a parser."""
    add_run(parser)
    parser.add_argument("--data", metavar="SPLIT",
                        help="train, valid or test; default: test where there is one, else valid")
    parser.add_argument("--output", metavar="DIR", help="where pictures and tables go; default: diagnosis in the "
                                                        "folder of the run, runs/NAME of a zoo model")
    parser.add_argument("--only", nargs="+", choices=INSTRUMENTS, metavar="INSTRUMENT",
                        help=f"{', '.join(INSTRUMENTS)}; default: all")
    parser.add_argument("--steps", type=int, help="through time: length of the sequences of a language model or a "
                                                  "forecaster; default: 4 times bptt, at most 256, at least 2 times")
    parser.add_argument("--words", nargs="+", metavar="WORD",
                        help="words, characters or labels of states and embeddings; default: the most frequent")
    parser.add_argument("--by", choices=("token", "label"), help="what states are averaged by; default: the label for "
                                                                 "taggers and sequences of numbers, else the token")
    parser.add_argument("--state", help="whose units are coloured, such as 'layer 2 c'; default: the last")
    parser.add_argument("--units", nargs="+", type=int, metavar="NUMBER", help="units of this state; default: those "
                        "that follow the position in a line, and those that vary most")
    parser.add_argument("--map", choices=("pca", "tsne"), default="pca",
                        help="map of embeddings; tsne needs scikit-learn; default: pca")
    add_checkpoint(parser)
