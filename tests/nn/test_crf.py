"""The CRF and Viterbi's algorithm against enumeration of every label sequence; padding, gradients, graphs."""
import itertools

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.nn import CRF, Viterbi
from tests.gradients import assert_central_differences
from tests.reference import EXACT

K = 3


def build(dtype="float64"):
    crf = CRF(K, dtype)
    crf.initialize()
    for parameter in crf.collect_params().values():
        parameter.set_data(mx.nd.random.normal(shape=parameter.shape, dtype=dtype))
    return crf


def draw(steps, rows=3, dtype="float64"):
    return (mx.nd.random.normal(scale=2, shape=(steps, rows, K), dtype=dtype),
            mx.nd.array(np.random.randint(0, K, (steps, rows)), dtype=dtype))


def enumerate_scores(crf, emissions):
    """Return {labels: s(labels)} for all K ** T label sequences of one row's emissions (T, K)."""
    weights = [getattr(crf, name).data().asnumpy() for name in ("begin_weight", "transition_weight", "end_weight")]
    begin, transition, end = weights
    return {labels: begin[labels[0]] + end[labels[-1]] + sum(e[label] for e, label in zip(emissions, labels))
            + sum(transition[a, b] for a, b in zip(labels, labels[1:]))
            for labels in itertools.product(range(K), repeat=len(emissions))}


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("lengths", [None, [5, 1, 3], [2, 5, 4]])
def test_against_all_label_sequences(hybrid, lengths):
    crf = build()
    viterbi = Viterbi(crf)
    if hybrid:
        crf.hybridize(static_alloc=True)
        viterbi.hybridize()
    emissions, labels = draw(5)
    valid_length = None if lengths is None else mx.nd.array(lengths)
    losses, best = crf(emissions, labels, valid_length).asnumpy(), viterbi(emissions, valid_length).asnumpy()
    for row, length in enumerate(lengths or [5] * 3):
        scores = enumerate_scores(crf, emissions[:length, row].asnumpy())
        normalizer = np.log(sum(np.exp(score) for score in scores.values()))
        given = tuple(labels[:length, row].asnumpy().astype(int))
        assert losses[row] == pytest.approx(normalizer - scores[given], abs=1e-10)
        assert tuple(best[:length, row].astype(int)) == max(scores, key=scores.get)
        assert not best[length:, row].any()


def test_probabilities_of_all_sequences_sum_to_one():
    crf, emissions = build(), draw(4, 1)[0]
    total = sum(float(mx.nd.exp(-crf(emissions, mx.nd.array(labels).reshape((4, 1)))).asscalar())
                for labels in itertools.product(range(K), repeat=4))
    assert total == pytest.approx(1, abs=1e-10)


@pytest.mark.parametrize("lengths", [None, [4, 1, 2]])
def test_gradients_against_central_differences(lengths):
    crf = build()
    emissions, labels = draw(4)
    valid_length = None if lengths is None else mx.nd.array(lengths)
    assert_central_differences(lambda: [crf(emissions, labels, valid_length)], crf, [emissions])


@pytest.mark.parametrize("filler", [99.0, float("nan"), float("inf")])
@pytest.mark.parametrize("hybrid", [False, True])
def test_padding_changes_nothing(filler, hybrid):
    crf = build()
    viterbi = Viterbi(crf)
    if hybrid:
        crf.hybridize()
        viterbi.hybridize()
    (emissions, labels), lengths = draw(5), mx.nd.array([5, 2, 0])
    results = []
    for fill in (False, True):
        inputs, targets = emissions.copy(), labels.copy()
        if fill:
            inputs[2:, 1], inputs[:, 2], targets[2:, 1], targets[:, 2] = filler, filler, filler, filler
        inputs.attach_grad()
        with mx.autograd.record():
            loss = crf(inputs, targets, lengths)
        loss.backward()
        gradients = [parameter.grad().copy() for parameter in crf.collect_params().values()]
        results.append([loss, inputs.grad, viterbi(inputs, lengths), *gradients])
    for plain, filled in zip(*results):
        np.testing.assert_array_equal(plain.asnumpy(), filled.asnumpy())
    assert results[1][0][2].asscalar() == 0 and not results[1][1][2:, 1].asnumpy().any()


def test_large_scores_stay_finite():
    crf = build("float32")
    emissions, labels = draw(6, dtype="float32")
    loss = crf(1e4 * emissions, labels).asnumpy()
    assert np.isfinite(loss).all() and (loss >= 0).all()


def test_new_crf_is_the_cross_entropy_of_each_label():
    crf = CRF(K, "float64")
    crf.initialize()
    emissions, labels = draw(4)
    expected = -mx.nd.pick(mx.nd.log_softmax(emissions), labels).sum(axis=0)
    np.testing.assert_allclose(crf(emissions, labels).asnumpy(), expected.asnumpy(), **EXACT)
    np.testing.assert_array_equal(Viterbi(crf)(emissions).asnumpy(), emissions.argmax(axis=2).asnumpy())


@pytest.mark.parametrize("kind", [CRF, Viterbi])
def test_exported_graph_is_the_live_block_at_other_sizes(kind, tmp_path):
    crf = build()
    block = crf if kind is CRF else Viterbi(crf)
    names = ["emissions", "labels", "valid_length"] if kind is CRF else ["emissions", "valid_length"]
    block(*map(mx.sym.var, names)).save(str(tmp_path / "graph.json"))
    graph = mx.sym.load(str(tmp_path / "graph.json"))
    parameters = {parameter.name: parameter.data() for parameter in crf.collect_params().values()}
    for steps, rows in ((6, 3), (1, 2)):
        emissions, labels = draw(steps, rows)
        lengths = mx.nd.array([steps, 1, steps][:rows])
        inputs = (emissions, labels, lengths) if kind is CRF else (emissions, lengths)
        result, = graph.bind(mx.cpu(), dict(zip(names, inputs), **parameters)).forward()
        np.testing.assert_allclose(result.asnumpy(), block(*inputs).asnumpy(), **EXACT)


def test_errors():
    crf = build("float32")
    with pytest.raises(ValueError, match=r"expects emissions \(T, N, 3\), got shape \(2, 1, 4\)"):
        crf(mx.nd.zeros((2, 1, 4)), mx.nd.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"valid_length of shape \(1,\)"):
        Viterbi(crf)(mx.nd.zeros((2, 1, 3)), mx.nd.ones(2))
    with pytest.raises(ValueError, match="a loop, which gives wrong numbers with static_shape=True"):
        crf.hybridize(static_alloc=True, static_shape=True)
    with pytest.raises(ValueError, match="num_labels must be a whole number of at least 1, got 0"):
        CRF(0)
    for label, place in ((3, "3 in row 1"), (-1, "-1 in row 1"), (0.5, "0.5 in row 1"), (float("nan"), "nan in row 1")):
        labels = mx.nd.array([[0, 1], [2, label]])
        with pytest.raises(ValueError, match=f"CRF: labels must lie between 0 and 2, in whole numbers, got {place}"):
            crf(mx.nd.zeros((2, 2, 3)), labels)
        crf(mx.nd.zeros((2, 2, 3)), labels, [2, 1])                        # padding may be anything
