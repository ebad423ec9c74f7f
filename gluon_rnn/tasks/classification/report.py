"""What a run of a classifier leaves behind: scores beside those of simple methods, confusions, predictions."""
import numpy as np
import pandas as pd

from gluon_rnn.metrics import classes
from gluon_rnn.metrics.baselines.classes import baselines
from gluon_rnn.report.exhibits import Exhibit
from gluon_rnn.tasks.task import Report

__all__ = ["report", "write_predictions"]


def report(task, path, limit=None):
    """Evaluate the model of a task on its final split, and write ``confusion.png`` and ``predictions.csv``."""
    split, data = task.final_split, task.data
    indices, scores = task.probabilities(split, limit)
    targets, predicted = data.targets(split)[indices], scores.argmax(axis=1)
    matrix = classes.confusion(targets, predicted, data.labels)
    classes.draw(matrix, path / "confusion.png")
    items = [data.items(split)[index] for index in indices]
    write_predictions(path / "predictions.csv", items, targets, scores, data.labels)
    others = baselines(data, split, fit=task.fits_baselines and limit is None)
    of = f" (the {len(matrix)} of {len(data.labels):,} with the most errors)" * (len(matrix) < len(data.labels))
    text = f"confusion on {split}, rows are the true classes{of}:\n{matrix.to_string()}"
    found, files = classes.scores(targets, scores), []
    if hasattr(data, "groups"):
        text += f"\n\n{_by_group(data, split, indices, targets == predicted, path)}"
        files = [Exhibit(f"accuracy_by_{data.group_name}.csv", f"Accuracy by {data.group_name} on the {split} split")]
    return Report(split, found, others, text, [
        Exhibit("confusion.png", "Confusion of classes",
                f"Confusion matrix of {len(data.labels)} classes on the {split} split: a row for each true class, a "
                f"column for each predicted one; {found['accuracy']:.1%} lie on the diagonal. The closing text has the "
                "counts."),
        Exhibit("predictions.csv", f"Answers on the {split} split"), *files])


def _by_group(data, split, indices, right, path):
    """Return the accuracy of each group of a split as text, such as of each depth, written to ``accuracy_by_*.csv``."""
    names = np.array(data.groups(split))[indices]
    frame = pd.DataFrame({data.group_name: names, "accuracy": right}).groupby(data.group_name)["accuracy"]
    table = frame.agg(accuracy="mean", items="size")
    table.to_csv(path / f"accuracy_by_{data.group_name}.csv", float_format="%.6g")
    return f"accuracy by {data.group_name} on {split}:\n{table.round(4).to_string()}"


def write_predictions(path, items, targets, log_probabilities, labels):
    """Write a CSV with a row for each item: true and predicted class and the probability of the latter."""
    predicted = log_probabilities.argmax(axis=1)
    frame = pd.DataFrame({"item": items, "true": [labels[k] for k in targets],
                          "predicted": [labels[k] for k in predicted],
                          "probability": np.exp(log_probabilities.max(axis=1))})
    frame.to_csv(path, index=False, float_format="%.6g")
