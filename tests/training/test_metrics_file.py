"""metrics.csv survives a reading and a resume."""
import pytest

from gluon_rnn.training.metrics_file import MetricsFile, fields

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
    with pytest.raises(ValueError, match="metrics.csv has the column 'train_loss', which this evaluation does not"):
        file.append({"epoch": 2, "step": 2})
