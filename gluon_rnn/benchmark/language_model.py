"""The benchmark of a language model's training step: two layers of 200 units, the vocabulary of WikiText-2.

Inputs are drawn at random: their values have no bearing on the time. Targets are drawn by Zipf's law, p(k) ~ 1/(k + 1)
for the word of rank k, for how often they are rare has one where the softmax is adaptive. (In WikiText-2 77 % of the
words are among the first 2,000, here 74 %.)
"""
import numpy as np

from gluon_rnn.benchmark.peers import measure

__all__ = ["CASE", "OUTPUTS", "cases", "run", "run_outputs", "table", "table_of_outputs"]

CASE = dict(kind="language_model", V=33278, H=200, layers=2, T=35, N=20, dropout=0.2, learning_rate=1.0, clip_norm=0.25,
            optimizer="sgd", output="full", tied=True)
#: output layers that are compared, and which of the peers have them; PyTorch's adaptive softmax cannot be tied
OUTPUTS = {"full, tied": (dict(output="full", tied=True), ("ours", "torch")),
           "sampled 1024, tied": (dict(output="sampled", samples=1024, tied=True), ("ours",)),
           "adaptive, tied": (dict(output="adaptive", tied=True), ("ours",)),
           "adaptive, not tied": (dict(output="adaptive", tied=False), ("ours", "torch"))}
_ADAPTIVE = dict(cutoffs=[1000, 5000, 15000], div_value=2.0)
#: batches of the second table: (T, N)
_SHAPES = [(35, 20), (70, 40)]


def cases(case=None, shapes=None):
    """Return (name, case, peers) of each output layer and shape; optimiser Adam, as a recipe has it."""
    found = []
    for steps, rows in shapes or _SHAPES:
        for name, (changes, peers) in OUTPUTS.items():
            changed = {**CASE, **_ADAPTIVE, "optimizer": "adam", "learning_rate": 1e-6, "T": steps, "N": rows,
                       **(case or {}), **changes}
            found.append((name, changed, peers))
    return found


def with_targets(case):
    """Return a case with its target words, a list of T N ids."""
    chances = 1 / (np.arange(case["V"]) + 1)
    drawn = np.random.default_rng(0).choice(case["V"], case["T"] * case["N"], p=chances / chances.sum())
    return {**case, "targets": drawn.tolist()}


def run(peers, repeats, case=None, min_seconds=0.02):
    """Return {name of peer: (seconds of a training step, seconds of output layer and loss alone)}."""
    case = with_targets(case or CASE)
    step = measure(peers, case, repeats, min_seconds)
    output = measure(peers, dict(case, kind="output_layer"), repeats, min_seconds)
    return {name: (step[name], output[name]) for name in step}


def run_outputs(peers, repeats, chosen=None, min_seconds=0.02):
    """Yield (name of the output layer, case, {name of peer: seconds of a training step}) of the `chosen` cases."""
    for name, case, having in chosen or cases():
        able = [peer for peer in peers if peer.name in having]
        yield name, case, measure(able, with_targets(case), repeats, min_seconds)


def table(seconds, case=None):
    """Return the result as text: tokens per second, the step, and the output layer's share of it."""
    case = case or CASE
    lines = [f"{'peer':<8}{'tokens/s':>12}{'ms/step':>12}{'output layer':>14}"]
    lines += [f"{name:<8}{case['T'] * case['N'] / step:>12.0f}{1e3 * step:>12.1f}{output / step:>14.0%}"
              for name, (step, output) in seconds.items()]
    if len(seconds) > 1:
        first, second = list(seconds)[:2]
        lines.append(f"{second}/{first}: {seconds[second][0] / seconds[first][0]:.2f}")
    return "\n".join(lines)


def table_of_outputs(rows):
    """Return what `run_outputs` yields as text: tokens per second, and how much faster than ours with all words."""
    full = {}
    lines = [f"{'output layer':<22}{'T x N':>8}  {'peer':<8}{'tokens/s':>10}{'ms/step':>10}{'times full':>12}"]
    for name, case, seconds in rows:
        shape = f"{case['T']} x {case['N']}"
        for peer, step in seconds.items():
            full.setdefault((shape, peer), step)                          # the first row of a shape is the full softmax
            lines.append(f"{name:<22}{shape:>8}  {peer:<8}{case['T'] * case['N'] / step:>10.0f}{1e3 * step:>10.1f}"
                         f"{full[shape, peer] / step:>12.2f}")
    return "\n".join(lines)
