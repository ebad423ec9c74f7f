"""Evaluate a trained model on its data: ``python -m scripts.evaluate RUN [--split test] [--checkpoint best]``.

With ``--ensemble RUN RUN`` the ensemble of several runs of one recipe is evaluated: the mean of their probabilities
where they translate or classify, the median of their predictions where they forecast.
"""
import argparse

from scripts._cli import add_ensemble, ensemble_of, run_command


def main(argv=None):
    """Print the loss of a run in its unit."""
    arguments = _parser().parse_args(argv)
    from gluon_rnn.runs import evaluate_ensemble, evaluate_run
    others = ensemble_of(arguments)
    if others:
        print(evaluate_ensemble([arguments.run, *others], arguments.split, arguments.checkpoint, save=arguments.save))
        return 0
    if arguments.save:
        raise ValueError("--save goes with --ensemble, whose score it keeps; leave it out, or pass further runs")
    print(evaluate_run(arguments.run, arguments.split, arguments.checkpoint))
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m scripts.evaluate", description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN", help="folder that scripts.train printed last")
    parser.add_argument("--split", help="train, valid or test; default: test where there is one, else valid")
    parser.add_argument("--checkpoint", choices=("best", "last"), default="best")
    add_ensemble(parser, "further runs of the recipe, to be evaluated as an ensemble with RUN")
    parser.add_argument("--save", action="store_true", help="with --ensemble: the score goes into results.json of RUN")
    return parser


if __name__ == "__main__":
    run_command(main)
