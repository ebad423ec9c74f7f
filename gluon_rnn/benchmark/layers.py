"""The benchmark of the recurrent layers: which cases, how much arithmetic each is, and the table."""
import csv

from gluon_rnn.benchmark.peers import measure
from gluon_rnn.benchmark.ratios import ahead

__all__ = ["SHAPES", "QUICK_SHAPES", "NUM_LAYERS", "cases", "flops", "run", "peak", "header", "line", "summary",
           "write_csv"]

#: (T, N, H); the input is as wide as the hidden layer.
SHAPES = [(1, 1, 200), (35, 1, 200), (35, 20, 200), (35, 20, 650), (100, 32, 128)]
QUICK_SHAPES = [(1, 1, 200), (35, 20, 200)]
NUM_LAYERS = 2
GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def cases(shapes=None, num_layers=NUM_LAYERS):
    """Return every case as a dict: cells x shapes x directions x (forward, forward+backward)."""
    return [dict(kind="layers", cell=cell, T=T, N=N, H=H, layers=num_layers, bidirectional=bidirectional,
                 backward=backward)
            for cell in ("rnn", "lstm", "gru") for T, N, H in (shapes or SHAPES)
            for bidirectional in (False, True) for backward in (False, True)]


def flops(case):
    """Return the floating-point operations of the matrix products of `case`; element-wise work is left out.

    One direction of one layer is 2 T N G H (C + H) for G gates and C inputs, C = D H above the first layer; backward
    costs two such products more, one for the inputs' gradient and one for the weights'.
    """
    directions = 2 if case["bidirectional"] else 1
    T, N, H, total = case["T"], case["N"], case["H"], 0
    for layer in range(case["layers"]):
        width = H if layer == 0 else directions * H
        total += 2 * T * N * GATES[case["cell"]] * H * (width + H) * directions
    return total * (3 if case["backward"] else 1)


def run(peers, chosen, repeats, min_seconds=0.02):
    """Measure the `chosen` cases one by one; yield rows, each the case with ``seconds`` = {peer: seconds} added."""
    for case in chosen:
        yield dict(case, seconds=measure(peers, case, repeats, min_seconds))


def peak(peers, size=2048, repeats=5):
    """Return the highest rate (flops per second) at which any of `peers` multiplies two square matrices.

    Peers held to other numbers of threads are left out.
    """
    return max(peer.ask("peak", size=size, repeats=repeats) for peer in peers if peer.name != "gluon-default-threads")


_CASE = "{:<5} {:>3} {:>3} {:>4}  {:<3} {:<8}"


def header(names):
    """Return the two heading lines of the table for the peers `names`, ours first."""
    times = "".join(f"{_short(name):>12}" for name in names)
    ratios = "".join(f"{_short(name) + '/ours':>17}" for name in names[1:])
    text = _CASE.format("cell", "T", "N", "H", "dir", "pass") + times + ratios + f"{'peak':>7}"
    return text + "\n" + "-" * len(text)


def line(row, names, peak_rate):
    """Return one line of the table: milliseconds of each peer, their ratio to ours, our share of `peak_rate`."""
    seconds = row["seconds"]
    times = "".join(f"{1e3 * seconds[name]:>12.3f}" for name in names)
    ratios = "".join(f"{seconds[name] / seconds['ours']:>17.2f}" for name in names[1:])
    share = flops(row) / seconds["ours"] / peak_rate
    return _CASE.format(row["cell"], row["T"], row["N"], row["H"], "bi" if row["bidirectional"] else "uni",
                        "fwd+bwd" if row["backward"] else "fwd") + times + ratios + f"{share:>7.0%}"


def summary(rows, names):
    """Return for each other peer, forward and forward+backward: rows where ours is ahead, and the mean ratio."""
    lines = []
    for name in names[1:]:
        for backward in (False, True):
            ratios = [row["seconds"][name] / row["seconds"]["ours"] for row in rows if row["backward"] == backward]
            if ratios:
                lines.append(f"{_short(name)}, {'forward+backward' if backward else 'forward'}: {ahead(ratios)}")
    return "\n".join(lines)



def _short(name):
    return {"gluon-default-threads": "gluon-def"}.get(name, name)


def write_csv(path, rows, names, peak_rate):
    """Write `rows` to a CSV file, times in milliseconds."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        keys = ["cell", "T", "N", "H", "layers", "bidirectional", "backward"]
        writer.writerow(keys + [f"{name}_ms" for name in names] + ["share_of_peak"])
        for row in rows:
            share = flops(row) / row["seconds"]["ours"] / peak_rate
            writer.writerow([row[key] for key in keys] + [f"{1e3 * row['seconds'][name]:.5f}" for name in names]
                            + [f"{share:.4f}"])
