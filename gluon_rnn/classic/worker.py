"""One case of an experiment with one seed, in a process of its own: ``python -m gluon_rnn.classic.worker``.

Its arguments are the experiment, the label, the seed and the folder. It leaves ``row.json`` in the folder.
"""
import json
import sys
import time
from pathlib import Path

from gluon_rnn import recipes, runtime
from gluon_rnn.classic.experiment import experiments
from gluon_rnn.classic.runner import fingerprint
from gluon_rnn.files import write_text
from gluon_rnn.runs import Run
from gluon_rnn.training import TrainingError, train

__all__ = ["main", "work"]


def work(experiment, case, seed, folder):
    """Train and measure a case, and return its row, which is ``row.json`` of the folder too.

    Training that diverges gives a row with the key "error". Seconds are those of a
    processor that this process has used, loading included: they do not depend on what else runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    overrides = [*case.overrides, f"seed={seed}", f"output_dir={folder}", "training.report=false", "device=cpu"]
    row = {"label": case.label, "seed": seed}
    experiment.prepare(case, folder)
    try:
        run = Run(train(recipes.build_task(recipes.load(case.recipe, overrides), case.recipe), "run"))
        row.update({name: float(value) for name, value in experiment.measure(run, case).items()})
        row.update(parameters=run.results["parameters"], updates=int(run.metrics["step"].iloc[-1]))
    except TrainingError as error:
        row["error"] = " ".join(str(error).split())
    row["seconds"] = round(time.process_time(), 1)
    write_text(folder / "row.json", json.dumps({"fingerprint": fingerprint(case, seed), "row": row}, indent=1) + "\n")
    return row


def main(name, label, seed, folder):
    """Do the work of the program's arguments, texts."""
    import gluon_rnn.classic  # noqa: F401  all experiments register themselves
    experiment = experiments.get(name)()
    work(experiment, experiment.case(label), int(seed), Path(folder))


if __name__ == "__main__":
    runtime.flush_denormals()                                             # gradients that vanish over 1,000 steps
    main(*sys.argv[1:])
