"""Ask a trained model: lines of the command line, of a file or of standard input.

Lines are what the model takes: names or sentences to classify, tag or translate, beginnings to continue, a class to
write for, or the path of a .wav or .mat file. Each line of a file or of standard input is answered by one line, so that
answers stand beside their lines: a blank line by a blank one, a line that the model refuses by one that begins with
"error:" (the status is then 1), and line ends within an answer are written \\n.
"""
import pathlib
import sys

from gluon_rnn.answers.text_files import read_lines
from gluon_rnn.cli.options import add_checkpoint, add_ensemble, add_run, ensemble_of

EXAMPLE = 'gluon-rnn predict runs/quickstart-1 "woman eat" "boy see"'
INTERMIXED = True                                                 # options may stand between RUN and the items


def run(options):
    """Print one answer for each line, as soon as it is known."""
    from gluon_rnn.runs import load_run
    trained = load_run(options.run, options.checkpoint, ensemble=ensemble_of(options))
    folder = options.output or trained.path / "predictions"
    lines, refused = options.items or _lines(options, trained), []
    if options.stream:
        answers = _streamed(trained, lines)
    else:
        answers = _answered(trained, lines, folder) if options.items else _in_line(trained, lines, folder, refused)
    for answer in answers:
        print(answer, flush=True)
    return 1 if refused else 0


def _answered(trained, lines, folder):
    return (trained.answer(line, folder, number) for number, line in enumerate(lines, start=1))


def _in_line(trained, lines, folder, refused):
    """Yield one line for each of `lines`; the numbers of those that the model refuses go into `refused`."""
    if trained.answers_elsewhere:
        trained.answer("", folder)                                        # which says what to use
    for number, line in enumerate(lines, start=1):
        try:
            yield trained.answer_line(line, folder, number) if line.strip() else ""
        except ValueError as error:
            refused.append(number)
            yield f"error: {' '.join(str(error).split())}"


def _streamed(trained, lines):
    for line in lines:
        if line.strip():                                                  # a blank line has no steps
            yield from trained.stream_answers(line)


def _lines(options, trained):
    """Yield the items one by one, so that a pipe is answered while it is being written."""
    if options.file is not None:
        yield from read_lines(options.file, trained.config.data.arguments.get("encoding") or "utf-8")
    else:
        for number, line in enumerate(sys.stdin):
            yield (line if number else line.lstrip("\ufeff")).rstrip("\r\n")


def add_arguments(parser):
    """Add the options of this command to a parser."""
    add_run(parser)
    parser.add_argument("items", nargs="*", metavar="ITEM", help="a line, or the path of a .wav or .mat file; default: "
                                                                 "the lines of --file, or of standard input")
    parser.add_argument("--file", metavar="FILE",
                        help="a text file with one item a line, in the encoding of the run's data")
    parser.add_argument("--stream", action="store_true", help="answer after every step of an item, from carried "
                                                              "states: where the model reads forwards only")
    add_ensemble(parser, "further runs of the recipe, which answer as an ensemble with RUN; items stand before it",
                 former="append")
    parser.add_argument("--output", metavar="DIR", type=pathlib.Path,
                        help="where pictures and tunes go (default: RUN/predictions)")
    add_checkpoint(parser)

