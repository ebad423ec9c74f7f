"""The table of figures (``configs/results.csv``): scores of runs come into it, pages are made from it.

It is installed beside the recipes, so that `read` finds their figures with the package alone.
"""
import csv
import json
import pathlib
import statistics

from omegaconf import OmegaConf

from gluon_rnn.files import whole

__all__ = ["COLUMNS", "KEY", "collect", "put", "read", "render", "write"]

COLUMNS = ("task", "recipe", "variant", "data", "split", "metric", "value", "seeds", "baseline", "published", "source",
           "parameters", "time", "hardware", "note", "command")
#: What tells two rows apart; the file is in the order of these columns.
KEY = ("task", "recipe", "variant", "data", "split", "metric")
SHOWN = ("recipe", "metric: mean ± sd (runs)", "baselines", "published", "parameters", "time a run")

HEAD = """# Results

Generated from [configs/results.csv](../configs/results.csv) by `gluon-rnn results`; do not edit. One table a task.

- **Mean ± standard deviation** over runs that differ in their seed; the number of runs, or of ensembles, is
  in parentheses.
- **Selection.** The checkpoint is selected on the validation split. A run scores the test split once, at its end.
  Settings of several recipes (tanks, buck, laser, names, poems by words, chorales, tags) and the sizes of ensembles
  were compared with test scores in view: these scores are optimistic.
- **Baselines** are trivial methods on the same split. **Published** figures are those of others; their sources are
  below each table.
- **Threads.** Most rows come from runs with OMP_NUM_THREADS=1. More threads round sums in another order, and single
  runs, of small models above all, end elsewhere.
"""


def render(rows):
    """Return the Markdown page of result `rows`, dicts with the keys `COLUMNS`: a section for each task."""
    by_task = {}
    for row in rows:
        by_task.setdefault(row["task"], []).append(row)
    return "\n".join([HEAD, *(_section(task, same) for task, same in by_task.items())])


def _section(task, rows):
    """Return a table of the `rows` of one task; below it what the table leaves out, each text once."""
    recipes = {}
    for row in rows:
        recipes.setdefault(_details(row), {})[_recipe(row)] = None
    details = [f"- {', '.join(names)}: {text}" for text, names in recipes.items()]
    heading = ["| " + " | ".join(SHOWN) + " |", "|---" * len(SHOWN) + "|"]
    table = ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    commands = ["```", *dict.fromkeys(row["command"] for row in rows), "```"]
    title = task.replace("_", " ").capitalize()
    return "\n".join([f"## {title}", "", *heading, *table, "", *details, "", *commands, ""])


def _cells(row):
    """Return the cells of a row of a table, one for each of `SHOWN`."""
    runs = row["seeds"].partition(" ")[0]
    value = f"{row['metric']}: {row['value'].replace('+-', '±')} ({runs})"
    baselines = row["baseline"].replace("), ", ")<br>")                    # one a line in its cell
    return [_recipe(row), value, baselines, row["published"], row["parameters"], row["time"]]


def _recipe(row):
    """Return the recipe of a `row`, and the variant of it where there is one."""
    return f"`{row['recipe']}`" + (f" ({row['variant']})" if row["variant"] else "")


def _details(row):
    """Return what a `row` of a table leaves out, but for the command."""
    source = f"published: {row['source']}" if row["source"] else ""
    words = [row["data"], f"{row['split']} split", row["hardware"], row["note"], source]
    return "; ".join(word for word in words if word)


def read(path):
    """Return the rows of a results file; ValueError if its columns are not `COLUMNS`."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path}: expected the columns {', '.join(COLUMNS)}, got {reader.fieldnames}")
        return list(reader)


def write(path, rows):
    """Write the rows of a results file, whole or not at all, in the order of `KEY`."""
    with whole(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: [row[key] for key in KEY]))


def collect(runs, recipe, metric, over="seed", overrides=()):
    """Return a row of scores from the folders of finished runs; ValueError where they are not repetitions of one.

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
    return {"task": _task(runs[0]), "recipe": recipe, "split": found[0]["split"], "metric": metric,
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


def _task(run):
    from gluon_rnn.runs import config_of
    return config_of(run).task.name


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


def put(path, row):
    """Write a `row`, a dict with the keys `COLUMNS`, into a results file, in place of an older one with its `KEY`."""
    write(path, [old for old in read(path) if any(old[key] != row[key] for key in KEY)] + [row])
