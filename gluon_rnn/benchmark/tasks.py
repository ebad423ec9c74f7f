"""The benchmark of training steps on sequences of different lengths: classifier, tagger, translation; and of padding.

Lengths are drawn, with a fixed seed, from distributions measured on the data of our recipes, so that the benchmark
needs no data; token ids are drawn too: their values have no bearing on the time. Batches are cut as training cuts them.
"""
import csv

import numpy as np

from gluon_rnn.benchmark.peers import measure_forms
from gluon_rnn.benchmark.ratios import ratio
from gluon_rnn.data.buckets import Buckets

__all__ = ["CASES", "QUICK_CASES", "batches", "header", "line", "padding", "run", "write_csv"]

#: lengths at 0, 5, ..., 95, 99 and 100 % of the training sequences; of pairs: the target's, and what it is longer by
QUANTILES = {
    "sst2": [1, 5, 7, 8, 10, 11, 13, 14, 15, 17, 18, 19, 20, 22, 23, 25, 27, 29, 31, 35, 43, 51],
    "names": [2, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 11, 12, 18],
    "ewt": [1, 2, 3, 4, 6, 7, 9, 10, 11, 13, 14, 15, 17, 19, 20, 22, 25, 28, 32, 39, 57, 159],
    "ewt words": [1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8, 9, 12, 14],
    "eng_fra": [3, 5, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 12, 13, 14, 19],
    "eng_fra excess": [-5, -1, -1, -1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 3, 4, 5, 10],
}
# Of a pass: enough for shapes to come again as often as in training.
_BATCHES = 16
_SHARES = [*np.linspace(0, 0.95, 20), 0.99, 1]


def _classifier(name, lengths, **sizes):
    return dict(kind="tasks", network="classifier", name=name, lengths=lengths, clip_norm=1.0, num_buckets=10, **sizes)


def _tagger(name, **sizes):
    sizes = {"crf": False, **sizes}
    return dict(kind="tasks", network="tagger", name=name, lengths="ewt", N=32, E=128, H=128, K=17, dropout=0.5,
                clip_norm=5.0, num_buckets=50, **sizes)


def _seq2seq(attention):
    return dict(kind="tasks", network="seq2seq", name=f"translation, {attention}", lengths="eng_fra", N=64, E=256,
                H=256, V_source=3270, V=4362, attention=attention, drop_i=0.3, dropout=0.4, smoothing=0.1,
                clip_norm=5.0, num_buckets=10)


#: N rows, V tokens, E embedded size, H units a direction, K labels: the sizes of the recipes named beside them
CASES = [
    _classifier("sentiment, biLSTM", "sst2", N=50, V=7204, E=300, H=100, layers=1, K=2, drop_e=0.5, drop_i=0.3,
                dropout=0.5, between=0.0),                                # classify/sst2_lstm.yaml
    _classifier("names, 2 biLSTM", "names", N=32, V=84, E=64, H=128, layers=2, K=18, drop_e=0.05, drop_i=0.2,
                dropout=0.5, between=0.3),                                # short sequences, no recipe
    _tagger("tags, words", V=19675, drop_e=0.0, drop_i=0.4, spelled=False),                  # tag/ewt_upos_words.yaml
    _tagger("tags, words + letters", V=19675, drop_e=0.0, drop_i=0.3, spelled=True, V_chars=109, E_chars=32,
            H_chars=64),                                                  # tag/ewt_upos_chars.yaml
    _tagger("tags, words, CRF", V=19675, drop_e=0.0, drop_i=0.4, spelled=False, crf=True),   # and model.crf=true
    *map(_seq2seq, ("none", "luong", "bahdanau")),                        # translate/eng_fra_luong.yaml
]
QUICK_CASES = [CASES[i] for i in (0, 3, 6)]


