"""The classification task: one of K classes for each sequence of text, sound or numbers."""
import itertools
import json
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np
import scipy.special
from mxnet import gluon
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn import parts
from gluon_rnn.config import ConfigError
from gluon_rnn.data import AudioReader, Buckets, TextReader, TrajectoryReader, pad
from gluon_rnn.data.batching import Batch
from gluon_rnn.inference import streaming
from gluon_rnn.metrics import classes as class_report
from gluon_rnn.nn.checks import check_rates
from gluon_rnn.registry import datasets, suggest, tasks
from gluon_rnn.tasks.r_drop import disagreement, twice
from gluon_rnn.tasks.task import Report, Task

__all__ = ["ClassificationLoss", "ClassificationTask", "ClassifierAssets"]

READERS = {"text": TextReader, "audio": AudioReader, "trajectory": TrajectoryReader}
SELECTIONS = {"loss": "min", "accuracy": "max", "macro_f1": "max"}


class ClassificationData(configuration.Data):
    """How sequences are put into batches."""

    num_buckets: int = Field(10, ge=1)
    eval_batch_size: int = Field(100, ge=1)


@dataclass
class ClassifierAssets:
    """What a trained classifier needs besides parameters: names of the classes, and what reads an item."""

    labels: list
    reader: Any

    def texts(self):
        """Return the two files."""
        kind = next(name for name, cls in READERS.items() if type(self.reader) is cls)
        return {"labels.json": json.dumps(self.labels), "reader.json": json.dumps([kind, self.reader.to_json()])}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        kind, saved = json.loads(read("reader.json"))
        return cls(json.loads(read("labels.json")), READERS[kind].from_json(saved))


class ClassificationLoss(gluon.HybridBlock):
    """A classifier and its loss in one graph.

    Parameters
    ----------
    model : SequenceClassifier
    label_smoothing : float in [0, 1), default 0
        e, the share of the target that is spread over all K classes: -(1 - e) log p_target - e / K sum_k log p_k.
    r_drop : float, default 0
        Above 0 each sequence runs twice, see `gluon_rnn.tasks.r_drop`; `weights` are those of the first part alone.

    Inputs/Outputs
    --------------
    inputs (T, N) or (T, N, C), valid_length (N,), targets (N,), weights (N,) -> sum of the weighted cross-entropies in
    nats, shape (1,)

    References
    ----------
    Szegedy, Vanhoucke, Ioffe, Shlens & Wojna (2016), Rethinking the Inception Architecture, section 7.
    """

    def __init__(self, model, label_smoothing=0.0, r_drop=0.0, **kwargs):
        super().__init__(**kwargs)
        self.model, self._num_classes = model, model.output_size
        self._smoothing, self._r_drop = label_smoothing, r_drop

    def hybrid_forward(self, F, inputs, valid_length, targets, weights):
        """Compute the summed loss."""
        if not self._r_drop:
            return self._plain(F, inputs, valid_length, targets, weights)[0]
        loss, scores = self._plain(F, *twice(F, [inputs, valid_length, targets, weights], [1, 0, 0, 0]))
        return loss / 2 + self._r_drop / 4 * disagreement(F, scores, self._num_classes)

    def _plain(self, F, inputs, valid_length, targets, weights):
        """Return the summed loss, and log p of all classes, (N, K)."""
        scores = F.log_softmax(self.model(inputs, None, valid_length))
        loss = F.pick(scores, targets)
        if self._smoothing:
            loss = (1 - self._smoothing) * loss + self._smoothing * F.mean(scores, axis=1)
        return -F.sum(weights * loss), scores


