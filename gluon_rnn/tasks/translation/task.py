"""The translation task: an encoder and a decoder, fitted by the right target, scored by BLEU against all references."""
import itertools
import json
from dataclasses import dataclass
from typing import Any, Optional

import gluonnlp
import mxnet as mx
import numpy as np
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn import parts
from gluon_rnn.config import ConfigError
from gluon_rnn.data import Buckets, pad
from gluon_rnn.data.batching import Batch
from gluon_rnn.data.subwords import tokenizer_of
from gluon_rnn.inference.translate import Translator, attention_picture
from gluon_rnn.metrics.bleu import bleu, translation_baselines
from gluon_rnn.registry import datasets, tasks
from gluon_rnn.tasks.task import Report, Task
from gluon_rnn.tasks.translation.loss import TokenScores, TranslationLoss
from gluon_rnn.tasks.translation.teacher_forcing import TeacherForcing

__all__ = ["TranslationAssets", "TranslationTask", "valid_places"]


class TranslationData(configuration.Data):
    """How pairs become batches."""

    num_buckets: int = Field(10, ge=1)                   # batches that are cut from one pool sorted by length


@dataclass
class TranslationAssets:
    """Vocabularies, and what turns sentences into tokens and back."""

    source_vocab: Any
    target_vocab: Any
    tokenizer: Any

    def texts(self):
        """Return the three files."""
        return {"source_vocab.json": self.source_vocab.to_json(), "target_vocab.json": self.target_vocab.to_json(),
                "tokenizer.json": json.dumps(self.tokenizer.settings)}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        vocabs = (gluonnlp.Vocab.from_json(read(f"{side}_vocab.json")) for side in ("source", "target"))
        return cls(*vocabs, tokenizer_of(json.loads(read("tokenizer.json"))))


