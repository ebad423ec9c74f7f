"""The conditional language-model task: whole sequences of a class, fitted token by token and drawn from the class."""
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import gluonnlp
import mxnet as mx
import numpy as np
from mxnet import gluon
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn import parts
from gluon_rnn.config import ConfigError
from gluon_rnn.data import Buckets, pad
from gluon_rnn.data.abc_tunes import AbcTunes, to_abc
from gluon_rnn.data.batching import Batch
from gluon_rnn.inference.generation import generate
from gluon_rnn.metrics.abc_score import check_tune, write_midi
from gluon_rnn.metrics.likelihood import bits, perplexity
from gluon_rnn.nn import lengths
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets, suggest, tasks
from gluon_rnn.tasks.task import Report, Task
from gluon_rnn.training.evaluation import mean_loss

__all__ = ["ConditionalAssets", "ConditionalLanguageModelTask", "ConditionalLoss", "draw", "score_tunes"]


class ConditionalData(configuration.Data):
    """How sequences become batches."""

    num_buckets: int = Field(10, ge=1)                   # batches that are cut from one pool sorted by length


@dataclass
class ConditionalAssets:
    """Vocabulary, names of classes, "character" or "word", and whether texts are tunes in ABC notation.

    One more token than the vocabulary has stands before and behind each sequence.
    """

    vocab: Any
    labels: list
    unit: str
    abc: bool = False

    @property
    def boundary(self):
        """The id of the token before and behind each sequence."""
        return len(self.vocab)

    def join(self, ids):
        """Return the text of token ids."""
        return ("" if self.unit == "character" else " ").join(self.vocab.idx_to_token[index] for index in ids)

    def texts(self):
        """Return the two files."""
        return {"vocab.json": self.vocab.to_json(),
                "classes.json": json.dumps({"labels": self.labels, "unit": self.unit, "abc": self.abc})}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        return cls(gluonnlp.Vocab.from_json(read("vocab.json")), **json.loads(read("classes.json")))


class ConditionalLoss(gluon.HybridBlock):
    """A `ConditionalLanguageModel` and its loss in one graph.

    Inputs/Outputs
    --------------
    tokens, wanted (T, N), valid_length (N,) and class numbers (N,) -> summed cross-entropy in nats, (1,).
    """

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def hybrid_forward(self, F, tokens, wanted, valid_length, classes):
        logits, _ = self.model(tokens, self.model.states_for(classes))                                   # (T, N, V)
        losses = -F.pick(F.log_softmax(logits), wanted)
        return F.sum(lengths.mask(F, losses, valid_length))


