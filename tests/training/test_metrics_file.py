"""metrics.csv survives a reading and a resume; the picture needs no display."""
import sys

import pytest

from gluon_rnn.training.metrics_file import MetricsFile, fields, has_dropout, loss_curve

FIELDS = fields({"loss": 1.0, "accuracy": 0.5}, "sequence")


def row(epoch, loss=1.25):
    return {field: epoch if field in ("epoch", "step") else loss for field in FIELDS}


def test_rows_read_back_equal_and_can_be_cut(tmp_path):
    file = MetricsFile(tmp_path / "metrics.csv")
    for epoch in (1, 2, 3):
        file.append(row(epoch, 1 / epoch))
    again = MetricsFile(tmp_path / "metrics.csv")
    assert again.rows == file.rows == [row(epoch, 1 / epoch) for epoch in (1, 2, 3)]
    again.keep(2)
    assert [each["epoch"] for each in MetricsFile(tmp_path / "metrics.csv").rows] == [1, 2]


def test_a_row_without_a_field_is_refused(tmp_path):
    file = MetricsFile(tmp_path / "metrics.csv")
    file.append(row(1))
    with pytest.raises(KeyError, match="train_loss"):
        file.append({"epoch": 2, "step": 2})


def test_curve_returns_the_figure_and_leaves_pyplot_alone(tmp_path):
    loaded = "matplotlib.pyplot" in sys.modules
    figure = loss_curve([row(1), row(2)], "nats per character", best=1.0, path=tmp_path / "loss.png")
    axes = figure.axes[0]
    assert len(axes.lines) == 3 and axes.get_ylabel() == "nats per character"
    assert (tmp_path / "loss.png").stat().st_size > 1000
    assert ("matplotlib.pyplot" in sys.modules) == loaded


@pytest.mark.parametrize("changes, label", [({}, "training (with dropout)"),
                                            ({"model.dropout": 0, "model.encoder.dropout": 0.0}, "training")])
def test_the_legend_speaks_of_dropout_where_there_is_some(make_config, changes, label):
    rows = [{"epoch": 1, "train_loss": 1.0, "valid_loss": 2.0}]
    figure = loss_curve(rows, "nats", with_dropout=has_dropout(make_config(changes).model))
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == label
