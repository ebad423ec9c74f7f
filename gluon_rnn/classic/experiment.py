"""What a classic experiment is: cases that are trained, what is measured on them, and what the paper has beside it."""
from dataclasses import dataclass

from gluon_rnn.registry import Registry, suggest

__all__ = ["Case", "Experiment", "experiments"]

experiments = Registry("experiment")


@dataclass(frozen=True)
class Case:
    """One row of an experiment's table: a recipe, what is changed of it, and the seeds that it is trained with.

    Attributes
    ----------
    label : str
        What the table calls it, such as "LSTM, T = 400"; unique within an experiment.
    recipe : str
        Name of a packaged recipe, such as "classic/parity".
    overrides : tuple of str
        ``key=value`` with dotted keys, as on the command line of ``gluon-rnn train``.
    seeds : tuple of int
    """

    label: str
    recipe: str
    overrides: tuple = ()
    seeds: tuple = (1,)


class Experiment:
    """Base class of an experiment. A subclass registers itself and says the following.

    Attributes
    ----------
    name : str
        As it is registered.
    title, source, question : str
        What the page calls it; author, year and section of the paper; and, in a sentence, what is to be shown.
    year : int
        Of the paper; the page has the earliest first.
    columns : dict of str to str
        The columns of `measure`, each with what it is in a few words.
    published : dict of str to str
        Figures of the paper by label of a case (or by any other name, then in a line of their own), with what differs.
    """

    title = source = question = ""
    year = 0
    columns = {}
    published = {}

    @property
    def name(self):
        """As it is registered."""
        return experiments.name_of(type(self))

    def cases(self):
        """Return the list of `Case`; none for an experiment that trains nothing, which overrides `rows`."""
        return []

    def case(self, label):
        """Return the case of this label; ValueError with the nearest one if there is none."""
        found = {case.label: case for case in self.cases()}
        if label not in found:
            raise ValueError(f"the experiment {self.name!r} has no case {label!r}; {suggest(label, list(found))}")
        return found[label]

    def prepare(self, case, folder):
        """Write what the recipe of a case reads besides data that are there; into `folder`, the ``output_dir``."""

    def measure(self, run, case):
        """Return the figures of a trained run (a `gluon_rnn.runs.Run`), a dict of column to float."""
        return dict(run.scores)

    def rows(self, folder, jobs=1):
        """Return the rows of the table, dicts; see `gluon_rnn.classic.runner.run_all`.

        Parameters
        ----------
        folder : Path
            Of this experiment alone.
        jobs : int
            Cases that train at a time.
        """
        from gluon_rnn.classic.runner import run_all
        return run_all([(self, folder)], jobs)[0]

    def draw(self, rows, path):
        """Write a picture of the rows to `path`, a PNG, where the experiment has one.

        Rows of cases that failed have a key "error" and lack the columns of `measure`.
        """
