"""Losses of skip-gram and CBOW word by word, gradients by differences and by autograd, and the lookup as a block.

Tests `window_gradients.py` too.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.models import WordVectors
from gluon_rnn.models.window_gradients import cbow, row_sums, skip_gram
from tests.reference import rounding

B, L, R, M, D, V, K = 2, 4, 2, 3, 5, 7, 2.5
FORMS = {"skip_gram": skip_gram, "cbow": cbow}


@pytest.fixture(scope="module")
def case():
    """Return tables, ids of blocks, and pairs, among them a centre without any, all at random."""
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 2, (B, L, L + 2 * R)).astype(float)
    pairs[1, 2] = 0
    contexts = rng.integers(0, V, (B, L + 2 * R))
    return {"v": rng.normal(size=(V, D)), "u": rng.normal(size=(V, D)), "contexts": contexts,
            "centres": contexts[:, R:-R], "noise": rng.integers(0, V, (B, M)), "pairs": pairs}


def by_hand(case, architecture):
    """Return the loss by the equations of the papers: pair by pair, or centre by centre."""
    def of(hidden, right, noise):
        noisy = np.mean([np.log1p(np.exp(case["u"][word] @ hidden)) for word in noise])
        return np.log1p(np.exp(-case["u"][right] @ hidden)) + K * noisy

    total = 0.0
    for block in range(B):
        for place, centre in enumerate(case["centres"][block]):
            words = case["contexts"][block][case["pairs"][block, place] == 1]
            noise = case["noise"][block]
            if architecture == "skip_gram":
                total += sum(of(case["v"][centre], word, noise) for word in words)
            elif len(words):
                total += of(case["v"][words].mean(axis=0), centre, noise)
    return total


def looked_up(case, architecture, dtype=np.float64):
    first, second = ("v", "u") if architecture == "skip_gram" else ("u", "v")
    return [case[first][case["centres"]].astype(dtype), case[second][case["contexts"]].astype(dtype),
            case["u"][case["noise"]].astype(dtype)]


@pytest.mark.parametrize("architecture", FORMS)
def test_the_loss_is_that_of_the_papers(case, architecture):
    loss, _ = FORMS[architecture](*looked_up(case, architecture), case["pairs"], K)
    assert loss == pytest.approx(by_hand(case, architecture), rel=1e-13)         # some hundred sums in float64


@pytest.mark.parametrize("architecture", FORMS)
def test_gradients_are_those_of_differences(case, architecture):
    given, step = looked_up(case, architecture), 1e-5
    _, gradients = FORMS[architecture](*given, case["pairs"], K)
    for array, gradient in zip(given, gradients):
        for place in np.ndindex(array.shape):
            kept = array[place]
            losses = []
            for moved in (kept + step, kept - step):
                array[place] = moved
                losses.append(FORMS[architecture](*given, case["pairs"], K)[0])
            array[place] = kept
            # the error of central differences: step^2 of truncation, and 1e-15 * loss / step of rounding
            assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(gradient[place], abs=1e-8)


@pytest.mark.parametrize("architecture", FORMS)
def test_the_graph_computes_the_same_loss_and_gradients(case, architecture):
    model = WordVectors(V, embed_size=D)
    model.initialize()
    model.embedding_weight.set_data(mx.nd.array(case["v"]))
    model.output_weight.set_data(mx.nd.array(case["u"]))
    ids = [mx.nd.array(case[name], dtype="int32") for name in ("centres", "contexts", "noise")]
    with autograd.record():
        loss = model.window_loss(*ids[:2], mx.nd.array(case["pairs"]), ids[2], architecture, K)
    loss.backward()
    assert loss.asscalar() == pytest.approx(by_hand(case, architecture), rel=rounding("float32", 100))
    given = looked_up(case, architecture)
    _, (centres, contexts, noise) = FORMS[architecture](*given, case["pairs"], K)
    found = {"v": np.zeros((V, D)), "u": np.zeros((V, D))}
    first, second = ("v", "u") if architecture == "skip_gram" else ("u", "v")
    for table, places, gradient in ((first, "centres", centres), (second, "contexts", contexts), ("u", "noise", noise)):
        np.add.at(found[table], case[places], gradient)
    for table, name in (("v", "embedding_weight"), ("u", "output_weight")):
        np.testing.assert_allclose(getattr(model, name).grad().asnumpy(), found[table], atol=1e-4)  # sums of 50 terms


def test_large_scores_neither_overflow_nor_vanish():
    ones = np.ones((1, 1, 1), dtype=np.float32)
    loss, (gradient, *_) = skip_gram(200 * ones, -ones, ones, ones, 1.0)
    assert loss == pytest.approx(400) and gradient[0, 0, 0] == pytest.approx(2)   # both sigmoids are 1: +1 and +1


def test_rows_are_added_up():
    ids, gradients = np.array([4, 1, 4, 4, 0]), np.arange(10.0).reshape(5, 2)
    rows, sums = row_sums(ids, gradients)
    assert rows.tolist() == [0, 1, 4] and sums.tolist() == [[8, 9], [2, 3], [0 + 4 + 6, 1 + 5 + 7]]


def test_the_block_looks_words_up():
    model = WordVectors(V, embed_size=D)
    model.initialize()
    model.hybridize()
    tokens = mx.nd.array([[1, 2], [3, 9], [5, 6]], dtype="int32")
    table = model.embedding_weight.data().asnumpy()
    assert abs(table).max() <= 0.5 / D and not model.output_weight.data().asnumpy().any()
    outputs, states = model(tokens, [], mx.nd.array([3, 1]))              # 9 is no word, behind the end of its row
    assert states == [] and not outputs[1:, 1].asnumpy().any()
    np.testing.assert_array_equal(outputs[:, 0].asnumpy(), table[[1, 3, 5]])
    np.testing.assert_array_equal(model(tokens[:1]).asnumpy()[0], table[[1, 2]])
    model.output_weight.set_data(model.embedding_weight.data() + 1)
    np.testing.assert_array_equal(model.output_vectors(tokens[:1]).asnumpy()[0], table[[1, 2]] + 1)
    with pytest.raises(ValueError, match="embed_size must be a whole number of at least 1, got 0"):
        WordVectors(V, embed_size=0)
