"""Several models as one, against the mean of what each says with the whole translation given."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.inference.translation_ensemble import MeanStep, ReadAll
from gluon_rnn.models import Seq2Seq
from gluon_rnn.nn import GRU, LSTM


def models():
    """Three models that differ in kind and in number of states."""
    kinds = [("bahdanau", GRU), ("none", LSTM), ("luong", GRU)]
    made = [Seq2Seq(7, 9, kind(5, bidirectional=True), kind(4), attention=attention, embed_size=4)
            for attention, kind in kinds]
    for model in made:
        model.initialize(mx.init.Normal(1.0))
    return made


@pytest.mark.parametrize("count", [1, 3])
def test_steps_give_the_mean_of_the_probabilities(count):
    chosen, random = models()[:count], np.random.default_rng(0)
    source, lengths = mx.nd.array(random.integers(7, size=(6, 3)), dtype="int32"), mx.nd.array([6, 1, 4])
    target = mx.nd.array(random.integers(9, size=(5, 3)), dtype="int32")
    expected = np.mean([mx.nd.softmax(model(source, target, lengths)[0]).asnumpy() for model in chosen], axis=0)
    states, step = ReadAll(chosen)(source, lengths), MeanStep(chosen)
    assert len(states) == len(step.state_info(3))
    for t, token in enumerate(target):
        logits, states = step(token, states)
        log_probs = mx.nd.log_softmax(logits)                             # of three they are that already
        np.testing.assert_allclose(np.exp(log_probs.asnumpy()), expected[t], rtol=0, atol=1e-6)   # float32 softmax
