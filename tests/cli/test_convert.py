"""``gluon-rnn convert``: files of other libraries to parameters, and the section of a recipe that they fit."""
import sys

import mxnet as mx
import numpy as np
import pytest
import yaml
from gluonnlp.model.language_model import AWDRNN, StandardRNN

from gluon_rnn import nn
from gluon_rnn.cli.main import main
from gluon_rnn.convert import from_torch, to_torch
from gluon_rnn.models import LanguageModel
from gluon_rnn.registry import encoders
from tests.convert.cases import FOLDER, random_values


@pytest.fixture
def state(tmp_path):
    """A file of an LSTM of two layers and both directions, and its names and arrays."""
    layer = nn.LSTM(4, 2, bidirectional=True, input_size=3)
    layer.initialize()
    found = to_torch(random_values(layer))
    np.savez(tmp_path / "state.npz", **found)
    return tmp_path / "state.npz", found


def converted(capsys, *words):
    """Return what the command prints, as YAML."""
    assert main(["convert", *map(str, words)]) == 0
    return yaml.safe_load(capsys.readouterr().out)


def test_file_and_section_make_the_layer(state, tmp_path, capsys):
    printed = converted(capsys, state[0], "--from", "torch", "--output", tmp_path / "encoder.params")
    assert printed == {"encoder": {"name": "lstm", "hidden_size": 4, "num_layers": 2, "bidirectional": True}}
    layer, inputs = encoders.build(**printed["encoder"]), mx.nd.random.normal(shape=(5, 2, 3))
    layer.load_parameters(str(tmp_path / "encoder.params"))
    np.testing.assert_array_equal(layer(inputs).asnumpy(), from_torch(state[1])(inputs).asnumpy())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encoder.params", "state.npz"]


def test_a_file_of_torch(tmp_path, capsys):
    pytest.importorskip("safetensors")
    printed = converted(capsys, FOLDER / "torch_model.safetensors", "--from", "torch", "--prefix", "encoder.",
                        "--output", tmp_path / "encoder.params")
    assert printed == {"encoder": {"name": "lstm", "hidden_size": 4, "num_layers": 1}}


def test_layers_of_unequal_sizes(tmp_path, capsys):
    np.savez(tmp_path / "m.npz", **{f"{name}.{key}": value for name, units, size in (("a", 4, 3), ("b", 2, 4))
                                    for key, value in (("weight_ih_l0", np.ones((4 * units, size))),
                                                       ("weight_hh_l0", np.ones((4 * units, units))))})
    printed = converted(capsys, tmp_path / "m.npz", "--from", "torch", "--prefix", "a.", "b.", "--output",
                        tmp_path / "m.params")
    assert [one["hidden_size"] for one in printed["blocks"]] == [4, 2]
    chain = nn.Chain([encoders.build(**one, dtype="float64") for one in printed["blocks"]])
    chain.load_parameters(str(tmp_path / "m.params"))


def test_a_file_of_gluon(tmp_path, capsys):
    layer = mx.gluon.rnn.RNN(4, input_size=3)
    layer.initialize()
    layer.save_parameters(str(tmp_path / "gluon.params"))
    printed = converted(capsys, tmp_path / "gluon.params", "--from", "gluon", "--mode", "rnn_relu", "--output",
                        tmp_path / "ours.params")
    assert printed["encoder"] == {"name": "rnn", "activation": "relu", "hidden_size": 4, "num_layers": 1}


@pytest.mark.parametrize("theirs, encoder", [
    (lambda: StandardRNN("lstm", 9, 4, 4, 2, 0.2, True), {"name": "lstm", "hidden_size": 4, "num_layers": 2}),
    (lambda: AWDRNN("lstm", 9, 4, 6, 2, True, 0.4, 0.5, 0.2, 0.6, 0.1), None)])
def test_a_language_model_of_gluonnlp(tmp_path, capsys, theirs, encoder):
    theirs = theirs()
    theirs.initialize()
    theirs(mx.nd.ones((2, 2)), theirs.begin_state(batch_size=2))
    theirs.save_parameters(str(tmp_path / "nlp.params"))
    printed = converted(capsys, tmp_path / "nlp.params", "--from", "gluonnlp", "--output", tmp_path / "lm.params")
    printed = printed["model"]
    assert (printed["embed_size"], printed["tie_weights"], printed.get("encoder")) == (4, True, encoder)
    if encoder:
        model = LanguageModel(9, encoders.build(**printed.pop("encoder")), **printed)
        model.load_parameters(str(tmp_path / "lm.params"))
    else:
        assert [one["hidden_size"] for one in printed["blocks"]] == [6, 4]


@pytest.mark.parametrize("library, name, kind", [("safetensors", "m.safetensors", "torch"), ("h5py", "m.h5", "keras"),
                                                 ("onnx", "m.onnx", "onnx")])
def test_a_library_that_is_missing(tmp_path, monkeypatch, library, name, kind):
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / name).write_bytes(b"0")
    with pytest.raises(ValueError, match=rf"takes the library {library}; install gluon_rnn\["):
        main(["convert", str(tmp_path / name), "--from", kind, "--output", str(tmp_path / "m.params")])


def test_a_write_that_breaks_off_leaves_nothing(state, tmp_path, monkeypatch):
    def full(block, path):
        (tmp_path / path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nn.LSTM, "save_parameters", full)
    with pytest.raises(OSError, match="No space"):
        main(["convert", str(state[0]), "--from", "torch", "--output", str(tmp_path / "m.params")])
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]


def test_mistakes_write_nothing(state, tmp_path):
    output = ["--output", str(tmp_path / "m.params")]
    with pytest.raises(ValueError, match="mode 'gru' of 4 units needs"):
        main(["convert", str(state[0]), "--from", "torch", "--mode", "gru", *output])
    with pytest.raises(ValueError, match="there is no folder"):
        main(["convert", str(state[0]), "--from", "torch", "--output", str(tmp_path / "no" / "m.params")])
    with pytest.raises(ValueError, match="--prefix: a model of gluonnlp is taken as a whole"):
        main(["convert", str(state[0]), "--from", "gluonnlp", "--prefix", "a", *output])
    with pytest.raises(ValueError, match="--mode: a node of ONNX says what it is"):
        main(["convert", str(state[0]), "--from", "onnx", "--mode", "lstm", *output])
    with pytest.raises(SystemExit):
        main(["convert", str(state[0]), *output])
    assert [path.name for path in tmp_path.iterdir()] == ["state.npz"]
