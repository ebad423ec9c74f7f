"""Events for TensorBoard: the numbers of metrics.csv, and one sentence where the library is missing."""
import csv
import importlib.util

import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.config import ConfigError
from gluon_rnn.recipes import build_task
from gluon_rnn.training import loop, tensorboard, train

SETTINGS = {"training.tensorboard": True, "training.epochs": 2, "data.sentences": 300}


def test_a_missing_library_is_said_before_training(make_config, monkeypatch):
    monkeypatch.setattr(tensorboard, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="tensorboard: true needs tensorboardX.*pip install 'gluon_rnn.tensorboard.'"):
        loop.Loop(build_task(make_config(SETTINGS)))


def test_rows_are_written_field_by_field_at_their_step(make_config, monkeypatch):
    written = []

    class Events:
        def __init__(self, path, step):
            self.path = path

        def append(self, row):
            written.append((self.path.name, row))

        def close(self):
            written.append(("closed", None))

    monkeypatch.setattr(tensorboard, "check_installed", lambda: None)
    monkeypatch.setattr(tensorboard, "EventFile", Events)
    run = train(build_task(make_config(SETTINGS)), "a")
    with open(run / "metrics.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    *events, last = written
    assert [{key: str(value) for key, value in row.items()} for _, row in events] == rows and len(rows) == 2
    assert {name for name, _ in events} == {"tensorboard"} and last == ("closed", None)


@pytest.mark.skipif(importlib.util.find_spec("tensorboardX") is None, reason="tensorboardX is in the extra tensorboard")
def test_the_events_hold_the_numbers(tmp_path):
    from tensorboardX.proto import event_pb2
    events = tensorboard.EventFile(tmp_path)
    events.append({"epoch": 1, "step": 40, "valid_loss": 0.25, "seconds": 2.0})
    events.close()
    file, = tmp_path.iterdir()
    data, found, at = file.read_bytes(), {}, 0
    while at < len(data):                                                 # length, checksum, event, checksum
        length = int.from_bytes(data[at:at + 8], "little")
        event = event_pb2.Event.FromString(data[at + 12:at + 12 + length])
        found.update({value.tag: (event.step, value.simple_value) for value in event.summary.value})
        at += 16 + length
    assert found == {"valid_loss": (40, 0.25), "seconds": (40, 2.0)}
