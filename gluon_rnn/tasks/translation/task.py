"""The translation task: an encoder and a decoder, fitted by the right target, scored by BLEU against all references."""
import itertools
from typing import Optional

import numpy as np
from pydantic import Field

from gluon_rnn import config as configuration
from gluon_rnn import runtime
from gluon_rnn.config import ConfigError
from gluon_rnn.data import Buckets
from gluon_rnn.data.batching import BucketedBatches
from gluon_rnn.inference.translate import Translator
from gluon_rnn.metrics.bleu import bleu
from gluon_rnn.registry import suggest, tasks
from gluon_rnn.tasks.task import Task
from gluon_rnn.tasks.translation.batches import collate
from gluon_rnn.tasks.translation.loss import TokenScores, TranslationLoss
from gluon_rnn.tasks.translation.predictor import TranslationAssets, TranslationPredictor
from gluon_rnn.tasks.translation.report import report
from gluon_rnn.tasks.translation.teacher_forcing import TeacherForcing

__all__ = ["TranslationTask"]


#: BLEU of `bleu_sentences` sentences by greedy search, which selects the checkpoint
SAMPLE_BLEU = "bleu_greedy_sample"


class TranslationData(configuration.Data):
    """How pairs become batches."""

    num_buckets: int = Field(10, ge=1)                   # batches that are cut from one pool sorted by length


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
        After each epoch so many sentences of the validation split are translated, greedily, and their BLEU, called
        "bleu_greedy_sample", selects the checkpoint; 0: the loss does. The closing "bleu" is that of all sentences by
        beam search.
    beam_size : int, default 5
        Of the closing evaluation.
    alpha : float, default 1
        Length normalisation of the beam search.
    mbr : bool, default False
        Whether the closing evaluation, and `predict`, take the translation that is most like all others of the beam
        (`gluon_rnn.answers.minimum_risk`); the report then has the BLEU of the most probable one too, "bleu_beam".
    """

    default_model = "seq2seq"
    predictor_class = TranslationPredictor
    data_section = TranslationData
    default_data = "parallel_text"
    unit = "token"

    def __init__(self, config, *, label_smoothing: float = 0.0, r_drop: float = 0.0,
                 teacher_forcing: Optional[dict] = None, bleu_sentences: int = 0, beam_size: int = 5,
                 alpha: float = 1.0, mbr: bool = False):
        super().__init__(config)
        self.beam = {"beam_size": beam_size, "alpha": alpha, "mbr": mbr}
        self.data = self.read_data()
        self.assets = TranslationAssets(self.data.source_vocab, self.data.target_vocab, self.data.tokenizer)
        self.model = self.build_model()
        self._forcing = TeacherForcing(**(teacher_forcing or {}))
        self.graph = TranslationLoss(self.model, label_smoothing, not self._forcing.always, r_drop)
        self._scores = TokenScores(self.model)
        self._scores.hybridize()
        self.translator = Translator(self.model, *vars(self.assets).values())
        self._bleu_sentences = bleu_sentences
        if bleu_sentences:
            self.selection = (SAMPLE_BLEU, "max")

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

    @classmethod
    def example_sizes(cls, config):
        """Return the sizes of small vocabularies."""
        return {"source_vocab_size": 2, "target_vocab_size": 2}

    # ---- batches -------------------------------------------------------------------------------------------------

    def train_batches(self, epoch):
        """Return the training batches of `epoch`, counted from 0; the same ones for the same seed and epoch."""
        section, seed = self.config.data, [self.config.seed, epoch]
        ids = self.data.training_ids(seed)
        in_one_piece = len(self.model.collect_params().list_ctx()) * runtime.workers() == 1     # places cannot be split
        collate_pairs = self._collate(ids, with_places=in_one_piece) if self._forcing.always else (
            self._collate_with_coins(ids, epoch))
        return BucketedBatches(_lengths(ids), collate_pairs, section.batch_size, section.num_buckets, order_seed=seed)

    def eval_batches(self, split):
        """Return the batches of a split, always the same; sorted throughout: hardly any padding."""
        ids = self.data.ids(split)
        lengths = _lengths(ids)
        return BucketedBatches(lengths, self._collate(ids), self.config.data.eval_batch_size, len(lengths))

    @property
    def _begin(self):
        """The id of the token that stands before a target."""
        vocab = self.assets.target_vocab
        return vocab.token_to_idx[vocab.bos_token]

    def _collate(self, ids, with_places=False):
        return lambda rows, number, random: collate(*_chosen(ids, rows), self._begin, with_places=with_places)

    def _collate_with_coins(self, ids, epoch):
        """Return what makes batches with coins, whose rate changes from batch to batch."""
        batches_in_epoch = -(-len(ids[0]) // self.config.data.batch_size)

        def collate_pairs(rows, number, random):
            rate = self._forcing(epoch + number / batches_in_epoch)
            random = np.random.default_rng([self.config.seed, epoch, number])
            return collate(*_chosen(ids, rows), self._begin, rate, random)

        return collate_pairs

    # ---- scores --------------------------------------------------------------------------------------------------

    def evaluate(self, split, limit=None):
        """Return loss in nats and accuracy per token, the right target given; BLEU of some sentences where wanted."""
        total = right = size = 0
        for batch in itertools.islice(self.eval_batches(split), limit):
            sums = self._scores(*(array.as_in_context(self.device) for array in batch.arrays))
            total, right = total + sums[0].asscalar(), right + sums[1].asscalar()
            size += batch.size
        scores = {"loss": float(total) / size, "accuracy": float(right) / size}
        if self._bleu_sentences:
            scores[SAMPLE_BLEU] = self.bleu(split, 10 * limit if limit else self._bleu_sentences, beam_size=1)[0]
        return scores

    def bleu(self, split, count, translator=None, **options):
        """Return BLEU of `count` sentences spread over a split (None: all), references and translations."""
        translator = translator or self.translator
        references = self.data.references(split)
        sources = list(references)
        if count is not None and count < len(sources):
            sources = [sources[index] for index in np.linspace(0, len(sources) - 1, count).astype(int)]
        references = {source: references[source] for source in sources}
        options = {"batch_size": self.config.data.eval_batch_size, "weights": False, **options}
        translations = translator(sources, **options)
        score = bleu([translation.text for translation in translations], list(references.values()))
        return score, references, translations

    def closing_score(self, name, limit=None):
        """Return one score of the closing evaluation; see `Task.closing_score`. BLEU is that of all of the split."""
        searches = {"bleu": {}, "bleu_beam": {"mbr": False}, "bleu_greedy": {"beam_size": 1, "mbr": False}}
        if name not in searches:
            scores = self.evaluate(self.final_split, limit)
            if name not in scores:
                raise ValueError(f"the task 'translation' has no score {name!r}; "
                                 + suggest(name, [*searches, *scores]))
            return scores[name]
        return self.bleu(self.final_split, 10 * limit if limit else None, **{**self.beam, **searches[name]})[0]

    def report(self, path, limit=None):
        """Translate the final split by beam search; write ``translations.tsv`` and a picture of attention."""
        return report(self, path, limit)

    def evaluate_ensemble(self, split, models):
        """Return the BLEU of the ensemble of `models`, of the same vocabularies: the mean of their probabilities."""
        translator = Translator(models, *vars(self.assets).values())
        return {f"bleu_of_{len(models)}": self.bleu(split, None, translator, **self.beam)[0]}

    def describe(self):
        """Return what the data are, in words and numbers, and how much of the batches is padding."""
        section = self.config.data
        batches = Buckets(_lengths(self.data.ids("train")), section.batch_size, section.num_buckets,
                          seed=[self.config.seed, 0])
        return (f"{self.config.data.name}: {self.data.describe()}; padding {batches.waste:.1%} "
                f"({batches.unbucketed_waste:.1%} unbucketed)")

    def in_words(self, scores):
        """Return e.g. ``"loss 1.234, accuracy 0.678, bleu 45.67"``."""
        return ", ".join(f"{name} {value:.{2 if name.startswith('bleu') else 4}f}" for name, value in scores.items())


def _lengths(ids):
    """Return the lengths of pairs, (n, 2); the target's first, since its steps cost more."""
    source, target = ids
    return np.stack([target.lengths, source.lengths], axis=1)


def _chosen(ids, rows):
    """Return the sources and the targets of these rows, two lists."""
    return ([side[row] for row in rows] for side in ids)
