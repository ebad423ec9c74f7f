"""The graphs of the translation task: a `Seq2Seq` and its training loss, and what evaluation counts."""
from mxnet import gluon

from gluon_rnn.models import ScheduledSampling
from gluon_rnn.nn import functional
from gluon_rnn.tasks.r_drop import disagreement, doubled_places, twice

__all__ = ["TokenScores", "TranslationLoss"]


class TranslationLoss(gluon.HybridBlock):
    """A `Seq2Seq` and its loss in one graph: the sum of -log p(right token), smoothed.

    With label smoothing epsilon a token costs (1 - epsilon) (-log p(right)) + epsilon mean over all tokens (-log p).
    With `r_drop` above 0 each sentence runs twice, see `gluon_rnn.tasks.r_drop`.

    Inputs/Outputs
    --------------
    source (S, N), source_length (N,), target and wanted (T, N), target_length (N,) [, places (2, M) of int32: t and n
    of each valid target step, which spares the output layer the others; where `scheduled`, coins (T, N) as for
    `ScheduledSampling`] -> (1,)

    References
    ----------
    Szegedy et al. (2016), Rethinking the Inception architecture for computer vision, section 7.
    """

    def __init__(self, model, label_smoothing=0.0, scheduled=False, r_drop=0.0, **kwargs):
        super().__init__(**kwargs)
        self.model = ScheduledSampling(model) if scheduled else model
        self._scheduled, self._smoothing, self._r_drop = scheduled, label_smoothing, r_drop
        self._vocab_size, self._dtype = model.target_vocab_size, model._dtype

    def hybrid_forward(self, F, source, source_length, target, wanted, target_length, extra=None):
        arrays, axes = [source, source_length, target, wanted, target_length], [1, 0, 1, 1, 0]
        if not self._r_drop:
            return self._plain(F, *arrays, extra)[0]
        if self._scheduled:
            extra, = twice(F, [extra], [1])
        elif extra is not None:
            extra = doubled_places(F, extra)
        loss, log_probs = self._plain(F, *twice(F, arrays, axes), extra)
        return loss / 2 + self._r_drop / 4 * disagreement(F, log_probs, self._vocab_size)

    def _plain(self, F, source, source_length, target, wanted, target_length, extra):
        """Return the summed loss, and log p of all tokens, (M, V) or (T, N, V)."""
        given = source, target, source_length, target_length
        if extra is not None and not self._scheduled:
            log_probs = F.log_softmax(self.model.logits_at(F, extra, *given))                            # (M, V)
            return F.sum(self._losses(F, log_probs, F.gather_nd(wanted, extra))), log_probs
        log_probs = F.log_softmax(self.model(*given, extra) if self._scheduled else self.model(*given)[0])
        return F.sum(functional.mask(F, self._losses(F, log_probs, wanted), target_length)), log_probs

    def _losses(self, F, log_probs, wanted):
        """Return the loss (...) of each step from its log p (..., V) and the right token (...)."""
        losses = -F.pick(log_probs, wanted)
        if self._smoothing:
            size = self._vocab_size                                       # F.mean takes ten times as long as a product
            mean = F.dot(log_probs, F.full((size, 1), 1 / size, dtype=self._dtype))
            losses = (1 - self._smoothing) * losses - self._smoothing * F.reshape_like(mean, losses)
        return losses


class TokenScores(gluon.HybridBlock):
    """What evaluation counts, the right target given: summed -log p (1,), and how many tokens are the most probable."""

    def __init__(self, model, **kwargs):
        super().__init__(**kwargs)
        self.model = model

    def hybrid_forward(self, F, source, source_length, target, wanted, target_length):
        logits, _ = self.model(source, target, source_length, target_length)
        losses = functional.mask(F, -F.pick(F.log_softmax(logits), wanted), target_length)
        right = functional.mask(F, F.cast(F.argmax(logits, axis=-1), "int32") == F.cast(wanted, "int32"), target_length)
        return F.sum(losses), F.sum(right)
