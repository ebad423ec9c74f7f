"""Write a trained model as files that run without this package's model classes: ``python -m scripts.export RUN``."""
import argparse
import pathlib

from scripts._cli import run_command


def main(argv=None):
    """Export a run; print the largest difference to the live model, and the folder on the last line."""
    options = parse(argv)
    from gluon_rnn.export import export
    from gluon_rnn.runs import load_run

    run = load_run(options.run, which=options.which)
    directory = pathlib.Path(options.output or pathlib.Path(run.path) / "export")
    difference = export(run.model, directory, **run.export_arguments())
    print(f"largest difference between the export and the live model, at another T and N: {difference:.3g}")
    print(directory, flush=True)
    return 0


def parse(argv=None):
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="python -m scripts.export", description=__doc__)
    parser.add_argument("run", metavar="RUN", help="the folder of a training run")
    parser.add_argument("--output", metavar="DIR", help="where the bundle goes (default: RUN/export)")
    parser.add_argument("--which", choices=["best", "last"], default="best", help="the checkpoint (default: best)")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_command(main)
