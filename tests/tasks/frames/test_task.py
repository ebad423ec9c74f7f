"""The task "frames": what counts, batches, baselines, a run from recipe to continuation, and learning by heart.

It covers the files of the task's folder: loss, batches, predictor and report too.

Tests `gluon_rnn/metrics/baselines/frames.py` too.
"""
import json

import mxnet as mx
import numpy as np
import pytest
import scipy.io

import gluon_rnn
from gluon_rnn import config as configuration
from gluon_rnn import recipes, training
from gluon_rnn.metrics.baselines.frames import flip_rates, key_frequencies
from gluon_rnn.models import frame_loss
from gluon_rnn.recipes import build_task
from gluon_rnn.registry import tasks
from gluon_rnn.tasks.frames.loss import FrameLoss, TruncatedFrameLoss
from tests.reference import rounding

KEYS = 9
# Of a logit, in float32: up to 9 steps of a GRU of 24 units, and the output layer.
ERROR = rounding("float32", 9 * (KEYS + 24) + 24)


def pieces(*lengths):
    cells = np.empty((1, len(lengths)), dtype=object)
    for index, length in enumerate(lengths):
        cells[0, index] = np.random.randint(0, 2, (length, KEYS)).astype(np.uint8)
        cells[0, index][:, [0, 1, -1]] = 0                                # room for transposition
    return cells


@pytest.fixture
def make_config(tmp_path):
    """Return a function that gives a small recipe; three short pieces of noise in every split."""
    scipy.io.savemat(tmp_path / "rolls.mat", {f"{split}data": pieces(6, 9, 4) for split in ("train", "valid", "test")})

    def make(encoder=None, **changes):
        raw = {"task": "frames", "output_dir": str(tmp_path / "runs"),
               "data": {"name": "piano_roll", "path": str(tmp_path / "rolls.mat"), "batch_size": 2,
                        "eval_batch_size": 2},
               "model": {"encoder": {"name": "gru", "hidden_size": 24, **(encoder or {})}},
               "training": {"epochs": 2, "optimizer": {"name": "adam", "learning_rate": 0.02}}}
        for section, values in changes.items():
            raw[section].update(values)
        return recipes.from_dict(raw)
    return make


def build(config):
    task = tasks.get("frames")(config)
    task.initialize([mx.cpu()])
    return task


def test_scores_against_one_piece_at_a_time(make_config):
    task = build(make_config())
    losses, played, either = [], 0, 0
    for roll in task.data.rolls("valid"):
        logits = task.model(mx.nd.array(roll[:-1, None]))[:, 0].asnumpy().astype("float64")      # of frames 2 to T
        probability = 1 / (1 + np.exp(-logits))
        losses.append(-np.log(np.where(roll[1:] > 0, probability, 1 - probability)).sum(axis=1))
        played += ((logits > 0) & (roll[1:] > 0)).sum()
        either += ((logits > 0) | (roll[1:] > 0)).sum()
    scores = task.evaluate("valid")
    assert [len(piece) for piece in losses] == [5, 8, 3]
    assert scores["loss"] == pytest.approx(np.concatenate(losses).mean(), rel=ERROR)
    assert scores["loss_by_piece"] == pytest.approx(np.mean([piece.mean() for piece in losses]), rel=ERROR)
    assert scores["accuracy"] == pytest.approx(played / either)
    total = sum(float(task.graph(*batch.arrays).asscalar()) for batch in task.eval_batches("valid"))
    assert total / sum(batch.size for batch in task.eval_batches("valid")) == pytest.approx(scores["loss"], rel=ERROR)


def test_training_batches_are_the_same_for_one_seed_and_epoch(make_config):
    task = build(make_config(data={"transpose": 3}))

    def of_epoch(epoch):
        return [array.asnumpy() for batch in task.train_batches(epoch) for array in batch.arrays]

    first, again, other = of_epoch(0), of_epoch(0), of_epoch(1)
    assert all((a == b).all() for a, b in zip(first, again))
    assert any(a.shape != b.shape or (a != b).any() for a, b in zip(first, other))
    assert sum(batch.size for batch in task.train_batches(0)) == 5 + 8 + 3 and len(task.train_batches(0)) == 2


def test_pieces_are_solved_where_all_that_may_come_is_most_active(tmp_path):
    task = build(recipes.from_dict({
        "task": "frames", "output_dir": str(tmp_path), "data": {"name": "reber", "train": 40, "test": 30},
        "model": {"encoder": {"name": "rnn", "hidden_size": 4}}}))
    assert task.evaluate("test")["solved"] == 0                           # nothing has been learnt
    outputs, order = [], [index for group in task.eval_batches("test").groups for index in group]
    strings = iter([task.data.possible("test")[index] for index in order])

    def know(frames, states, valid_length):
        sets = [next(strings) for _ in range(frames.shape[1])]
        outputs.append(np.zeros(frames.shape, dtype=np.float32))
        for row, may in enumerate(sets):
            outputs[-1][:len(may), row] = np.where(may, -1 - np.random.rand(*may.shape), -3)
            if len(outputs) == 1 and row == 0:                            # one wrong symbol in one string
                outputs[-1][2, row, np.flatnonzero(~may[2])[0]] = 0
        return mx.nd.array(outputs[-1])

    task.model = know
    task.__class__ = type("Known", (type(task),), {"device": mx.cpu()})
    assert task.evaluate("test")["solved"] == pytest.approx(29 / 30)


