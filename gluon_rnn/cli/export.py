"""Write a trained model as files that run without this package's model classes."""
import pathlib

from gluon_rnn.cli.options import add_run

EXAMPLE = "gluon-rnn export runs/quickstart-1 --output quickstart"


def run(options):
    """Export a run; print the largest difference to the live model, and the folder on the last line."""
    from gluon_rnn.export import export
    from gluon_rnn.runs import load_run

    trained = load_run(options.run, which=options.which)
    directory = pathlib.Path(options.output or pathlib.Path(trained.path) / "export")
    difference = export(trained.model, directory, **trained.export_arguments())
    print(f"largest difference between the export and the live model, at another T and N: {difference:.3g}")
    print(directory, flush=True)
    return 0


def add_arguments(parser):
    """Add the options of this command to a parser."""
    add_run(parser)
    parser.add_argument("--output", metavar="DIR", help="where the bundle goes (default: RUN/export)")
    parser.add_argument("--which", choices=["best", "last"], default="best", help="the checkpoint (default: best)")

