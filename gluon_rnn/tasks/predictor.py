"""What a predictor is: a trained model, and all that it takes to answer with it, from the folder of a run alone."""
import functools
from dataclasses import dataclass
from pathlib import Path

from gluon_rnn.answers.pipeline import one_line
from gluon_rnn.inference.live import LiveNetwork
from gluon_rnn.parts import ModelPlan
from gluon_rnn.registry import tasks

__all__ = ["NoAssets", "Predictor", "by_pipeline"]


def by_pipeline(method):
    """Return a method of a predictor that its pipeline answers: `method` of the pipeline's class, with its help."""
    @functools.wraps(method)
    def delegate(self, *arguments, **options):
        return getattr(self.pipeline, method.__name__)(*arguments, **options)

    return delegate


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


class Predictor:
    """Base class: the model of a run, with what turns a user's items into arrays and its outputs into answers.

    A subclass sets `assets_class` and `size_names`, writes `sizes`, and of `predict`, `stream`, `answer`,
    `stream_answers` those that its task has, `example` and `trials`. It never reads the data of the recipe: the files
    of a checkpoint are enough.

    Parameters
    ----------
    path : Path
        The run's folder.
    config : gluon_rnn.config.Config
    model : HybridBlock
        Parameters loaded, hybridized.
    assets
        Of `assets_class`.
    position : dict
        Of the checkpoint: epoch, step, best score.
    ensemble : sequence of HybridBlock
        Models of further runs, which answer together with this one.

    Attributes
    ----------
    assets_class : type
        What a model needs besides parameters (vocabulary, scaler, names of classes): ``texts()`` gives it as
        {file name: text}, ``from_texts(read)`` reads it back.
    pipeline_class : type
        A `gluon_rnn.answers.pipeline.Pipeline`, which answers for a run and for the bundle that is exported from it.
    size_names : tuple of str
        Arguments of the model that come from the data and so have no place in a recipe: the keys of `sizes`.
    """

    assets_class = NoAssets
    pipeline_class = None
    size_names = ()
    #: how models of several runs answer together, such as "the mean of their probabilities"; None: they do not
    ensemble_rule = None
    #: what a line of text is answered with instead, where `answer` is not written
    answers_elsewhere = None

    def __init__(self, path, config, model, assets, position=None, ensemble=()):
        self.path = None if path is None else Path(path)
        self.config, self.model, self.assets = config, model, assets
        self.position, self.ensemble = position or {}, list(ensemble)

    # ---- the model -------------------------------------------------------------------------------------------------

    @classmethod
    def plan_model(cls, section):
        """Return the `ModelPlan` of a recipe's `model` section, its encoders built."""
        return ModelPlan(section, cls.size_names)

    @classmethod
    def sizes(cls, assets):
        """Return the arguments of the model that come from data, as the assets have them."""
        raise NotImplementedError(f"{cls.__name__} must define sizes()")

    def arrays(self):
        """Return {name in the model's structure: NDArray} of what another model may start from."""
        return {name: parameter.data() for name, parameter in self.model._collect_params_with_prefix().items()}

    @classmethod
    def named_axes(cls, assets, model):
        """Return what the rows of parameters stand for, where that has names: words, labels.

        Returns
        -------
        dict of str to list of (str, list of str)
            By name in the model's structure; for each of its first axes what it holds ("word", "character", "subword",
            "label", ...) and the name of each entry. Fine-tuning matches entries of two models by these. Parameters
            that the model does not have may be among them.
        """
        return {}

    @classmethod
    def build_model(cls, plan, assets):
        """Return the model of a `plan` for the sizes of `assets`, not initialised."""
        return plan.build(**cls.sizes(assets))

    @classmethod
    def read(cls, path, config, checkpoint, ctx=None):
        """Return the predictor of a `Checkpoint`, or of what reads like one; parameters on `ctx`, default the CPU."""
        assets = cls.assets_class.from_texts(checkpoint.read)
        model = cls.build_model(cls.plan_model(config.model), assets)
        checkpoint.load_parameters(model, ctx)
        model.hybridize()
        return cls(path, config, model, assets, checkpoint.position)

    @property
    def models(self):
        """The model of this run, and those that answer together with it."""
        return [self.model, *self.ensemble]

    @property
    def device(self):
        """Where the model runs."""
        return self.model.collect_params().list_ctx()[0]

    @property
    def pipeline(self):
        """What answers: networks that are the models of this run, its assets and `pipeline_options`."""
        return self.pipeline_class(self.networks(), self.assets, self.pipeline_options())

    def networks(self):
        """Return the networks of the pipeline by name, a list of each: those of all `models`."""
        return {"model": [LiveNetwork(model) for model in self.models]}

    def pipeline_options(self):
        """Return the options of the pipeline, a dict that JSON can hold; a bundle keeps them too."""
        return {}

    def example(self):
        """Return inputs that the model takes, (T, N) or (T, N, C), or a tuple of them and the further sequences.

        NDArrays of any T and N above 1; a bundle's graphs are traced with them.
        """
        raise NotImplementedError(f"{type(self).__name__} must define example()")

    def trials(self):
        """Return made-up raw input, a list of (arguments, options) of `predict`, by which a bundle is compared."""
        raise NotImplementedError(f"{type(self).__name__} must define trials()")

    @property
    def _task(self):
        return self.config.task.name

    def check_task(self, name):
        """Raise ValueError unless this is a predictor of the task `name`, the only one that the caller can ask."""
        if not isinstance(self, tasks.get(name).predictor_class):
            raise ValueError(f"{self.path.name!r} is of the task {self._task!r}; pass one of the task {name!r}")

    # ---- answers ---------------------------------------------------------------------------------------------------

    def predict(self, *inputs, **options):
        """Apply the model to something new."""
        raise ValueError(f"a model of the task {self._task!r} has no predict; see README for its command")

    def stream(self, steps):
        """Yield an answer after each of `steps`, an iterable, from states that are carried from one to the next."""
        raise ValueError(f"a model of the task {self._task!r} does not answer step by step; use predict")

    def answer(self, item, folder, number=1):
        """Return the answer to `item`, a line that a user types or the path of a file, as text.

        Parameters
        ----------
        item : str
        folder : Path
            Where a picture, a tune and the like go; made when there is something to write.
        number : int
            Of the item, for the names of such files.

        Raises
        ------
        ValueError
            If models of this task do not answer items one by one.
        """
        raise ValueError(f"a model of the task {self._task!r} does not answer line by line; "
                         + (self.answers_elsewhere or "call its predict"))

    def answer_line(self, item, folder, number=1):
        """Return what `answer` does as one line, line ends written ``\\n``; a tagger writes ``word/TAG word/TAG``."""
        return one_line(self.answer(item, folder, number))

    def stream_answers(self, item):
        """Yield the answer, as text, to each step of `item`, before the next step is read.

        A step is a token of a text, a step of a recording or of a row of numbers.
        """
        raise ValueError(f"a model of the task {self._task!r} does not answer step by step; leave --stream out")
