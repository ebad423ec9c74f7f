"""What a run of a recogniser leaves behind: scores beside those of simple methods, what it recognised, some strings."""
import numpy as np
import pandas as pd
from scipy.io import wavfile

from gluon_rnn.metrics.baselines.labels import baselines
from gluon_rnn.metrics.label_errors import error_counts, string_scores
from gluon_rnn.report.exhibits import Exhibit
from gluon_rnn.tasks.task import Report

__all__ = ["report", "write_recordings"]


def report(task, path, limit=None):
    """Evaluate the model of a task on its final split by best path and by prefix beam search.

    Writes ``predictions.csv`` and, where the data set joins its strings itself, the first ones as .wav files.
    """
    split, data = task.final_split, task.data
    recognised = task.recognised(split, limit, beam_size=task.beam_size)
    right = [tuple(data.targets(split)[row].tolist()) for row in recognised.rows]
    scores = {**task.scores(split, recognised), **{f"beam_{name}": value for name, value in
                                                   string_scores(right, recognised.beam).items()}}
    names = np.array([*data.labels, ""], dtype=object)
    frame = pd.DataFrame({"item": [data.items(split)[row] for row in recognised.rows],
                          "true": _words(names, right), "best_path": _words(names, recognised.best_path),
                          "beam": _words(names, recognised.beam)}, index=recognised.rows)
    frame.sort_index().to_csv(path / "predictions.csv", index=False)
    exhibits = [Exhibit("predictions.csv", f"What was recognised on the {split} split")]
    if hasattr(data, "plans"):
        exhibits += [Exhibit(f"strings/{name}", f"Recording of {name[:-4]}")
                     for name in write_recordings(path / "strings", data, split, data.labels)]
    counts, labels = error_counts(right, recognised.beam), sum(map(len, right))
    text = (f"prefix beam search on {split}, of {labels:,} labels: {counts['replace']} wrong, {counts['delete']} "
            f"missing, {counts['insert']} too many")
    return Report(split, scores, baselines(data, split) if limit is None else {}, text, exhibits)


def _words(names, strings):
    return [" ".join(names[list(labels)]) if labels else "" for labels in strings]


def write_recordings(folder, data, split, labels, count=3):
    """Write the first `count` strings of a split as 16-bit .wav files, and return their names: number and labels."""
    folder.mkdir(exist_ok=True)
    names = []
    for row, plan in enumerate(data.plans(split)[:count]):
        samples = np.clip(data.samples(plan) * 2**15, -2**15, 2**15 - 1).astype(np.int16)
        names.append("_".join([str(row + 1), *(labels[label] for label in data.targets(split)[row])]) + ".wav")
        wavfile.write(folder / names[-1], data.reader.sample_rate, samples)
    return names
