"""Figures of runs into docs/results.csv, and docs/results.md from it; a number is never typed.

``python -m scripts.results`` makes the page; with ``--add classify/names_gru --metric macro_f1 RUN RUN RUN`` it first
puts the mean and standard deviation over these runs, which differ in nothing but their seed, into the CSV. Runs that
differ in another key, such as the speaker who is left out, are added with ``--over data.test.speaker``.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics

from omegaconf import OmegaConf

from scripts._cli import run_command

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"
COLUMNS = ("recipe", "data", "split", "metric", "value", "seeds", "baseline", "published", "parameters", "time",
           "hardware", "command")

HEAD = """# Results

Made from `results.csv` by `python -m scripts.results`; do not edit. The checkpoint is selected on the validation split;
a run looks at the test split once, at its end. Settings of several recipes (tanks, buck, laser, names, poems by words,
chorales, tags) and the sizes of committees were compared with those figures in view, which are optimistic there.
*baseline* is what trivial methods reach on the same split, *published* a figure of others with its source. Several
seeds are given as mean +- standard deviation. Most rows come from runs with OMP_NUM_THREADS=1: with more threads sums
are rounded otherwise, and single runs, of small models above all, end elsewhere.
"""


def render(rows):
    """Return the Markdown page of result `rows`, dicts with the keys `COLUMNS`: a table, then the commands."""
    shown = [column for column in COLUMNS if column != "command"]
    lines = ["| " + " | ".join(shown) + " |", "|" + "---|" * len(shown)]
    lines += ["| " + " | ".join(row[column] for column in shown) + " |" for row in rows]
    commands = [f"    {row['command']}" for row in rows]
    return "\n".join([HEAD, *lines, "", "Commands, in the order of the rows:", "", *dict.fromkeys(commands), ""])


def read(path):
    """Return the rows of a results file; ValueError if its columns are not `COLUMNS`."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path}: expected the columns {', '.join(COLUMNS)}, got {reader.fieldnames}")
        return list(reader)


def write(path, rows):
    """Write the rows of a results file, whole or not at all, in the order of recipe and metric."""
    partial = path.with_suffix(".partial")
    with open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: (row["recipe"], row["data"], row["split"], row["metric"])))
    os.replace(partial, path)


def collect(runs, recipe, metric, over="seed", overrides=()):
    """Return a row of figures from the folders of finished runs; ValueError where they are not repetitions of one.

    Parameters
    ----------
    runs : list of Path
    recipe : str
        Path of the recipe under ``configs/``, without ``.yaml``.
    metric : str
        One of the scores in their ``results.json``.
    over : str, default "seed"
        The key of the recipe, with dots, in which the runs differ; the column "seeds" has its values.
    overrides : list of str
        What all of them change of the recipe, such as ``model.crf=true``: for the command.
    """
    found = [_result(run, metric) for run in runs]
    repeated = _check_repetitions(runs, over)
    _check_overrides(runs[0], overrides)
    values = [result["scores"][metric] for result in found]
    spread = f" +- {statistics.stdev(values):.2g}" if len(values) > 1 else ""
    return {"recipe": recipe, "split": found[0]["split"], "metric": metric,
            "value": f"{statistics.mean(values):.4g}{spread}",
            "seeds": f"{len(repeated)} ({', '.join(map(str, repeated))})", "baseline": _baselines(found, metric),
            "parameters": f"{found[0]['parameters']:,}", "time": _duration([result["seconds"] for result in found]),
            "command": _command(recipe, over, repeated, overrides)}


def _command(recipe, over, values, overrides):
    word = "seeds " if over == "seed" else ""
    others = f"  (and {word}{', '.join(map(str, values[1:]))})" if values[1:] else ""
    words = " ".join([f"configs/{recipe}.yaml", *overrides, f"{over}={values[0]}"])
    return f"GLUON_RNN_DATA=... python -m scripts.train {words}{others}"


