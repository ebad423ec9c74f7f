"""The benchmark of memory by delays and of loops over time: which cases, and the table."""
import csv

from gluon_rnn.benchmark.peers import measure_forms
from gluon_rnn.benchmark.ratios import ratio

__all__ = ["CASES", "QUICK_CASES", "run", "header", "line", "write_csv"]


def _tdnn(name, C, hidden, offsets, activation, T, N):
    return [dict(kind="delays", network="tdnn", name=f"TDNN {name}", C=C, hidden=hidden, offsets=offsets,
                 activation=activation, T=T, N=N, backward=backward) for backward in (False, True)]


def _loop(network, name, T, N, **sizes):
    return [dict(kind="delays", network=network, name=name, T=T, N=N, backward=backward, **sizes)
            for backward in (False, True)]


def _narx(network, name, T, N, input_lag, output_lag, H, activation="tanh"):
    return dict(kind="delays", network=network, name=name, T=T, N=N, input_lag=input_lag, output_lag=output_lag, H=H,
                activation=activation, C=1, backward=network != "free_run")


_PEDDINTI = [[-2, -1, 0, 1, 2], [-1, 2], [-3, 3], [-7, 2], [0]]
#: T steps, N rows; offsets of each layer; the first TDNN is that of Waibel et al. (1989), the last of Peddinti (2015)
CASES = [
    *_tdnn("16-8-3", 16, [8, 3], [[-2, -1, 0], [-4, -3, -2, -1, 0]], "sigmoid", 100, 16),
    *_tdnn("40-3x128", 40, [128] * 3, [[-2, -1, 0], [-4, -2, 0], [-8, -4, 0]], "relu", 50, 32),
    *_tdnn("40-5x512", 40, [512] * 5, _PEDDINTI, "relu", 100, 16),
    _narx("open_loop_training", "NARX 3+2-16, open loop", 100, 16, 2, 2, 16),
    _narx("open_loop_training", "NARX 3+2-16, open loop", 1000, 16, 2, 2, 16),
    _narx("open_loop_training", "NARX 11+10-64, open loop", 200, 32, 10, 10, 64),
    _narx("closed_loop_training", "NARX 3+2-16, closed loop", 100, 16, 2, 2, 16),
    *(_narx("free_run", f"NARX {lag + 1}+{lag}-{H}{suffix}, free run", 1000, N, lag, lag, H, activation)
      for lag, H, activation, suffix in ((2, 16, "tanh", ""), (16, 32, "tanh", ""), (2, 16, "relu", " relu"))
      for N in (1, 64)),
    *_loop("peephole_lstm", "peephole LSTM 32", 100, 1, C=32, H=32),
    *_loop("peephole_lstm", "peephole LSTM 200", 35, 20, C=200, H=200),
    *_loop("peephole_lstm", "peephole LSTM 128", 100, 32, C=64, H=128),
    *_loop("jordan", "Jordan 32-10", 100, 1, C=32, H=32, K=10, decay=0.5),
    *_loop("jordan", "Jordan 200-20", 35, 20, C=200, H=200, K=20, decay=0.5),
    *_loop("jordan", "Jordan 64-10", 100, 32, C=64, H=64, K=10, decay=0.5),
]
QUICK_CASES = [CASES[i] for i in (0, 1, 6, 9, 15, 16, 21, 22)]


def run(peers, cases, repeats, min_seconds=0.02):
    """Measure the `cases` one by one; yield each with ``seconds`` and ``forms`` added, {name of peer: ...}."""
    for case in cases:
        seconds, forms = measure_forms(peers, case, repeats, min_seconds)
        yield dict(case, seconds=seconds, forms=forms)


def _rate(row, seconds):
    """Return samples or steps of all rows a second, and what they are, for networks of time series; else None."""
    if row["network"] == "free_run":
        return row["T"] / seconds, "steps/s"
    if row["network"].endswith("training"):
        return row["T"] * row["N"] / seconds, "samples/s"
    return None


_CASE = "{:<28} {:>4} {:>3}  {:<8}"


def _pass(row):
    if row["network"].endswith("training"):
        return "step"
    return "fwd+bwd" if row["backward"] else "fwd"


def header(names):
    """Return the two heading lines of the table for the peers `names`, ours first."""
    times = "".join(f"{name:>12}" for name in names)
    ratios = "".join(f"{name + '/ours':>12}" for name in names[1:])
    text = _CASE.format("network", "T", "N", "pass") + times + ratios + f"{'our rate':>20}"
    return text + "\n" + "-" * len(text)


def line(row, names):
    """Return one line of the table: milliseconds of each peer, their ratio to ours, our rate, the peers' form."""
    seconds = row["seconds"]
    times = "".join(f"{1e3 * seconds[name]:>12.3f}" for name in names)
    ratios = "".join(f"{ratio(row, name):>12.2f}" for name in names[1:])
    rate = _rate(row, seconds["ours"])
    rate = f"{rate[0]:>10.0f} {rate[1]:<9}" if rate else " " * 20
    forms = "; ".join(row["forms"][name] for name in names[1:] if row["forms"].get(name))
    return (_CASE.format(row["name"], row["T"], row["N"], _pass(row)) + times + ratios + rate
            + f"  {forms}").rstrip()


def write_csv(path, rows, names):
    """Write `rows` to a CSV file, times in milliseconds."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["network", "T", "N", "pass", *(f"{name}_ms" for name in names),
                         *(f"{name}_form" for name in names[1:])])
        for row in rows:
            writer.writerow([row["name"], row["T"], row["N"], _pass(row),
                             *(f"{1e3 * row['seconds'][name]:.5f}" for name in names),
                             *(row["forms"].get(name, "") for name in names[1:])])
