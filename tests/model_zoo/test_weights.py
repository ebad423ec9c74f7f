"""Weights: what is stored in float16 comes back as float32, shared parameters once, and Gluon reads the files."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import models
from gluon_rnn.model_zoo.weights import load_weights, save_weights
from gluon_rnn.nn import LSTM


def make_model(seed=None):
    model = models.LanguageModel(11, LSTM(6, 2, input_size=6), embed_size=6, tie_weights=True)
    if seed is not None:
        model.initialize(mx.init.Normal(0.5))
    return model


def values(model):
    return {name: parameter.data().asnumpy() for name, parameter in model._collect_params_with_prefix().items()}


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_there_and_back(tmp_path, dtype):
    model, other = make_model(0), make_model()
    assert save_weights(tmp_path / "weights.params", model, dtype)
    load_weights(tmp_path / "weights.params", other)
    for name, value in values(other).items():
        assert value.dtype == np.float32
        assert (value == values(model)[name].astype(dtype).astype(np.float32)).all()
    assert [path.name for path in tmp_path.iterdir()] == ["weights.params"]


def make_tied():
    """Return a network of two layers with the same weight and bias."""
    model = mx.gluon.nn.HybridSequential()
    with model.name_scope():
        model.add(mx.gluon.nn.Dense(40, in_units=40))
        model.add(mx.gluon.nn.Dense(40, in_units=40, params=model[0].params))
    return model


def test_shared_parameters_stand_in_the_file_once(tmp_path):
    model, other = make_tied(), make_tied()
    model.initialize(mx.init.Normal(0.5))
    save_weights(tmp_path / "weights.params", model, "float16")
    assert len(values(model)) == 4 and len(mx.nd.load(str(tmp_path / "weights.params"))) == 2
    assert (tmp_path / "weights.params").stat().st_size < 2 * 40 * 41 + 200
    load_weights(tmp_path / "weights.params", other)
    assert (values(other)["1.weight"] == values(model)["0.weight"].astype(np.float16)).all()


def test_out_of_range_of_float16(tmp_path):
    model = make_model(0)
    model.encoder.l0_i2h_weight.data()[0, 0] = 7e4
    assert not save_weights(tmp_path / "weights.params", model, "float16") and list(tmp_path.iterdir()) == []
    assert save_weights(tmp_path / "weights.params", model, "float32")


def test_gluon_reads_the_file_as_it_is(tmp_path):
    ours, gluons = LSTM(5, 2, input_size=3), mx.gluon.rnn.LSTM(5, 2, input_size=3)
    ours.initialize()
    save_weights(tmp_path / "weights.params", ours, "float16")
    gluons.load_parameters(str(tmp_path / "weights.params"), cast_dtype=True)
    assert all((value == values(gluons)[name].astype(np.float32)).all()
               for name, value in mx.nd.load(str(tmp_path / "weights.params")).items()
               for value in [value.asnumpy().astype(np.float32)])
