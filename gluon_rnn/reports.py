"""Pages of runs and of models of the zoo: one anew, and several compared."""
from pathlib import Path

from gluon_rnn import config as configuration
from gluon_rnn.files import write_text
from gluon_rnn.model_zoo import entries
from gluon_rnn.report import page
from gluon_rnn.report.compare import compare as compare_records
from gluon_rnn.report.record import Record, read
from gluon_rnn.training.folder import recipe_of

__all__ = ["compare", "record_of", "write_report"]


def record_of(path):
    """Return the `gluon_rnn.report.record.Record` of a run, or of a model of the zoo by its name.

    A model of the zoo has the figure of its card, and no curves.

    Raises
    ------
    ValueError
        If there is no such run and no such model, or a file of it is damaged.
    """
    entry = entries.find(path)
    if entry is None:
        if len(Path(path).parts) == 1 and not Path(path).exists():
            raise ValueError(f"there is no run in {str(path)!r}, and no model of the zoo has this name; "
                             f"{entries.nearest(path)}")
        recipe_of(path)
        return read(path)
    card, figure = entry.card, entry.card.figure
    results = {"split": figure.split, "scores": {figure.metric: figure.value}, "parameters": card.parameters,
               "baselines": {name: {figure.metric: value} for name, value in figure.baselines.items()},
               "text": f"{card.about.summary}\n\n{card.about.intended_use}\n" + "\n".join(card.about.limits)}
    return Record(entry.name, configuration.to_yaml(entry.config), results=results)


def write_report(path, output=None):
    """Write the page of a run, or of a model of the zoo, anew; return where it is.

    Parameters
    ----------
    path : str or Path
        The run's folder, or the name of a model of the zoo.
    output : str or Path, optional
        Default ``report.html`` in the folder of the run, for a model of the zoo in ``runs/NAME``.

    Raises
    ------
    ValueError
        See `record_of`.
    """
    record = record_of(path)
    folder = Path(record.config["output_dir"]) / record.name if record.folder is None else record.folder
    output = folder / page.NAME if output is None else Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    write_text(output, page.report_of(record))
    return output


def compare(paths, output="compare.html"):
    """Compare several runs or models of the zoo, and write the page of it.

    Parameters
    ----------
    paths : list of str or Path
        Two or more; as for `record_of`.
    output : str or Path, default "compare.html"

    Returns
    -------
    gluon_rnn.report.compare.Comparison

    Raises
    ------
    ValueError
        If there are fewer than two, or see `record_of`.
    """
    records = [record_of(path) for path in paths]
    with page.naming_damage(", ".join(map(str, paths))):
        found = compare_records(records)
        text = found.page()
    Path(output).parent.mkdir(parents=True, exist_ok=True)
    write_text(output, text)
    return found