@tasks.register("conditional_language_model")
class ConditionalLanguageModelTask(Task):
    """A class in, a sequence out.

    Parameters
    ----------
    config : gluon_rnn.config.Config
    samples : int, default 100
        Sequences drawn for the closing evaluation, classes as often as in the training split.
    temperature : float, default 1
        Of drawing; 0 is the most probable token.
    top_p : float in (0, 1], optional
        Nucleus of drawing.
    max_length : int, default 600
        Longest sequence drawn, in tokens.
    """

    default_model = "conditional_language_model"
    data_section = ConditionalData
    assets_class = ConditionalAssets
    unit = "token"

    def __init__(self, config, *, samples: int = 100, temperature: float = 1.0, top_p: Optional[float] = None,
                 max_length: int = 600):
        super().__init__(config)
        self._samples, self._max_length = samples, max_length
        self._drawing = {"temperature": temperature, "top_p": top_p}
        self.data = parts.build_part("data", datasets, config.data)
        if "valid" not in self.data.splits:
            raise ConfigError("data: training needs a valid split; give the key valid, or a split of two fractions")
        if not hasattr(self.data.reader, "vocab"):
            raise ConfigError(f"data.name: {config.data.name!r} has no tokens to predict; take labelled_text or "
                              "abc_tunes")
        self.assets = ConditionalAssets(self.data.reader.vocab, self.data.labels, self.data.reader.unit,
                                        isinstance(self.data, AbcTunes))
        self.model = self.build_model(config.model, self.assets)
        self.graph = ConditionalLoss(self.model)

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        options = config.task.arguments
        try:
            check_sizes(**{key: options[key] for key in ("samples", "max_length") if key in options})
        except ValueError as error:
            raise ConfigError(f"task.{error}") from error
        if options.get("temperature", 1) < 0 or not 0 < (options.get("top_p") or 1) <= 1:
            raise ConfigError(f"task: temperature must be at least 0 and top_p above 0 and at most 1, got {options}")
        parts.build_model(config.model, vocab_size=2, num_classes=2)

    @classmethod
    def build_model(cls, section, assets):
        """Return the model of a recipe's `model` section for what `assets` hold, not initialised."""
        return parts.build_model(section, vocab_size=len(assets.vocab) + 1, num_classes=len(assets.labels))

    # ---- batches and loss ------------------------------------------------------------------------------------------

    def train_batches(self, epoch):
        """Return the training batches of `epoch`, counted from 0; the same ones for the same seed and epoch."""
        section = self.config.data
        return self._batches("train", section.batch_size, section.num_buckets, [self.config.seed, epoch])

    def eval_batches(self, split):
        """Return the batches of a split, always the same."""
        return self._batches(split, self.config.data.eval_batch_size, len(self.data.inputs(split)), None)

    def _batches(self, split, batch_size, num_buckets, seed):
        sequences = self.data.inputs(split)
        buckets = Buckets([len(sequence) for sequence in sequences], batch_size, num_buckets, seed=seed)
        return SequenceBatches(sequences, self.data.targets(split), self.assets.boundary, buckets)

    def evaluate(self, split, limit=None):
        """Return the loss in nats per token, the end token counted, and bits or perplexity."""
        device = self.graph.collect_params().list_ctx()[0]
        loss = mean_loss(self.graph, self.eval_batches(split), device, limit=limit)
        if self.assets.unit == "character":
            return {"loss": loss, "bits": bits(loss)}
        return {"loss": loss, "perplexity": perplexity(loss)}

    # ---- what it draws ---------------------------------------------------------------------------------------------

    def report(self, path, limit=None):
        """Evaluate, draw sequences into ``samples.txt`` (tunes into ``tunes.abc``), and score what was drawn."""
        scores = self.evaluate(self.final_split, limit)
        classes = self._classes(3 if limit else self._samples)
        drawn = draw(self.model, self.assets, classes, seed=self.config.seed, max_length=50 if limit else
                     self._max_length, **self._drawing)
        seen = set(self.data.items("train"))
        found = {"finished": np.mean([finished for _, finished in drawn]),
                 "copied": np.mean([text in seen for text, _ in drawn])}
        baselines = {}
        if self.assets.abc:
            tunes = [to_abc(text, self.assets.labels[index], number, f"Tune {number}") if finished else None
                     for number, ((text, finished), index) in enumerate(zip(drawn, classes), start=1)]
            (path / "tunes.abc").write_text("\n".join(filter(None, tunes)), encoding="utf-8")
            checks, found_in_tunes = score_tunes(tunes)
            found.update(found_in_tunes)
            found["phrases_copied"] = _phrases_copied([text for text, _ in drawn], seen)
            baselines = self._baselines(5 if limit else self._samples)
            _write_reasons(path / "tunes.csv", checks)
        else:
            lines = (f"{self.assets.labels[index]}\t{text}\n" for index, (text, _) in zip(classes, drawn))
            (path / "samples.txt").write_text("".join(lines), encoding="utf-8")
        scores.update({name: float(value) for name, value in found.items()})
        return Report(self.final_split, scores, baselines, self._examples(drawn, classes))

    def _classes(self, count):
        """Return class numbers in the proportions of the training split, (count,) int."""
        shares = np.bincount(self.data.targets("train"), minlength=len(self.assets.labels)).cumsum()
        places = (np.arange(count) + 0.5) / count * shares[-1]
        return np.searchsorted(shares, places, side="right")

    def _baselines(self, count):
        """Return what `count` real tunes score that the model has not seen."""
        held_out = [(text, self.assets.labels[target]) for split in self.data.splits if split != "train"
                    for text, target in zip(self.data.items(split), self.data.targets(split))][:count]
        scores = score_tunes([to_abc(*pair) for pair in held_out])[1]
        scores["phrases_copied"] = _phrases_copied([text for text, _ in held_out], set(self.data.items("train")))
        return {"tunes of valid and test": scores}

    def _examples(self, drawn, classes):
        picks = np.linspace(0, len(drawn) - 1, min(3 if self.assets.abc else 12, len(drawn))).astype(int)
        separator = "\n" if self.assets.abc else " "
        return "\n".join(f"{self.assets.labels[classes[index]]}:{separator}{drawn[index][0]}" for index in picks)

    def describe(self):
        """Return what the data are, in words and numbers."""
        return f"{self.config.data.name}: {self.data.describe()}; vocabulary {len(self.assets.vocab):,}"

    @staticmethod
    def predict(run, label, count=1, path=None, midi=None, seed=None, **options):
        """Return texts of a class that the model writes, a list of `count`.

        Parameters
        ----------
        run : gluon_rnn.runs.Run
        label : str
            Name of the class.
        count : int, default 1
        path : str or Path, optional
            A text file that is written, for tunes one in ABC notation.
        midi : str or Path, optional
            A MIDI file of the first tune; needs music21.
        seed : int, optional
            The same texts for the same seed; others each time without one.
        options
            `temperature`, `top_k`, `top_p`, `max_length` of `gluon_rnn.inference.generation.generate`; by default those
            of the run's recipe.
        """
        if label not in run.assets.labels:
            raise ValueError(f"no class {label!r}; {suggest(label, run.assets.labels)}")
        recipe = run.config.task.arguments
        given = {key: recipe[key] for key in ("temperature", "top_p", "max_length") if key in recipe}
        classes = [run.assets.labels.index(label)] * count
        drawn = draw(run.model, run.assets, classes, seed=seed, **{**given, **options})
        texts = [text for text, _ in drawn]
        if run.assets.abc:
            texts = [to_abc(text, label, number) for number, text in enumerate(texts, start=1)]
        if path is not None:
            Path(path).write_text("\n".join(texts), encoding="utf-8")
        if midi is not None:
            write_midi(texts[0], midi)
        return texts


