"""The benchmark of inference: a step, a sequence, a batch; live layers, bundles, PyTorch, ONNX written by hand."""
import csv

import numpy as np

__all__ = ["CASES", "QUICK_CASES", "PEERS", "header", "line", "run", "summary", "write_csv"]

PEERS = ("onnx-bundle", "symbol-bundle", "ours", "onnx-by-hand", "torch", "gluon")
#: what is measured: one step with its state, a sequence alone, a batch
_SHAPES = ((1, 1), (35, 1), (35, 64))


def _cases():
    for cell in ("lstm", "gru", "rnn"):
        for bidirectional in (False, True):
            for T, N in _SHAPES:
                if not (bidirectional and T == 1):
                    yield dict(kind="inference", cell=cell, T=T, N=N, H=200, layers=2, bidirectional=bidirectional)


CASES = list(_cases())
QUICK_CASES = CASES[:2]


def run(peers, cases, repeats, calls=40):
    """Yield rows: each case with ``p50``, ``p99`` = {peer: seconds of a call}; the peers take turns in every repeat.

    A row's percentiles are over the calls of all its repeats, `calls` in each.
    """
    for case in cases:
        for peer in peers:
            peer.ask("prepare", case=case, min_seconds=0.0)
        times = {peer.name: [] for peer in peers}
        for _ in range(repeats):
            for peer in peers:
                times[peer.name] += peer.ask("latencies", calls=calls)
        for peer in peers:
            peer.ask("drop")
        yield dict(case, **{f"p{share}": {name: float(np.percentile(found, share)) for name, found in times.items()}
                            for share in (50, 99)})


_CASE = "{:<5} {:<3} {:>3} {:>3}"


def header(names):
    """Return the heading of the table for the peers `names`."""
    return "\n".join([_CASE.format("cell", "dir", "T", "N") + "".join(f"{name:>20}" for name in names),
                      " " * 17 + "".join(f"{'p50 / p99 ms':>20}" for _ in names)])


def line(row, names):
    """Return a row as text: milliseconds, and sequences a second of the first peer at batches."""
    text = _CASE.format(row["cell"], "bi" if row["bidirectional"] else "fwd", row["T"], row["N"])
    text += "".join(f"{1e3 * row['p50'][name]:>11.3f} /{1e3 * row['p99'][name]:>7.3f}" for name in names)
    return text + (f"  {row['N'] / row['p50'][names[0]]:,.0f} sequences/s" if row["N"] > 1 else "")


def summary(rows, names):
    """Return a line for each peer: the least and the largest ratio of its p50 to that of the first one."""
    lines = []
    for name in names[1:]:
        ratios = [row["p50"][name] / row["p50"][names[0]] for row in rows]
        lines.append(f"{name} / {names[0]}: {min(ratios):.2f} to {max(ratios):.2f}")
    return "\n".join(lines)


def write_csv(path, rows, names):
    """Write all rows to a CSV file: the case, then p50 and p99 in seconds of each peer."""
    keys = ["cell", "bidirectional", "T", "N", "H", "layers"]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*keys, *(f"{name}_{share}" for name in names for share in ("p50", "p99"))])
        for row in rows:
            writer.writerow([*(row[key] for key in keys),
                             *(row[share][name] for name in names for share in ("p50", "p99"))])
