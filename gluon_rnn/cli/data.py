"""List, fetch, find and check the public data sets that recipes read.

``gluon-rnn data fetch names`` brings one below the data root, the folder GLUON_RNN_DATA, from its public address or
from the mirror GLUON_RNN_DATA_REPO, a folder or an http(s) address with the same files in the same folders.
"""
import sys

EXAMPLE = """gluon-rnn data list
gluon-rnn data list names
gluon-rnn data verify"""


def run(options):
    """Do the action that was chosen; `verify` returns 1 where a file is wrong or missing."""
    return options.action(options)


def list_sets(options):
    """Print a line for every set, or all that the manifest has about those that were named."""
    from gluon_rnn import public_data, recipe_files
    from gluon_rnn.public_data import table
    if options.write is not None:
        table.put_into(options.write, recipe_files.folder())
        return 0
    read_by = public_data.readers(recipe_files.folder())
    for name in options.names:
        _show(public_data.get(name), read_by[name])
    if not options.names:
        rows = [(name, public_data.state_of(name), table.megabytes(entry.size), entry.title)
                for name, entry in public_data.all_sets().items()]
        for name, state, size, title in rows:
            print(f"{name:<{max(len(row[0]) for row in rows)}}  {state:<10}  {size:>8}  {title}")
    return 0


def fetch(options):
    """Fetch sets, and print the folder of each."""
    from gluon_rnn import public_data
    sets = [public_data.get(name) for name in dict.fromkeys(options.names)]       # a wrong name stops before a download
    try:
        for entry in sets:
            print(f"{entry.name}: {public_data.fetch_set(entry.name)} ({entry.licence})", flush=True)
    except KeyboardInterrupt:
        print("interrupted: what has arrived is kept, the same command goes on from there", file=sys.stderr)
        return 130
    return 0


def path(options):
    """Print the folder of a set that is there."""
    from gluon_rnn import public_data
    entry, state = public_data.get(options.name), public_data.state_of(options.name)
    if state != "here":
        raise ValueError(f"{options.name} is {state} in {public_data.data_root()}; fetch it with: gluon-rnn data fetch "
                         f"{options.name}")
    print(entry.files[0].below(public_data.data_root()).parent)
    return 0


def verify(options):
    """Check sizes and sums of the sets that were named, or of all that are there, and say what is wrong."""
    from gluon_rnn import public_data
    names = options.names or [name for name in public_data.all_sets() if public_data.state_of(name) != "missing"]
    wrong_sets = 0
    for name in names:
        wrong, count = public_data.verify_set(name), len(public_data.get(name).files)
        wrong_sets += bool(wrong)
        print(f"{name}: {'wrong' if wrong else 'right'}, {count} file{'s' if count > 1 else ''}", flush=True)
        for file, text in wrong.items():
            print(f"  {file}: {text}", flush=True)
    if not names:
        print(f"no data set is in {public_data.data_root()}; fetch one with: gluon-rnn data fetch NAME")
    return 1 if wrong_sets else 0


def add_arguments(parser):
    """Add the actions of this command to a parser."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    _add(actions, "list", list_sets, "the sets and whether they are here, or all about those named", "*"
         ).add_argument("--write", metavar="PAGE", help="write the table into a page of Markdown, between its marks")
    _add(actions, "fetch", fetch, "bring sets to their place below the data root", "+")
    _add(actions, "path", path, "print the folder of a set", None)
    _add(actions, "verify", verify, "check the files of sets, default: of all that are here", "*")


def set_names(prefix, **_):
    """Return the names of sets that a shell may complete `prefix` to."""
    from gluon_rnn.public_data import all_sets
    return [name for name in all_sets() if name.startswith(prefix)]


def _add(actions, name, action, text, count):
    parser = actions.add_parser(name, help=text, description=text)
    parser.set_defaults(action=action)
    parser.add_argument("name" if count is None else "names", metavar="NAME", nargs=count, help="as list has it"
                        ).completer = set_names
    return parser


def _show(entry, recipes):
    from gluon_rnn.public_data.table import megabytes
    print(f"{entry.name}: {entry.title}")
    for key, text in (("licence", entry.licence), ("cite", entry.cite), ("note", entry.note),
                      ("recipes", ", ".join(recipes) or "none")):
        if text:
            print(f"  {key}: {text}")
    for file in entry.files:
        made = f", made by {file.prepare['step']}" if file.prepare else ""
        print(f"  {file.path} ({megabytes(file.size)}) from {file.address}{made}")
