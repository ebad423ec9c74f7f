"""The pipeline of recognisers: strings by hand, in batches and step by step, features as arrays, a live model."""
import mxnet as mx
import numpy as np
import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.answers import open_pipeline
from gluon_rnn.answers.audio import AudioReader
from gluon_rnn.answers.ctc import LabelStringAssets
from gluon_rnn.answers.ctc_decoding import prefix_beam_search
from gluon_rnn.answers.network import Network
from gluon_rnn.inference.live import LiveNetwork
from gluon_rnn.models import CTCModel
from gluon_rnn.nn import LSTM
from gluon_rnn.tasks.ctc.predictor import CTCPredictor

ASSETS = LabelStringAssets(["a", "b"], AudioReader(8000, "logmel", 3, 13, 0.025, 0.01, 0, "none"))


class Given(Network):
    """The features are the logits: two labels and the blank, the last."""

    def begin_state(self, batch_size):
        return []

    def __call__(self, inputs, states=None, valid_length=None):
        assert inputs.dtype == np.float32
        return inputs, []


def open_strings(network=None):
    return open_pipeline("ctc", {"model": network or Given()}, ASSETS.texts().__getitem__)


def path(*labels):
    """Return features (T, 3) that say these labels, 2 the blank, with certainty."""
    return 50 * np.eye(3, dtype=np.float32)[list(labels)]


def test_strings_of_different_lengths():
    pipeline = open_strings()
    items = [path(0, 0, 2, 0, 1), path(2), path(1, 2, 2, 0)]
    found = pipeline.predict(items, batch_size=2)
    assert [one["labels"] for one in found] == [["a", "a", "b"], [], ["b", "a"]]
    assert max(abs(one["score"]) for one in found) < 1e-6                 # certain: log 1, the padding has no part
    assert pipeline.predict(items[0]) == found[0] and pipeline.answer(items[0]) == "a a b"
    unsure = np.log(np.array([[0.4, 0.01, 0.59], [0.4, 0.01, 0.59]], dtype=np.float32))
    assert pipeline.predict(unsure)["labels"] == ["a"]                    # 0.632 of all paths; the best path says none
    assert pipeline.predict(unsure, beam_size=1)["labels"] == []


def test_labels_are_told_as_they_begin():
    pipeline = open_strings()
    steps = path(0, 0, 2, 0, 1, 1)
    assert list(pipeline.stream(steps)) == [["a"], [], [], ["a"], ["b"], []]
    assert list(pipeline.stream([steps[:4], steps[4:]])) == [["a", "a"], ["b"]]
    assert list(pipeline.stream_answers(steps)) == ["0.00 s\ta", "0.03 s\ta", "0.04 s\tb"]


def test_arrays_that_are_no_features():
    for wrong in (np.zeros((4, 2), np.float32), np.zeros(3, np.float32), np.zeros((4, 3), np.int32)):
        with pytest.raises(ValueError, match=r"expected a recording, or features \(T, 3\) of floating-point numbers"):
            open_strings().predict(wrong)


def test_a_live_model_answers_as_its_own_call():
    model = CTCModel(LSTM(4), 2, input_size=3)
    model.initialize(mx.init.Normal(1))
    run = CTCPredictor(None, None, model, ASSETS)
    items = [np.random.randn(size, 3).astype(np.float32) for size in (7, 4)]
    for item, found in zip(items, run.predict(items)):
        labels, score = prefix_beam_search(model(mx.nd.array(item[:, None]))[:, 0])[0]
        assert found["labels"] == [ASSETS.labels[label] for label in labels]
        assert found["score"] == pytest.approx(score, abs=1e-5)           # float32 logits of the order of 1, 7 steps
    bundle = open_strings(LiveNetwork(model))
    assert bundle.predict(items) == run.predict(items)
    assert list(bundle.stream(items[0])) == list(run.stream(items[0]))