def test_baselines_by_hand():
    rolls = [np.array([[0, 1], [1, 1], [1, 0]]), np.array([[0, 0], [1, 0]])]
    # of frames 2 and later, (1, 1), (1, 0), (1, 0): half a count more on each side
    np.testing.assert_allclose(key_frequencies(rolls)(rolls[1]), [[3.5 / 4, 1.5 / 4]])
    # key 1: off-on, on-on, off-on; key 2: on-on, on-off, off-off
    on = (0.5 + 1) / (1 + 1), (0.5 + 1) / (2 + 1)
    off = (0.5 + 2) / (2 + 1), 0.5 / (1 + 1)
    np.testing.assert_allclose(flip_rates(rolls)(rolls[0]), [[off[0], on[1]], [on[0], on[1]]])


def test_a_run_leaves_scores_and_a_picture_and_plays_on(make_config, tmp_path):
    path = training.train(build_task(make_config()), "frames")
    results = json.loads((path / "results.json").read_text())
    assert results["split"] == "test" and set(results["scores"]) == {"loss", "loss_by_piece", "accuracy"}
    assert set(results["baselines"]) == {"key frequencies", "last frame with flip rates"}
    assert (path / "continuation.png").read_bytes().startswith(b"\x89PNG")
    run = gluon_rnn.load(path)
    whole = run.predict(given=4, length=7, seed=1, picture=tmp_path / "played.png")
    roll = scipy.io.loadmat(tmp_path / "rolls.mat")["testdata"][0, 0]
    assert whole.shape == (11, KEYS) and (tmp_path / "played.png").is_file()
    np.testing.assert_array_equal(whole[:4], roll[:4])
    np.testing.assert_array_equal(run.predict(roll, given=4, length=7, seed=1), whole)
    np.testing.assert_array_equal(run.predict(str(tmp_path / "rolls.mat"), given=4, length=7, seed=1), whole)
    with pytest.raises(ValueError, match="the test split has pieces 1 to 3, got piece 4"):
        run.predict(piece=4)
    with pytest.raises(ValueError, match="no split 'tests' in this file; did you mean 'test'"):
        run.predict(split="tests")


def test_it_learns_three_pieces_by_heart(make_config):
    config = make_config(encoder={"hidden_size": 48}, training={"epochs": 120}, data={"batch_size": 3})
    task = tasks.get("frames")(config)
    loop = training.loop.Loop(build_task(config))
    loop.task.graph.hybridize()
    for epoch in range(120):
        for batch in loop.task.train_batches(epoch):
            loop.step(batch, [[]], 0.02)
    scores = loop.task.evaluate("train")
    # frames of noise whose first one tells the piece: nothing is left to guess
    assert scores["accuracy"] == 1.0 and scores["loss"] < 0.1 < task.data.num_keys * np.log(2)


def test_recipes_that_cannot_work(make_config):
    with pytest.raises(configuration.ConfigError, match="model: a frame predictor needs a causal encoder"):
        build_task(make_config(encoder={"bidirectional": True}))
    with pytest.raises(configuration.ConfigError, match="data.transpose"):
        make_config(data={"transpose": 12})
    with pytest.raises(configuration.ConfigError, match="needs piano rolls, and 'elman_grammar' has none"):
        tasks.get("frames")(recipes.from_dict({"task": "frames", "data": {"name": "elman_grammar"},
                                                     "model": {"encoder": {"name": "rnn", "hidden_size": 2}}}))


def test_streamed_frames_are_those_of_the_whole_piece(make_config):
    run = gluon_rnn.load(training.train(build_task(make_config()), "rolls"))
    roll = np.random.default_rng(0).integers(0, 2, (5, KEYS))
    whole = mx.nd.sigmoid(run.model(mx.nd.array(roll[:, None]))).asnumpy()[:, 0]
    np.testing.assert_allclose(list(run.stream(roll)), whole, rtol=0, atol=ERROR)


def test_truncated_backpropagation_has_the_same_loss_and_the_gradient_of_its_chunks(make_config):
    """Chunks of 3 frames: their gradients by hand, from states that are constants; in one chunk, the whole one."""
    task = build(make_config())
    batch = next(iter(task.train_batches(0)))
    frames, target, length = batch.arrays

    def gradient(graph):
        with mx.autograd.record():
            loss = graph(frames, target, length)
        loss.backward()
        return loss.asscalar(), [parameter.grad().asnumpy() for parameter in task.model.collect_params().values()]

    whole = gradient(FrameLoss(task.model))
    for bptt, differs in ((3, True), (len(frames), False)):
        cut = gradient(TruncatedFrameLoss(task.model, bptt))
        assert cut[0] == pytest.approx(whole[0], rel=ERROR)
        close = [np.allclose(*pair, rtol=10 * ERROR, atol=10 * ERROR) for pair in zip(cut[1], whole[1])]
        assert all(close) != differs
    states, total = task.model.begin_state(frames.shape[1]), 0
    for start in range(0, len(frames), 3):                      # each chunk's gradient alone, added up by hand
        rows = slice(start, start + 3)
        with mx.autograd.record():
            logits, states = task.model(frames[rows], states, mx.nd.clip(length - start, 0, len(frames[rows])))
            loss = frame_loss(mx.nd, logits, target[rows], mx.nd.clip(length - start, 0, len(frames[rows]))).sum()
        loss.backward()
        states = [mx.nd.array(state.asnumpy()) for state in states]
        total = [a + parameter.grad().asnumpy() for a, parameter in
                 zip(total or [0] * 99, task.model.collect_params().values())]
    for ours, by_hand in zip(gradient(TruncatedFrameLoss(task.model, 3))[1], total):
        np.testing.assert_allclose(ours, by_hand, rtol=10 * ERROR, atol=10 * ERROR)


def test_a_run_with_truncated_backpropagation(make_config):
    path = training.train(build_task(make_config(data={"bptt": 2})), "frames")
    assert np.isfinite(json.loads((path / "results.json").read_text())["scores"]["loss"])
