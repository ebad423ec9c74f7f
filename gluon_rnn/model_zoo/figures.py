"""The figure of a zoo model beside seeds, trivial methods and published figures: from runs, or the results table."""
import csv
import json
import re
import statistics
from dataclasses import dataclass
from pathlib import Path

from gluon_rnn import recipes
from gluon_rnn.training.folder import recipe_of

__all__ = ["Seeds", "allowed_difference", "baselines_of", "finished", "published_row", "seeds_of_row", "seeds_of_runs",
           "tolerance_of"]

#: largest difference that float16 may make, and that verify allows, as a share of the seeds' standard deviation
_OF_SD = 0.1
#: the same as a share of the figure; for float16 only where there is one seed
_OF_VALUE = 1e-4


@dataclass
class Seeds:
    """A figure over runs that differ in their seed; `sd` is None for one seed."""

    mean: float
    sd: float
    seeds: list


def finished(run, metric):
    """Return ``results.json`` of a finished run as a dict; ValueError where there is none, or no such score in it."""
    path = Path(run) / "results.json"
    recipe_of(run)                                                     # a wrong folder is the first thing to say
    if not path.is_file():
        raise ValueError(f"{path} is missing: the run has not finished; resume it with train --resume {run}")
    result = json.loads(path.read_text(encoding="utf-8"))
    if metric not in result["scores"]:
        raise ValueError(f"{path} has no score {metric!r}, which the card names as the metric; it has "
                         f"{', '.join(result['scores'])}")
    return result


def seeds_of_runs(runs, metric):
    """Return the `Seeds` of the score `metric` of finished `runs`; ValueError if more than their seed differs."""
    settings = [recipes.load(recipe_of(run)).model_dump(exclude={"output_dir", "data_root", "device"}) for run in runs]
    seeds = [each.pop("seed") for each in settings]
    if any(each != settings[0] for each in settings) or len(set(seeds)) < len(seeds):
        raise ValueError(f"the runs {', '.join(map(str, runs))} are no repetitions: they differ in more than their "
                         "seed, or two have the same one; pass runs of one recipe with different seeds")
    values = [finished(run, metric)["scores"][metric] for run in runs]
    return Seeds(statistics.mean(values), statistics.stdev(values) if len(values) > 1 else None, sorted(seeds))


def baselines_of(result, metric):
    """Return {name: score} of the trivial methods in a ``results.json``."""
    return {name: scores[metric] for name, scores in result["baselines"].items() if metric in scores}


def published_row(path, about):
    """Return the row of the results table (a CSV) of the recipe, variant and metric of `about`; None if it has none."""
    wanted = (about.recipe, about.variant, about.metric)
    with open(path, newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["recipe"], row["variant"], row["metric"]) == wanted]
    return rows[0] if rows else None


def seeds_of_row(row):
    """Return the `Seeds` of a row, such as ``"1.413 +- 0.013"`` over ``"3 (0, 1, 2)"``; None where it has no seeds."""
    value = re.fullmatch(r"(\S+)(?: \+- (\S+))?", row["value"])
    seeds = re.fullmatch(r"\d+ \((\d+(?:, \d+)*)\)", row["seeds"])
    if not value or not seeds:
        return None
    return Seeds(float(value[1]), None if value[2] is None else float(value[2]), [int(n) for n in seeds[1].split(", ")])


def allowed_difference(seeds):
    """Return the largest difference for which float16 is kept: a tenth of the seeds' standard deviation.

    Where there is one seed it is 0.01 % of the figure.
    """
    return _OF_VALUE * abs(seeds.mean) if seeds.sd is None else _OF_SD * seeds.sd


def tolerance_of(about, seeds):
    """Return the largest difference that verify calls reproduced: that of `about`, else the same tenth.

    It is at least 0.01 % of the figure, for another processor rounds sums in another order.
    """
    if about.tolerance is not None:
        return about.tolerance
    return max(allowed_difference(seeds), _OF_VALUE * abs(seeds.mean))
