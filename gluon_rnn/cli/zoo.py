"""List, show, verify and add the pretrained models of the zoo.

``verify`` computes the figures of the models anew on the test data of their recipes and compares them with the cards;
it ends with status 1 if one differs or cannot be evaluated. ``add`` makes a model from a run: what is written by hand
comes from --about, or from the card or draft that is there. ``docs`` makes docs/zoo.md and the README's table from the
cards, in a checkout.
"""
import pathlib

EXAMPLE = """gluon-rnn zoo list "*narx*"
gluon-rnn zoo show narx_gas_furnace
gluon-rnn zoo verify narx_gas_furnace --quick"""
_ROOT = pathlib.Path(__file__).resolve().parents[2]


def add_arguments(parser):
    """Add the options of this command to a parser."""
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    one = commands.add_parser("list", help="names and figures")
    one.add_argument("pattern", nargs="?", default="*", metavar="PATTERN", help='a shell pattern such as "*lstm*"')
    one = commands.add_parser("show", help="the card of a model")
    one.add_argument("name", metavar="NAME")
    one = commands.add_parser("verify", help="compute figures anew and compare with the cards")
    one.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    one.add_argument("--quick", action="store_true", help="on the first batches of the split only")
    _add_add(commands.add_parser("add", help="make a model from a run, or make it anew"))
    one = commands.add_parser("docs", help="make docs/zoo.md and the README's table from the cards")
    one.add_argument("--check", action="store_true", help="change nothing; status 1 if a page is out of date")


def _add_add(parser):
    parser.add_argument("run", metavar="RUN", help="folder of a finished run, whose best checkpoint is taken")
    parser.add_argument("--name", required=True, help="family, size and data, such as lstm_512x2_shakespeare")
    parser.add_argument("--about", metavar="FILE", help="YAML file with summary, recipe, metric, data, intended_use, "
                                                        "limits; default: those of the card or draft that is there")
    parser.add_argument("--seeds", nargs="+", metavar="RUN", default=[],
                        help="runs with other seeds, for mean and standard deviation; default: the results table")
    parser.add_argument("--results", metavar="CSV", help="the results table; default: the packaged one")
    parser.add_argument("--store", metavar="DIR", help="put the weights here, to be served as GLUON_RNN_REPO, and not "
                                                       "into the package")
    parser.add_argument("--data-root", metavar="DIR", help="what GLUON_RNN_DATA was when the run was trained")


def run(options):
    """Run one of the actions; return the exit status."""
    return _ACTIONS[options.action](options)


def _list(options):
    from gluon_rnn.model_zoo import list_models
    table = list_models(options.pattern, detail=True)
    for row in table.itertuples():
        spread = "" if row.sd is None or row.sd != row.sd else f" ± {row.sd:.2g}"
        print(f"{row.Index:28} {row.metric} {row.value:.4g} ({row.mean:.4g}{spread} over {row.seeds} seeds), "
              f"{row.bytes / 1e6:.2f} MB: {row.summary}")


def _show(options):
    from gluon_rnn.model_zoo import entries
    entry = entries.get(options.name)
    print((entry.folder / entries.CARD).read_text(encoding="utf-8"), end="")


def _verify(options):
    from gluon_rnn.model_zoo import entries
    from gluon_rnn.model_zoo.verify import DATA_MISSING, REPRODUCED, verify_all
    good = True
    for verdict in verify_all([entries.get(name).name for name in options.names] or entries.names(), options.quick):
        good &= verdict.status in (REPRODUCED, DATA_MISSING)
        print(verdict, flush=True)
    return int(not good)


def _add(options):
    from gluon_rnn.model_zoo.add import add
    from gluon_rnn.recipe_files import results_file
    entry = add(options.run, options.name, about=options.about, seeds=options.seeds,
                results=options.results or results_file(), store=options.store, data_root=options.data_root)
    figure, storage = entry.card.figure, entry.card.storage
    print(f"{figure.metric} {figure.value:.6g} with weights in {storage.dtype} (float32 {storage.float32:.6g}, float16 "
          f"{'out of range' if storage.float16 is None else format(storage.float16, '.6g')}, allowed difference "
          f"{storage.allowed:.2g}), {entry.card.bytes / 1e6:.2f} MB")
    print(entry.folder)


def _docs(options):
    from gluon_rnn.model_zoo.pages import BEGIN, update
    docs, readme = _ROOT / "docs", _ROOT / "README.md"
    if not docs.is_dir() or not readme.is_file():
        raise ValueError("docs are made in a checkout of the repository; this is an installed package")
    stale = update(docs, readme if BEGIN in readme.read_text(encoding="utf-8") else None, options.check)
    for path in stale:
        print(f"{path.relative_to(_ROOT)} {'is out of date: run gluon-rnn zoo docs' if options.check else 'written'}")
    return int(options.check and bool(stale))


_ACTIONS = {"list": _list, "show": _show, "verify": _verify, "add": _add, "docs": _docs}
