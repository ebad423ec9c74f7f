"""What the folder of a run says of itself: recipe, rows of metrics, closing scores, ``run.json`` of its beginning."""
import csv
import datetime
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import yaml

from gluon_rnn.files import read_yaml, write_text
from gluon_rnn.report.environment import environment

__all__ = ["Record", "begin", "flat", "read"]

#: file in the folder of a run: what was known when it began, and on what it ran since
BEGINNING = "run.json"


@dataclass
class Record:
    """A run, or a trained model whose run is not here any more, as a report shows it.

    Parameters
    ----------
    name : str
    recipe : str
        The effective recipe, YAML.
    folder : Path, optional
        Of the run, where pictures and predictions are.
    beginning : dict
        ``run.json``: "data", "unit", "loss_label", "best_loss", "selection", "parameters", "epochs", and "parts", an
        environment for each time that it was begun or gone on with. Empty for runs of earlier versions.
    rows : list of dict
        Of ``metrics.csv``.
    results : dict, optional
        ``results.json``; None where the run has not come to its end.
    """

    name: str
    recipe: str
    folder: Optional[Path] = None
    beginning: dict = field(default_factory=dict)
    rows: list = field(default_factory=list)
    results: Optional[dict] = None

    @property
    def config(self):
        """The recipe as nested dicts."""
        return read_yaml(self.recipe)

    @property
    def task(self):
        """Registered name of the task."""
        return self.config["task"]["name"]

    @property
    def finished(self):
        """Whether the closing scores are those of the last row."""
        return self.results is not None and (not self.rows or self.results["epochs"] >= self.rows[-1]["epoch"])

    @property
    def parameters(self):
        """Numbers that the model has; None where nobody has written them down."""
        return (self.results or {}).get("parameters", self.beginning.get("parameters"))

    @property
    def seconds(self):
        """Seconds of training, without evaluation; None without rows."""
        return sum(row["seconds"] for row in self.rows) if self.rows else (self.results or {}).get("seconds")

    @property
    def speed_column(self):
        """Name of the column of units a second, such as "tokens_per_second"; None without rows."""
        names = [name for name in (self.rows[0] if self.rows else ()) if name.endswith("s_per_second")]
        return next((name for name in names if name != "steps_per_second"), None)

    @property
    def speed(self):
        """Units a second over all rows: units in all by seconds in all; None without rows."""
        if self.speed_column is None or not self.seconds:
            return None
        return sum(row[self.speed_column] * row["seconds"] for row in self.rows) / self.seconds

    @property
    def best_row(self):
        """The row whose score selected the checkpoint, as far as training came; None without rows."""
        name, direction = self.beginning.get("selection", ("loss", "min"))
        known = [row for row in self.rows if math.isfinite(row.get(f"valid_{name}", math.nan))]
        if not known:
            return None
        return (min if direction == "min" else max)(known, key=lambda row: row[f"valid_{name}"])


def begin(folder, facts, devices, position):
    """Write down in a run's folder what is known when it begins, and on what it runs; again when it goes on.

    Parameters
    ----------
    folder : Path
    facts : dict
        See `Record.beginning`, without "parts".
    devices : sequence of mxnet.Context
    position : (int, int)
        Epochs and steps that have been made.
    """
    path = Path(folder) / BEGINNING
    parts = _json(path).get("parts") if path.is_file() else []
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    part = {"date": now, "epochs_before": position[0], "steps_before": position[1], **environment(devices)}
    parts = [*(parts if isinstance(parts, list) else []), part]
    write_text(path, json.dumps({**facts, "parts": parts}, indent=1) + "\n")


def read(folder):
    """Return the `Record` of the run in a folder, finished or not.

    Raises
    ------
    ValueError
        If one of its files is damaged.
    OSError
        If it has no recipe.
    """
    folder = Path(folder)
    results, beginning = folder / "results.json", folder / BEGINNING
    return Record(folder.resolve().name, _recipe(folder / "config.yaml"), folder,
                  _json(beginning) if beginning.is_file() else {}, _rows(folder / "metrics.csv"),
                  _json(results) if results.is_file() else None)


def _recipe(path):
    """Return the text of an effective recipe; ValueError where it is none."""
    try:
        text = path.read_text(encoding="utf-8")
        found = read_yaml(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"{path} is not readable as YAML ({' '.join(str(error).split())}); restore it: each "
                         "checkpoint has a copy") from error
    for section in ("task", "model"):
        if not isinstance(found, dict) or not isinstance(found.get(section), dict):
            raise ValueError(f"{path} has no section {section!r}: it is damaged; restore it: each checkpoint has a "
                             "copy")
    return text


def _json(path):
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} holds no JSON ({error}); take it away, and what it said is left out") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds {type(found).__name__} and no mapping; take it away, and what it said is left "
                         "out")
    return found


def _rows(path):
    """Return the rows of a run's ``metrics.csv`` as dicts of numbers; none before the first evaluation."""
    if not path.is_file():
        return []
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return [{name: float(text) for name, text in row.items()} for row in csv.DictReader(file)]
    except (TypeError, ValueError, csv.Error) as error:
        raise ValueError(f"{path} has a row that is not all numbers ({error}); take that row away") from error


def flat(values, prefix=""):
    """Return nested dicts as one, the keys joined by dots."""
    found = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found.update(flat(value, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = value
    return found
