"""Ask a trained model: lines of the command line, of a file or of standard input.

Lines are what the model takes: names or sentences to classify, tag or translate, beginnings to continue, a class to
write for, or the path of a .wav or .mat file.
"""
import pathlib
import sys

from gluon_rnn.cli.options import add_checkpoint, add_ensemble, add_run, ensemble_of

EXAMPLE = 'gluon-rnn predict runs/quickstart-1 "woman eat" "boy see"'
INTERMIXED = True                                                 # options may stand between RUN and the items


def run(options):
    """Print one answer for each line, as soon as it is known."""
    from gluon_rnn.runs import load_run
    trained = load_run(options.run, options.checkpoint, ensemble=ensemble_of(options))
    folder = options.output or trained.path / "predictions"
    lines = _lines(options)
    for answer in _streamed(trained, lines) if options.stream else _answered(trained, lines, folder):
        print(answer, flush=True)
    return 0


def _answered(trained, lines, folder):
    return (trained.answer(line, folder, number) for number, line in enumerate(lines, start=1))


def _streamed(trained, lines):
    for line in lines:
        yield from trained.stream_answers(line)


def _lines(options):
    """Yield the items one by one, so that a pipe is answered while it is being written."""
    if options.items:
        yield from options.items
    elif options.file is not None:
        with open(options.file, encoding="utf-8-sig") as file:
            yield from (line.rstrip("\r\n") for line in file if line.strip())
    else:
        yield from (line.rstrip("\r\n") for line in sys.stdin if line.strip())


def add_arguments(parser):
    """Add the options of this command to a parser."""
    add_run(parser)
    parser.add_argument("items", nargs="*", metavar="ITEM", help="a line, or the path of a .wav or .mat file; default: "
                                                                 "the lines of --file, or of standard input")
    parser.add_argument("--file", metavar="FILE", help="a text file with one item a line")
    parser.add_argument("--stream", action="store_true", help="answer after every step of an item, from carried "
                                                              "states: where the model reads forwards only")
    add_ensemble(parser, "further runs of the recipe, which answer as an ensemble with RUN; items stand before it",
                 former="append")
    parser.add_argument("--output", metavar="DIR", type=pathlib.Path,
                        help="where pictures and tunes go (default: RUN/predictions)")
    add_checkpoint(parser)

