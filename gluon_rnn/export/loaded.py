"""A bundle that was loaded: its networks, what answers in words with them, and sessions. Needs no MXNet."""
import contextlib
import functools

from gluon_rnn.export.manifest import ASSETS
from gluon_rnn.export.reading import BundleError
from gluon_rnn.export.sessions import Session

__all__ = ["Bundle"]


class Bundle:
    """An exported model. ``bundle(inputs)`` gives outputs, ``bundle(inputs, states)`` gives (outputs, states).

    Inputs
    ------
    inputs, states, valid_length, *signals
        As for `gluon_rnn.export.network.GraphNetwork`, whose call with the graph "model" this is.

    Attributes
    ----------
    path : Path
    manifest : dict
    networks : dict of str to GraphNetwork
        By name: "model" in most bundles; "encoder" and "step" besides for translation, "first" for conditional language
        models, "open_loop" and "closed_loop" for forecasting.
    """

    def __init__(self, path, manifest, networks):
        self.path, self.manifest, self.networks = path, manifest, networks

    @property
    def network(self):
        """The network that a call of the bundle runs: the first one."""
        return next(iter(self.networks.values()))

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        outputs, after = self.network(inputs, states, valid_length, *signals)
        return outputs if states is None else (outputs, after)

    def begin_state(self, batch_size):
        """Return the states of `batch_size` sequences before their first step: zeros."""
        return self.network.begin_state(batch_size)

    def session(self, name=None):
        """Return a `Session`, which keeps the states of one stream through a graph, by default that of a call."""
        return Session(self.network if name is None else self.networks[name])

    # ---- answers in words ------------------------------------------------------------------------------------------

    def read(self, name):
        """Return an asset of the bundle, such as a vocabulary or a scaler, as text; ValueError for any other file."""
        if name not in self.manifest["assets"]:
            raise BundleError(f"the bundle in {str(self.path)!r} has no asset {name!r}; it has "
                              f"{', '.join(self.manifest['assets']) or 'none'}")
        return (self.path / ASSETS / name).read_text(encoding="utf-8")

    @functools.cached_property
    def pipeline(self):
        """What turns raw input into arrays and outputs into answers; ValueError for a block exported without a task."""
        from gluon_rnn.answers import open_pipeline
        task = self.manifest["task"]
        if task is None:
            raise ValueError(f"the bundle in {str(self.path)!r} holds a block and not a trained task; call it with "
                             "arrays, or export a run to have predict")
        with self._fitting(TypeError):                                    # at a prediction that is a user's mistake
            return open_pipeline(task, self.networks, self.read, self.manifest["options"])

    @contextlib.contextmanager
    def _fitting(self, *others):
        """Return a context in which what assets, options and graphs miss of each other is a BundleError."""
        try:
            yield
        except (LookupError, AttributeError, ArithmeticError, *others) as error:
            raise BundleError(f"the assets or options of the bundle in {str(self.path)!r} do not fit its task or its "
                              f"graphs ({type(error).__name__}: {_one_line(error)}); export again") from error

    def predict(self, *inputs, **options):
        """Answer raw input, as ``gluon_rnn.load(RUN).predict`` does."""
        pipeline = self.pipeline
        with self._fitting():
            return pipeline.predict(*inputs, **options)

    def predict_file(self, path, **options):
        """Predict the rows of a CSV file with a header, by a model of series; its pipeline names the options."""
        if not hasattr(self.pipeline, "predict_file"):
            raise ValueError(f"a model of the task {self.manifest['task']!r} predicts items and no files of rows; "
                             "call predict")
        return self.pipeline.predict_file(path, **options)

    def stream(self, steps):
        """Yield an answer after each of `steps`, as ``gluon_rnn.load(RUN).stream`` does."""
        return self.pipeline.stream(steps)

    def answer(self, line):
        """Return the answer to a line of text, as text."""
        return self.pipeline.answer(line)

    @property
    def vocab(self):
        """The vocabulary, with ``idx_to_token`` and ``token_to_idx``; None in a bundle without one."""
        from gluon_rnn.answers.vocabulary import Vocabulary
        if "vocab.json" in self.manifest["assets"]:
            return Vocabulary.from_json(self.read("vocab.json"))
        stored = self.manifest.get("vocabulary")                          # of format version 1
        return stored and Vocabulary(stored["tokens"], unknown_token=stored["special"]["unknown_token"])


def _one_line(error):
    return " ".join(str(error).split())[:200]
