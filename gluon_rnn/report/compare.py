"""Several runs beside each other: scores, size, speed, differences of recipes and machines, curves over each other."""
from dataclasses import dataclass, field

from gluon_rnn.report.blocks import Charts, Paragraph, Section, Table, number
from gluon_rnn.report.charts import charts_beside
from gluon_rnn.report.page import render
from gluon_rnn.report.record import flat

__all__ = ["Comparison", "compare"]

#: keys of a recipe that say where things lie, not what is learnt
_PLACES = {"output_dir", "data_root"}
_NOT_THE_MACHINE = {"date", "epochs_before", "steps_before"}


@dataclass
class Comparison:
    """Tables and charts of several runs.

    Attributes
    ----------
    names : list of str
    scores, sizes : gluon_rnn.report.blocks.Table
    differences : list of gluon_rnn.report.blocks.Table
        Keys of the recipes, and machines with versions, that are not alike; without those that have no rows.
    charts : list of gluon_rnn.report.curves.Chart
    notes : list of str
        Sentences on what cannot be compared.
    """

    names: list
    scores: Table
    sizes: Table
    differences: list
    charts: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def text(self):
        """Return notes and tables for a terminal, columns aligned."""
        return "\n\n".join([*self.notes, *(_aligned(table) for table in (self.scores, self.sizes, *self.differences))])

    def page(self):
        """Return the page of the comparison, HTML."""
        notes = [Paragraph(note, warning=True) for note in self.notes]
        sections = [Section("scores", "Scores and size", [*notes, self.scores, self.sizes]),
                    Section("curves", "Curves", [Charts(self.charts)] if self.charts else []),
                    Section("differences", "What differs", self.differences)]
        return render(f"{len(self.names)} runs compared", ", ".join(self.names),
                      [section for section in sections if section.blocks])


def compare(records):
    """Return the `Comparison` of several runs.

    Parameters
    ----------
    records : list of gluon_rnn.report.record.Record
        Two or more.

    Raises
    ------
    ValueError
        If there are fewer.
    """
    if len(records) < 2:
        raise ValueError(f"a comparison needs two runs or more, got {len(records)}; name another folder of a run, or a "
                         "model of the zoo")
    names = names_of(records)
    known = [(_machine(record), name) for record, name in zip(records, names) if record.beginning.get("parts")]
    differences = [_differences("Keys of the recipes", [_recipe(record) for record in records], names),
                   _differences("Machines and versions", *(list(zip(*known)) or ([], [])))]
    learnt = [(record, name) for record, name in zip(records, names) if record.rows]
    charts = charts_beside(*map(list, zip(*learnt))) if len(learnt) > 1 else []
    return Comparison(names, _scores(records, names), _sizes(records, names),
                      [table for table in differences if table.rows], charts, _notes(records, names))


def names_of(records):
    """Return what to call each run: the name of its folder, where two are alike its path, the same run numbered."""
    names = [record.name for record in records]
    names = [str(record.folder) if names.count(name) > 1 and record.folder is not None else name
             for record, name in zip(records, names)]
    return [f"{name} ({names[:place + 1].count(name)})" if names.count(name) > 1 else name
            for place, name in enumerate(names)]


def _notes(records, names):
    """Return what a reader has to know before comparing numbers."""
    notes = []
    for what, values in (("tasks", [record.task for record in records]),
                         ("data", [record.config["data"].get("name") for record in records])):
        if len(set(values)) > 1:
            notes.append(f"The runs have other {what} ({', '.join(dict.fromkeys(map(str, values)))}): their losses and "
                         "scores are not of one kind.")
    splits = {"valid" if record.results is None else record.results["split"] for record in records}
    if len(splits) > 1:
        notes.append(f"Scores are of other splits ({', '.join(sorted(splits))}): they are not of the same data.")
    unfinished = [name for record, name in zip(records, names) if not record.finished]
    if unfinished:
        notes.append(f"Not come to their end: {', '.join(unfinished)}.")
    return notes


def _scores(records, names):
    """Return closing scores, a row a run; of runs without them, the best row's of validation."""
    every = []
    for record in records:
        if record.results is not None:
            every.append((record.results["split"], record.results["scores"]))
        else:
            row = record.best_row or {}
            every.append(("valid", {name[len("valid_"):]: value for name, value in row.items()
                                    if name.startswith("valid_")}))
    columns = list(dict.fromkeys(name for _, scores in every for name in scores))
    return Table("Scores", ["run", "split", *(name.replace("_", " ") for name in columns)],
                 [[name, split, *(number(scores.get(column)) for column in columns)]
                  for name, (split, scores) in zip(names, every)])


def _sizes(records, names):
    rows = []
    for record, name in zip(records, names):
        results, last = record.results or {}, record.rows[-1]["epoch"] if record.rows else None
        unit = (record.speed_column or "").replace("_per_second", "")
        speed = "–" if record.speed is None else f"{record.speed:,.0f} {unit}/s"
        seconds = "–" if record.seconds is None else f"{record.seconds:,.1f}"
        rows.append([name, number(record.parameters), number(last if last is not None else results.get("epochs")),
                     number(results.get("best_epoch")), seconds, speed])
    return Table("Size and speed", ["run", "parameters", "epochs", "best epoch", "seconds", "speed"], rows)


def _recipe(record):
    return {key: value for key, value in flat(record.config).items() if key not in _PLACES}


def _machine(record):
    """Return where the run was trained last, without the date."""
    return {key: value for key, value in record.beginning["parts"][-1].items() if key not in _NOT_THE_MACHINE}


def _differences(caption, every, names):
    """Return a table of the keys whose values are not the same in all of some flat dicts, a column each."""
    keys = list(dict.fromkeys(key for values in every for key in values))
    rows = [[key, *("–" if key not in values else _value(values[key]) for values in every)] for key in keys
            if any(key not in values or values[key] != every[0].get(key) for values in every)]
    return Table(caption, ["key", *names], rows)


def _value(value):
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _aligned(table):
    """Return a table as text: the first column to the left, numbers to the right."""
    rows = [table.header, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.header))]
    lines = ["  ".join([first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:]))])
             for first, *others in rows]
    return "\n".join([f"{table.caption}:", *(f"  {line.rstrip()}" for line in lines)])
