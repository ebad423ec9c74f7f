"""Sampling from live models: against the whole sequence read anew at each step, and against each other.

Tests `sampling.py` and `live.py` too; the drawing itself is tested in ``tests/answers``.
"""
import gluonnlp
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.answers.sampling import generate as generate_from
from gluon_rnn.inference import sample
from gluon_rnn.inference.generation import generate
from gluon_rnn.inference.live import FirstStatesNetwork, LiveNetwork
from gluon_rnn.models import ConditionalLanguageModel, LanguageModel
from gluon_rnn.nn import GRU, LSTM

VOCAB = gluonnlp.Vocab(gluonnlp.data.count_tokens(list("abcdef")), unknown_token=None, padding_token=None,
                       bos_token=None, eos_token=None)


@pytest.fixture
def model():
    block = LanguageModel(6, LSTM(8))
    block.initialize()
    block.embedding_weight.set_data(mx.nd.random.normal(scale=2, shape=(6, 8)))
    block.output_weight.set_data(mx.nd.random.normal(scale=2, shape=(6, 8)))
    return block


def test_seed_repeats_exactly_and_global_generators_do_not_matter(model):
    def draw(seed):
        return list(sample(model, VOCAB, [0, 1], 60, seed=seed))
    first = draw(3)
    np.random.seed(0)
    mx.random.seed(0)
    state = np.random.get_state()[1].copy()
    assert draw(3) == first and draw(4) != first and draw(None) != draw(None)
    np.testing.assert_array_equal(state, np.random.get_state()[1])


def test_greedy_equals_argmax_of_the_whole_sequence(model):
    """Step by step with states gives what the model says when it reads everything from the start at every step."""
    model.hybridize()
    greedy = list(sample(model, VOCAB, [2, 0], 12, temperature=0, ctx=mx.cpu()))
    text = [2, 0]
    for _ in range(12):
        text.append(int(model(mx.nd.array([text], dtype="int32").T)[-1, 0].argmax(axis=0).asscalar()))
    assert greedy == text[2:]


def test_wrong_options_are_refused_before_the_first_token(model):
    with pytest.raises(ValueError, match="prefix_ids has the id 6, outside the vocabulary of 6 tokens"):
        sample(model, VOCAB, [6], 5)


def test_sequences_of_classes_are_those_that_are_drawn_one_by_one():
    model = ConditionalLanguageModel(7, GRU(8), num_classes=3)
    model.initialize(mx.init.Normal(0.8))
    classes = [0, 2, 1, 2]
    _, states = FirstStatesNetwork(model)(np.array(classes, dtype=np.int32))
    options = {"max_length": 9, "exclude": [0]}
    together = generate(model, states, 6, 6, seed=5, **options)
    assert generate_from(LiveNetwork(model), states, 4, 6, 6, seed=5, **options) == together
    greedy = generate(model, states, 6, 6, temperature=0, **options)
    for number, (ids, finished) in zip(classes, greedy):                  # the class alone, and all read anew
        states = model.states_for(mx.nd.array([number], dtype="int32"))
        text = [6]
        while len(text) < 10 and (len(text) == 1 or text[-1] != 6):
            logits = model(mx.nd.array([text], dtype="int32").T, states)[0][-1, 0].asnumpy()
            logits[0] = -np.inf
            text.append(int(logits.argmax()))
        assert ids == [token for token in text[1:] if token != 6] and finished == (text[-1] == 6)
