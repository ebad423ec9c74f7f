"""R-Drop: copies side by side, their disagreement against SciPy, and losses of doubled batches against plain ones."""
import doctest

import mxnet as mx
import numpy as np
import pytest
import scipy.special

from gluon_rnn.models import Seq2Seq
from gluon_rnn.nn import GRU
from gluon_rnn.tasks import r_drop
from gluon_rnn.tasks.r_drop import disagreement, doubled_places, twice
from gluon_rnn.tasks.translation.batches import valid_places
from gluon_rnn.tasks.translation.loss import TranslationLoss
from tests.reference import EXACT

CLOSE = dict(rel=EXACT["atol"], abs=EXACT["atol"])


def test_disagreement_is_the_divergence_of_neighbours_both_ways():
    logits = np.random.default_rng(0).standard_normal((6, 5))
    log_probs = scipy.special.log_softmax(logits, axis=1)
    p, q = np.exp(log_probs[::2]), np.exp(log_probs[1::2])
    expected = scipy.special.kl_div(p, q).sum() + scipy.special.kl_div(q, p).sum()
    for shape in ((6, 5), (3, 2, 5), (1, 6, 5)):
        found = disagreement(mx.nd, mx.nd.array(log_probs.reshape(shape), dtype="float64"), 5)
        assert found.asscalar() == pytest.approx(expected, **CLOSE)
    same = mx.nd.array(np.repeat(log_probs, 2, axis=0), dtype="float64")
    assert disagreement(mx.nd, same, 5).asscalar() == 0


def test_places_of_doubled_rows():
    assert doctest.testmod(r_drop, extraglobs={"mx": mx}).failed == 0
    lengths = np.array([3, 1, 0, 2])
    places = doubled_places(mx.nd, mx.nd.array(valid_places(lengths), dtype="int32"))
    assert places.dtype == np.int32
    expected = valid_places(np.repeat(lengths, 2))
    assert places.asnumpy().tolist() == expected.tolist()
    rows, = twice(mx.nd, [mx.nd.array([[1, 2], [3, 4]])], [1])
    assert rows.asnumpy().tolist() == [[1, 1, 2, 2], [3, 3, 4, 4]]


def batch(with_places):
    random, lengths = np.random.default_rng(0), np.array([4, 1, 3])
    arrays = [mx.nd.array(random.integers(7, size=(5, 3)), dtype="int32"), mx.nd.array([5, 2, 3]),
              *(mx.nd.array(random.integers(8, size=(4, 3)), dtype="int32") for _ in range(2)), mx.nd.array(lengths)]
    return [*arrays, mx.nd.array(valid_places(lengths), dtype="int32")] if with_places else arrays


@pytest.mark.parametrize("with_places", [False, True])
@pytest.mark.parametrize("attention", ["none", "luong", "bahdanau"])
def test_without_dropout_copies_agree_and_the_loss_is_the_plain_one(attention, with_places):
    model = Seq2Seq(7, 8, GRU(4, bidirectional=True, dtype="float64"), GRU(4, dtype="float64"), embed_size=4,
                    attention=attention, tie_weights=True)
    model.initialize(mx.init.Normal(0.5))
    plain = TranslationLoss(model, 0.1)(*batch(with_places)).asscalar()
    assert TranslationLoss(model, 0.1, r_drop=5.0)(*batch(with_places)).asscalar() == pytest.approx(plain, **CLOSE)


@pytest.mark.parametrize("scheduled, with_places", [(False, False), (False, True), (True, False)])
def test_with_dropout_disagreement_counts_in_proportion_to_its_strength(scheduled, with_places):
    """The same draws of dropout each time."""
    encoder, decoder = GRU(8, dtype="float64"), GRU(8, dtype="float64")
    model = Seq2Seq(7, 8, encoder, decoder, embed_size=8, attention="luong", dropout=0.5)
    model.initialize()
    for parameter in model.collect_params().values():
        parameter.set_data(10 * parameter.data())                         # away from answers that are all alike
    coins, losses, gradients = [mx.nd.ones((4, 3), dtype="float64")] if scheduled else [], [], []
    for strength in (1e-20, 5.0, 10.0):                                   # 0 would not double the batch
        loss = TranslationLoss(model, scheduled=scheduled, r_drop=strength)
        loss.hybridize()
        mx.random.seed(0)
        with mx.autograd.record():
            total = loss(*batch(with_places), *coins)
        total.backward()
        losses.append(total.asscalar())
        gradients.append(model.target_embedding.weight.grad().asnumpy().copy())
    assert losses[1] - losses[0] > 0.1
    assert losses[2] - losses[0] == pytest.approx(2 * (losses[1] - losses[0]), **CLOSE)
    np.testing.assert_allclose(gradients[2] - gradients[0], 2 * (gradients[1] - gradients[0]), **EXACT)


def test_divergence_of_padding_does_not_count():
    """Targets of one token and the same ones with padding behind them: dropout off, the sums are equal."""
    model = Seq2Seq(7, 8, GRU(4, dtype="float64"), GRU(4, dtype="float64"), embed_size=4)
    model.initialize(mx.init.Normal(0.5))
    source, source_length, target, wanted, _ = batch(False)
    short = [source, source_length, target[:1], wanted[:1], mx.nd.ones(3)]
    long = [source, source_length, target, wanted, mx.nd.ones(3)]
    losses = [TranslationLoss(model, r_drop=5.0)(*arrays).asscalar() for arrays in (short, long)]
    assert losses[0] == pytest.approx(losses[1], **CLOSE)
