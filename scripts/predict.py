"""Ask a trained model: ``python -m scripts.predict RUN "a line of text"``, or lines of a file or of standard input.

Lines are what the model takes: names or sentences to classify, tag or translate, beginnings to continue, a class to
write for, or the path of a .wav or .mat file.
"""
import argparse
import pathlib
import sys

from scripts._cli import add_ensemble, ensemble_of, run_command


def main(argv=None):
    """Print one answer for each line, as soon as it is known."""
    arguments = _parser().parse_intermixed_args(argv)             # options may stand between RUN and the items
    from gluon_rnn.runs import load_run
    run = load_run(arguments.run, arguments.checkpoint, ensemble=ensemble_of(arguments))
    folder = arguments.output or run.path / "predictions"
    lines = _lines(arguments)
    for answer in _streamed(run, lines) if arguments.stream else _answered(run, lines, folder):
        print(answer, flush=True)
    return 0


def _answered(run, lines, folder):
    return (run.answer(line, folder, number) for number, line in enumerate(lines, start=1))


def _streamed(run, lines):
    for line in lines:
        yield from run.stream_answers(line)


def _lines(arguments):
    """Yield the items one by one, so that a pipe is answered while it is being written."""
    if arguments.items:
        yield from arguments.items
    elif arguments.file is not None:
        with open(arguments.file, encoding="utf-8-sig") as file:
            yield from (line.rstrip("\r\n") for line in file if line.strip())
    else:
        yield from (line.rstrip("\r\n") for line in sys.stdin if line.strip())


def _parser():
    parser = argparse.ArgumentParser(prog="python -m scripts.predict", description=__doc__.splitlines()[0])
    parser.add_argument("run", metavar="RUN", help="folder that scripts.train printed last")
    parser.add_argument("items", nargs="*", metavar="ITEM", help="a line, or the path of a .wav or .mat file; default: "
                                                                 "the lines of --file, or of standard input")
    parser.add_argument("--file", metavar="FILE", help="a text file with one item a line")
    parser.add_argument("--stream", action="store_true", help="answer after every step of an item, from carried "
                                                              "states: where the model reads forwards only")
    add_ensemble(parser, "further runs of the recipe, which answer as an ensemble with RUN; items stand before it",
                 former="append")
    parser.add_argument("--output", metavar="DIR", type=pathlib.Path,
                        help="where pictures and tunes go (default: RUN/predictions)")
    parser.add_argument("--checkpoint", choices=("best", "last"), default="best")
    return parser


if __name__ == "__main__":
    run_command(main)