@tasks.register("translation")
class TranslationTask(Task):
    """Sentence in, sentence out.

    Parameters
    ----------
    config : gluon_rnn.config.Config
    label_smoothing : float in [0, 1), default 0
        In training only; the validation loss has none.
    r_drop : float, default 0
        How strongly two runs of a sentence, under two draws of dropout, are held to the same answer
        (`gluon_rnn.tasks.r_drop`); above 0, updates take twice as long.
    teacher_forcing : dict, optional
        ``{name: linear, end: 0.5, epochs: 10}``, see `TeacherForcing`; without it the decoder
        reads right tokens only.
    bleu_sentences : int, default 0
        After each epoch so many sentences of the validation split are translated, greedily, and their BLEU selects
        the checkpoint; 0: the loss does.
    beam_size : int, default 5
        Of the closing evaluation.
    alpha : float, default 1
        Length normalisation of the beam search.
    mbr : bool, default False
        Whether the closing evaluation, and `predict`, take the translation that is most like all others of the beam
        (`gluon_rnn.inference.minimum_risk`); the report then has the BLEU of the most probable one too, "bleu_beam".
    """

    default_model = "seq2seq"
    data_section = TranslationData
    assets_class = TranslationAssets
    unit = "token"

    def __init__(self, config, *, label_smoothing: float = 0.0, r_drop: float = 0.0,
                 teacher_forcing: Optional[dict] = None, bleu_sentences: int = 0, beam_size: int = 5,
                 alpha: float = 1.0, mbr: bool = False):
        super().__init__(config)
        self._beam = {"beam_size": beam_size, "alpha": alpha, "mbr": mbr}
        self.data = parts.build_part("data", datasets, config.data)
        if "valid" not in self.data.splits:
            raise ConfigError("data: training needs a valid split; give the key valid, or a split of two fractions")
        self.assets = TranslationAssets(self.data.source_vocab, self.data.target_vocab, self.data.tokenizer)
        self.model = self.build_model(config.model, self.assets)
        self._forcing = TeacherForcing(**(teacher_forcing or {}))
        self.graph = TranslationLoss(self.model, label_smoothing, not self._forcing.always, r_drop)
        self._scores = TokenScores(self.model)
        self._scores.hybridize()
        self._translator = Translator(self.model, *vars(self.assets).values())
        self._bleu_sentences = bleu_sentences
        if bleu_sentences:
            self.selection = ("bleu", "max")

    @classmethod
    def check(cls, config):
        """Check what can be checked without data; ConfigError with the YAML path."""
        super().check(config)
        options = config.task.arguments
        if not 0 <= options.get("label_smoothing", 0) < 1:
            raise ConfigError(f"task.label_smoothing: expected a number of at least 0 and below 1, got "
                              f"{options['label_smoothing']}")
        for key, least in (("r_drop", 0), ("bleu_sentences", 0), ("beam_size", 1), ("alpha", 0)):
            if options.get(key, least) < least:
                raise ConfigError(f"task.{key}: expected at least {least}, got {options[key]}")
        try:
            TeacherForcing(**(options.get("teacher_forcing") or {}))
        except (ValueError, TypeError) as error:
            raise ConfigError(f"task.teacher_forcing: {error}") from error
        parts.build_model(config.model, source_vocab_size=2, target_vocab_size=2)

    @classmethod
    def build_model(cls, section, assets):
        """Return the model of a recipe's `model` section for the vocabularies of `assets`, not initialised."""
        return parts.build_model(section, source_vocab_size=len(assets.source_vocab),
                                 target_vocab_size=len(assets.target_vocab))

    # ---- batches -------------------------------------------------------------------------------------------------

    def train_batches(self, epoch):
        """Return the training batches of `epoch`, counted from 0; the same ones for the same seed and epoch."""
        seed = [self.config.seed, epoch]
        forcing = None if self._forcing.always else (self._forcing, seed)
        ids = self.data.training_ids(seed)
        one_device = len(self.model.collect_params().list_ctx()) == 1     # places cannot be split over several
        return PairBatches(ids, self.assets.target_vocab, self._buckets(ids, seed), forcing,
                           with_places=one_device and forcing is None)

    def eval_batches(self, split):
        """Return the batches of a split, always the same."""
        ids = self.data.ids(split)
        return PairBatches(ids, self.assets.target_vocab, self._buckets(ids, None))

    def _buckets(self, ids, seed):
        section, (source, target) = self.config.data, ids
        pairs = np.stack([target.lengths, source.lengths], axis=1)        # target first: its steps cost more
        if seed is None:                                   # sorted throughout: hardly any padding
            return Buckets(pairs, section.eval_batch_size, num_buckets=len(pairs))
        return Buckets(pairs, section.batch_size, section.num_buckets, seed=seed)

    # ---- scores --------------------------------------------------------------------------------------------------

    def evaluate(self, split, limit=None):
        """Return loss in nats and accuracy per token, the right target given; BLEU of some sentences where wanted."""
        device = self.graph.collect_params().list_ctx()[0]
        total = right = size = 0
        for batch in itertools.islice(self.eval_batches(split), limit):
            sums = self._scores(*(array.as_in_context(device) for array in batch.arrays))
            total, right = total + sums[0].asscalar(), right + sums[1].asscalar()
            size += batch.size
        scores = {"loss": float(total) / size, "accuracy": float(right) / size}
        if self._bleu_sentences:
            scores["bleu"] = self._bleu(split, 10 * limit if limit else self._bleu_sentences, beam_size=1)[0]
        return scores

    def _bleu(self, split, count, translator=None, **options):
        """Return BLEU of `count` sentences spread over a split (None: all), references and translations."""
        translator = translator or self._translator
        references = self.data.references(split)
        sources = list(references)
        if count is not None and count < len(sources):
            sources = [sources[index] for index in np.linspace(0, len(sources) - 1, count).astype(int)]
        references = {source: references[source] for source in sources}
        options = {"batch_size": self.config.data.eval_batch_size, "weights": False, **options}
        translations = translator(sources, **options)
        score = bleu([translation.text for translation in translations], list(references.values()))
        return score, references, translations

    def report(self, path, limit=None):
        """Translate the final split by beam search; write ``translations.tsv`` and a picture of attention."""
        split, count = self.final_split, 10 * limit if limit else None
        scores = self.evaluate(split, limit)
        scores["bleu"], references, translations = self._bleu(split, count, **self._beam)
        if self._beam["mbr"]:
            scores["bleu_beam"] = self._bleu(split, count, **{**self._beam, "mbr": False})[0]
        scores["bleu_greedy"] = self._bleu(split, count, beam_size=1)[0]
        rows = [[t.source, t.text, *references[t.source]] for t in translations]
        (path / "translations.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
        examples = [rows[index] for index in np.linspace(0, len(rows) - 1, min(8, len(rows))).astype(int)]
        if self.model.attention is not None:
            longest = sorted({row[0] for row in examples}, key=len)[-4:]
            attention_picture(self._translator(longest, **self._beam), path / "attention.png")
        text = "\n".join(f"    {source} -> {written}   ({' | '.join(wanted)})" for source, written, *wanted in examples)
        return Report(split, scores, translation_baselines(self.data, references), f"examples:\n{text}")

    def evaluate_together(self, split, models):
        """Return the BLEU that `models`, of the same vocabularies, reach together: the mean of their probabilities."""
        translator = Translator(models, *vars(self.assets).values())
        return {f"bleu_of_{len(models)}": self._bleu(split, None, translator, **self._beam)[0]}

    def describe(self):
        """Return what the data are, in words and numbers, and how much of the batches is padding."""
        batches = self._buckets(self.data.ids("train"), [self.config.seed, 0])
        return (f"{self.config.data.name}: {self.data.describe()}; padding {batches.waste:.1%} "
                f"({batches.unbucketed_waste:.1%} unbucketed)")

    def in_words(self, scores):
        """Return e.g. ``"loss 1.234, accuracy 0.678, bleu 45.67"``."""
        return ", ".join(f"{name} {value:.{2 if name.startswith('bleu') else 4}f}" for name, value in scores.items())

    @staticmethod
    def predict(run, lines, picture=None, **options):
        """Return the `Translation` of a sentence, or a list of them for a list of sentences.

        Parameters
        ----------
        run : gluon_rnn.runs.Run
        lines : str or list of str
        picture : str or Path, optional
            Where the picture of attention is written, a PNG.
        options
            `beam_size`, `alpha`, `mbr`, `max_length`, `batch_size` of `gluon_rnn.inference.translate.Translator`.
        """
        task = run.config.task.arguments
        options = {"beam_size": task.get("beam_size", 5), "alpha": task.get("alpha", 1.0),
                   "mbr": task.get("mbr", False), **options}
        translator = Translator([run.model, *run.beside], *vars(run.assets).values())
        found = translator([lines] if isinstance(lines, str) else list(lines), **options)
        if picture is not None:
            attention_picture(found, picture)
        return found[0] if isinstance(lines, str) else found


def valid_places(lengths):
    """Return t and n of each valid step of rows of `lengths` (N,), time first, (2, M).

    >>> valid_places(np.array([2, 1])).tolist()
    [[0, 0, 1], [0, 1, 0]]
    """
    return np.stack(np.nonzero(np.arange(int(max(lengths)))[:, None] < lengths))


class PairBatches:
    """Pairs as batches for `TranslationLoss`, a sized iterable.

    Parameters
    ----------
    ids : pair of Ragged
        Sources and targets, each sequence ended by its end token.
    vocab : gluonnlp.Vocab
        Of the target.
    buckets : Buckets
    forcing : (TeacherForcing, [seed, epoch]), optional
        Adds coins that are 1 with the probability of that moment.
    with_places : bool, default False
        Adds the places of valid target steps.
    """

    def __init__(self, ids, vocab, buckets, forcing=None, with_places=False):
        self._ids, self._begin, self._buckets = ids, vocab.token_to_idx[vocab.bos_token], buckets
        self._forcing, self._with_places = forcing, with_places

    def __len__(self):
        return len(self._buckets)

    def __iter__(self):
        for number, indices in enumerate(self._buckets):
            yield self._batch(indices, number)

    def _batch(self, indices, number):
        sources, targets = ([side[index] for index in indices] for side in self._ids)
        source, source_length = pad(sources)
        wanted, target_length = pad(targets)
        target = np.concatenate([np.full((1, len(indices)), self._begin), wanted[:-1]])   # what is read: one step late
        arrays = [mx.nd.array(array, dtype=array_type) for array, array_type in (
            (source, "int32"), (source_length, "float32"), (target, "int32"), (wanted, "int32"),
            (target_length, "float32"))]
        if self._forcing is not None:
            arrays.append(mx.nd.array(self._coins(wanted.shape, number)))
        elif self._with_places:
            arrays.append(mx.nd.array(valid_places(target_length), dtype="int32"))
        return Batch(tuple(arrays), (1, 0, 1, 1, 0, 1)[:len(arrays)], int(target_length.sum()))

    def _coins(self, shape, number):
        forcing, (seed, epoch) = self._forcing
        rate = forcing(epoch + number / len(self))
        return np.random.default_rng([seed, epoch, number]).random(shape) < rate
