"""CTC against enumeration of all paths: loss, gradients, lengths; decoding: best path and prefix beam search.

Decoding, `gluon_rnn/inference/ctc.py`, is tested beside it, against the same enumeration.

Tests `gluon_rnn/answers/ctc_decoding.py` too.
"""
import doctest
import itertools
from collections import defaultdict

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn.inference import ctc as decoding
from gluon_rnn.inference.ctc import best_path, collapse, prefix_beam_search
from gluon_rnn.models import CTCModel
from gluon_rnn.nn import LSTM, CTCLoss, ctc
from tests.reference import rounding


def log_softmax(values):
    return values - np.log(np.exp(values).sum(axis=-1, keepdims=True))


def enumerate_sequences(logits):
    """{label sequence: probability} of logits (T, K + 1) by going through all (K + 1)^T paths."""
    scores, found = log_softmax(logits.astype(np.float64)), defaultdict(float)
    outputs = scores.shape[1]
    for path in itertools.product(range(outputs), repeat=len(scores)):
        labels = [label for label, _ in itertools.groupby(path)]           # not `collapse`: that one is under test
        found[tuple(label for label in labels if label != outputs - 1)] += np.exp(
            sum(scores[step, label] for step, label in enumerate(path)))
    return found


def test_examples():
    assert doctest.testmod(ctc).failed == 0 == doctest.testmod(decoding).failed


@pytest.mark.parametrize("hybrid", [False, True])
def test_loss_is_the_sum_over_all_paths(hybrid):
    loss = CTCLoss()
    if hybrid:
        loss.hybridize()
    logits = np.random.normal(size=(5, 4, 3)).astype(np.float32)
    labels, steps = [(0,), (0, 1), (1, 1), (0, 1, 0)], [5, 3, 4, 5]
    padded = np.array([[*row, 99, 99][:3] for row in labels])              # the padding is no label
    got = loss(mx.nd.array(logits), mx.nd.array(padded), mx.nd.array(steps), mx.nd.array([len(row) for row in labels]))
    for row, length in enumerate(steps):
        want = -np.log(enumerate_sequences(logits[:length, row])[labels[row]])
        # float32 inside the operator: a sum over three ways into each of seven places, at each of five steps
        assert got[row].asscalar() == pytest.approx(want, rel=0, abs=rounding("float32", 5 * 7 * 3, 1 + want))


@pytest.mark.parametrize("filler", [99.0, float("nan")])
def test_padding_changes_neither_loss_nor_gradient(filler):
    loss, results = CTCLoss(), []
    logits = np.random.normal(size=(6, 2, 4)).astype(np.float32)
    for value in (0.0, filler):
        logits[4:, 0] = value
        array = mx.nd.array(logits)
        array.attach_grad()
        with autograd.record():
            result = loss(array, mx.nd.array([[0, 1], [2, 0]]), mx.nd.array([4, 6]), mx.nd.array([2, 1]))
        result.backward()
        results.append((result.asnumpy(), array.grad.asnumpy()))
    for first, second in zip(*results):
        np.testing.assert_array_equal(first, second)
    assert not results[1][1][4:, 0].any() and results[1][1][:4, 0].any()


def test_gradient_is_the_softmax_less_the_share_of_paths():
    """d loss / d logit_t,k = y_t(k) - (share of the labels' paths that are at k at step t); by enumeration."""
    logits, labels = np.random.normal(size=(4, 3)), (1, 0)
    scores, share, total = log_softmax(logits), np.zeros((4, 3)), 0.0
    for path in itertools.product(range(3), repeat=4):
        if tuple(label for label, _ in itertools.groupby(path) if label != 2) == labels:
            probability = np.exp(sum(scores[step, label] for step, label in enumerate(path)))
            total += probability
            for step, label in enumerate(path):
                share[step, label] += probability
    array = mx.nd.array(logits[:, None])
    array.attach_grad()
    with autograd.record():
        loss = CTCLoss()(array, mx.nd.array([labels]), mx.nd.array([4]), mx.nd.array([2]))
    loss.backward()
    np.testing.assert_allclose(array.grad.asnumpy()[:, 0], np.exp(scores) - share / total, rtol=0,
                               atol=rounding("float32", 4 * 5 * 3, 1 + np.log(total)))


