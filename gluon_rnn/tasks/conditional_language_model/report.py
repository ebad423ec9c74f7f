"""What a run of a conditional language model leaves behind: what it drew, and scores of that."""
import numpy as np

from gluon_rnn.data.abc_tunes import to_abc
from gluon_rnn.metrics.tunes import phrases_copied, score_tunes
from gluon_rnn.report.exhibits import Exhibit
from gluon_rnn.tasks.conditional_language_model.predictor import draw
from gluon_rnn.tasks.task import Report

__all__ = ["report"]


def report(task, path, limit=None):
    """Evaluate the model of a task, draw sequences into ``samples.txt`` (tunes into ``tunes.abc``), and score them."""
    scores, seen = task.evaluate(task.final_split, limit), set(task.data.items("train"))
    classes = classes_in_proportion(task, 3 if limit else task.samples)
    options = {**task.drawing, **({"max_length": 50} if limit else {})}
    drawn = draw(task.model, task.assets, classes, seed=task.config.seed, **options)
    scores["finished"] = float(np.mean([finished for _, finished in drawn]))
    scores["copied"] = float(np.mean([text in seen for text, _ in drawn]))
    baselines = {}
    if task.assets.abc:
        scores.update(_write_tunes(task, path, drawn, classes, seen))
        baselines = _baselines(task, 5 if limit else task.samples, seen)
    else:
        lines = (f"{task.assets.labels[index]}\t{text}\n" for index, (text, _) in zip(classes, drawn))
        (path / "samples.txt").write_text("".join(lines), encoding="utf-8")
    return Report(task.final_split, scores, baselines, _examples(task, drawn, classes), _exhibits(task))


def _exhibits(task):
    """Return what the page of the run shows of what was drawn."""
    if task.assets.abc:
        return [Exhibit("tunes.abc", "Tunes that the model wrote, in ABC notation"),
                Exhibit("tunes.csv", "Whether the tunes keep to metre and notation")]
    return [Exhibit("samples.txt", "Texts that the model wrote, a class and a text in each line")]


def classes_in_proportion(task, count):
    """Return class numbers in the proportions of the training split, (count,) int."""
    shares = np.bincount(task.data.targets("train"), minlength=len(task.assets.labels)).cumsum()
    places = (np.arange(count) + 0.5) / count * shares[-1]
    return np.searchsorted(shares, places, side="right")


def _write_tunes(task, path, drawn, classes, seen):
    """Write ``tunes.abc`` and ``tunes.csv``; return the scores of the tunes."""
    tunes = [to_abc(text, task.assets.labels[index], number, f"Tune {number}") if finished else None
             for number, ((text, finished), index) in enumerate(zip(drawn, classes), start=1)]
    (path / "tunes.abc").write_text("\n".join(filter(None, tunes)), encoding="utf-8")
    checks, scores = score_tunes(tunes)
    _write_reasons(path / "tunes.csv", checks)
    return {**scores, "phrases_copied": float(phrases_copied([text for text, _ in drawn], seen))}


def _baselines(task, count, seen):
    """Return what `count` real tunes score that the model has not seen."""
    data, labels = task.data, task.assets.labels
    held_out = [(text, labels[target]) for split in data.splits if split != "train"
                for text, target in zip(data.items(split), data.targets(split))][:count]
    scores = score_tunes([to_abc(*pair) for pair in held_out])[1]
    scores["phrases_copied"] = phrases_copied([text for text, _ in held_out], seen)
    return {"tunes of valid and test": scores}


def _examples(task, drawn, classes):
    picks = np.linspace(0, len(drawn) - 1, min(3 if task.assets.abc else 12, len(drawn))).astype(int)
    separator = "\n" if task.assets.abc else " "
    return "\n".join(f"{task.assets.labels[classes[index]]}:{separator}{drawn[index][0]}" for index in picks)


def _write_reasons(path, checks):
    lines = ["tune,parses,keeps_metre,bars,full_bars,reason\n"]
    for number, check in enumerate(checks, start=1):
        lines.append(f"{number},False,False,0,0,has no end\n" if check is None else
                     f'{number},{check.parses},{check.keeps_metre},{check.bars},{check.full_bars},"{check.reason}"\n')
    path.write_text("".join(lines), encoding="utf-8")
