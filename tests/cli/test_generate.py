"""``gluon-rnn generate``: what cannot write is refused; texts of a run are in `test_train.py`."""
import pytest

from gluon_rnn.cli.main import main


@pytest.mark.parametrize("name, task", [("tdnn_names", "classification"), ("narx_gas_furnace", "forecasting")])
def test_a_model_of_another_task_is_refused_in_a_sentence(name, task, capsys):
    with pytest.raises(ValueError, match=f"{name}' is of the task '{task}'; pass one of the task 'language_model'$"):
        main(["generate", name, "--length", "1"])
    assert capsys.readouterr().out == ""
