"""Evaluating a model of the zoo again, and comparing with its card."""
from dataclasses import dataclass

from gluon_rnn import public_data, recipes, runtime
from gluon_rnn.model_zoo import entries
from gluon_rnn.model_zoo.portable import missing_data
from gluon_rnn.training.folder import check_assets

__all__ = ["DATA_MISSING", "DIFFERS", "NOT_EVALUATED", "REPRODUCED", "Verdict", "prepared", "verify",
           "verify_all"]

REPRODUCED, DIFFERS, DATA_MISSING, NOT_EVALUATED = "reproduced", "differs", "data not here", "not evaluated"


@dataclass
class Verdict:
    """What came out for one model: one of the four words above, and a sentence."""

    name: str
    status: str
    text: str

    def __str__(self):
        return f"{self.name}: {self.status}: {self.text}"


def verify(name, quick=False):
    """Return the `Verdict` on a model: its figure is computed anew on the data of its recipe.

    Parameters
    ----------
    name : str
    quick : bool, default False
        Whether to compute it on the first batches only, for which the card has a value as well.

    Raises
    ------
    ValueError
        If there is no such model, a file is not the one of the card, or a library that reads the data is missing.
    """
    entry = entries.get(name)
    missing = missing_data(entry.checked(entries.RECIPE))
    if missing:
        hints = dict.fromkeys(public_data.hint(f"{recipes.data_root()}/{path}") for path in missing)
        return Verdict(name, DATA_MISSING, f"{recipes.data_root()} lacks {', '.join(missing)}; {'; '.join(hints)}")
    figure = entry.card.figure
    task = recipes.build_task(entry.config)
    try:
        check_assets(entry, task.assets, f"the model {name}")
    except ValueError as error:
        return Verdict(name, DIFFERS, str(error))
    prepared(task, entry)
    value = task.closing_score(figure.metric, figure.quick.batches if quick else None)
    return _compared(name, figure, value, quick)


def verify_all(names, quick=False):
    """Yield the `Verdict` on each of the models `names`; "not evaluated" where `verify` raises, with its sentence."""
    for name in names:
        try:
            yield verify(name, quick)
        except ValueError as error:
            yield Verdict(name, NOT_EVALUATED, str(error))


def prepared(task, source):
    """Load the parameters of an entry or a checkpoint into the model of a `task`, ready for its scores."""
    source.load_parameters(task.model, runtime.devices(task.config.device)[0])
    task.graph.hybridize()


def _compared(name, figure, value, quick):
    expected = figure.quick.value if quick else figure.value
    near = abs(value - expected) <= figure.tolerance
    words = f"{figure.metric} {value:.6g}, the card says {expected:.6g} with a tolerance of {figure.tolerance:.2g}"
    on = f"{figure.split} split" + (f", the first {figure.quick.batches} batches" if quick else "")
    return Verdict(name, REPRODUCED if near else DIFFERS, f"{words} ({on})")