def batches(case, count=_BATCHES):
    """Return the first `count` batches of an epoch, and the shares of padding with and without buckets.

    Parameters
    ----------
    case : dict
        One of `CASES`.
    count : int

    Returns
    -------
    batches : list of dict
        ``lengths``, a list of N; ``source`` for pairs; ``words`` for a tagger that spells: letters of each word, a list
        for each row. Rows are in the order that packed sequences want: longest first (the source, of pairs).
    waste, unbucketed_waste : float
        Of an epoch of 20,000 sequences.
    """
    random = np.random.default_rng(0)
    lengths = _drawn(random, case["lengths"], 20_000)
    columns = lengths[:, None]
    if case["network"] == "seq2seq":
        source = np.maximum(1, lengths - _drawn(random, f"{case['lengths']} excess", len(lengths)))
        columns = np.stack([lengths, source], axis=1)
    buckets = Buckets(columns, case["N"], case["num_buckets"], seed=0)
    chosen = [columns[rows] for rows, _ in zip(buckets, range(count))]
    return [_batch(random, case, rows) for rows in chosen], buckets.waste, buckets.unbucketed_waste


def _drawn(random, name, count):
    """Return `count` lengths of a measured distribution, linear between its quantiles."""
    return np.interp(random.random(count), _SHARES, QUANTILES[name]).round().astype(int)


def _batch(random, case, columns):
    columns = columns[np.argsort(-columns[:, -1], kind="stable")]
    batch = {"lengths": columns[:, 0].tolist()}
    if columns.shape[1] > 1:
        batch["source"] = columns[:, 1].tolist()
    if case.get("spelled"):
        batch["words"] = [_drawn(random, f"{case['lengths']} words", length).tolist() for length in batch["lengths"]]
    return batch


def padding(cases):
    """Yield (lengths' name, share of padding with buckets, without) of the different data of `cases`."""
    seen = set()
    for case in cases:
        if case["lengths"] not in seen:
            seen.add(case["lengths"])
            yield (case["lengths"], *batches(case)[1:])


def run(peers, cases, repeats, min_seconds=0.02, count=_BATCHES):
    """Measure the `cases` one by one; yield each with what one pass over its `count` batches takes and holds.

    ``seconds`` {name of peer: seconds of a pass}, ``forms`` {name of peer: its fastest form}, ``steps``, ``sequences``
    and ``tokens`` (valid ones; of the target, of pairs) of a pass.
    """
    for case in cases:
        chosen = batches(case, count)[0]
        seconds, forms = measure_forms(peers, dict(case, batches=chosen), repeats, min_seconds)
        yield dict(case, seconds=seconds, forms=forms, steps=len(chosen),
                   sequences=sum(len(batch["lengths"]) for batch in chosen),
                   tokens=sum(sum(batch["lengths"]) for batch in chosen))


_CASE = "{:<24} {:>3}"


def header(names):
    """Return the two heading lines of the table for the peers `names`, ours first."""
    times = "".join(f"{name + ' ms/step':>16}" for name in names)
    ratios = "".join(f"{name + '/ours':>12}" for name in names[1:])
    text = _CASE.format("model", "N") + times + ratios + f"{'our sequences/s':>17}{'our tokens/s':>14}"
    return text + "\n" + "-" * len(text)


def line(row, names):
    """Return one line of the table: milliseconds of a step, ratios to ours, our rates, the peers' fastest form."""
    seconds = row["seconds"]
    times = "".join(f"{1e3 * seconds[name] / row['steps']:>16.2f}" for name in names)
    ratios = "".join(f"{ratio(row, name):>12.2f}" for name in names[1:])
    forms = "; ".join(row["forms"][name] for name in names[1:] if row["forms"].get(name))
    rates = f"{row['sequences'] / seconds['ours']:>17.0f}{row['tokens'] / seconds['ours']:>14.0f}"
    return (_CASE.format(row["name"], row["N"]) + times + ratios + rates + f"  {forms}").rstrip()


def write_csv(path, rows, names):
    """Write `rows` to a CSV file: milliseconds of a step, sequences and tokens a second of each peer."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "N", *(f"{name}_{what}" for name in names
                                         for what in ("ms_per_step", "sequences_per_s", "tokens_per_s")),
                         *(f"{name}_form" for name in names[1:])])
        for row in rows:
            numbers = [f"{number:.2f}" for name in names for number in (
                1e3 * row["seconds"][name] / row["steps"], row["sequences"] / row["seconds"][name],
                row["tokens"] / row["seconds"][name])]
            writer.writerow([row["name"], row["N"], *numbers, *(row["forms"].get(name, "") for name in names[1:])])
