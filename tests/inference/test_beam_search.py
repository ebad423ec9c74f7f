"""Beam search against all sequences there are; greedy against a loop; scores, lengths and what may not be written."""
import itertools

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.inference.beam_search import beam_search, length_penalty
from gluon_rnn.models import DecodeStep, Seq2Seq, SourceEncoder
from gluon_rnn.nn import GRU, LSTM

V, BEGIN, END, N, LONGEST = 5, 0, 1, 3, 4


@pytest.fixture(params=["none", "luong", "bahdanau"])
def parts(request):
    model = Seq2Seq(7, V, GRU(4, bidirectional=True), LSTM(4, num_layers=2), attention=request.param, embed_size=3)
    model.initialize(mx.init.Normal(1.5))                                 # far from uniform: clear winners
    source, lengths = mx.nd.array(np.random.randint(0, 7, (6, N)), dtype="int32"), mx.nd.array([6, 2, 4])
    return model, source, lengths


def search(parts, **options):
    model, source, lengths = parts
    read, step = SourceEncoder(model), DecodeStep(model)
    step.hybridize()
    begin = mx.nd.full((source.shape[1],), BEGIN, dtype="int32")
    options.setdefault("max_length", LONGEST)
    return beam_search(step, read(source, lengths), begin, END, **options)


def log_probability(parts, row, ids):
    """Sum of the log-probabilities of all `ids`, the end token among them, by the teacher-forced graph."""
    return log_probabilities(parts, row, [ids])[0]


def log_probabilities(parts, row, sequences):
    """The same for several sequences of one length."""
    model, source, lengths = parts
    ids, columns = np.array(sequences).T, np.full(len(sequences), row)
    target = mx.nd.array(np.concatenate([np.full((1, len(sequences)), BEGIN), ids[:-1]]), dtype="int32")
    logits, _ = model(mx.nd.array(source.asnumpy()[:, columns], dtype=source.dtype), target,
                      mx.nd.array(lengths.asnumpy()[columns], dtype=lengths.dtype))
    chosen = mx.nd.log_softmax(logits).asnumpy()[np.arange(len(ids))[:, None], np.arange(len(sequences)), ids]
    return [float(total) for total in chosen.sum(axis=0)]


def all_sequences(allowed):
    """Every sequence that ends with END after at most LONGEST tokens, or is cut off there."""
    for length in range(LONGEST + 1):
        for ids in itertools.product(allowed, repeat=length):
            if length < LONGEST:
                yield list(ids), [*ids, END]
            else:
                yield list(ids), list(ids)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_beam_that_holds_everything_is_exhaustive_search(parts, alpha):
    allowed = [2, 3, 4]
    found = search(parts, beam_size=150, alpha=alpha, exclude=(BEGIN,))
    for row in (0, 1):
        scores = {}
        for _, group in itertools.groupby(all_sequences(allowed), key=lambda pair: len(pair[0])):
            group = list(group)
            totals = log_probabilities(parts, row, [scored for _, scored in group])
            scores.update({tuple(ids): total / length_penalty(len(scored), alpha)
                           for (ids, scored), total in zip(group, totals)})
        ranked = sorted(scores, key=scores.get, reverse=True)
        assert len(found[row]) == len(scores) == 121                      # 1 + 3 + 9 + 27 + 81, each once
        assert [tuple(h.ids) for h in found[row][:10]] == ranked[:10]
        # sums of four float32 log-probabilities
        np.testing.assert_allclose([h.score for h in found[row]], sorted(scores.values(), reverse=True), atol=1e-4)
        assert all(h.finished == (len(h.ids) < LONGEST) for h in found[row])


def test_a_beam_of_one_is_greedy(parts):
    model, source, lengths = parts
    found = search(parts, beam_size=1, max_length=6, exclude=(BEGIN,))
    read, step = SourceEncoder(model), DecodeStep(model)
    for row in range(N):
        states, token, want = read(source[:, row:row + 1], lengths[row:row + 1]), BEGIN, []
        while token != END and len(want) < 6:
            logits, states = step(mx.nd.array([token], dtype="int32"), states)
            token = int(logits.asnumpy()[0, 1:].argmax()) + 1
            want.append(token)
        assert len(found[row]) == 1
        assert found[row][0].ids == [token for token in want if token != END]
        assert found[row][0].finished == (want[-1] == END)
        assert found[row][0].score == pytest.approx(
            log_probability(parts, row, want) / length_penalty(len(want), 1.0), abs=1e-4)


def test_scores_are_those_of_the_sequences_and_fall(parts):
    for alpha in (0.0, 0.6):
        for row, hypotheses in enumerate(search(parts, beam_size=4, alpha=alpha)):
            scores = [h.score for h in hypotheses]
            assert scores == sorted(scores, reverse=True)
            for h in hypotheses:
                ids = h.ids + [END] * h.finished
                want = log_probability(parts, row, ids) / length_penalty(len(ids), alpha)
                assert h.score == pytest.approx(want, abs=1e-4)


def step_of(probabilities):
    """A decoder without memory: the same probabilities at every step."""
    row = mx.nd.array(np.log(probabilities)).reshape((1, -1))
    return lambda token, states: (mx.nd.tile(row, (token.shape[0], 1)), states)


def test_length_normalisation_prefers_longer_sequences():
    begin, states = mx.nd.zeros((1,), dtype="int32"), [mx.nd.zeros((1, 1))]
    step = step_of([1e-9, 0.35, 0.65])
    lengths = [len(beam_search(step, states, begin, END, beam_size=8, max_length=6, alpha=alpha)[0][0].ids)
               for alpha in (0.0, 1.5)]
    assert lengths == [0, 6]      # log 0.35 = -1.05; six times log 0.65 = -2.58, and divided by lp(6) -1.04


def test_a_beam_wider_than_what_can_be_written():
    begin, states = mx.nd.zeros((2,), dtype="int32"), [mx.nd.zeros((2, 1))]
    found = beam_search(step_of([0.2, 0.5, 0.3]), states, begin, END, beam_size=10, max_length=1, exclude=[0])
    assert [[h.ids for h in row] for row in found] == [[[], [2]]] * 2


@pytest.mark.parametrize("options, message", [
    ({"beam_size": 0}, "beam_size must be a whole number of at least 1"),
    ({"max_length": 0}, "max_length must be a whole number of at least 1"),
    ({"alpha": -1}, "must be at least 0, got -1"), ({"alpha": float("nan")}, "must be at least 0, got nan"),
    ({"exclude": [END]}, "the end token 1 is among"), ({"exclude": [2]}, "exclude has the id 2, outside"),
    ({"exclude": [-2]}, "exclude has the id -2, outside the vocabulary of 2 tokens")])
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        beam_search(step_of([0.5, 0.5]), [mx.nd.zeros((1, 1))], mx.nd.zeros((1,)), END, **options)


def test_begin_and_end_outside_the_vocabulary():
    with pytest.raises(ValueError, match="end has the id 2, outside the vocabulary of 2 tokens"):
        beam_search(step_of([0.5, 0.5]), [mx.nd.zeros((1, 1))], mx.nd.zeros((1,)), 2)
    with pytest.raises(ValueError, match="begin has the id 7, outside the vocabulary of 2 tokens"):
        beam_search(step_of([0.5, 0.5]), [mx.nd.zeros((1, 1))], mx.nd.full((1,), 7), END)
