"""Reasons to stop before the last epoch: patience, and scores that are reached."""
from types import SimpleNamespace

import pytest

from gluon_rnn.config import ConfigError
from gluon_rnn.training.stopping import has_reason_to_stop


@pytest.mark.parametrize("patience, stop_at, accuracy, stops", [
    (None, None, 1.0, False), (3, None, 0.0, False), (2, None, 0.0, True), (None, {"accuracy": 0.9}, 0.9, True),
    (None, {"accuracy": 0.9}, 0.89, False), (2, {"accuracy": 0.9}, 0.1, True),
    (None, {"accuracy": 0.9, "f1": 1}, 1, False), (None, {"label_error_rate": 0.2}, 1, True),
    (None, {"free_run_rmse_of_3": 0.2}, 1, False), (None, {"accuracy": 0.9, "label_error_rate": 0.05}, 1, False)])
def test_patience_and_scores(patience, stop_at, accuracy, stops):
    settings = SimpleNamespace(patience=patience, stop_at=stop_at)
    rows = [{"valid_accuracy": 1.0, "valid_f1": 1.0}, {"valid_accuracy": accuracy, "valid_f1": 0.5,
                                                      "valid_label_error_rate": 0.1, "valid_free_run_rmse_of_3": 0.3}]
    assert has_reason_to_stop(settings, 2, rows) is stops


def test_before_the_first_evaluation_there_is_none():
    assert not has_reason_to_stop(SimpleNamespace(patience=None, stop_at={"accuracy": 0}), 0, [])


def test_a_score_that_the_task_has_not_is_one_sentence():
    with pytest.raises(ConfigError, match="training.stop_at: there is no score 'accurcy'; did you mean 'accuracy'"):
        has_reason_to_stop(SimpleNamespace(patience=None, stop_at={"accurcy": 1}), 0, [{"valid_accuracy": 1.0}])
