"""What a run notes of each evaluation, in the forms that its recipe asks for."""
import csv

import pytest

from gluon_rnn.recipes import build_task
from gluon_rnn.training import history
from gluon_rnn.training.history import History

ROW = {"epoch": 1, "step": 5, "train_loss": 1.5, "valid_loss": 2.0, "seconds": 0.25}


@pytest.fixture
def task(make_config):
    def build(**settings):
        return build_task(make_config({f"training.{key}": value for key, value in settings.items()}))
    return build


def test_rows_are_on_disk_at_once_and_the_picture_at_the_end(task, tmp_path):
    noted = History(tmp_path, task(report=True))
    noted.append(ROW)
    with open(tmp_path / "metrics.csv", encoding="utf-8") as file:
        assert [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)] == [ROW]
    assert not (tmp_path / "loss.png").exists()
    noted.close()
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")


def test_a_recipe_without_report_and_events_has_neither(task, tmp_path):
    noted = History(tmp_path, task(report=False))
    noted.append(ROW)
    noted.close()
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]


def test_it_goes_on_from_the_text_of_a_checkpoint_and_forgets_what_came_after(task, tmp_path, monkeypatch):
    steps = []
    monkeypatch.setattr(history.tensorboard, "EventFile", lambda path, step: steps.append(step))
    before = History(tmp_path, task(report=False))
    for epoch in (1, 2, 3):
        before.append({**ROW, "epoch": epoch})
    text = before.text()
    (tmp_path / "metrics.csv").write_text("damaged since")
    noted = History(tmp_path, task(report=False, tensorboard=True), step=10, text=text)
    noted.keep(2)
    assert [row["epoch"] for row in noted.rows] == [1, 2] and steps == [10]
    assert (tmp_path / "metrics.csv").read_text().count("\n") == 3
