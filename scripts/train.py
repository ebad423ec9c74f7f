"""Train a model: ``python -m scripts.train CONFIG [key=value ...] [--dry-run] [--resume RUN]``."""
import argparse
import tempfile
from pathlib import Path

from scripts._cli import run_command


def main(argv=None):
    """Train; the run's folder is the last line printed."""
    arguments = _parser().parse_intermixed_args(argv)
    from gluon_rnn import recipes
    from gluon_rnn.training import train
    from gluon_rnn.training.folder import recipe_of

    recipe, overrides = _recipe(arguments)
    if arguments.resume is not None:
        recipe_of(arguments.resume)                                   # a wrong folder is the first thing to say
    config = recipes.load(recipe, overrides)
    if arguments.dry_run:
        config.output_dir = tempfile.mkdtemp(prefix="dry-run-")
    path = train(recipes.build_task(config, recipe), Path(recipe).stem, resume=arguments.resume,
                 steps=2 if arguments.dry_run else None)
    print(path, flush=True)
    return 0


def _recipe(arguments):
    """Return the YAML file and the overrides; a run to resume brings a file of its own."""
    words = list(arguments.words)
    if words and "=" not in words[0]:
        return words[0], words[1:]
    if arguments.resume is None:
        raise ValueError("which recipe? Pass a YAML file first, for example configs/quickstart.yaml")
    return arguments.resume / "config.yaml", words


def _parser():
    parser = argparse.ArgumentParser(prog="python -m scripts.train", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="CONFIG [key=value ...]",
                        help="a YAML file, then dotted keys that win over it, such as training.epochs=5")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--dry-run", action="store_true", help="two steps through everything, in a temporary folder")
    kind.add_argument("--resume", metavar="RUN", type=Path,
                      help="go on with this run; CONFIG may be left out, and then is the run's own")
    return parser


if __name__ == "__main__":
    run_command(main)