def test_a_row_without_a_path_is_infinity_and_has_no_gradient():
    """Three steps cannot say 0 0 1, which needs a blank between the zeros; two cannot say three labels."""
    logits = mx.nd.random.normal(shape=(6, 5, 3))
    logits.attach_grad()
    labels = mx.nd.array([[0, 0, 1], [0, 0, 1], [0, 1, 0], [1, 99, 99], [0, 0, 1]])
    with autograd.record():
        loss = CTCLoss()(logits, labels, mx.nd.array([3, 4, 2, 0, 6]), mx.nd.array([3, 3, 3, 1, 3]))
    loss.backward()
    assert np.isfinite(loss.asnumpy()).tolist() == [False, True, False, False, True]
    assert ctc.shortest_path([0, 0, 1]) == 4 and loss.asnumpy()[0] == np.inf
    gradient = logits.grad.asnumpy()
    assert not gradient[:, [0, 2, 3]].any() and gradient[:4, 1].any() and gradient[:, 4].any()


def test_no_labels_are_blanks_alone():
    logits = np.random.normal(size=(3, 2, 3))
    loss = CTCLoss()(mx.nd.array(logits), mx.nd.array([[7], [7]]), mx.nd.array([3, 2]), mx.nd.zeros(2)).asnumpy()
    want = [-log_softmax(logits)[:length, row, 2].sum() for row, length in enumerate((3, 2))]
    # the exponential of float32's log_softmax is a polynomial, good to some thirty roundings
    np.testing.assert_allclose(loss, want, rtol=0, atol=rounding("float32", 3 * 30, 1 + max(want)))


@pytest.mark.parametrize("labels,length,message", [
    ([[0, 1], [1, 2]], [2, 2], r"CTCLoss: labels must lie between 0 and 1, in whole numbers, got 2 in row 1"),
    ([[-1, 1], [1, 0]], [1, 2], "got -1 in row 0"), ([[0, 1e8], [1, 0]], [2, 0], r"got 1e\+08 in row 0"),
    ([[0, 1], [0.5, 0]], [0, 1], "got 0.5 in row 1"), ([[0, 1], [0, float("nan")]], [2, 2], "got nan in row 1"),
    ([[0] * 5] * 2, [1, 1], r"L at most the 4 steps of the logits, got shape \(2, 5\); cut padding off")])
def test_labels_beside_the_logits_are_refused(labels, length, message):
    with pytest.raises(ValueError, match=message):
        CTCLoss()(mx.nd.zeros((4, 2, 3)), labels, [4, 4], length)


def test_labels_that_a_graph_cannot_read_stay_within_the_logits():
    """Inside a symbol: above K - 1 as K - 1, below 0 and NaN as 0; else MXNet's operator writes beside the logits."""
    names = ("logits", "labels", "valid_length", "label_length")
    graph, values = CTCLoss()(*map(mx.sym.var, names)), np.random.normal(size=(4, 5, 3))
    results = []
    for labels in ([[1], [1], [1], [0], [0]], [[2], [5], [1e8], [-1], [float("nan")]]):
        arrays = dict(zip(names, (mx.nd.array(values), mx.nd.array(labels), mx.nd.array([4] * 5), mx.nd.ones(5))))
        gradient = mx.nd.zeros((4, 5, 3))
        bound = graph.bind(mx.cpu(), arrays, args_grad={"logits": gradient},
                           grad_req={name: "write" if name == "logits" else "null" for name in names})
        loss, = bound.forward(is_train=True)
        bound.backward(mx.nd.ones(5))
        results.append((loss.asnumpy(), gradient.asnumpy()))
    for inside, outside in zip(*results):
        np.testing.assert_array_equal(inside, outside)
    # a softmax less shares that add up to 1: 0 but for rounding of the three terms, all at most 1
    np.testing.assert_allclose(results[1][1].sum(axis=2), 0, rtol=0, atol=rounding("float32", 4 * 3, 1))


def test_float64_can_be_trained():
    values, losses = np.random.normal(size=(4, 1, 3)).astype(np.float32), []
    for dtype in ("float32", "float64"):
        logits = mx.nd.array(values, dtype=dtype)
        logits.attach_grad()
        with autograd.record():
            loss = CTCLoss()(logits, [[0, 1]], [4], [2])
        loss.backward()
        assert loss.dtype == np.float32 and logits.grad.dtype == np.dtype(dtype)
        losses.append((loss.asnumpy(), logits.grad.asnumpy().astype(np.float32)))
    for single, double in zip(*losses):
        np.testing.assert_array_equal(single, double)                      # the operator computes both in float32
    assert losses[1][1].any()


