"""Output layers: exact log-probabilities, losses and gradients, against NumPy in float64, gluonnlp and PyTorch.

Tests `full_softmax.py`, `adaptive_softmax.py` and `sampled_softmax.py`.
"""
import mxnet as mx
import numpy as np
import pytest
from gluonnlp.model import ISDense
from mxnet import autograd

from gluon_rnn.nn import AdaptiveSoftmax, FullSoftmax, SampledSoftmax
from tests.reference import EXACT

V, H, T, N = 23, 8, 6, 4
CUTOFFS = [5, 12]


def bind(output, tied=False, dtype="float64", embed_size=None):
    """Return random weights for a layer that is told its sizes, with gradients."""
    output.set_sizes(V, embed_size or H, H, tied)
    output.dtype = dtype
    weights = {name: mx.nd.random.uniform(-1, 1, shape, dtype=dtype)
               for name, (shape, _) in output.parameters().items()}
    for weight in weights.values():
        weight.attach_grad()
    return weights


def hidden_and_target(dtype="float64"):
    hidden = mx.nd.random.uniform(-1, 1, (T, N, H), dtype=dtype)
    hidden.attach_grad()
    return hidden, mx.nd.array(np.random.randint(0, V, (T, N)), dtype="int32")


def log_softmax(scores):
    scores = scores - scores.max(axis=-1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))


def reference(hidden, weights):
    """Return the log-probabilities (V,) after one hidden output (H,), word by word as the equations have them."""
    values = {name: weight.asnumpy() for name, weight in weights.items()}
    head = log_softmax(values["head_weight"] @ hidden + values["head_bias"])
    found = []
    for word in range(V):
        cluster = sum(word >= cutoff for cutoff in CUTOFFS)
        if cluster == 0:
            found.append(head[word])
            continue
        inside = log_softmax(values[f"tail{cluster}_weight"] @ (values[f"tail{cluster}_projection"] @ hidden)
                             + values[f"tail{cluster}_bias"])
        found.append(head[CUTOFFS[0] + cluster - 1] + inside[word - CUTOFFS[cluster - 1]])
    return np.array(found)