@tasks.register("classification")
class ClassificationTask(Task):
    """Which class a sequence belongs to.

    Parameters
    ----------
    config : gluon_rnn.config.Config
    label_smoothing : float in [0, 1), default 0
        See `ClassificationLoss`; scores are without it.
    r_drop : float, default 0
        How strongly two runs of a sequence, under two draws of dropout, are held to the same answer; see there.
    balance : float in [0, 1], default 0
        b: examples of a class with the share p_k of the training split count as p_k^-b, the mean over the split being
        1; with 1 all classes count the same in training. Scores are without it.
    selection : {"loss", "accuracy", "macro_f1"}, default "loss"
        Which score on the validation split selects the checkpoint.
    baselines : bool, default True
        Whether the report fits linear models to compare with.
    """

    default_model = "classifier"
    data_section = ClassificationData
    assets_class = ClassifierAssets
    unit = "sequence"

    def __init__(self, config, *, label_smoothing=0.0, r_drop=0.0, balance=0.0, selection="loss", baselines=True):
        super().__init__(config)
        self.selection = (selection, SELECTIONS[selection])
        self._baselines = baselines
        self.data = parts.build_part("data", datasets, config.data)
        if "valid" not in self.data.splits:
            raise ConfigError("data: training needs a valid split; give the key valid, or a split of two fractions")
        self.assets = ClassifierAssets(self.data.labels, self.data.reader)
        self._weights = class_weights(self.data.targets("train"), len(self.data.labels), balance)
        self.model = self.build_model(config.model, self.assets)
        self.graph = ClassificationLoss(self.model, label_smoothing, r_drop)

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        options = config.task.arguments
        selection = options.get("selection", "loss")
        if selection not in SELECTIONS:
            raise ConfigError(f"task.selection: unknown score {selection!r}; {suggest(selection, list(SELECTIONS))}")
        try:
            check_rates(label_smoothing=options.get("label_smoothing", 0.0))
        except ValueError as error:
            raise ConfigError(f"task.{error}") from error
        if not options.get("r_drop", 0.0) >= 0:
            raise ConfigError(f"task.r_drop: expected at least 0, got {options['r_drop']}")
        if not 0 <= options.get("balance", 0.0) <= 1:
            raise ConfigError(f"task.balance: expected a number from 0 to 1, got {options['balance']}")
        example = getattr(datasets.get(config.data.name), "example_arguments", None)
        if example is None:
            raise ConfigError(f"data.name: {config.data.name!r} has no classes; known: "
                              + ", ".join(name for name in datasets.names()
                                          if hasattr(datasets.get(name), "example_arguments")))
        parts.build_model(config.model, num_classes=2, **example)

    @classmethod
    def build_model(cls, section, assets):
        """Return the model of a recipe's `model` section for the classes and inputs of `assets`, not initialised."""
        return parts.build_model(section, num_classes=len(assets.labels), **assets.reader.model_arguments)

    # ---- batches -------------------------------------------------------------------------------------------------

    def train_batches(self, epoch):
        """Return the batches of `epoch`, counted from 0: sequences of similar length, drawn anew each epoch."""
        section = self.config.data
        lengths = [len(sequence) for sequence in self.data.inputs("train")]
        buckets = Buckets(lengths, section.batch_size, section.num_buckets, seed=[self.config.seed, epoch])
        return PaddedBatches(self.data, "train", buckets, self._weights, augment_seed=[self.config.seed, epoch, 1])

    def eval_batches(self, split):
        """Return the batches of a split, sorted by length: hardly any padding."""
        lengths = [len(sequence) for sequence in self.data.inputs(split)]
        return PaddedBatches(self.data, split, Buckets(lengths, self.config.data.eval_batch_size, len(lengths)))

    def probabilities(self, split, limit=None, models=None):
        """Return the indices of a split's sequences that were looked at, and their log-probabilities (n, K).

        They are those of the task's own model, or of the mean of several `models`.
        """
        models, batches = models or [self.model], self.eval_batches(split)
        device = models[0].collect_params().list_ctx()[0]
        scores = [log_probabilities(models, batch.arrays[0], batch.arrays[1], device)
                  for batch in itertools.islice(batches, limit)]
        indices = [index for rows in itertools.islice(batches.buckets, limit) for index in rows]
        return np.array(indices), np.concatenate(scores)

    # ---- scores --------------------------------------------------------------------------------------------------

    def evaluate(self, split, limit=None):
        """Return the mean cross-entropy in nats, the accuracy and the macro-averaged F1, on the model's device."""
        indices, scores = self.probabilities(split, limit)
        return class_report.scores(self.data.targets(split)[indices], scores)

    def evaluate_together(self, split, models):
        """Return the scores of the mean of what `models` give for probabilities, as ``accuracy_of_3``."""
        indices, scores = self.probabilities(split, models=models)
        found = class_report.scores(self.data.targets(split)[indices], scores)
        return {f"{name}_of_{len(models)}": value for name, value in found.items()}

    def report(self, path, limit=None):
        """Evaluate, fit the baselines, and write ``confusion.png`` and ``predictions.csv``."""
        split = self.final_split
        indices, scores = self.probabilities(split, limit)
        targets, predicted = self.data.targets(split)[indices], scores.argmax(axis=1)
        matrix = class_report.confusion(targets, predicted, self.data.labels)
        class_report.draw(matrix, path / "confusion.png")
        items = [self.data.items(split)[index] for index in indices]
        class_report.write_predictions(path / "predictions.csv", items, targets, scores, self.data.labels)
        baselines = class_report.baselines(self.data, split, fit=self._baselines and limit is None)
        text = f"confusion on {split}, rows are the true classes:\n{matrix.to_string()}"
        return Report(split, class_report.scores(targets, scores), baselines, text)

    def describe(self):
        """Return what the data are, and how much of the batches is padding."""
        buckets = self.train_batches(0).buckets
        return (f"{self.config.data.name}: {self.data.describe()}; padding {buckets.waste:.1%} of the batches, "
                f"{buckets.unbucketed_waste:.1%} without buckets")

    # ---- use -----------------------------------------------------------------------------------------------------

    @staticmethod
    def export_arguments(run):
        """Return inputs (T, N) or (T, N, C) that the model takes, the vocabulary or features, and the classes."""
        reader, (size,) = run.assets.reader, run.assets.reader.model_arguments.values()
        extras = {"labels": run.assets.labels}
        if isinstance(reader, TextReader):
            example = mx.nd.array(np.arange(16).reshape(8, 2) % size, dtype="int32")
            separator = "" if reader.unit == "character" else " "
            extras.update(lower=reader.lower, max_length=reader.max_length)
            return {"example": example, "vocab": reader.vocab, "unit": reader.unit, "separator": separator,
                    "extras": extras}
        example = mx.nd.array(np.random.default_rng(0).standard_normal((8, 2, size)))
        return {"example": example, "scaler": json.loads(reader.to_json()), "extras": extras}

    @staticmethod
    def predict(run, items, batch_size=100):
        """Return the probability of each class for each of `items`; with runs beside this one, the mean of all.

        Parameters
        ----------
        run : gluon_rnn.runs.Run
        items : one item or a list of them
            Texts; paths of .wav files; rows of numbers as text or tuples: what the data of the run are made of.
        batch_size : int, default 100

        Returns
        -------
        dict of {class: probability}, the most probable first; a list of them where `items` is a list.
        """
        if not isinstance(items, list):
            return ClassificationTask.predict(run, [items])[0]
        sequences, answers = [run.assets.reader(item) for item in items], []
        device = run.model.collect_params().list_ctx()[0]
        for start in range(0, len(items), batch_size):
            inputs, valid_length = map(mx.nd.array, pad(sequences[start:start + batch_size]))
            rows = np.exp(log_probabilities([run.model, *run.beside], inputs, valid_length, device))
            answers += [_ranked(run.assets.labels, row) for row in rows]
        return answers

    @staticmethod
    def stream(run, steps):
        """Yield the probability of each class after each of `steps`, the most probable first.

        Parameters
        ----------
        run : gluon_rnn.runs.Run
        steps : iterable
            Pieces of a text, as long as you like; or features (C,) of a step, as ``run.assets.reader`` makes them of
            a recording or a row of numbers.

        Raises
        ------
        ValueError
            If the model looks at all of a sequence: only an encoder that reads forwards with pooling "last" does not.
            If there are runs beside this one.
        """
        if run.beside:
            raise ValueError(f"one run streams, got {1 + len(run.beside)}; leave out the runs beside {str(run.path)!r}")
        streaming.require_causal(run.model, "train one with pooling last and an encoder that reads forwards only")
        reader, text = run.assets.reader, isinstance(run.assets.reader, TextReader)
        sequences = (reader(step) if text else np.atleast_2d(step) for step in steps)
        pieces = ((mx.nd.array(piece[:, None], dtype=piece.dtype),) for piece in sequences if len(piece))
        for logits in streaming.outputs(run.model, pieces):
            yield _ranked(run.assets.labels, scipy.special.softmax(logits[0].asnumpy().astype(np.float64)))