def _result(run, metric):
    path = pathlib.Path(run) / "results.json"
    if not path.is_file():
        raise ValueError(f"{path} is missing; pass folders of runs that have finished")
    result = json.loads(path.read_text(encoding="utf-8"))
    if metric not in result["scores"]:
        raise ValueError(f"{path} has no score {metric!r}; it has {', '.join(result['scores'])}")
    return result


def _check_repetitions(runs, over):
    """Return the sorted values of the key `over`; ValueError unless the runs differ in it and in their folders only."""
    from gluon_rnn.runs import config_of
    settings = [config_of(run).model_dump(exclude={"output_dir", "data_root", "device"}) for run in runs]
    values = [_pop(each, over) for each in settings]
    if any(each != settings[0] for each in settings) or len(set(map(str, values))) < len(values):
        raise ValueError(f"the runs {', '.join(map(str, runs))} are no repetitions: their settings differ in more than "
                         f"{over}, or two have the same {over}; pass runs of one recipe that differ in it alone")
    return sorted(values)


def _check_overrides(run, overrides):
    """Raise ValueError unless the `run` was made with all of the `overrides`."""
    from gluon_rnn.runs import config_of
    settings = OmegaConf.create(config_of(run).model_dump())
    for text in overrides:
        key, wanted = text.partition("=")[0], OmegaConf.from_dotlist([text])
        found = OmegaConf.select(settings, key)
        if found != OmegaConf.select(wanted, key):
            raise ValueError(f"--override {text}: {run} has {key}={found}; name what the runs were made with")


def _pop(settings, key):
    """Take the value at `key`, names joined by dots, out of nested dicts and return it."""
    *path, last = key.split(".")
    try:
        for name in path:
            settings = settings[name]
        return settings.pop(last)
    except (KeyError, TypeError):
        raise ValueError(f"the runs have no key {key!r}; --over names a key of the recipe, such as seed") from None


def _baselines(found, metric):
    """Return e.g. ``"0.81 (linear ARX), 1.9 (persistence)"``, the mean over the runs."""
    texts = [f"{statistics.mean(result['baselines'][name][metric] for result in found):.4g} ({name})"
             for name in found[0]["baselines"] if metric in found[0]["baselines"][name]]
    return ", ".join(texts)


def _duration(seconds):
    mean = statistics.mean(seconds)
    return f"{mean:.0f} s" if mean < 120 else f"{mean / 60:.0f} min"


def add(options, path):
    """Put the figures of the runs into the CSV, in place of older ones of the same recipe, split and metric."""
    row = {**collect(options.runs, options.add, options.metric, options.over, options.override),
           "data": options.data, "published": options.published, "hardware": options.hardware}
    same = ("recipe", "data", "split", "metric")
    write(path, [old for old in read(path) if any(old[key] != row[key] for key in same)] + [row])


def main(argv=None):
    """Write the page, or with --check say whether it is up to date."""
    options = _parser().parse_args(argv)
    if options.add:
        if not options.runs or not options.metric:
            raise ValueError("--add needs --metric and the folders of one or more runs")
        add(options, DOCS / "results.csv")
    text, page = render(read(DOCS / "results.csv")), DOCS / "results.md"
    if options.check:
        return 0 if page.exists() and page.read_text(encoding="utf-8") == text else 1
    page.write_text(text, encoding="utf-8")
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog="python -m scripts.results", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if the page is out of date")
    parser.add_argument("--add", metavar="RECIPE", help="path of the recipe under configs/, without .yaml")
    parser.add_argument("--metric", help="one of the scores in results.json of the runs")
    parser.add_argument("--over", default="seed", metavar="KEY", help="what the runs differ in; default seed")
    parser.add_argument("--override", action="append", default=[], metavar="KEY=VALUE",
                        help="what all runs change of the recipe; may be given several times")
    parser.add_argument("--data", default="", help="what the data are and how they are split")
    parser.add_argument("--published", default="", help="a figure of others, with its source")
    parser.add_argument("--hardware", default="2 cores, AVX-512")
    parser.add_argument("runs", nargs="*", metavar="RUN", type=pathlib.Path)
    return parser


if __name__ == "__main__":
    run_command(main)
