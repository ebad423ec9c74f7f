"""Shares of batches, agreement on recipe and version, and a whole training by two processes against that of one.

Tests `alone.py`, `node.py`, `gluon_rnn/cli/launch.py` and `scripts/launch.py` too.
"""
import copy
import csv
import os
import pathlib
import subprocess
import sys
import types

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.config import ConfigError
from gluon_rnn.data.batching import Batch
from gluon_rnn.distributed.cluster import Cluster
from gluon_rnn.recipes import build_task
from gluon_rnn.training import loop, train
from tests.recipes import make_config  # noqa: F401

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SETTINGS = types.SimpleNamespace(kvstore="dist_sync", gradient_compression=None)


def cluster(rank, workers, kvstore="dist_sync", gathered=None):
    """Return a worker whose hub answers `gathered` whatever it is told."""
    member = types.SimpleNamespace(rank=rank, node=types.SimpleNamespace(workers=workers),
                                   gather=lambda value: [[False, value] for _ in range(workers)] if gathered is None
                                   else [[False, value] for value in gathered])
    return Cluster(member, types.SimpleNamespace(kvstore=kvstore, gradient_compression=None))


@pytest.fixture(autouse=True)
def quiet_as_before():
    """Put the level of the log back, which a worker that does not lead lowers."""
    import logging
    logger = logging.getLogger("gluon_rnn")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.mark.parametrize("rows, workers", [(8, 2), (7, 3), (2, 3)])
def test_shares_are_the_batch_in_order_and_nothing_twice(rows, workers):
    tokens, lengths = np.arange(5 * rows).reshape(5, rows), np.arange(rows)
    batch = Batch((mx.nd.array(tokens), mx.nd.array(lengths)), (1, 0), 5 * rows, 4)
    shares = [cluster(rank, workers).share(batch) for rank in range(workers)]
    filled = [share for share in shares if share.arrays]
    assert len(filled) == min(rows, workers)
    for index, (whole, axis) in enumerate(((tokens, 1), (lengths, 0))):
        assert np.array_equal(np.concatenate([share.arrays[index].asnumpy() for share in filled], axis), whole)
    assert {(share.size, share.advance) for share in shares} == {(5 * rows, 4)}
    apart = [cluster(rank, workers, "dist_async").share(batch).size for rank in range(workers)]
    assert sum(apart) == pytest.approx(5 * rows)


@pytest.mark.parametrize("output", [{"name": "full_softmax"}, {"name": "adaptive_softmax", "cutoffs": [5, 12]},
                                    {"name": "sampled_softmax", "samples": 6}])
def test_the_losses_of_shares_add_up_to_that_of_the_batch(make_config, monkeypatch, output):  # noqa: F811
    """What an output layer asks for beside tokens is shared too: places of clusters, samples."""
    config = make_config({"model.output": output})
    one = loop.Loop(build_task(config))
    batch = next(iter(one.task.train_batches(0)))
    states = one.task.begin_states(8, one.devices)[0]
    expected = float(one.task.graph(*batch.arrays, states)[0].asscalar())
    monkeypatch.setenv("DMLC_ROLE", "worker")
    monkeypatch.setenv("DMLC_NUM_WORKER", "2")
    batch = next(iter(one.task.train_batches(0)))
    states = one.task.begin_states(4, one.devices)[0]
    shares = [cluster(rank, 2).share(batch).arrays for rank in range(2)]
    # float32 sums of 80 losses in another order
    assert sum(float(one.task.graph(*share, states)[0].asscalar()) for share in shares) == pytest.approx(expected, 1e-5)