@pytest.mark.parametrize("steps, labels", [(1, 2), (4, 1), (5, 2), (4, 3)])
def test_a_beam_that_holds_all_prefixes_is_exact(steps, labels):
    logits = np.random.normal(scale=2, size=(steps, labels + 1))
    want, got = enumerate_sequences(logits), prefix_beam_search(logits, beam_size=10000)
    assert len(got) == len([p for p in want.values() if p > 0])
    for sequence, score in got:
        assert score == pytest.approx(np.log(want[sequence]), abs=1e-9)
    scores = [score for _, score in got]
    assert scores == sorted(scores, reverse=True) and np.exp(scores).sum() == pytest.approx(1)


def test_a_narrow_beam_is_a_lower_bound_and_finds_good_sequences():
    hits = 0
    for _ in range(20):
        logits = np.random.normal(scale=2, size=(5, 3))
        want = enumerate_sequences(logits)
        sequence, score = prefix_beam_search(logits, beam_size=3)[0]
        assert score <= np.log(want[sequence]) + 1e-9
        hits += sequence == max(want, key=want.get)
    assert hits >= 16                                                      # a beam of 1 path finds about half


def test_best_path_row_by_row():
    paths = np.array([[0, 0, 2, 0, 1, 1], [2, 2, 2, 2, 2, 2], [1, 1, 0, 2, 2, 0]]).T          # (T, N)
    logits = np.eye(3)[paths]
    assert best_path(mx.nd.array(logits)) == [(0, 0, 1), (), (1, 0, 0)]
    assert best_path(logits, mx.nd.array([3, 6, 0])) == [(0,), (), ()]
    assert best_path(logits, [3, 6, 0]) == best_path(logits, np.array([3, 6, 0], dtype="int64")) == [(0,), (), ()]


@pytest.mark.parametrize("lengths,message", [
    ([5, 1], r"best_path: valid_length must lie between 0 and T = 4, in whole numbers, got 5 in row 0"),
    ([4, -1], "got -1 in row 1"), ([1.5, 1], "got 1.5 in row 0"), ([float("nan"), 1], "got nan in row 0"),
    ([4], r"best_path expects valid_length of shape \(2,\), one length a row, got \(1,\)"), (3, r"pass \[3\] \* 2")])
def test_best_path_refuses_wrong_lengths(lengths, message):
    with pytest.raises(ValueError, match=message):
        best_path(np.zeros((4, 2, 3)), lengths)


def test_decoding_refuses_wrong_logits():
    with pytest.raises(ValueError, match=r"best_path expects logits of shape \(T, N, K \+ 1\), got \(4, 3\)"):
        best_path(np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"prefix_beam_search expects logits of shape \(T, K \+ 1\), got \(4, 2, 3\)"):
        prefix_beam_search(np.zeros((4, 2, 3)))
    for decode in (lambda logits: best_path(logits[:, None]), prefix_beam_search):
        with pytest.raises(ValueError, match="expects logits without NaN"):
            decode(np.full((4, 3), np.nan))
    assert collapse([], blank=0) == ()


@pytest.mark.parametrize("beam_size", [0, 1.5, True])
def test_wrong_beam_sizes(beam_size):
    with pytest.raises(ValueError, match="beam_size must be a whole number of at least 1"):
        prefix_beam_search(np.zeros((2, 2)), beam_size)


def test_a_tiny_set_is_learnt_to_100_percent():
    """Strings whose symbols last one to three steps each, as noisy features: the network finds where each stands."""
    rng = np.random.default_rng(0)
    strings = [tuple(rng.integers(0, 3, rng.integers(1, 5)).tolist()) for _ in range(16)]
    rows = [np.repeat([symbol for label in string for symbol in (label, 3)],
                      rng.integers(1, 4, 2 * len(string))) for string in strings]
    steps = np.array([len(row) for row in rows])
    inputs = np.zeros((steps.max(), 16, 4), np.float32)
    for column, row in enumerate(rows):
        inputs[:len(row), column] = np.eye(4)[row] + 0.1 * rng.normal(size=(len(row), 4))
    labels = mx.nd.array([[*string, 0, 0, 0, 0][:4] for string in strings])
    model, loss = CTCModel(LSTM(16, bidirectional=True), 3, input_size=4), CTCLoss()
    model.initialize()
    model.hybridize()
    trainer = gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 0.02})
    inputs, lengths = mx.nd.array(inputs), mx.nd.array(steps)
    label_length = mx.nd.array([len(string) for string in strings])
    for _ in range(80):
        with autograd.record():
            logits = model(inputs, None, lengths)
            value = loss(logits, labels, lengths, label_length)
        value.backward()
        trainer.step(16)
    assert best_path(logits, lengths) == strings
    found = [prefix_beam_search(logits[:int(size), row], 5)[0][0] for row, size in enumerate(steps)]
    assert found == strings
