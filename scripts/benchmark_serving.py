"""Latency of ``gluon-rnn serve`` with many clients at once, with batches and without.

For each of ``--max-batch 64`` and ``--max-batch 1`` a server is started, asked from 64 connections for 30 seconds, and
ended. Each answer is compared with that of its item asked alone. Memory is that of the server's process.
"""
import argparse
import contextlib
import pathlib
import re
import subprocess
import sys

from gluon_rnn.benchmark.serving import ask_alone, load, memory

ITEMS = ("Rossi", "Sato", "Kowalski", "O'Brien", "Schmidt", "Nguyen", "Papadopoulos", "Ivanov", "Dubois", "Kim",
         "Silva", "de Vries", "Novak", "Smith", "Chen", "Haddad", "Garcia", "MacDonald", "Rodrigues", "Yamamoto")
WARM_UP = 10.0      # s of load before memory is read for the first time: MXNet plans each shape that it meets


@contextlib.contextmanager
def server(model, *options):
    """Run ``gluon-rnn serve`` in a process of its own; the value is its address."""
    command = [sys.executable, "-m", "gluon_rnn", "serve", model, "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            found = re.search(r"http://\S+", line)
            if found is None:
                raise ValueError(f"{' '.join(command[2:])} did not start: {line.strip() or 'it said nothing'}")
            yield found[0]
        finally:
            process.terminate()


def measured(address, items, connections, seconds):
    """Return the `Load` of a server, and its memory before and after in bytes."""
    expected = ask_alone(address, items)
    load(address, expected, connections, min(WARM_UP, seconds), seed=1)
    before = memory(address)
    return load(address, expected, connections, seconds), before, memory(address)


def main(argv=None):
    """Print a line for each size of batch; return 1 where an answer was wrong, refused or lost."""
    parser = argparse.ArgumentParser(prog="python -m scripts.benchmark_serving", description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default="tdnn_names", help="folder or zoo model (default: tdnn_names)")
    parser.add_argument("--items", type=pathlib.Path, help="a file with one text a line; by default names of people")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--max-batch", type=int, nargs="+", default=[64, 1])
    options = parser.parse_args(argv)
    items = options.items.read_text(encoding="utf-8").splitlines() if options.items else ITEMS
    failed = False
    for batch in options.max_batch:
        with server(options.model, "--max-batch", str(batch)) as address:
            found, before, after = measured(address, items, options.connections, options.seconds)
        print(f"max-batch {batch}: {found}; memory {before / 1e6:.1f} MB before, {after / 1e6:.1f} MB after",
              flush=True)
        failed |= bool(found.wrong or found.refused or found.lost)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
