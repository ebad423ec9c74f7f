"""Train a model from a recipe, or go on with a run that was stopped.

What is trained, on which data and how long is said by a recipe, a YAML file; ``key=value`` changes a key of it.
"""
import contextlib
import tempfile
from pathlib import Path

from gluon_rnn.cli.options import recipes_and_files

EXAMPLE = "gluon-rnn train quickstart training.epochs=2 data.sentences=8000"
INTERMIXED = True                                                 # options may stand between the keys


def run(options, member=None):
    """Train; the run's folder is the last line printed, in the first worker where `member` is one of several."""
    recipe, overrides = recipe_of(options)                                # first: a wrong name needs no MXNet
    import gluon_rnn
    from gluon_rnn import recipes
    from gluon_rnn.distributed.cluster import Cluster
    from gluon_rnn.runs import starting_point
    from gluon_rnn.training import folder, train

    if options.resume is not None:
        folder.recipe_of(options.resume)                            # a wrong folder is the first thing to say
    config = recipes.load(recipe, overrides)
    cluster = None if member is None else Cluster(member, config.training)
    if cluster is not None:
        cluster.agree(gluon_rnn.__version__, config)
    start = starting_point(config) if options.resume is None else None    # a wrong name is said before data are read
    task = recipes.build_task(config, recipe)
    with contextlib.ExitStack() as stack:
        if options.dry_run:
            config.output_dir = stack.enter_context(tempfile.TemporaryDirectory(prefix="dry-run-"))
        path = train(task, Path(recipe).stem, resume=options.resume, start=start, steps=2 if options.dry_run else None,
                     cluster=cluster)
        if cluster is None or cluster.leads:
            print(_written(path) if options.dry_run else path, flush=True)
    return 0


def _written(path):
    """Return what a dry run says at its end, when its folder is about to go."""
    names = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith("."))
    return f"dry run: two steps and the end of a run went through; it would leave {', '.join(names)}"


def recipe_of(options):
    """Return the YAML file and the overrides; a run to resume brings a file of its own."""
    from gluon_rnn.recipe_files import find
    words = list(options.words)
    if words and "=" not in words[0]:
        return find(words[0]), words[1:]
    if options.resume is None:
        raise ValueError("which recipe? Pass its name or a YAML file first, for example quickstart")
    return options.resume / "config.yaml", words


def add_arguments(parser):
    """Add the options of this command to a parser."""
    parser.add_argument("words", nargs="*", metavar="CONFIG [key=value ...]",
                        help="a YAML file or the name of a packaged recipe (gluon-rnn recipes), then dotted keys that "
                             "win over it, such as training.epochs=5").completer = recipes_and_files
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--dry-run", action="store_true", help="two steps through everything, in a temporary folder, "
                                                                   "which is removed")
    kind.add_argument("--resume", metavar="RUN", type=Path,
                      help="go on with this run; CONFIG may be left out, and then is the run's own")