def device_arrays(output, target, **options):
    return [mx.nd.array(array, dtype=array.dtype) for array in output.arrays(target.asnumpy(), **options)]


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("div_value", [1, 2, 4])
def test_adaptive_scores_are_the_log_probabilities_of_the_equations(tied, div_value):
    output = AdaptiveSoftmax(CUTOFFS, div_value)
    weights, (hidden, _) = bind(output, tied), hidden_and_target()
    assert weights["tail1_weight"].shape == (7, 8 // div_value)
    assert weights["tail2_weight"].shape == (11, max(1, 8 // div_value ** 2))
    scores = output.scores(mx.nd, hidden, weights).asnumpy()
    assert scores.shape == (T, N, V)
    np.testing.assert_allclose(np.exp(scores).sum(axis=-1), 1, **EXACT)
    for t, n in np.ndindex(T, N):
        np.testing.assert_allclose(scores[t, n], reference(hidden.asnumpy()[t, n], weights), **EXACT)


def test_tied_embedding_is_the_rows_of_the_output_layer():
    output = AdaptiveSoftmax(CUTOFFS, 2)
    weights = bind(output, tied=True)
    tokens = mx.nd.array(np.arange(V - 1).reshape(2, 11), dtype="int32")
    embedded, values = output.embed(mx.nd, tokens, weights).asnumpy(), {k: w.asnumpy() for k, w in weights.items()}
    for word in range(V - 1):
        cluster = sum(word >= cutoff for cutoff in CUTOFFS)
        expected = values["head_weight"][word] if cluster == 0 else (
            values[f"tail{cluster}_weight"][word - CUTOFFS[cluster - 1]] @ values[f"tail{cluster}_projection"])
        np.testing.assert_allclose(embedded[divmod(word, 11)], expected, **EXACT)


@pytest.mark.parametrize("output", [FullSoftmax(), AdaptiveSoftmax(CUTOFFS, 2), AdaptiveSoftmax([20]),
                                    SampledSoftmax(9)], ids=lambda output: type(output).__name__)
@pytest.mark.parametrize("tied", [False, True])
def test_loss_is_the_exact_negative_log_likelihood(output, tied):
    weights, (hidden, target) = bind(output, tied), hidden_and_target()
    scores = log_softmax(output.scores(mx.nd, hidden, weights).asnumpy())
    expected = -sum(scores[t, n, int(target[t, n].asscalar())] for t, n in np.ndindex(T, N))
    loss = output.loss(mx.nd, hidden, target, weights, *device_arrays(output, target))
    assert loss.shape == (1,)
    np.testing.assert_allclose(loss.asscalar(), expected, **EXACT)


def test_a_loss_without_the_places_of_a_cluster_is_refused():
    output = AdaptiveSoftmax(CUTOFFS, 2)
    weights, (hidden, target) = bind(output), hidden_and_target()
    with pytest.raises(ValueError, match=f"the places of the words of {len(CUTOFFS)} clusters, got 1 arrays"):
        output.loss(mx.nd, hidden, target, weights, device_arrays(output, target)[0])


@pytest.mark.parametrize("words", [range(5), range(5, 12), range(12, 23)], ids=["head", "first", "second"])
def test_a_batch_may_leave_clusters_empty_or_fill_one(words):
    output = AdaptiveSoftmax(CUTOFFS, 2)
    weights, (hidden, _) = bind(output), hidden_and_target()
    target = mx.nd.array(np.random.choice(list(words), (T, N)), dtype="int32")
    loss = output.loss(mx.nd, hidden, target, weights, *device_arrays(output, target))
    expected = -mx.nd.pick(output.scores(mx.nd, hidden, weights), target).sum()
    np.testing.assert_allclose(loss.asscalar(), expected.asscalar(), **EXACT)


@pytest.mark.parametrize("output", [AdaptiveSoftmax(CUTOFFS, 2), SampledSoftmax(9)],
                         ids=lambda output: type(output).__name__)
@pytest.mark.parametrize("tied", [False, True])
def test_gradients_against_central_differences(output, tied):
    weights, (hidden, target) = bind(output, tied), hidden_and_target()
    tokens = mx.nd.array(np.random.randint(0, V, (T, N)), dtype="int32")
    arrays = device_arrays(output, target, random=np.random.default_rng(0))

    def loss():
        outputs = hidden + output.embed(mx.nd, tokens, weights)
        return output.training_loss(mx.nd, outputs, target, weights, *arrays)

    with autograd.record():
        value = loss()
    value.backward()
    for name, array in {"hidden": hidden, **weights}.items():
        values, gradient, eps = array.asnumpy(), array.grad.asnumpy(), 1e-5
        for index in [tuple(np.random.randint(0, size) for size in values.shape) for _ in range(12)]:
            sides = []
            for sign in (1, -1):
                moved = values.copy()
                moved[index] += sign * eps
                array[:] = mx.nd.array(moved, dtype="float64")
                sides.append(loss().asscalar())
            array[:] = mx.nd.array(values, dtype="float64")
            # the error of central differences is eps**2 times a third derivative, plus 1e-16 * loss / eps
            assert (sides[0] - sides[1]) / (2 * eps) == pytest.approx(gradient[index], rel=1e-6, abs=1e-7), name


def test_loss_and_gradients_are_those_of_all_scores():
    """Two routes: over the places of the clusters, and over the log-probabilities of all words."""
    output = AdaptiveSoftmax(CUTOFFS, 2)
    weights, (hidden, target) = bind(output), hidden_and_target()
    gradients = []
    for by_places in (True, False):
        with autograd.record():
            loss = (output.loss(mx.nd, hidden, target, weights, *device_arrays(output, target)) if by_places else
                    -mx.nd.pick(output.scores(mx.nd, hidden, weights), target).sum())
        loss.backward()
        gradients.append([array.grad.asnumpy().copy() for name, array in sorted(weights.items())
                          if name != "embedding_weight"] + [hidden.grad.asnumpy().copy()])
    for first, second in zip(*gradients):
        np.testing.assert_allclose(first, second, **EXACT)


def test_places_are_those_of_each_device_padded_to_few_lengths():
    output = AdaptiveSoftmax([5, 12])
    output.set_sizes(V, H, H, False)
    target = np.random.randint(0, V, (40, 6))
    found = output.arrays(target, devices=2)
    for (low, high), places in zip([(5, 12), (12, V)], found):
        assert places.dtype == np.int32 and len(places) == 2 and places.shape[1] % 8 == 0     # ceil(120 / 16)
        for device, columns in enumerate((target[:, :3], target[:, 3:])):
            chosen = places[device][places[device] >= 0]
            assert sorted(columns.reshape(-1)[chosen]) == sorted(columns[(columns >= low) & (columns < high)])
    empty = output.arrays(np.zeros((4, 4), dtype=int))
    assert all(places.shape == (1, 1) and (places == -1).all() for places in empty)


@pytest.mark.torch
def test_adaptive_softmax_is_that_of_torch():
    import torch
    output = AdaptiveSoftmax(CUTOFFS, 2)
    weights, (hidden, target) = bind(output), hidden_and_target()
    theirs = torch.nn.AdaptiveLogSoftmaxWithLoss(H, V, CUTOFFS, div_value=2, head_bias=True).double()
    pairs = {"head.weight": "head_weight", "head.bias": "head_bias"}
    for k in (1, 2):
        weights[f"tail{k}_bias"][:] = 0                                   # theirs has none
        pairs.update({f"tail.{k - 1}.0.weight": f"tail{k}_projection", f"tail.{k - 1}.1.weight": f"tail{k}_weight"})
    assert set(pairs) == set(theirs.state_dict())
    theirs.load_state_dict({name: torch.tensor(weights[ours].asnumpy()) for name, ours in pairs.items()})
    rows = torch.tensor(hidden.asnumpy().reshape(-1, H), requires_grad=True)
    answer = theirs(rows, torch.tensor(target.asnumpy().reshape(-1)).long())
    (answer.loss * T * N).backward()
    with autograd.record():
        loss = output.loss(mx.nd, hidden, target, weights, *device_arrays(output, target))
    loss.backward()
    np.testing.assert_allclose(loss.asscalar(), answer.loss.item() * T * N, **EXACT)
    np.testing.assert_allclose(output.scores(mx.nd, hidden, weights).asnumpy().reshape(-1, V),
                               theirs.log_prob(rows).detach().numpy(), **EXACT)
    np.testing.assert_allclose(hidden.grad.asnumpy().reshape(-1, H), rows.grad.numpy(), **EXACT)
    for name, ours in pairs.items():
        np.testing.assert_allclose(weights[ours].grad.asnumpy(), dict(theirs.named_parameters())[name].grad.numpy(),
                                   **EXACT)


# ---- samples -------------------------------------------------------------------------------------------------------

def log_q(draws):
    p = np.log((np.arange(V) + 2) / (np.arange(V) + 1)) / np.log(V + 1)
    assert p.sum() == pytest.approx(1)
    return np.log(1 - (1 - p) ** draws)


def test_sampled_loss_against_numpy_and_gluonnlp():
    output = SampledSoftmax(9)
    weights, (hidden, target) = bind(output, dtype="float32"), hidden_and_target("float32")
    drawn, draws = device_arrays(output, target, random=np.random.default_rng(1))
    loss = output.training_loss(mx.nd, hidden, target, weights, drawn, draws).asscalar()
    scores, chance = output.scores(mx.nd, hidden, weights).asnumpy(), log_q(float(draws.asnumpy()[0, 0]))
    expected = 0
    for t, n in np.ndindex(T, N):
        word = int(target[t, n].asscalar())
        candidates = [word, *(one for one in drawn[0].asnumpy() if one != word)]
        expected -= log_softmax(scores[t, n][candidates] - chance[candidates])[0]
    assert loss == pytest.approx(expected, rel=1e-5)
    theirs = ISDense(V, 9, H, sparse_grad=False)
    theirs.initialize()
    theirs.weight.set_data(weights["output_weight"])
    theirs.bias.set_data(weights["output_bias"])
    flat, q = target.reshape(-1), mx.nd.array(np.exp(chance))
    scores, label = theirs(hidden.reshape(-1, H), [drawn[0], q[drawn[0]], q[flat]], flat)
    assert loss == pytest.approx(-mx.nd.pick(mx.nd.log_softmax(scores), label).sum().asscalar(), rel=1e-5)


def test_words_are_drawn_as_often_as_the_correction_says():
    output = SampledSoftmax(6)
    output.set_sizes(V, H, H, False)
    random, counts, expected = np.random.default_rng(0), np.zeros(V), np.zeros(V)
    for _ in range(4000):
        drawn, draws = output.arrays(np.zeros((1, 1)), random=random)
        assert len(set(drawn[0])) == 6 and draws[0, 0] >= 6
        counts[drawn[0]] += 1
        expected += np.exp(log_q(draws[0, 0]))
    # q is the chance in a given number of draws, and that number was not given beforehand: a tenth of difference
    np.testing.assert_allclose(counts, expected, rtol=0.15)


def test_the_bias_of_the_sampled_loss_vanishes_with_more_samples():
    weights, (hidden, target) = bind(FullSoftmax()), hidden_and_target()
    exact, biases = None, []
    for samples in (3, 10, 21):
        output, random = SampledSoftmax(samples), np.random.default_rng(0)
        output.set_sizes(V, H, H, False)
        output.dtype = "float64"
        exact = output.loss(mx.nd, hidden, target, weights).asscalar()
        losses = [output.training_loss(mx.nd, hidden, target, weights,
                                       *device_arrays(output, target, random=random)).asscalar() for _ in range(60)]
        biases.append(abs(np.mean(losses) / exact - 1))
    assert biases[0] > biases[1] > biases[2] and biases[2] < 0.05


def test_the_best_scores_of_the_sampled_loss_are_those_of_the_whole_one(monkeypatch):
    """Where the model is right, the mean gradient over targets and samples is close to 0, and not without correction.

    Close to: the correction takes words for drawn independently of each other, and they are drawn without repetition.
    The model's chances are Zipf's, 1 / rank, as those of the draws nearly are: by random chances a frequent word may be
    one that is seldom drawn, where that approximation is at its worst. Over 12 seeds of the draws the gradient is
    0.010 to 0.032 with the correction, 0.109 to 0.158 without it.
    """
    output = SampledSoftmax(8)
    weights, hidden = bind(output), mx.nd.ones((1, 400, H), dtype="float64")
    weights["output_weight"][:] = 0
    weights["output_bias"][:] = mx.nd.array(-np.log(np.arange(V) + 1), dtype="float64")
    chances = np.exp(log_softmax(output.scores(mx.nd, hidden[:, :1], weights).asnumpy())[0, 0])

    def mean_gradient():
        random, total = np.random.default_rng(0), np.zeros(V)
        for _ in range(60):
            target = mx.nd.array(random.choice(V, (1, 400), p=chances), dtype="int32")
            with autograd.record():
                loss = output.training_loss(mx.nd, hidden, target, weights,
                                            *device_arrays(output, target, random=random))
            loss.backward()
            total += weights["output_bias"].grad.asnumpy() / 400 / 60
        return np.abs(total).max()

    corrected = mean_gradient()
    monkeypatch.setattr(output, "_log_q", lambda F, ids, draws: F.zeros_like(F.cast(ids, dtype="float64")))
    assert corrected < 0.03 and 3 * corrected < mean_gradient()


@pytest.mark.parametrize("make, message", [
    (lambda: AdaptiveSoftmax(5), "cutoffs must be a list"),
    (lambda: AdaptiveSoftmax([]), "cutoffs must be a list"),
    (lambda: AdaptiveSoftmax([5, 5]), r"cutoffs must rise, got \[5, 5\]"),
    (lambda: AdaptiveSoftmax([2.5]), "cutoffs must be a whole number"),
    (lambda: AdaptiveSoftmax([5], 0.5), "div_value must be a number of at least 1"),
    (lambda: AdaptiveSoftmax([5, V]).set_sizes(V, H, H, False), f"must be below the {V} words"),
    (lambda: SampledSoftmax(0), "samples must be a whole number"),
    (lambda: SampledSoftmax(V).set_sizes(V, H, H, False), f"samples must be fewer than the {V} words"),
])
def test_wrong_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
