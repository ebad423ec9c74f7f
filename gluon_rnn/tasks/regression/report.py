"""What a run of a regressor leaves behind: scores beside those of simple methods, and what it estimated."""
import pandas as pd

from gluon_rnn.metrics.baselines.values import baselines
from gluon_rnn.metrics.values import value_scores
from gluon_rnn.report.exhibits import Exhibit
from gluon_rnn.tasks.task import Report

__all__ = ["report", "write_predictions"]


def report(task, path, limit=None):
    """Evaluate the model of a task on its final split, and write ``predictions.csv``."""
    split, data = task.final_split, task.data
    rows, loss, values = task.values(split, limit)
    targets = data.targets(split)[rows]
    write_predictions(path / "predictions.csv", rows, targets, values, data.target_names)
    scores = {"loss": loss, **value_scores(targets, values, data.target_names)}
    return Report(split, scores, baselines(data, split, fit=task.fits_baselines and limit is None),
                  files=[Exhibit("predictions.csv", f"True and estimated values on the {split} split")])


def write_predictions(path, rows, targets, values, names):
    """Write a CSV in the order of the split: the number of each sequence, from 0, and two columns a target."""
    columns = {}
    for column, name in enumerate(names):
        columns.update({name: targets[:, column], f"{name}_estimated": values[:, column]})
    frame = pd.DataFrame(columns, index=pd.Index(rows, name="row"))
    frame.sort_index().to_csv(path, float_format="%.6g")
