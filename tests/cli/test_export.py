"""``gluon-rnn export``: from a run's folder to a bundle that gives what the run's model gives."""
from types import SimpleNamespace

import gluonnlp
import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.export import load
from gluon_rnn.models import LanguageModel
from gluon_rnn import runs
from gluon_rnn.tasks.language_model.predictor import LanguageModelPredictor, TextAssets
from gluon_rnn.cli.main import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run as `load_run` gives it, without the minutes of training."""
    vocab = gluonnlp.Vocab(dict.fromkeys("abcdefg", 1), padding_token=None, bos_token=None, eos_token=None)
    model = LanguageModel(len(vocab), nn.GRU(6, 2), embed_size=4)
    model.initialize()
    config = SimpleNamespace(task=SimpleNamespace(name="language_model"))
    found = LanguageModelPredictor(tmp_path, config, model, TextAssets(vocab, "character", ""), {})
    monkeypatch.setattr(runs, "load_run", lambda path, which="best": found)
    return found


@pytest.mark.parametrize("output, kind", [(None, "symbol"), ("elsewhere", "symbol"), ("elsewhere", "onnx")])
def test_prints_difference_and_folder(run, tmp_path, capsys, output, kind):
    folder = tmp_path / (output or "export")
    assert main(["export", str(tmp_path)] + (["--output", str(folder)] if output else [])
                + ["--format", kind]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == str(folder)
    assert float(lines[-2].split(": ")[1]) < 1e-5  # the bound of the export itself
    bundle, tokens = load(folder), run.example()
    np.testing.assert_allclose(bundle(tokens.asnumpy()), run.model(tokens).asnumpy(), rtol=0, atol=1e-5)
    assert bundle.vocab.idx_to_token == run.assets.vocab.idx_to_token
    assert bundle.manifest["task"] == "language_model" and bundle.manifest["kind"] == kind
    assert bundle.predict("a", length=9, seed=1) == run.predict("a", length=9, seed=1)


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(ValueError, match="there is no run in"):
        main(["export", str(tmp_path / "nothing")])
