"""The benchmark of a language model's training step, in the shape of ``wikitext2_lstm_200.yaml``."""
from gluon_rnn.benchmark.peers import measure

__all__ = ["CASE", "run", "table"]

#: Token ids are drawn at random: their values have no bearing on the time, the size of the vocabulary has.
CASE = dict(kind="language_model", V=33278, H=200, layers=2, T=35, N=20, dropout=0.2, learning_rate=1.0, clip_norm=0.25)


def run(peers, repeats, case=None, min_seconds=0.02):
    """Return {name of peer: (seconds of a training step, seconds of output layer and loss alone)}."""
    case = case or CASE
    step = measure(peers, case, repeats, min_seconds)
    output = measure(peers, dict(case, kind="output_layer"), repeats, min_seconds)
    return {name: (step[name], output[name]) for name in step}


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
