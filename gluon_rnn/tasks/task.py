"""What a task is: data, model, loss and scores of one kind of problem, as the training loop sees them."""
from dataclasses import dataclass, field

from gluon_rnn import config as configuration
from gluon_rnn.config import ConfigError
from gluon_rnn.distributed.alone import Alone
from gluon_rnn.nn import OwnDefaults
from gluon_rnn.parts import build_data, check_model, check_part
from gluon_rnn.registry import datasets, suggest, tasks

__all__ = ["Report", "Task"]


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
    files : list of gluon_rnn.report.exhibits.Exhibit
        What was written into the folder of the run for people to look at; ``report.html`` shows it.
    """

    split: str
    scores: dict
    baselines: dict = field(default_factory=dict)
    text: str = ""
    files: list = field(default_factory=list)


class Task:
    """Base class: data, model and loss graph of one recipe.

    A subclass sets, in its constructor, `data`, `assets`, `model` (by `build_model`) and `graph`, and writes
    `train_batches` and `evaluate`. Its constructor's keyword arguments are the keys of the recipe's
    ``task: {name: ..., ...}``. What answers with the trained model, without data, is its `predictor_class`.

    Parameters
    ----------
    config : gluon_rnn.config.Config
        Checked. The encoders of its model are built here, before a subclass reads data, so that a wrong value is said
        first.

    Attributes
    ----------
    predictor_class : subclass of `gluon_rnn.tasks.predictor.Predictor`
    default_model : str
        Registered name of the model where a recipe names none.
    data_section : subclass of `gluon_rnn.config.Data`
        The schema of the keys that cut data into batches.
    unit : str
        What the loss is a mean over.
    selection : (str, {"min", "max"})
        The score on the validation split that selects the checkpoint.
    graph : HybridBlock
        ``graph(*batch.arrays)`` is the *sum* of the losses over a batch, shape (1,) or (). A task that carries states
        between batches has ``graph(*batch.arrays, states)`` and returns states too.
    """

    predictor_class = None
    default_model = None
    #: registered names of further models that are for it
    other_models = ()
    data_section = configuration.Data
    unit = "sequence"
    selection = ("loss", "min")
    #: registered name of the data set that takes data in memory where a recipe names none
    default_data = None
    #: keys of a data set that make a validation split
    valid_keys = "valid, or a split of two fractions"
    #: names of the algorithms that it learns by; those besides bptt need a stream whose states run on
    algorithms = ("bptt",)
    #: lowest loss that is possible, where it is known
    best_loss = None
    #: the workers that share this training, which the loop sets: batches may be made as shares
    cluster = Alone()
    #: whether workers can share an evaluation: ``evaluate(split, limit, cluster)``, which all of them call
    shares_evaluation = False

    def __init__(self, config):
        self.config = config
        self._plan = self.predictor_class.plan_model(config.model)
        sizes = self.example_sizes(config)
        if sizes is not None:
            self._plan.check(**sizes)

    @classmethod
    def check(cls, config):
        """Check names, arguments and the task's own keys, nothing being built; ConfigError with the YAML path."""
        cls._check_own_model(config.model.name)
        check_part("data", datasets, config.data)
        check_model(config.model, cls.predictor_class.size_names)

    @classmethod
    def _check_own_model(cls, name):
        """Refuse a model that another task is for; one that no task names is its author's affair."""
        own = (cls.default_model, *cls.other_models)
        for task in map(tasks.get, tasks.names()):
            if name in (task.default_model, *task.other_models) and name not in own:
                raise ConfigError(f"model.name: {name!r} is a model of the task {tasks.name_of(task)!r}, and the task "
                                  f"is {tasks.name_of(cls)!r}; choose one of {', '.join(own)}, or that task")

    @classmethod
    def data_set_for(cls, data):
        """Return the name of the data set that takes `data`, one part of what a user has in memory."""
        if cls.default_data is None:
            raise ValueError(f"name: the task {tasks.name_of(cls)!r} takes no data from memory; name a data set that "
                             "reads files")
        return cls.default_data

    @classmethod
    def example_sizes(cls, config):
        """Return sizes that data might have, to try the model with before they are read; None where nobody can say."""
        return

    def build_model(self):
        """Return the model for the sizes of `assets`, around the encoders that are there already; not initialised."""
        return self.predictor_class.build_model(self._plan, self.assets)

    @property
    def named_axes(self):
        """What the rows of the model's parameters stand for; see `gluon_rnn.tasks.predictor.Predictor.named_axes`."""
        return self.predictor_class.named_axes(self.assets, self.model)

    def read_data(self):
        """Return the data set of the recipe; ConfigError where it lacks a validation split."""
        data = build_data(self.config.data)
        if "valid" not in data.splits:
            raise ConfigError(f"data: training needs a valid split; give the key {self.valid_keys}")
        return data

    @property
    def device(self):
        """Where evaluation runs: the model's first device."""
        return self.model.collect_params().list_ctx()[0]

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

    def closing_score(self, name, limit=None):
        """Return one score of the closing evaluation, as `report` has it, without anything being written.

        `limit` keeps to the first batches; ValueError if there is no such score.
        """
        scores = self.evaluate(self.final_split, limit)
        if name not in scores:
            raise ValueError(f"the task {self.config.task.name!r} has no score {name!r}; {suggest(name, list(scores))}")
        return scores[name]

    def closing(self, path, limit=None):
        """Return the `report` of the run, or where the recipe wants none its scores alone, nothing being written."""
        if self.config.training.report:
            return self.report(path, limit)
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
        self.model.initialize(OwnDefaults(), ctx=devices)
        if any(0 in (parameter.shape or (0,)) for parameter in self.model.collect_params().values()):
            self.run_once(devices[0])

    def run_once(self, device):
        """Run the loss graph over the first training batch, for nothing but the shapes."""
        batch = next(iter(self.train_batches(0)))
        self.graph(*(array.as_in_context(device) for array in batch.arrays))
