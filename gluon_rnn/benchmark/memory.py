"""What a large corpus costs in memory: a language model on texts of different sizes, each run in a process of its own.

Run as a module with the path of the corpus and a number of updates: one JSON object comes out, in MiB: ``before`` (the
libraries loaded), ``read`` (the corpus read and encoded), ``trained`` (after the updates and a pass over all chunks),
``peak``, the most that was resident at any time, and ``ids``, the size of the token ids.
"""
import json
import os
import resource
import subprocess
import sys

import numpy as np

__all__ = ["line", "header", "measure", "run", "write_corpus"]

#: words of a synthetic corpus; how often each occurs falls with its rank, as in natural text (Zipf)
VOCABULARY = 10_000
_MIB = 2**20


def write_corpus(path, tokens, random):
    """Write about `tokens` words and ends of line, drawn with the frequencies 1 / rank, twenty words a line."""
    frequencies = 1 / np.arange(1, VOCABULARY + 1)
    words = np.array([f"word{rank}" for rank in range(VOCABULARY)])
    with open(path, "w", encoding="utf-8") as file:
        for start in range(0, tokens // 21, 5_000):
            lines = min(5_000, tokens // 21 - start)
            drawn = words[random.choice(VOCABULARY, size=(lines, 20), p=frequencies / frequencies.sum())]
            file.writelines(" ".join(line) + "\n" for line in drawn)


def run(folder, sizes, updates=5, memory_map=False):
    """Yield (tokens, measurements) of a corpus of each of `sizes`, written into `folder` and deleted again.

    With `memory_map` ids are in files, in the same folder.
    """
    for size in sizes:
        path = os.path.join(folder, f"corpus_{size}.txt")
        write_corpus(path, size, np.random.default_rng(0))
        command = [sys.executable, "-m", "gluon_rnn.benchmark.memory", path, str(updates)]
        command += ["mapped"] if memory_map else []
        try:
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                                    env={**os.environ, "GLUON_RNN_CACHE": os.path.join(folder, "cache")}).stdout
        finally:
            os.remove(path)
        yield size, json.loads(answer.splitlines()[-1])


def measure(path, updates, memory_map=False):
    """Train on the corpus at `path`; return the measurements, in MiB, and the number of tokens."""
    from gluon_rnn import recipes
    from gluon_rnn.training.loop import Loop
    before = _resident()
    loop = Loop(recipes.build_task(recipes.from_dict(_recipe(path, memory_map), "the benchmark")))
    data = loop.task.data
    read = _resident()
    states = loop.task.begin_states(loop.config.data.batch_size, loop.devices)
    tokens = 0
    for number, batch in enumerate(loop.task.train_batches(0)):
        tokens += batch.size
        if number < updates:
            states = loop.step(batch, states, 0.1)[2]
    ids = sum(data.ids(split).nbytes for split in data.splits)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024      # KiB on Linux
    return {"before": before, "read": read, "trained": _resident(), "peak": peak, "ids": ids / _MIB, "tokens": tokens}


def _recipe(path, memory_map):
    return {"task": "language_model",
            "data": {"name": "words", "path": path, "split": [0.99, 0.01], "batch_size": 20, "bptt": 35,
                     "memory_map": memory_map},
            "model": {"embed_size": 64, "encoder": {"name": "lstm", "hidden_size": 64}},
            "training": {"epochs": 1, "optimizer": {"name": "sgd", "learning_rate": 0.1}, "clip_norm": 1.0}}


def _resident():
    """Return the memory that this process has resident now, in MiB (Linux)."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / _MIB


_COLUMNS = ("ids", "before", "read", "trained", "peak")


def header():
    """Return the heading of the table."""
    return f"{'tokens':>12}" + "".join(f"{name + ' MiB':>14}" for name in _COLUMNS)


def line(tokens, found):
    """Return one line of the table."""
    return f"{tokens:>12,}" + "".join(f"{found[name]:>14.1f}" for name in _COLUMNS)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["mapped"])))
