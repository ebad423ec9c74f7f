"""mxnet.gluon.rnn layers and ours: the same outputs and states with the same parameters, both ways and from files."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import export, nn
from gluon_rnn.convert import from_gluon, load_gluon_parameters, to_gluon
from tests.reference import assert_rounded

GLUON = {"rnn_tanh": lambda *a, **k: mx.gluon.rnn.RNN(*a, activation="tanh", **k),
         "rnn_relu": lambda *a, **k: mx.gluon.rnn.RNN(*a, activation="relu", **k),
         "lstm": mx.gluon.rnn.LSTM, "gru": mx.gluon.rnn.GRU}
OURS = {"rnn_tanh": lambda *a, **k: nn.RNN(*a, activation="tanh", **k),
        "rnn_relu": lambda *a, **k: nn.RNN(*a, activation="relu", **k), "lstm": nn.LSTM, "gru": nn.GRU}
every = pytest.mark.parametrize("bidirectional", [False, True])
cells = pytest.mark.parametrize("cell", GLUON)
layers = pytest.mark.parametrize("num_layers", [1, 2])


def gluon_layer(cell, num_layers, bidirectional, **kwargs):
    layer = GLUON[cell](5, num_layers, bidirectional=bidirectional, input_size=3, **kwargs)
    layer.initialize(mx.init.Uniform(0.5))
    for parameter in layer.collect_params().values():  # biases start at 0, which would hide a wrong order
        parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, shape=parameter.shape))
    return layer


def assert_same(a, b):
    inputs = mx.nd.random.normal(shape=(6, 4, 3))
    first, first_states = a(inputs, a.begin_state(4))
    second, second_states = b(inputs, b.begin_state(4))
    # the same operators on the same numbers, for all layers at once or for one after the other: six steps, two layers
    assert_rounded([first, *first_states], [second, *second_states], 6 * 2 * (10 + 5))
    assert np.abs(first.asnumpy()).max() > 0.05, "all outputs near 0 would agree with anything"


@cells
@layers
@every
def test_there_and_back(cell, num_layers, bidirectional):
    theirs = gluon_layer(cell, num_layers, bidirectional)
    ours = from_gluon(theirs)
    assert_same(theirs, ours)
    back = to_gluon(ours)
    assert_same(theirs, back)
    for (_, a), (_, b) in zip(sorted(theirs._reg_params.items()), sorted(back._reg_params.items())):
        np.testing.assert_array_equal(a.data().asnumpy(), b.data().asnumpy())


@cells
@layers
@every
@pytest.mark.parametrize("style", ["save_parameters", "collect_params"])
def test_from_a_file(tmp_path, cell, num_layers, bidirectional, style):
    theirs, path = gluon_layer(cell, num_layers, bidirectional), str(tmp_path / "layer.params")
    theirs.save_parameters(path) if style == "save_parameters" else theirs.collect_params().save(path)
    ours = OURS[cell](5, num_layers, bidirectional=bidirectional)  # the input size comes from the file
    load_gluon_parameters(ours, path)
    assert_same(theirs, ours)


def test_from_a_model_with_several_layers(tmp_path):
    net = mx.gluon.nn.HybridSequential()
    net.add(gluon_layer("lstm", 1, False), mx.gluon.nn.Dense(3, flatten=False), gluon_layer("lstm", 1, False))
    net[1].initialize()
    net(mx.nd.ones((2, 2, 3)))
    path = tmp_path / "net.params"
    net.save_parameters(str(path))
    ours = nn.LSTM(5, input_size=3)
    with pytest.raises(ValueError, match=r"prefixes found: \['0.', '2.'\]; pass prefix="):
        load_gluon_parameters(ours, path)
    load_gluon_parameters(ours, path, prefix="2.")
    assert_same(net[2], ours)


@cells
@layers
@every
def test_a_new_layer_from_a_file(tmp_path, cell, num_layers, bidirectional):
    theirs, path = gluon_layer(cell, num_layers, bidirectional), tmp_path / "layer.params"
    theirs.save_parameters(str(path))
    assert_same(theirs, from_gluon(path, mode=cell if cell.startswith("rnn") else None))


def test_a_new_layer_from_a_file_of_several(tmp_path):
    net = mx.gluon.nn.HybridSequential()
    net.add(gluon_layer("lstm", 1, False), gluon_layer("lstm", 2, False))
    net.save_parameters(str(tmp_path / "net.params"))
    with pytest.raises(ValueError, match=r"of which one is meant .*prefixes found: \['0.', '1.'\]; pass prefix="):
        from_gluon(tmp_path / "net.params")
    assert_same(net[1], from_gluon(str(tmp_path / "net.params"), prefix="1."))
    with pytest.raises(ValueError, match=r"1._unfused.0.i2h_weight of net.params has shape \(20, 3\), but 5 features"):
        from_gluon(tmp_path / "net.params", prefix=["0.", "1."])


def test_the_names_of_before_are_those_of_now():
    assert (export.from_gluon, export.to_gluon, export.load_gluon_parameters) == (from_gluon, to_gluon,
                                                                                  load_gluon_parameters)


def test_settings_are_kept():
    theirs = GLUON["rnn_relu"](5, 2, layout="NTC", dropout=0.25, input_size=3)
    theirs.initialize()
    ours = from_gluon(theirs)
    assert (ours.mode, ours.layout, ours._dropout) == ("rnn_relu", "NTC", 0.25)
    back = to_gluon(ours)
    assert (back._mode, back._layout, back._dropout) == ("rnn_relu", "NTC", 0.25)


@pytest.mark.parametrize("kwargs, match", [
    (dict(hidden_size=6), r"l0_i2h_weight of .* has shape \(20, 3\), but .* needs \(24, 0\); cell, hidden_size"),
    (dict(hidden_size=5, input_size=4), r"l0_i2h_weight of .* has shape \(20, 3\), but .* needs \(20, 4\)"),
    (dict(hidden_size=5, num_layers=2), "num_layers and bidirectional must be those"),
    (dict(hidden_size=5, bidirectional=True), "num_layers and bidirectional must be those")])
def test_wrong_sizes_are_named(tmp_path, kwargs, match):
    path = tmp_path / "layer.params"
    gluon_layer("lstm", 1, False).save_parameters(str(path))
    with pytest.raises(ValueError, match=match):
        load_gluon_parameters(nn.LSTM(**kwargs), path)


def test_a_file_without_a_recurrent_layer(tmp_path):
    dense = mx.gluon.nn.Dense(2, in_units=2)
    dense.initialize()
    dense.save_parameters(str(tmp_path / "dense.params"))
    with pytest.raises(ValueError, match="no recurrent layer at all; prefixes found: none"):
        load_gluon_parameters(nn.LSTM(5), tmp_path / "dense.params")


def test_what_cannot_be_converted_says_why():
    with pytest.raises(TypeError, match="expected mxnet.gluon.rnn.RNN, LSTM or GRU, got Dense"):
        from_gluon(mx.gluon.nn.Dense(2))
    with pytest.raises(TypeError, match="expected gluon_rnn.nn.RNN, LSTM or GRU, got Dense"):
        to_gluon(mx.gluon.nn.Dense(2))
    with pytest.raises(ValueError, match="projects its state to 2 features"):
        from_gluon(mx.gluon.rnn.LSTM(5, projection_size=2, input_size=3))
    with pytest.raises(ValueError, match="clips its cell state"):
        from_gluon(mx.gluon.rnn.LSTM(5, state_clip_min=-1, state_clip_max=1, input_size=3))
    with pytest.raises(ValueError, match="has no parameters yet"):
        from_gluon(mx.gluon.rnn.GRU(5, input_size=3))
    deferred = mx.gluon.rnn.GRU(5)
    deferred.initialize()
    with pytest.raises(ValueError, match="has no parameters yet"):
        from_gluon(deferred)
    with pytest.raises(ValueError, match="weight_drop=0.5, which mxnet.gluon.rnn does not know"):
        to_gluon(nn.LSTM(5, weight_drop=0.5, input_size=3))
