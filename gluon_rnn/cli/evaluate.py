"""Evaluate a trained model on its data.

With ``--ensemble RUN RUN`` the ensemble of several runs of one recipe is evaluated: the mean of their probabilities
where they translate or classify, the median of their predictions where they forecast. With ``--bundle DIR`` an export
of the run is evaluated, a classifier's, a tagger's or a language model's.
"""
from gluon_rnn.cli.options import add_checkpoint, add_ensemble, add_run, ensemble_of

EXAMPLE = "gluon-rnn evaluate runs/quickstart-1 --split valid"


def run(options):
    """Print the loss of a run in its unit."""
    others = ensemble_of(options)
    _check(options, others)
    from gluon_rnn.runs import evaluate_ensemble, evaluate_run
    if others:
        print(evaluate_ensemble([options.run, *others], options.split, options.checkpoint, save=options.save))
        return 0
    if options.cache is not None:
        from gluon_rnn.runs import evaluate_cached
        print(evaluate_cached(options.run, options.cache, options.split, options.checkpoint))
        return 0
    if options.bundle is not None:
        from gluon_rnn.export import load
        from gluon_rnn.export.evaluation import evaluate_bundle
        print(evaluate_bundle(load(options.bundle), options.run, options.split))
        return 0
    print(evaluate_run(options.run, options.split, options.checkpoint))
    return 0


def _check(options, others):
    """Raise ValueError for options that do not go together: none is left out without a word."""
    given = {"--ensemble": bool(others), "--cache": options.cache is not None, "--bundle": options.bundle is not None}
    ways = [name for name, there in given.items() if there]
    if len(ways) > 1:
        raise ValueError(f"{' and '.join(ways)} do not go together, each being a model of its own to evaluate; pass "
                         "one of them")
    if options.save and not others:
        raise ValueError("--save goes with --ensemble, whose score it keeps; leave it out, or pass further runs")
    if options.bundle is not None and options.checkpoint != "best":
        raise ValueError(f"--checkpoint {options.checkpoint} does not go with --bundle, which has the parameters that "
                         "were exported; leave one of them out")


def add_arguments(parser):
    """Add the options of this command to a parser."""
    add_run(parser)
    parser.add_argument("--split", help="train, valid or test; default: test where there is one, else valid")
    parser.add_argument("--cache", type=int, metavar="SIZE",
                        help="a language model with a neural cache of so many places")
    parser.add_argument("--bundle", metavar="DIR", help="score this export of RUN, not its checkpoint")
    add_checkpoint(parser)
    add_ensemble(parser, "further runs of the recipe, to be evaluated as an ensemble with RUN")
    parser.add_argument("--save", action="store_true", help="with --ensemble: the score goes into results.json of RUN")

