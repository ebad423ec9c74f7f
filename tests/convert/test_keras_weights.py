"""LSTM, GRU and SimpleRNN of Keras and ours: the same outputs and states, by stored vectors and from Keras's own files.

Tests `keras_file.py` too. The ``.h5`` files of Keras 2 that some tests need are written here, by its format.
"""
import importlib.util
import io
import json
import zipfile

import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.convert import from_keras
from tests.convert.cases import FOLDER, Case, assert_unchanged, by_direction, call, names, snapshot
from tests.reference import assert_rounded

CLASSES = {"gru_reset_before": nn.ResetBeforeGRU, "gru_reset_before_bidirectional": nn.BidirectionalStack,
           "lstm": nn.LSTM, "lstm_bidirectional": nn.LSTM, "lstm_without_bias": nn.LSTM, "gru_bidirectional": nn.GRU,
           "gru_reset_after": nn.GRU, "rnn_tanh": nn.RNN, "rnn_relu_bidirectional": nn.RNN}
PREFIXES = {"keras": None, "h5": None, "weights.h5": ["reader", "second"]}    # the last does not tell the order


def mode_in(name):
    return next((mode for mode in ("rnn_tanh", "rnn_relu") if mode in name), None)


def assert_case(block, case, dtype="float64"):
    got = call(block, case.inputs, by_direction(block, case.states))
    want = [case.outputs, *by_direction(block, case.finals)]
    assert_rounded(got, want, 4 * (3 + 4 + 2), dtype)                     # steps, terms of the sums of one
    assert np.abs(case.outputs).max() > 0.05, "all outputs near 0 would agree with anything"


@pytest.mark.parametrize("name", names("keras"))
def test_outputs_and_states_are_those_of_keras(name):
    case = Case(name)
    block = from_keras(case.weights, mode=mode_in(name))
    assert type(block) is CLASSES[name[len("keras_"):]] and block._dtype == "float64"
    assert_case(block, case, "float32" if "relu" in name else "float64")   # relu is rounded: see the tests of nn.RNN


@pytest.mark.parametrize("name", names("keras"))
def test_get_weights_of_a_layer_is_enough(name):
    case = Case(name)
    block = from_keras(list(case.weights.values()), mode=mode_in(name))
    np.testing.assert_array_equal(call(block, case.inputs), call(from_keras(case.weights, mode=mode_in(name)),
                                                                 case.inputs))


def test_the_forget_bias_is_in_the_bias():
    case = Case("keras_lstm")                                             # with unit_forget_bias=True
    bias = next(value for key, value in case.weights.items() if key.endswith("bias"))
    block = from_keras(case.weights)
    np.testing.assert_array_equal(block.parts()["l0_i2h_bias"].asnumpy(), bias)
    assert bias[4:8].mean() > 0.5 and not block.parts()["l0_h2h_bias"].asnumpy().any()


def test_names_of_keras_2():
    case = Case("keras_gru_bidirectional")
    weights = {f"model/bidirectional_1/{way}_gru/gru_cell_{7 + place}/{role}:0": value for place, way in
               enumerate(("forward", "backward")) for role, value in zip(("kernel", "recurrent_kernel", "bias"),
                                                                         list(case.weights.values())[3 * place:])}
    assert_case(from_keras(weights, prefix="bidirectional_1"), case)


def test_the_layout_is_that_of_keras():
    case = Case("keras_lstm")
    outputs = call(from_keras(case.weights, layout="NTC"), case.inputs.swapaxes(0, 1))
    np.testing.assert_array_equal(outputs.swapaxes(0, 1), call(from_keras(case.weights), case.inputs))


# pytest.importorskip would take a library that is there but does not load beside MXNet for a missing one.
@pytest.mark.skipif(importlib.util.find_spec("keras") is None, reason="Keras is not installed")
@pytest.mark.parametrize("kind, options, both", [
    ("LSTM", {}, False), ("LSTM", {}, True), ("GRU", {}, True), ("GRU", dict(reset_after=False), False),
    ("SimpleRNN", dict(activation="sigmoid"), True)])
def test_beside_keras(kind, options, both):
    import keras
    keras.config.set_floatx("float64")
    layer = getattr(keras.layers, kind)(5, return_sequences=True, bias_initializer="random_normal", **options)
    layer = keras.layers.Bidirectional(layer) if both else layer
    inputs = np.random.default_rng(0).normal(size=(2, 6, 3))
    outputs = keras.ops.convert_to_numpy(layer(inputs))
    weights = {weight.path: weight.numpy() for weight in layer.weights}
    block = from_keras(weights, mode="rnn_sigmoid" if kind == "SimpleRNN" else None, layout="NTC")
    # Some backends go through the steps in float32 whatever the dtype; the stored vectors are of one that does not.
    assert_rounded([call(block, inputs)], [outputs], 6 * (3 + 5 + 2))


# ---- files -----------------------------------------------------------------------------------------------------------

@pytest.fixture
def h5py():
    return pytest.importorskip("h5py")


