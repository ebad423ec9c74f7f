"""The benchmark of word vectors: words a second of an epoch, beside gensim's, with processes that take turns.

A word is one of the training text; both leave out rare ones and draw which frequent ones are kept. Counting the
vocabulary is not timed, making batches is.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys

from gluon_rnn.benchmark import gensim_peer
from gluon_rnn.benchmark.peers import PeerError

__all__ = ["CASE", "line", "measure", "ours", "run"]

#: sizes of both; gensim's names for them are in `gluon_rnn.benchmark.gensim_peer`
CASE = {"size": 100, "window": 5, "min_freq": 5, "negatives": 5, "subsample": 1e-3}
_OURS = ("import json, sys; from gluon_rnn.benchmark.word_vectors import ours; "
         "print(json.dumps(ours(json.loads(sys.argv[1]))))")


def ours(case):
    """Train one epoch in this process; return seconds and version, and the words of the text."""
    import time

    import gluon_rnn
    from gluon_rnn import recipes
    from gluon_rnn.training.loop import Loop
    task = recipes.build_task(recipes.from_dict({
        "task": {"name": "word_vectors", "architecture": case["architecture"], "negatives": float(case["negatives"]),
                 "workers": case["threads"]},
        "data": {"name": "words", "train": case["text"], "valid": case["text"], "min_freq": case["min_freq"],
                 "window": case["window"], "subsample": case["subsample"]},
        "model": {"embed_size": case["size"]},
        "training": {"optimizer": {"name": "adagrad", "learning_rate": 0.05, "eps": 1e-14}}}))
    loop = Loop(task)
    warm = next(iter(task.train_batches(1)))
    loop.step(warm, [[]], 0.05)                                           # the optimiser makes its state
    begun = time.perf_counter()
    for batch in task.train_batches(0):
        loop.step(batch, [[]], 0.05)
    task.model.embedding_weight.data().wait_to_read()
    return {"seconds": time.perf_counter() - begun, "version": gluon_rnn.__version__,
            "words": int(len(task.data.ids("train")))}


def measure(command, case):
    """Return what a process prints that is given `case` in JSON; PeerError where it fails."""
    threads = str(case["threads"])
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": "1"}
    found = subprocess.run([*command, json.dumps(case)], text=True, capture_output=True, env=environment)
    if found.returncode:
        raise PeerError(f"{pathlib.Path(command[0]).name} failed: {found.stderr.strip().splitlines()[-1]}")
    return json.loads(found.stdout.splitlines()[-1])


def run(text, architectures, threads, repeats, gensim_python=None):
    """Yield rows {"architecture", "threads", "words", "seconds": {peer: median}} of a text, peers taking turns.

    Parameters
    ----------
    text : str
        A file, plain or ``.gz``.
    architectures : sequence of {"skip_gram", "cbow"}
    threads : sequence of int
    repeats : int
    gensim_python : str, optional
        The interpreter that has gensim; by default this one.
    """
    commands = {"ours": [sys.executable, "-c", _OURS],
                "gensim": [gensim_python or sys.executable, gensim_peer.__file__]}
    for architecture in architectures:
        for count in threads:
            case = {**CASE, "text": str(text), "architecture": architecture, "threads": count}
            found = {name: [] for name in commands}
            for _ in range(repeats):
                for name, command in commands.items():
                    found[name].append(measure(command, case))
            yield {"architecture": architecture, "threads": count, "words": found["ours"][0]["words"],
                   "seconds": {name: statistics.median(each["seconds"] for each in times)
                               for name, times in found.items()},
                   "versions": {name: times[0]["version"] for name, times in found.items()}}


def line(row):
    """Return a row as text: thousands of words a second of each peer, and their ratio."""
    rates = {name: row["words"] / seconds / 1e3 for name, seconds in row["seconds"].items()}
    return (f"{row['architecture']:10} {row['threads']} threads  "
            + "  ".join(f"{name} {rate:7.1f} k words/s" for name, rate in rates.items())
            + f"  ours / gensim {rates['ours'] / rates['gensim']:.2f}")
