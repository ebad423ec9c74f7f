"""One page of all experiments whose rows are there: question, table with the paper's figures beside, picture."""
import statistics
from pathlib import Path

from gluon_rnn.classic.runner import read_rows
from gluon_rnn.files import write_text

__all__ = ["render", "table", "write_page"]

_COMMON = ("label", "seed", "parameters", "updates", "seconds", "error")
PICTURE = "picture.png"


def write_page(experiments, folder):
    """Write ``index.md`` into `folder`, from ``NAME/rows.csv`` and ``NAME/picture.png`` of each experiment there.

    Returns
    -------
    Path
    """
    folder = Path(folder)
    found = [(experiment, read_rows(folder / experiment.name / "rows.csv")) for experiment in experiments
             if (folder / experiment.name / "rows.csv").is_file()]
    parts = [render(experiment, rows, (folder / experiment.name / PICTURE).is_file()) for experiment, rows in found]
    seconds = sum(row.get("seconds", 0) for _, rows in found for row in rows)
    title = f"# Classic experiments\n\n{len(found)} experiments, {seconds / 60:.0f} core minutes in all.\n"
    write_text(folder / "index.md", "\n".join([title, *parts]))
    return folder / "index.md"


def render(experiment, rows, has_picture=False):
    """Return the part of the page of one experiment, Markdown."""
    lines = [f"## {experiment.title}", "", f"{experiment.source}. {experiment.question}", "",
             table(experiment, rows), ""]
    lines += [f"- {name}: {text}" for name, text in experiment.columns.items()]
    labels = {row["label"] for row in rows}
    lines += [f"- Published, {name}: {text}" for name, text in experiment.published.items() if name not in labels]
    lines += [f"- {row['label']}, seed {row['seed']}: {row['error']}" for row in rows if "error" in row]
    if has_picture:
        lines += ["", f"![{experiment.title}]({experiment.name}/{PICTURE})"]
    return "\n".join(lines) + "\n"


def table(experiment, rows):
    """Return a table in Markdown, a line for each label: means over seeds, and deviations where there are several."""
    names = list(dict.fromkeys(key for row in rows for key in row if key not in _COMMON))
    published = any(row["label"] in experiment.published for row in rows)
    head = ["", *names, *(["published"] if published else []), "seeds", "parameters", "updates", "seconds"]
    lines = [_line(head), _line(["---"] * len(head))]
    for label in dict.fromkeys(row["label"] for row in rows):
        mine = [row for row in rows if row["label"] == label]
        cells = [label, *(_cell([row[name] for row in mine if name in row]) for name in names)]
        cells += [experiment.published.get(label, "")] if published else []
        failed = sum("error" in row for row in mine)
        cells += [f"{len(mine)}" + (f", {failed} failed" if failed else "")]
        lines.append(_line([*cells, *(_mean([row[name] for row in mine if name in row])
                                      for name in ("parameters", "updates", "seconds"))]))
    return "\n".join(lines)


def _cell(values):
    """Return the mean of values, with the sample deviation of several ones, as text."""
    if not values:
        return "-"
    mean, spread = statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None
    form, width = (",.0f", ",.0f") if abs(mean) >= 1000 else (".4g", ".2g")
    return format(mean, form) + ("" if spread is None else f" ± {spread:{width}}")


def _mean(values):
    return f"{statistics.fmean(values):,.0f}" if values else "-"


def _line(cells):
    return f"| {' | '.join(cells)} |"
