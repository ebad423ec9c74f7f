"""The sections of the page of one run."""
import re

from gluon_rnn.report.blocks import Charts, Facts, Paragraph, Section, Table, Text, number
from gluon_rnn.report.charts import charts_of
from gluon_rnn.report.exhibits import Exhibit, block_of, image_of

__all__ = ["headline", "sections_of"]

_MOST_EPOCHS = 100
#: pictures that are drawn as curves of the page already
_DRAWN_AS_CURVES = {"loss.png"}
_COLUMNS = re.compile(r"\S {3,}\S")      # in a line: those of a table, which lines that are broken would spoil


def headline(record):
    """Return one sentence: what this run is and how far it came."""
    model = record.config["model"].get("name") or "the task's own model"
    words = f"Task {record.task}, model {model}"
    if record.finished:
        if not record.rows:
            return f"{words}."
        results = record.results
        epochs = "1 epoch" if results["epochs"] == 1 else f"{results['epochs']} epochs"
        return f"{words}: finished after {epochs}, epoch {results['best_epoch']} was best."
    last = int(record.rows[-1]["epoch"]) if record.rows else 0
    planned = record.beginning.get("epochs")
    where = f"epoch {last}" + (f" of {planned}" if planned else "") if last else "its first evaluation"
    return f"{words}: stopped {'in' if last else 'before'} {where}; gluon-rnn train --resume {record.folder} goes on."


def sections_of(record):
    """Return the `Section`s of a run, without those that have nothing to show.

    Parameters
    ----------
    record : gluon_rnn.report.record.Record
    """
    found = [Section("summary", "Summary", _summary(record)), Section("curves", "Curves", _curves(record)),
             Section("scores", "Scores", _scores(record)),
             Section("answers", "Pictures and answers", _answers(record)),
             Section("diagnosis", "Diagnosis", _pictures(record, "diagnosis")),
             Section("configuration", "Configuration", [Text("config.yaml, every default written out", record.recipe)]),
             Section("environment", "Environment and hardware", _environment(record))]
    return [section for section in found if section.blocks]


def _summary(record):
    """Return the numbers that one looks for first."""
    name, _ = record.beginning.get("selection", ("loss", "min"))
    pairs, best = [], record.best_row
    if record.results is not None:
        split, scores = record.results["split"], record.results["scores"]
        shown = [key for key in dict.fromkeys([name, *scores]) if key in scores][:3]
        pairs += [(f"{split} {key.replace('_', ' ')}", number(scores[key])) for key in shown]
    elif best is not None:
        words = f"best validation {name.replace('_', ' ')}, epoch {best['epoch']:g}"
        pairs.append((words, number(best[f"valid_{name}"])))
    pairs.append(("parameters", number(record.parameters)))
    if record.seconds is not None:
        pairs.append(("seconds of training", f"{record.seconds:,.1f}"))
    if record.speed is not None:
        pairs.append((record.speed_column.replace("_per_second", " a second"), f"{record.speed:,.0f}"))
    blocks = [Facts(pairs)]
    if record.beginning.get("data"):
        blocks.append(Paragraph(f"Data: {record.beginning['data']}"))
    if record.results is not None and not record.finished:
        blocks.append(Paragraph(f"The closing scores are of epoch {record.results['epochs']}: the run has gone on "
                                "since and has not come to its end again.", warning=True))
    return blocks


def _curves(record):
    charts = charts_of(record)
    if not charts:
        return []
    rows = record.rows[-_MOST_EPOCHS:]
    note = f"The last {len(rows)} of {len(record.rows):,} rows; all are in metrics.csv." if len(rows) < len(
        record.rows) else ""
    header = list(record.rows[0])
    cells = [[number(row[name]) for name in header] for row in rows]
    names = [name.replace("_", " ") for name in header]
    return [Charts(charts), Table("Numbers of the curves, from metrics.csv", names, cells, note, folded=True)]


def _scores(record):
    """Return the closing scores beside those of simple methods; of a run without, nothing."""
    if record.results is None:
        return []
    results = record.results
    every = {"this model": results["scores"], **results.get("baselines", {})}
    if record.beginning.get("best_loss") is not None:
        every["best possible"] = {"loss": record.beginning["best_loss"]}
    names = list(dict.fromkeys(name for scores in every.values() for name in scores))
    rows = [[who, *(number(scores.get(name)) for name in names)] for who, scores in every.items()]
    return [Table(f"Scores on the {results['split']} split", ["", *(name.replace("_", " ") for name in names)], rows)]


def _answers(record):
    """Return what the task wrote down for the page, its pictures that it said nothing of, and its closing text."""
    results = record.results or {}
    blocks = [block_of(record.folder, Exhibit(**{**each, "header": tuple(each["header"])}))
              for each in results.get("files", [])]
    named = {each["file"] for each in results.get("files", [])}
    blocks += _pictures(record, "", named | _DRAWN_AS_CURVES)
    if results.get("text"):
        blocks.append(Text("Closing text of the log", results["text"], prose=not _COLUMNS.search(results["text"])))
    return blocks


def _pictures(record, below, without=()):
    """Return the pictures in a folder of the run, under their names."""
    if record.folder is None:
        return []
    return [image_of(path, Exhibit(path.name, path.stem.replace("_", " ").capitalize(),
                                   f"{path.stem.replace('_', ' ')}: {path.name} of the run, a picture without a "
                                   "description"))
            for path in sorted((record.folder / below).glob("*.png")) if path.name not in without]


def _environment(record):
    """Return a table with a column for each machine and state of the libraries that the run was on."""
    parts = record.beginning.get("parts", [])
    if not parts:
        where = "the card does not say" if record.folder is None else "its folder has no run.json"
        return [Paragraph(f"On what it was trained is not known: {where}.", warning=True)]
    names = list(dict.fromkeys(name for part in parts for name in part if not name.endswith("_before")))
    header = ["", *("from the beginning" if not part["steps_before"] else f"after step {part['steps_before']:,}"
                    for part in parts)]
    return [Table("Where the run was trained, by run.json", header,
                  [[name, *(str(part.get(name, "–")) for part in parts)] for name in names])]
