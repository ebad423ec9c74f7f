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
    found = classes.scores(targets, scores)
    return Report(split, found, others, text, [
        Exhibit("confusion.png", "Confusion of classes",
                f"Confusion matrix of {len(data.labels)} classes on the {split} split: a row for each true class, a "
                f"column for each predicted one; {found['accuracy']:.1%} lie on the diagonal. The closing text has the "
                "counts."),
        Exhibit("predictions.csv", f"Answers on the {split} split")])


def write_predictions(path, items, targets, log_probabilities, labels):
    """Write a CSV with a row for each item: true and predicted class and the probability of the latter."""
    predicted = log_probabilities.argmax(axis=1)
    frame = pd.DataFrame({"item": items, "true": [labels[k] for k in targets],
                          "predicted": [labels[k] for k in predicted],
                          "probability": np.exp(log_probabilities.max(axis=1))})
    frame.to_csv(path, index=False, float_format="%.6g")