def _ranked(labels, probabilities):
    """Return {class: probability}, the most probable first."""
    return {labels[k]: float(probabilities[k]) for k in np.argsort(-probabilities)}


def class_weights(targets, num_classes, balance):
    """Return the weights (K,) of classes: share ** -balance, scaled to a mean of 1 over all `targets` (n,).

    >>> class_weights(np.array([0, 0, 0, 1]), 2, balance=1.0).round(4).tolist()     # both classes count 2 in all
    [0.6667, 2.0]
    """
    shares = np.bincount(targets, minlength=num_classes) / len(targets)
    weights = shares ** -balance
    return weights / (shares * weights).sum()


def log_probabilities(models, inputs, valid_length, device):
    """Return log p (N, K) float64 of padded inputs (T, N) or (T, N, C), p being the mean over `models`."""
    inputs, valid_length = inputs.as_in_context(device), valid_length.as_in_context(device)
    logits = [model(inputs, None, valid_length).asnumpy().astype(np.float64) for model in models]
    log_p = scipy.special.log_softmax(logits, axis=2)                     # (M, N, K)
    return scipy.special.logsumexp(log_p, axis=0) - np.log(len(models)) if len(models) > 1 else log_p[0]


class PaddedBatches:
    """The sequences of a split in the batches of `buckets`, as `Batch`es: inputs, lengths, targets, weights.

    With `augment_seed` they are training examples as the data set makes them anew for an epoch. `weights` (K,) are
    those of the classes; without them every example counts 1.
    """

    def __init__(self, data, split, buckets, weights=None, augment_seed=None):
        self._data, self._inputs, self._targets = data, data.inputs(split), data.targets(split)
        self._weights = np.ones(len(data.labels)) if weights is None else weights
        self.buckets, self._augment_seed = buckets, augment_seed

    def __len__(self):
        return len(self.buckets)

    def __iter__(self):
        rng = None if self._augment_seed is None else np.random.default_rng(self._augment_seed)
        for rows in self.buckets:
            padded, valid_length = pad([self._inputs[row] if rng is None else self._data.augmented(row, rng)
                                        for row in rows])
            targets = self._targets[rows]
            arrays = (mx.nd.array(padded, dtype=padded.dtype), mx.nd.array(valid_length), mx.nd.array(targets),
                      mx.nd.array(self._weights[targets]))
            yield Batch(arrays, (1, 0, 0, 0), len(rows))
