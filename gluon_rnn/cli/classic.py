"""Run the classic experiments on recurrent networks, and write one page of them.

Each trains a few small networks on generated data, every one in a process of its own with one thread, and lays what it
measures beside the figures of its paper. What is done already in the folder is not trained again. All of them take
about 40 minutes on two cores.
"""
from pathlib import Path

EXAMPLE = "gluon-rnn classic --list"
EVERYTHING = "all"


def run(options):
    """Run the experiments; the page's path is the last line printed."""
    if not options.list and not options.names:
        options.parser.error("which experiments? Pass their names, or all; --list shows them")
    from gluon_rnn.classic import chronological, experiments
    known = chronological()
    if options.list:
        for experiment in known:
            print(f"{experiment.name:20} {experiment.title} ({experiment.source})")
        return 0
    everything = EVERYTHING in options.names
    chosen = known if everything else [experiments.get(name)() for name in dict.fromkeys(options.names)]
    print(_run(chosen, known, options.output, options.jobs))
    return 0


def _run(chosen, known, output, jobs):
    """Train, then write tables, pictures and the page; return the path of the page."""
    from gluon_rnn.classic.page import PICTURE, write_page
    from gluon_rnn.classic.runner import run_all, write_rows
    run_all([(experiment, output / experiment.name) for experiment in chosen], jobs,
            lambda line: print(line, flush=True))
    for experiment in chosen:
        folder = output / experiment.name
        folder.mkdir(parents=True, exist_ok=True)
        rows = experiment.rows(folder, jobs)                              # what is trained is done by now
        write_rows(folder / "rows.csv", rows)
        experiment.draw(rows, folder / PICTURE)
    return write_page(known, output)


def add_arguments(parser):
    """Add the options of this command to a parser."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiments, as --list has them, or all")
    parser.add_argument("--output", metavar="DIR", type=Path, default=Path("classic"),
                        help="where runs, tables, pictures and the page go; default: classic")
    parser.add_argument("--jobs", type=int, default=2, help="networks that train at a time, one thread each; default 2")
    parser.add_argument("--list", action="store_true", help="show the experiments instead")