class SequenceBatches:
    """Sequences and their classes as batches for `ConditionalLoss`, a sized iterable."""

    def __init__(self, sequences, classes, boundary, buckets):
        self._sequences, self._classes, self._boundary, self._buckets = sequences, classes, [boundary], buckets

    def __len__(self):
        return len(self._buckets)

    def __iter__(self):
        return (self._batch(indices) for indices in self._buckets)

    def _batch(self, indices):
        wanted, valid_length = pad([np.concatenate([self._sequences[index], self._boundary]).astype(np.int32)
                                    for index in indices])
        tokens = np.concatenate([np.full((1, len(indices)), self._boundary), wanted[:-1]])   # one step late
        arrays = (mx.nd.array(tokens, dtype="int32"), mx.nd.array(wanted, dtype="int32"), mx.nd.array(valid_length),
                  mx.nd.array(self._classes[indices], dtype="int32"))
        return Batch(arrays, (1, 1, 0, 0), int(valid_length.sum()))


def draw(model, assets, classes, seed=0, **options):
    """Return (text, finished) of a sequence drawn for each of `classes`; `options` are those of `generate`."""
    ctx = model.collect_params().list_ctx()[0]
    states = model.states_for(mx.nd.array(list(classes), ctx=ctx, dtype="int32"))
    unknown = assets.vocab.token_to_idx[assets.vocab.unknown_token]
    drawn = generate(model, states, assets.boundary, assets.boundary, seed=seed, exclude=[unknown], **options)
    return [(assets.join(ids), finished) for ids, finished in drawn]


def score_tunes(tunes):
    """Return the `TuneCheck` of each tune in ABC notation, None standing for one without an end, and shares of them.

    "parses": music21 reads it without an error; "keeps_metre": and all its bars are of its metre, see
    `gluon_rnn.metrics.abc_score.check_tune`; "full_bars": of all bars, those that are not wrong.
    """
    checks = [None if tune is None else check_tune(tune) for tune in tunes]
    bars = sum(check.bars for check in checks if check)
    right = bars - sum(len(check.wrong_bars) for check in checks if check)
    return checks, {"parses": float(np.mean([bool(check) and check.parses for check in checks])),
                    "keeps_metre": float(np.mean([bool(check) and check.keeps_metre for check in checks])),
                    "right_bars": right / max(1, bars)}


def _phrases_copied(texts, seen, bars=2):
    """Return the share of phrases of so many bars that stand in a training tune too: how much is learnt by heart."""
    known = {phrase for text in seen for phrase in _phrases(text, bars)}
    phrases = [phrase for text in texts for phrase in _phrases(text, bars)]
    return sum(phrase in known for phrase in phrases) / max(1, len(phrases))


def _phrases(text, bars):
    notes = "".join(line for line in text.split("\n") if line[1:2] != ":").replace(" ", "")
    parts = [part for part in re.sub(r"\[\d|[\[\]:]", "", notes).split("|") if part]   # no signs of repetition
    return [tuple(parts[index:index + bars]) for index in range(len(parts) - bars + 1)]


def _write_reasons(path, checks):
    lines = ["tune,parses,keeps_metre,bars,full_bars,reason\n"]
    for number, check in enumerate(checks, start=1):
        lines.append(f"{number},False,False,0,0,has no end\n" if check is None else
                     f'{number},{check.parses},{check.keeps_metre},{check.bars},{check.full_bars},"{check.reason}"\n')
    path.write_text("".join(lines), encoding="utf-8")
