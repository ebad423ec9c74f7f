"""The pipeline of frame predictors: playing on by hand, probabilities of each key, files, a live model."""
import mxnet as mx
import numpy as np
import pytest
import scipy.io

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.answers import open_pipeline
from gluon_rnn.answers.frames import FramesAssets
from gluon_rnn.inference.live import LiveNetwork
from gluon_rnn.inference.piano_roll import continue_roll
from gluon_rnn.models import FramePredictor
from gluon_rnn.nn import GRU
from gluon_rnn.tasks.frames.predictor import FramesPredictor
from tests.answers.networks import RunningSums

K = 3
ASSETS = FramesAssets(K)
#: the next frame has the key above each key that has sounded
UP = np.roll(np.eye(K), 1, axis=1)


def open_rolls(network, **options):
    return open_pipeline("frames", {"model": network}, ASSETS.texts().__getitem__, options)


def test_a_scale_goes_up_by_itself():
    roll = np.array([[1, 0, 0]])
    whole = open_rolls(RunningSums(UP)).predict(roll, length=3, temperature=0)
    assert whole.tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 1], [1, 1, 1]] and whole.dtype == np.float32
    shown = list(open_rolls(RunningSums(UP)).stream([[1, 0, 0], [0, 1, 0]]))
    np.testing.assert_allclose(shown, 1 / (1 + np.exp([[0, -1.0, 0], [0, -1, -1]])), rtol=1e-6)   # float32


def test_what_does_not_fit_is_one_sentence():
    pipeline = open_rolls(RunningSums(UP))
    for given in (0, -1):
        with pytest.raises(ValueError, match=f"given must be a whole number of at least 1, got {given}"):
            pipeline.predict(np.eye(3), given=given)
    for frame, shape in [(np.zeros(5), r"\(5,\)"), (np.zeros((1, 3)), r"\(1, 3\)"), (1, r"\(\)")]:
        with pytest.raises(ValueError, match=rf"expected a frame \(3,\), got the shape {shape}; pass the frames one"):
            list(pipeline.stream([frame]))


def test_files_and_what_is_wrong_with_them(tmp_path):
    file = tmp_path / "rolls.mat"
    pieces = np.empty((1, 2), dtype=object)
    pieces[0, 0], pieces[0, 1] = np.eye(3), np.ones((4, 3))
    scipy.io.savemat(file, {"traindata": pieces, "validdata": pieces})
    pipeline = open_rolls(RunningSums(UP), path=str(file))
    assert pipeline.predict(split="valid", piece=2, length=2).shape == (6, K)
    with pytest.raises(ValueError, match="no split 'test' in this file; known: train, valid"):
        pipeline.predict()
    with pytest.raises(ValueError, match="the train split has pieces 1 to 2, got piece 3"):
        pipeline.predict(str(file), split="train", piece=3)
    with pytest.raises(ValueError, match="nowhere.mat: no such file; check the path"):
        pipeline.predict(tmp_path / "nowhere.mat")
    with pytest.raises(ValueError, match="expected what to play on from, got nothing; pass a roll"):
        open_rolls(RunningSums(UP)).predict()
    with pytest.raises(ValueError, match=r"at least one frame by 3 keys, got shape \(2, 4\)"):
        pipeline.predict(np.zeros((2, 4)))


def test_an_answer_is_a_picture_where_there_is_a_folder(tmp_path):
    file = tmp_path / "rolls.mat"
    pieces = np.empty((1, 1), dtype=object)
    pieces[0, 0] = np.eye(3)
    scipy.io.savemat(file, {f"{split}data": pieces for split in ("train", "valid", "test")})
    pipeline = open_rolls(RunningSums(UP))
    assert pipeline.answer(str(file)) == "67 frames"                      # 3 given and 64 played
    assert pipeline.answer(str(file), tmp_path / "new", 2) == f"67 frames: {tmp_path / 'new' / 'continuation-2.png'}"
    assert (tmp_path / "new" / "continuation-2.png").read_bytes().startswith(b"\x89PNG")


def test_a_live_model_answers_as_its_own_call():
    model = FramePredictor(GRU(4), K)
    model.initialize(mx.init.Normal(1))
    data = type("Data", (), {"arguments": {}})
    run = FramesPredictor(None, type("Config", (), {"data": data}), model, ASSETS)
    roll = np.random.randint(0, 2, (5, K)).astype(np.float32)
    whole = run.predict(roll, length=6, seed=2)
    np.testing.assert_array_equal(whole, np.concatenate([roll, continue_roll(model, roll, 6, seed=2)]))
    bundle = open_rolls(LiveNetwork(model), **run.pipeline_options())
    np.testing.assert_array_equal(bundle.predict(roll, length=6, seed=2), whole)
    expected = mx.nd.sigmoid(model(mx.nd.array(roll[:, None])))[:, 0].asnumpy()
    for found in (run.stream(roll), bundle.stream(roll)):
        np.testing.assert_allclose(np.array(list(found)), expected, rtol=1e-5, atol=1e-6)   # other orders of summation
