"""What a task is: data, model, loss and scores of one kind of problem, as the training loop sees them."""
from dataclasses import dataclass, field

import gluon_rnn.data
import gluon_rnn.models  # noqa: F401  importing the packages registers their members
import gluon_rnn.nn  # noqa: F401
from gluon_rnn import config as configuration
from gluon_rnn.registry import datasets
from gluon_rnn.training.parts import check_part

__all__ = ["Batch", "NoAssets", "Report", "Task"]


@dataclass
class Batch:
    """What one update, or one step of an evaluation, works on.

    Attributes
    ----------
    arrays : tuple of NDArray
        On the CPU; the arguments of the task's loss graph.
    axes : tuple of int
        The batch axis of each array, 1 for (T, N, C), 0 for (N,).
    size : int
        Units (tokens, sequences, steps) that the summed loss covers.
    """

    arrays: tuple
    axes: tuple
    size: int

    @property
    def rows(self):
        """N, the length of the batch axis."""
        return self.arrays[0].shape[self.axes[0]]


@dataclass
class Report:
    """A closing evaluation: log lines, and ``results.json`` of a run.

    Attributes
    ----------
    split : str
        "test" where there is one, else "valid".
    scores : dict of str to float
    baselines : dict of str to dict of str to float
        What trivial methods score on the same split.
    text : str
        More for the log: a confusion matrix, examples.
    """

    split: str
    scores: dict
    baselines: dict = field(default_factory=dict)
    text: str = ""


@dataclass
class NoAssets:
    """Assets of a task whose model needs nothing but its parameters."""

    def texts(self):
        """Return no files."""
        return {}

    @classmethod
    def from_texts(cls, read):
        """Read nothing."""
        return cls()


class Task:
    """Base class: data, model and loss graph of one recipe.

    A subclass sets, in its constructor, `data`, `model` (not initialised), `graph` and `assets`, and writes
    `train_batches`, `evaluate` and `build_model`. Its constructor's keyword arguments are the keys of the recipe's
    ``task: {name: ..., ...}``.

    Attributes
    ----------
    default_model : str
        Registered name of the model where a recipe names none.
    data_section : subclass of `gluon_rnn.config.Data`
        The schema of the keys that cut data into batches.
    assets_class : type
        What a model needs besides parameters (vocabulary, scaler, names of classes): ``texts()`` gives it as
        {file name: text}, ``from_texts(read)`` reads it back.
    unit : str
        What the loss is a mean over.
    selection : (str, {"min", "max"})
        The score on the validation split that selects the checkpoint.
    graph : HybridBlock
        ``graph(*batch.arrays)`` is the *sum* of the losses over a batch, shape (1,) or (). A task that carries states
        between batches has ``graph(*batch.arrays, states)`` and returns states too.
    """

    default_model = None
    data_section = configuration.Data
    assets_class = NoAssets
    unit = "sequence"
    selection = ("loss", "min")
    #: lowest loss that is possible, where it is known
    best_loss = None

    def __init__(self, config):
        self.config = config

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        check_part("data", datasets, config.data)

    @classmethod
    def build_model(cls, section, assets):
        """Return the model of a recipe's `model` section, not initialised."""
        raise NotImplementedError(f"{cls.__name__} must define build_model()")

    @staticmethod
    def predict(run, *inputs, **options):
        """Apply the model of a `gluon_rnn.training.Run` to something new."""
        raise ValueError(f"a model of the task {run.config.task.name!r} has no predict; see README for its command")

    @staticmethod
    def stream(run, steps):
        """Yield an answer after each of `steps`, an iterable, from states that are carried from one to the next."""
        raise ValueError(f"a model of the task {run.config.task.name!r} does not answer step by step; use predict")

    @staticmethod
    def export_arguments(run):
        """Return what `gluon_rnn.export.export` needs besides model and folder: an example, a vocabulary or scaler."""
        raise ValueError(f"a model of the task {run.config.task.name!r} has no export by this command; call "
                         "gluon_rnn.export.export with an example of its inputs")

    def train_batches(self, epoch):
        """Return the sized iterable of `Batch` of `epoch`, from 0; the same one for the same seed and epoch."""
        raise NotImplementedError(f"{type(self).__name__} must define train_batches()")

    def evaluate(self, split, limit=None):
        """Return the scores on a split, "loss" (the mean per unit) first; of only `limit` batches where given."""
        raise NotImplementedError(f"{type(self).__name__} must define evaluate()")

    @property
    def final_split(self):
        """The split of the closing evaluation."""
        return "test" if "test" in self.data.splits else "valid"

    @property
    def loss_label(self):
        """The axis of the loss curve."""
        return f"loss per {self.unit}"

    def report(self, path, limit=None):
        """Evaluate on the final split, and write what a run leaves behind into its folder `path`.

        The parameters are those of the best checkpoint; `limit` keeps a dry run short.
        """
        return Report(self.final_split, self.evaluate(self.final_split, limit))

    def describe(self):
        """Return what the data are, in words and numbers."""
        return self.config.data.name

    def in_words(self, scores):
        """Return scores as text, such as ``"loss 0.1234, accuracy 0.9876"``."""
        return ", ".join(f"{name} {value:.4g}" for name, value in scores.items())

    def begin_states(self, batch_size, devices):
        """Return the states before the first batch of an epoch, one list a device; by default none are carried."""
        return [[] for _ in devices]

    def initialize(self, devices):
        """Give the parameters their first values on all `devices`; sizes that were deferred are fixed by one batch."""
        self.model.initialize(gluon_rnn.nn.OwnDefaults(), ctx=devices)
        if any(0 in (parameter.shape or (0,)) for parameter in self.model.collect_params().values()):
            self.run_once(devices[0])

    def run_once(self, device):
        """Run the loss graph over the first training batch, for nothing but the shapes."""
        batch = next(iter(self.train_batches(0)))
        self.graph(*(array.as_in_context(device) for array in batch.arrays))
