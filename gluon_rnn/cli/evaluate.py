"""Evaluate a trained model on its data.

With ``--ensemble RUN RUN`` the ensemble of several runs of one recipe is evaluated: the mean of their probabilities
where they translate or classify, the median of their predictions where they forecast. With ``--bundle DIR`` an export
of the run is evaluated, a classifier's, a tagger's or a language model's.
"""
from gluon_rnn.cli.options import add_checkpoint, add_ensemble, add_run, ensemble_of

EXAMPLE = "gluon-rnn evaluate runs/quickstart-1 --split valid"


def run(options):
    """Print the loss of a run in its unit."""
    from gluon_rnn.runs import evaluate_ensemble, evaluate_run
    others = ensemble_of(options)
    if others:
        print(evaluate_ensemble([options.run, *others], options.split, options.checkpoint, save=options.save))
        return 0
    if options.bundle:
        from gluon_rnn.export import load
        from gluon_rnn.export.evaluation import evaluate_bundle
        print(evaluate_bundle(load(options.bundle), options.run, options.split))
        return 0
    if options.save:
        raise ValueError("--save goes with --ensemble, whose score it keeps; leave it out, or pass further runs")
    print(evaluate_run(options.run, options.split, options.checkpoint))
    return 0


def add_arguments(parser):
    """Add the options of this command to a parser."""
    add_run(parser)
    parser.add_argument("--split", help="train, valid or test; default: test where there is one, else valid")
    parser.add_argument("--bundle", metavar="DIR", help="score this export of RUN, not its checkpoint")
    add_checkpoint(parser)
    add_ensemble(parser, "further runs of the recipe, to be evaluated as an ensemble with RUN")
    parser.add_argument("--save", action="store_true", help="with --ensemble: the score goes into results.json of RUN")

