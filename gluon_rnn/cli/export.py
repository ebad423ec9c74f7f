"""Write a trained model as files that answer without this package's model classes, in MXNet or in ONNX Runtime."""
import pathlib

from gluon_rnn.cli.options import add_run

EXAMPLE = "gluon-rnn export runs/quickstart-1 --format onnx --output quickstart"


def run(options):
    """Export a run; print the largest difference to the live model, and the folder on the last line."""
    from gluon_rnn.export import export_run
    from gluon_rnn.runs import load_run

    trained = load_run(options.run, which=options.which)
    directory = pathlib.Path(options.output or pathlib.Path(trained.path) / "export")
    difference = export_run(trained, directory, format=options.format, quantize=options.quantize)
    print("largest difference between the export and the live model, at other sizes and with rows of all lengths: "
          f"{difference:.3g}")
    print(directory, flush=True)
    return 0


def add_arguments(parser):
    """Add the options of this command to a parser."""
    add_run(parser)
    parser.add_argument("--format", choices=["symbol", "onnx"], default="symbol",
                        help="for MXNet (default), or for ONNX Runtime, which needs no MXNet")
    parser.add_argument("--quantize", action="store_true",
                        help="onnx: weights of 8 bits; smaller, and answers differ a little")
    parser.add_argument("--output", metavar="DIR", help="where the bundle goes (default: RUN/export)")
    parser.add_argument("--which", choices=["best", "last"], default="best", help="the checkpoint (default: best)")