@pytest.fixture
def files(tmp_path, h5py):
    """A folder with the three files of one model: a bidirectional LSTM, dropout, a GRU and a dense layer."""
    with zipfile.ZipFile(FOLDER / "keras_files.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path


@pytest.mark.parametrize("ending", PREFIXES)
def test_files_of_keras(files, ending):
    case = Case("keras_model")
    block = from_keras(files / f"model.{ending}", prefix=PREFIXES[ending])
    assert isinstance(block, nn.Chain) and [type(one) for one in block.blocks] == [nn.LSTM, nn.ResetBeforeGRU]
    assert_rounded([call(block, case.inputs)], [case.outputs], None, "float64")
    assert isinstance(from_keras(files / f"model.{ending}", prefix="second"), nn.ResetBeforeGRU)


def test_where_the_order_is_not_known_layers_have_to_be_named(files):
    with pytest.raises(ValueError, match=r"of which one is meant, since .* layers found: \['reader', 'second'\]; pass"):
        from_keras(files / "model.weights.h5")
    with pytest.raises(ValueError, match=r"has no recurrent layer 'dense'; layers found: \['reader', 'second'\]"):
        from_keras(files / "model.keras", prefix="dense")


def changed(path, change):
    """Write a ``.keras`` file anew with another configuration: ``change(model, [configuration of each layer])``."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    model = json.loads(contents["config.json"])
    change(model, [layer["config"] for layer in model["config"]["layers"]])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**contents, "config.json": json.dumps(model)}.items():
            archive.writestr(name, content)
    return path


def of_gru(key, value):
    return lambda model, layers: layers[3].update({key: value})


@pytest.mark.parametrize("change, match", [
    (of_gru("activation", "relu"), "layer 'second' of model.keras has activation='relu', but ours has tanh"),
    (of_gru("recurrent_activation", "hard_sigmoid"), "recurrent_activation='hard_sigmoid', but ours has sigmoid"),
    (of_gru("go_backwards", True), "go_backwards=True, but ours reads forward"),
    (of_gru("reset_after", True), r"second/.*|vars/2 of model.keras has shape \(9,\), but mode 'gru' of 3 units needs "
                                  r"\(2, 9\)"),
    (lambda model, layers: layers[1].update(merge_mode="sum"), "'reader' of model.keras has merge_mode='sum'"),
    (lambda model, layers: model["config"]["layers"][3].update(class_name="ConvLSTM1D"), "'second' .* is ConvLSTM1D;"),
    (lambda model, layers: model["config"]["layers"][2].update(class_name="Dense"), "of which one is meant"),
    (lambda model, layers: model.update(class_name="Functional"), "of which one is meant"),
])
def test_what_the_configuration_says_is_heeded(files, change, match):
    with pytest.raises(ValueError, match=match):
        from_keras(changed(files / "model.keras", change))


def legacy(h5py, path, layers):
    """Write a file as Keras 2 does: names of layers and weights are attributes, in their order."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, weights in layers.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [key.encode() for key in weights]
            for key, value in weights.items():
                group[key] = value
    return path


def test_weights_alone_in_a_file_of_keras_2(tmp_path, h5py):
    case = Case("keras_lstm")
    weights = {f"zebra/lstm_cell/{key.split('/')[-1]}:0": value for key, value in case.weights.items()}
    path = legacy(h5py, tmp_path / "m.h5", {"input_1": {}, "zebra": weights})
    assert_case(from_keras(path), case)


def test_no_other_file_is_opened(tmp_path, h5py):
    case = Case("keras_lstm")
    legacy(h5py, tmp_path / "other.h5", {"lstm": {f"lstm/lstm_cell/{key.split('/')[-1]}": value for key, value in
                                                  case.weights.items()}})
    with h5py.File(tmp_path / "links.h5", "w") as file:
        file.attrs["layer_names"] = [b"lstm"]
        file["lstm"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/lstm")
    with pytest.raises(ValueError, match="is no file of Keras's, or is damaged"):
        from_keras(tmp_path / "links.h5")
    (tmp_path / "raw").write_bytes(bytes(8 * 12))
    with h5py.File(tmp_path / "external.h5", "w") as file:
        file.create_dataset("lstm/cell/vars/0", (3, 4), "float64", external=[(str(tmp_path / "raw"), 0, 96)])
    with pytest.raises(ValueError, match="lies in another file, which is not opened"):
        from_keras(tmp_path / "external.h5")


def test_damaged_files(files, h5py):
    whole = (files / "model.keras").read_bytes()
    with h5py.File(files / "huge.h5", "w") as file:
        file.create_dataset("lstm/cell/vars/0", (10**7, 10**3), "float32", chunks=(10, 10))
    for name, content in (("a.keras", whole[:-100]), ("a.h5", b"no HDF5"), ("b.keras", b""), ("huge.h5", None)):
        if content is not None:
            (files / name).write_bytes(content)
        with pytest.raises(ValueError, match="damaged"):
            from_keras(files / name)
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    (files / "c.keras").write_bytes(empty.getvalue())
    with pytest.raises(ValueError, match="is no file of Keras's, or is damaged"):
        from_keras(files / "c.keras")


# ---- what does not fit -----------------------------------------------------------------------------------------------

@pytest.fixture
def lstm():
    """Names to arrays of an LSTM of 3 features and 4 units."""
    return Case("keras_lstm").weights


@pytest.mark.parametrize("layer, match", [
    (lambda: nn.LSTM(5), r"lstm.*/kernel of the mapping has shape \(3, 16\), l_i2h_weight here with \(16, 3\), but .* "
                         r"needs \(20, 0\) for l0_i2h_weight"),
    (lambda: nn.GRU(4), r"kernel .* has shape \(3, 16\), .* needs \(12, 0\)"),
    (lambda: nn.LSTM(4, 2), r"no tensor for l1_i2h_weight of .*, which needs \(16, 4\)"),
    (lambda: nn.LSTM(4, bidirectional=True), r"no tensor for r0_i2h_weight of")])
def test_the_first_array_that_does_not_fit_is_named_with_both_shapes(lstm, layer, match):
    with pytest.raises(ValueError, match=match):
        from_keras(lstm, layer())


def test_nothing_is_written_where_anything_is_wrong(lstm):
    layer = nn.LSTM(4, input_size=3)
    layer.initialize()
    before = snapshot(layer)
    wrong = {key: value[:-1] if key.endswith("bias") else value for key, value in lstm.items()}
    with pytest.raises(ValueError, match=r"bias of the mapping has shape \(15,\), .* units of lstm ask for \(16,\)"):
        from_keras(wrong, layer)
    assert_unchanged(layer, before)


def test_one_gru_is_not_the_other():
    before, after = (Case(f"keras_gru_reset_{name}").weights for name in ("before", "after"))
    with pytest.raises(ValueError, match=r"is reset_before_gru, but .* is gru: the shapes are the same"):
        from_keras(before, nn.GRU(4))
    with pytest.raises(ValueError, match=r"bias .* has shape \(2, 12\), but mode 'reset_before_gru' .* needs \(12,\)"):
        from_keras(after, mode="reset_before_gru")
    without = {key: value for key, value in after.items() if not key.endswith("bias")}
    with pytest.raises(ValueError, match="no tensor tells gru from reset_before_gru; pass mode="):
        from_keras(without)
    assert isinstance(from_keras(without, mode="reset_before_gru"), nn.ResetBeforeGRU)
    assert isinstance(from_keras(without, nn.GRU(4)), nn.GRU)


def renamed(weights, name):
    return {f"{name}/cell/{key.split('/')[-1]}": value for key, value in weights.items()}


def test_layers_of_a_mapping_are_a_stack_unless_something_stands_between(lstm):
    gru = {"kernel": np.ones((4, 6)), "recurrent_kernel": np.ones((2, 6)), "bias": np.ones((2, 6))}
    stack = {**renamed(lstm, "a"), **renamed(gru, "b"), "dense/kernel": np.ones((2, 2))}
    assert isinstance(from_keras(stack), nn.Chain)
    between = {**renamed(lstm, "a"), "dense/kernel": np.ones((4, 4)), **renamed(gru, "b")}
    with pytest.raises(ValueError, match=r"of which one is meant, .* layers found: \['a', 'b'\]"):
        from_keras(between)
    assert isinstance(from_keras(between, prefix="b"), nn.GRU)


@pytest.mark.parametrize("source, match", [
    ({"dense/kernel": np.ones((2, 2))}, "has no recurrent layer at all .*layers found: none"),
    ({"a/recurrent_kernel": np.ones((2, 8))}, "has no kernel beside a/recurrent_kernel"),
    ({"a/kernel": np.ones((2, 8)), "a/recurrent_kernel": np.ones((2, 7))}, "7 rows for 2 units are those of none of"),
    ({"a/kernel": np.ones((3, 3, 2, 8)), "a/recurrent_kernel": np.ones((3, 3, 2, 8))}, "have two axes"),
    ({"a/x_cell/kernel": np.ones((2, 8)), "a/y_cell/kernel": np.ones((2, 8))}, "are both the kernel of layer 'a'"),
    ([np.ones((2, 8))], "2 or 3 arrays, or 4 or 6 of both directions; got 1")])
def test_arrays_that_are_no_layer(source, match):
    with pytest.raises(ValueError, match=match):
        from_keras(source)


def test_modes_and_kinds_of_sources(lstm, tmp_path):
    with pytest.raises(ValueError, match=r"recurrent_kernel .* \(4, 16\), but mode 'gru' of 4 units needs \(4, 12\)"):
        from_keras(lstm, mode="gru")
    with pytest.raises(ValueError, match="mode must be one of rnn_tanh, .*, got 'elman'"):
        from_keras(lstm, mode="elman")
    with pytest.raises(ValueError, match="no tensor tells rnn_tanh from rnn_relu from rnn_sigmoid; pass mode="):
        from_keras(Case("keras_rnn_tanh").weights)
    assert from_keras(Case("keras_rnn_tanh").weights, nn.RNN(4, activation="relu")).mode == "rnn_relu"
    with pytest.raises(TypeError, match="expected a mapping of names to arrays, .* got int"):
        from_keras(3)
