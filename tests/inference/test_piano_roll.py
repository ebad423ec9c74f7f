"""Playing on from a roll: a hand-written feedback loop, frequencies of drawn keys, pictures."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.inference.piano_roll import continue_roll, draw_roll
from gluon_rnn.models import FramePredictor
from gluon_rnn.nn import GRU

K = 5


@pytest.fixture
def model():
    model = FramePredictor(GRU(6), K)
    model.initialize(mx.init.Normal(1))
    return model


def test_greedy_continuation_is_the_feedback_loop(model):
    roll = np.random.randint(0, 2, (4, K)).astype(np.float32)
    played = continue_roll(model, roll, 6, temperature=0)
    whole = roll
    for _ in range(6):                                                    # the whole piece again for each frame
        logits = model(mx.nd.array(whole[:, None]))[-1, 0].asnumpy()
        whole = np.concatenate([whole, (logits > 0)[None].astype(np.float32)])
    np.testing.assert_array_equal(played, whole[4:])


def test_keys_are_drawn_with_their_probabilities(model):
    model.output_weight.set_data(mx.nd.zeros((K, 6)))
    model.output_bias.set_data(mx.nd.array([-30, -1, 0, 1, 30]))
    for temperature in (1.0, 2.0):
        played = continue_roll(model, np.zeros((1, K)), 400, temperature=temperature, seed=1)
        expected = 1 / (1 + np.exp(-np.array([-30, -1, 0, 1, 30]) / temperature))
        assert np.abs(played.mean(axis=0) - expected).max() < 4 * 0.5 / np.sqrt(400)      # four standard errors
    assert (continue_roll(model, np.zeros((1, K)), 9, seed=3) == continue_roll(model, np.zeros((1, K)), 9,
                                                                               seed=3)).all()


def test_wrong_rolls(model):
    assert continue_roll(model, np.ones((2, K)), 0).shape == (0, K)
    for wrong in (np.zeros((0, K)), np.zeros((3, K + 1)), np.zeros(K)):
        with pytest.raises(ValueError, match=f"at least one frame by {K} keys, got shape"):
            continue_roll(model, wrong, 3)
    with pytest.raises(ValueError, match="must be at least 0, got -1 and 1.0"):
        continue_roll(model, np.ones((2, K)), -1)


def test_picture(tmp_path):
    figure = draw_roll(np.eye(12, 88), 5, tmp_path / "roll.png")
    assert (tmp_path / "roll.png").read_bytes().startswith(b"\x89PNG")
    assert figure.axes[0].get_title() == "5 frames given, 7 played by the model"
    draw_roll(np.zeros((3, 88)))
