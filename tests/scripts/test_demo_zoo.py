"""`demo_zoo.py`: three models of the zoo at work, with no data but the package."""
import numpy as np

import gluon_rnn
from scripts import demo_zoo


def test_the_demo_writes_a_tune_and_a_picture(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GLUON_RNN_DATA", str(tmp_path / "nothing"))
    demo_zoo.main(tmp_path)
    printed = capsys.readouterr().out
    assert (tmp_path / "tune.abc").read_text().startswith("X:1") and "M:6/8" in printed
    assert f"{demo_zoo.SENTENCE} -> " in printed and (tmp_path / "zoo.png").read_bytes().startswith(b"\x89PNG")


def test_the_free_run_follows_a_recording_that_the_model_has_not_seen():
    measured, predicted = demo_zoo.free_run()
    figure = gluon_rnn.list_models("narx_narma10", detail=True).iloc[0]
    error = np.sqrt(np.mean((predicted - measured) ** 2)) / measured.std()
    assert error < 2 * figure["value"]          # one recording of 400 rows beside the test split of 2,000
