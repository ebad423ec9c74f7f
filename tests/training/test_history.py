"""What a run notes of each evaluation, in the forms that its recipe asks for."""
import csv

import pytest

from gluon_rnn.recipes import build_task
from gluon_rnn.training import history
from gluon_rnn.training.history import History
from gluon_rnn.training.position import Position, Totals

TOTALS = Totals(loss=6.0, size=4, norm=10.0, clipped=1, steps=5, seconds=0.25)
ROW = {"epoch": 1, "step": 5, "train_loss": 1.5, "valid_loss": 2.0, "learning_rate": 0.5, "grad_norm": 2.0,
       "param_norm": 3.0, "clipped": 0.2, "tokens_per_second": 16.0, "steps_per_second": 20.0, "seconds": 0.25}


@pytest.fixture
def task(make_config):
    def build(**settings):
        return build_task(make_config({f"training.{key}": value for key, value in settings.items()}))
    return build


def note(history, epoch=1):
    return history.note(Position(epoch=epoch, step=5 * epoch), TOTALS, {"loss": 2.0}, 0.5, 3.0)


def test_rows_are_on_disk_at_once_and_the_picture_at_the_end(task, tmp_path):
    noted = History(tmp_path, task(report=True))
    assert note(noted) == ROW
    with open(tmp_path / "metrics.csv", encoding="utf-8") as file:
        assert [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)] == [ROW]
    assert not (tmp_path / "loss.png").exists()
    noted.close()
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_recipe_without_report_and_events_has_neither(task, tmp_path):
    noted = History(tmp_path, task(report=False))
    note(noted)
    noted.close()
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


def test_it_goes_on_from_the_text_of_a_checkpoint_and_forgets_what_came_after(task, tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(history.tensorboard, "EventFile", lambda path, step: steps.append(step))
    before = History(tmp_path, task(report=False))
    for epoch in (1, 2, 3):
        note(before, epoch)
    text = before.text()
    (tmp_path / "metrics.csv").write_text("damaged since")
    noted = History(tmp_path, task(report=False, tensorboard=True), step=10, text=text)
    noted.keep(2)
    assert [row["epoch"] for row in noted.rows] == [1, 2] and steps == [10]
    assert (tmp_path / "metrics.csv").read_text().count("\n") == 3


def test_the_row_of_a_broken_epoch_has_its_number(task, tmp_path):
    noted = History(tmp_path, task(report=False))
    assert noted.note(Position(epoch=3, step_in_epoch=2), TOTALS, {"loss": 2.0}, 0.5, 3.0)["epoch"] == 4
