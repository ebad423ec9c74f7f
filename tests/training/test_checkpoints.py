"""A checkpoint is whole or not there."""
import mxnet as mx
import pytest

from gluon_rnn.training import checkpoints


def write(run, value, names=("best", "last")):
    def parameters(path):
        mx.nd.save(path, {"w": mx.nd.full((2,), value)})
    arrays, texts = {"weight:w": mx.nd.full((2,), value)}, {"config.yaml": "a: 1\n"}
    checkpoints.save(run, parameters, arrays, {"epoch": value}, texts, names)


def test_round_trip_and_nothing_left_over(tmp_path):
    for value in range(4):
        write(tmp_path, value, ("best", "last") if value == 1 else ("last",))
    last, best = checkpoints.load(tmp_path, "last"), checkpoints.load(tmp_path, "best")
    assert (last.position["epoch"], best.position["epoch"]) == (3, 1)
    assert last.arrays("weight")["w"].asnumpy().tolist() == [3, 3]
    assert mx.nd.load(best.parameters)["w"].asnumpy().tolist() == [1, 1]
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["000002", "000004"]


@pytest.mark.parametrize("moment", ["_sync", "_point", "_remove_unused", "rename", "save"])
def test_dying_at_any_moment_leaves_a_loadable_last(tmp_path, monkeypatch, moment):
    write(tmp_path, 1)

    def die(*_):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        if moment == "rename":
            patch.setattr(checkpoints.Path, "rename", die)
        elif moment == "save":
            patch.setattr(checkpoints.mx.nd, "save", die)
        else:
            patch.setattr(checkpoints, moment, die)
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, 2)
    assert checkpoints.load(tmp_path, "last").position["epoch"] in (1, 2)
    assert checkpoints.load(tmp_path, "last").arrays("weight")["w"].shape == (2,)
    write(tmp_path, 3)
    assert checkpoints.load(tmp_path, "last").position["epoch"] == 3
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1


def test_no_checkpoint(tmp_path):
    with pytest.raises(ValueError, match="no 'best' checkpoint in .* at least one epoch"):
        checkpoints.load(tmp_path, "best")