def test_workers_read_their_columns_alone_and_share_the_evaluation(make_config):  # noqa: F811
    task = loop.Loop(build_task(make_config({"model.output": {"name": "full_softmax"}}))).task
    whole, expected = list(task.train_batches(1)), task.evaluate("valid", 3)["loss"]
    sums = []
    for rank in range(3):                                                 # the evaluation has two columns
        worker = cluster(rank, 3)
        worker.total = lambda numbers: sums.append(numbers) or [1, 1]
        task.evaluate("valid", 3, worker)
    total, size = map(sum, zip(*sums))
    assert sums[0] == [0, 0] and size == sum(batch.size for batch in list(task.eval_batches("valid"))[:3])
    assert total / size == pytest.approx(expected, rel=1e-5)
    for rank in range(2):
        task.cluster = cluster(rank, 2)
        read = next(iter(task.train_batches(1)))
        assert read.is_share
        for got, want in zip(read.arrays, task.cluster.share(whole[0]).arrays):
            assert np.array_equal(got.asnumpy(), want.asnumpy())
        assert task.cluster.share(read) is read and read.size == whole[0].size
        assert cluster(rank, 2, "dist_async").share(read).size == whole[0].size / 2


def test_versions_and_recipes_have_to_be_the_same(make_config):  # noqa: F811
    config, other = make_config(), make_config({"training.optimizer.learning_rate": 0.02})
    elsewhere = make_config({"output_dir": "elsewhere", "device": "cpu"})
    lines = {}
    for name, each in (("mine", config), ("other", other), ("elsewhere", elsewhere)):
        taker = cluster(0, 1)
        taker.gather = lambda value, name=name: lines.update({name: value}) or [value]
        taker.agree("1.0", each)
    cluster(0, 2, gathered=[lines["mine"], lines["elsewhere"]]).agree("1.0", config)
    with pytest.raises(ConfigError, match="worker 1 has another recipe than worker 0: 'learning_rate: 0.02' where that "
                                          "one has 'learning_rate: 0.01'"):
        cluster(0, 2, gathered=[lines["mine"], lines["other"]]).agree("1.0", config)
    newer = ["1.1", copy.deepcopy(lines["mine"][1])]
    with pytest.raises(ConfigError, match="worker 1 has gluon_rnn 1.1 and worker 0 has 1.0"):
        cluster(1, 2, gathered=[lines["mine"], newer]).agree("1.1", config)


def test_several_processes_have_to_be_asked_for_and_given(make_config, monkeypatch):  # noqa: F811
    with pytest.raises(ConfigError, match="training.kvstore: dist_sync needs other processes; start them with"):
        train(build_task(make_config({"training.kvstore": "dist_sync"})), "a")
    with pytest.raises(ConfigError, match="dist_async sends changes of parameters"):
        make_config({"training.kvstore": "dist_async", "training.gradient_compression": 0.1})
    monkeypatch.setenv("DMLC_ROLE", "worker")
    monkeypatch.setenv("DMLC_NUM_WORKER", "3")
    with pytest.raises(ConfigError, match="this process is one of 3 workers"):
        make_config()
    with pytest.raises(ConfigError, match="8 cannot be split evenly over the 3 devices of 'auto' of 3 workers"):
        make_config({"training.kvstore": "dist_sync"})


def test_two_workers_with_half_of_each_batch_train_what_one_process_does(make_config, tmp_path):  # noqa: F811
    """Sums in another order make the difference: after 12 updates by Adam a few float32 roundings of weights near 1."""
    changes = {"model.encoder.dropout": 0.0, "model.dropout": 0.0, "training.epochs": 2, "training.report": False,
               "data.sentences": 150}
    config = make_config(changes)
    one = train(build_task(config), "one")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text((one / "config.yaml").read_text())
    done = subprocess.run([sys.executable, "-m", "scripts.launch", "--workers", "2", str(recipe)], cwd=ROOT, text=True,
                          capture_output=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    two = pathlib.Path(done.stdout.splitlines()[-1])
    assert "of each of 2 workers (dist_sync)" in done.stdout
    losses = [[float(row["valid_loss"]) for row in csv.DictReader((run / "metrics.csv").read_text().splitlines())]
              for run in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)                # each worker evaluates half of the columns
    first, second = (mx.nd.load(str(run / "last" / "training.params")) for run in (one, two))
    assert first.keys() == second.keys()
    moved = max(float(mx.nd.abs(array).max().asscalar()) for name, array in first.items() if name.startswith("weight"))
    for name, array in first.items():
        np.testing.assert_allclose(second[name].asnumpy(), array.asnumpy(), atol=1e-5 * moved, rtol=1e-4, err_msg=name)
