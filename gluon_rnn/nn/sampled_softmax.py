"""Sampled softmax: in training a word is told from a sample of the others, and from all of them afterwards.

    loss = -log_softmax(W_C h + b_C - log q_C)[w],    C = {w} and `samples` words that were drawn, w not twice

q is the chance of a word to be among the drawn ones. With it the best h is that of the whole softmax (Jean et al. 2015,
section 3; the derivation is that of TensorFlow's ``sampled_softmax_loss``). Words are drawn log-uniformly,

    p(k) = log((k + 2) / (k + 1)) / log(V + 1),

which is close to the frequencies of words that are numbered from the most frequent one on (Zipf's law); they are drawn
until `samples` different ones are there, which takes n draws, and q(k) = 1 - (1 - p(k))^n. All places of a batch share
the sample.

gluonnlp's ``ISDense`` computes this loss too, and is the reference of the tests. It is not used: it holds a weight of
its own, so that it cannot share the embedding's, and gluonnlp's one sampler draws inside the graph from a table of
all frequencies, with repetitions, by random numbers that a resumed run cannot draw again.

References
----------
Jean, Cho, Memisevic, Bengio (2015), On using very large target vocabulary for neural machine translation.
"""
import math

import numpy as np

from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.nn.full_softmax import FullSoftmax
from gluon_rnn.registry import outputs

__all__ = ["SampledSoftmax"]

# Far below any score, and a number of float32: a drawn word that is the right one is counted once only.
_NEVER = -1e30


@outputs.register("sampled_softmax")
class SampledSoftmax(FullSoftmax):
    """All words at evaluation, as `FullSoftmax`, whose parameters it has; in training a sample of them.

    Parameters
    ----------
    samples : int, default 1024
        Different words drawn for each batch; fewer than V.

    Raises
    ------
    ValueError
        If `samples` is below 1 or not below V.
    """

    trains_on_samples = True
    asks_the_host = True

    def __init__(self, samples=1024):
        super().__init__()
        check_sizes(samples=samples)
        self.samples = samples

    def set_sizes(self, vocab_size, embed_size, input_size, tied):
        """Take the sizes of a model; see `FullSoftmax`."""
        if self.samples >= vocab_size:
            raise ValueError(f"samples must be fewer than the {vocab_size} words of the vocabulary, got {self.samples};"
                             " lower it, or take full_softmax")
        super().set_sizes(vocab_size, embed_size, input_size, tied)

    def training_loss(self, F, hidden, target, weights, drawn, draws):
        """Return the summed loss of a sample, (1,): words `drawn` (1, samples) in so many `draws` (1, 1)."""
        hidden, target = F.reshape(hidden, shape=(-3, 0)), F.reshape(target, shape=(-1,))                  # (TN, H)
        drawn, draws = F.reshape(drawn, shape=(-1,)), F.reshape(draws, shape=(-1,))
        weight, bias = self._weight(weights), weights["output_bias"]
        right = F.sum(hidden * F.take(weight, target), axis=1) + F.take(bias, target) - self._log_q(F, target, draws)
        others = F.FullyConnected(hidden, F.take(weight, drawn), F.take(bias, drawn), num_hidden=self.samples)
        others = F.broadcast_sub(others, F.expand_dims(self._log_q(F, drawn, draws), axis=0))      # (TN, samples)
        hit = F.broadcast_equal(F.expand_dims(target, axis=1), F.expand_dims(drawn, axis=0))
        others = F.where(hit, F.ones_like(others) * _NEVER, others)
        return F.sum(F.Activation(_log_sum_exp(F, others) - right, act_type="softrelu"))

    def arrays(self, target, devices=1, random=None):
        """Return the words drawn, (devices, samples) of int32, and the number of draws, (devices, 1); none to evaluate.

        That is, where there is no `random` to draw with.
        """
        if random is None:
            return []
        drawn, draws = self._draw(random)
        return [np.tile(drawn, (devices, 1)), np.full((devices, 1), draws, dtype=np.float32)]

    def _draw(self, random):
        """Return so many different words as wanted, in the order in which they were drawn, and the number of draws."""
        all_drawn = np.zeros(0, dtype=np.int32)
        while True:
            more = np.expm1(random.random(2 * self.samples) * math.log1p(self._sizes[0])).astype(np.int32)
            all_drawn = np.concatenate([all_drawn, np.minimum(more, self._sizes[0] - 1)])
            first_places = np.sort(np.unique(all_drawn, return_index=True)[1])
            if len(first_places) >= self.samples:
                kept = first_places[:self.samples]
                return all_drawn[kept], int(kept[-1]) + 1

    def _log_q(self, F, ids, draws):
        """Return the logarithm of the chance that words (n,) are among those of `draws` (1,) draws."""
        ids, draws = F.cast(ids, dtype=self.dtype), F.cast(draws, dtype=self.dtype)
        p = F.log1p(1 / (ids + 1)) / math.log1p(self._sizes[0])
        return F.log(-F.expm1(F.broadcast_mul(F.log1p(-p), draws)))


def _log_sum_exp(F, scores):
    """Return log sum exp of the rows of `scores` (n, m), (n,): a score less its log_softmax, at the largest one.

    By MXNet's fused operator; one over right and other words side by side would need a concatenation, behind which
    that operator crashes on oneDNN's memory formats.
    """
    place = F.BlockGrad(F.argmax(scores, axis=1))
    return F.pick(scores, place) - F.pick(F.log_softmax(scores), place)
