"""The picture of losses needs no display, is drawn now and then, and at the end."""
import sys

import pytest

from gluon_rnn.training import loss_picture
from gluon_rnn.training.loss_picture import LossPicture, has_dropout, loss_curve


def row(epoch, loss=1.25):
    return {"epoch": epoch, "train_loss": loss, "valid_loss": 2 * loss}


def test_it_is_drawn_every_ten_seconds_and_at_the_end(tmp_path, monkeypatch):
    drawn, now, rows = [], [100.0], []
    monkeypatch.setattr(loss_picture, "loss_curve", lambda rows, label, path: drawn.append((now[0], len(rows))))
    monkeypatch.setattr(loss_picture.time, "monotonic", lambda: now[0])
    picture = LossPicture(tmp_path / "loss.png", lambda: rows, label="nats")
    picture.close()
    for seconds in (3, 4, 3, 1, 12, 2):
        now[0] += seconds
        rows.append(row(len(rows)))
        picture.update()
    picture.close()
    picture.close()
    assert drawn == [(110.0, 3), (123.0, 5), (125.0, 6)]


def test_curve_returns_the_figure_and_leaves_pyplot_alone(tmp_path):
    loaded = "matplotlib.pyplot" in sys.modules
    figure = loss_curve([row(1), row(2)], "nats per character", best=1.0, path=tmp_path / "loss.png")
    axes = figure.axes[0]
    assert len(axes.lines) == 3 and axes.get_ylabel() == "nats per character"
    assert all(place == int(place) for place in axes.get_xticks())        # there is no epoch 1.5
    assert (tmp_path / "loss.png").stat().st_size > 1000
    assert ("matplotlib.pyplot" in sys.modules) == loaded


@pytest.mark.parametrize("changes, label", [({}, "training (with dropout)"),
                                            ({"model.dropout": 0, "model.encoder.dropout": 0.0}, "training")])
def test_the_legend_speaks_of_dropout_where_there_is_some(make_config, changes, label):
    rows = [{"epoch": 1, "train_loss": 1.0, "valid_loss": 2.0}]
    figure = loss_curve(rows, "nats", with_dropout=has_dropout(make_config(changes).model))
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == label
