"""Layers of torch and ours: the same outputs and states, by stored vectors, and by PyTorch where it is installed.

Tests `blocks.py` and `weights.py` too: what they say of tensors that do not fit is the same for every source.
"""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import nn
from gluon_rnn.convert import from_torch, to_torch
from tests.convert.cases import FOLDER, Case, assert_unchanged, by_layer, call, names, random_values, snapshot
from tests.reference import assert_rounded

CLASSES = {"lstm_bidirectional_2": nn.LSTM, "gru_bidirectional_2": nn.GRU, "gru_without_bias": nn.GRU,
           "rnn_tanh_2": nn.RNN, "rnn_relu_bidirectional": nn.RNN, "lstm_projected_2": nn.ProjectedLSTM,
           "lstm_projected_bidirectional": nn.BidirectionalStack}


def mode_in(name):
    """Return the mode that has to be said: no tensor tells one RNN from the other."""
    return next((mode for mode in ("rnn_tanh", "rnn_relu") if mode in name), None)


def precision(mode):
    """Return the dtype whose rounding is allowed: MXNet's fused operator rounds relu to float32, once a step."""
    return "float32" if "relu" in str(mode) else "float64"


def new_layer(units=5, layers=2, cell=nn.LSTM, features=3):
    layer = cell(units, layers, input_size=features)
    layer.initialize()
    return layer


def state_of(*args, **options):
    return to_torch(random_values(new_layer(*args, **options)))


@pytest.fixture
def state():
    """Names to arrays of an LSTM of two layers, 3 features and 5 units."""
    return state_of()


@pytest.mark.parametrize("name", names("torch"))
def test_outputs_and_states_are_those_of_torch(name):
    case = Case(name)
    block = from_torch(case.weights, mode=mode_in(name))
    assert type(block) is CLASSES[name[len("torch_"):]] and block._dtype == "float64"
    got = call(block, case.inputs, by_layer(block, case.states))
    assert_rounded(got, [case.outputs, *by_layer(block, case.finals)], 4 * (3 + 4 + 2), precision(name))
    assert np.abs(case.outputs).max() > 0.05, "all outputs near 0 would agree with anything"


@pytest.mark.parametrize("name", names("torch"))
def test_back_again_gives_the_same_names_and_arrays(name):
    case = Case(name)
    again = to_torch(from_torch(case.weights, mode=mode_in(name)))
    for key, value in case.weights.items():
        np.testing.assert_array_equal(again.pop(key), value)
    assert not any(value.any() for value in again.values())               # biases that bias=False leaves out


@pytest.mark.parametrize("name", names("torch"))
def test_into_a_layer_that_is_there(name):
    case = Case(name)
    built = from_torch(case.weights, mode=mode_in(name))
    layer = from_torch(case.weights, from_torch({key: value * 0 for key, value in case.weights.items()},
                                                mode=mode_in(name)))
    np.testing.assert_array_equal(call(layer, case.inputs), call(built, case.inputs))


def test_a_layer_keeps_its_dtype_layout_and_dropout_and_learns_its_input_size(state):
    layer = nn.LSTM(5, 2, layout="NTC", dropout=0.5, dtype="float64")
    assert from_torch(state, layer) is layer
    assert (layer.layout, layer._dropout, layer._dtype, layer.input_size) == ("NTC", 0.5, "float64", 3)
    np.testing.assert_array_equal(layer.parts()["l1_h2h_weight"].asnumpy(), state["weight_hh_l1"])


def test_the_layout_is_that_of_batch_first(state):
    inputs = np.random.default_rng(0).normal(size=(4, 2, 3))
    outputs = call(from_torch(state, layout="NTC"), inputs.swapaxes(0, 1))
    np.testing.assert_array_equal(outputs.swapaxes(0, 1), call(from_torch(state), inputs))


def test_a_safetensors_file_of_a_larger_model():
    pytest.importorskip("safetensors")
    block = from_torch(FOLDER / "torch_model.safetensors")
    assert isinstance(block, nn.LSTM) and (block.input_size, block.hidden_size, block._dtype) == (3, 4, "float32")
    assert from_torch(str(FOLDER / "torch_model.safetensors"), prefix="encoder.").input_size == 3


def test_a_file_of_ours_goes_through_safetensors(tmp_path, state):
    numpy = pytest.importorskip("safetensors.numpy")
    numpy.save_file(state, tmp_path / "state.safetensors")
    for name, value in to_torch(from_torch(tmp_path / "state.safetensors")).items():
        np.testing.assert_array_equal(value, state[name])


def test_several_modules_need_a_prefix_and_are_a_stack_in_its_order():
    state = {**{f"a.{k}": v for k, v in state_of(5, 1).items()},
             **{f"b.{k}": v for k, v in state_of(4, 2, nn.GRU, features=5).items()}}
    with pytest.raises(ValueError, match=r"of which one is meant .*prefixes found: \['a.', 'b.'\]; pass prefix="):
        from_torch(state)
    with pytest.raises(ValueError, match=r"with the prefix 'c.' .*prefixes found: \['a.', 'b.'\]"):
        from_torch(state, prefix="c.")
    both, inputs = from_torch(state, prefix=["a.", "b."]), np.random.default_rng(0).normal(size=(4, 2, 3))
    assert isinstance(both, nn.Chain) and isinstance(from_torch(state, prefix="b."), nn.GRU)
    first = call(from_torch(state, prefix="a."), inputs)
    np.testing.assert_array_equal(call(both, inputs), call(from_torch(state, prefix="b."), first))
    with pytest.raises(ValueError, match=r"a.weight_ih_l0 of .* has shape \(20, 3\), but 4 features from the layer"):
        from_torch(state, prefix=["b.", "a."])


# ---- what does not fit -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("layer, match", [
    (lambda: nn.LSTM(6, 2), r"weight_ih_l0 of the mapping has shape \(20, 3\), but .* needs \(24, 0\) for l0_i2h_"),
    (lambda: nn.LSTM(5, 2, input_size=4), r"weight_ih_l0 .* has shape \(20, 3\), but .* needs \(20, 4\)"),
    (lambda: nn.GRU(5, 2), r"weight_ih_l0 .* has shape \(20, 3\), but .* needs \(15, 0\)"),
    (lambda: nn.RNN(20, 2), r"weight_hh_l0 .* has shape \(20, 5\), but .* needs \(20, 20\) for l0_h2h_weight"),
    (lambda: nn.LSTM(5, 1), r"weight_ih_l1 .* has shape \(20, 5\), but .* has no layer 1"),
    (lambda: nn.LSTM(5, 3), r"no tensor for l2_i2h_weight of .*, which needs \(20, 5\)"),
    (lambda: nn.LSTM(5, 2, bidirectional=True), r"no tensor for r0_i2h_weight of .*, which needs \(20, 0\)"),
    (lambda: nn.ProjectedLSTM(5, 2), r"weight_hh_l0 .* has shape \(20, 5\), but .* needs \(20, 2\) for l0_h2h_weight"),
    (lambda: nn.PeepholeLSTM(5, 2), r"no tensor for l0_peephole_f of .*, which needs \(5,\)"),
    (lambda: nn.BidirectionalStack(5, 2, cell="lstm"), "no tensor for r0_i2h_weight")])
def test_the_first_tensor_that_does_not_fit_is_named_with_both_shapes(state, layer, match):
    with pytest.raises(ValueError, match=match):
        from_torch(state, layer())


def test_layers_of_the_same_shapes_that_compute_something_else(state):
    with pytest.raises(ValueError, match="is rnn_tanh, but .* is rnn_relu: the shapes are the same"):
        from_torch(state_of(5, 1, nn.RNN), nn.RNN(5, activation="relu"), mode="rnn_tanh")
    with pytest.raises(ValueError, match="is gru, but .* is reset_before_gru: the shapes are the same"):
        from_torch(state_of(5, 1, nn.GRU), nn.ResetBeforeGRU(5))


@pytest.mark.parametrize("wrong", ["weight_ih_l0", "weight_hh_l1", "bias_ih_l1", "bias_hh_l1"])
def test_nothing_is_written_where_anything_is_wrong(state, wrong):
    layer = new_layer()
    before = snapshot(layer)
    with pytest.raises(ValueError, match=f"{wrong} of the mapping has shape"):
        from_torch({**state, wrong: state[wrong][:-1]}, layer)
    with pytest.raises(ValueError):
        from_torch(state_of(5, 3), layer)
    assert_unchanged(layer, before)


@pytest.mark.parametrize("change, match", [
    ({"weight_ih_l1": np.ones((20, 7))},
     r"weight_ih_l1 .* has shape \(20, 7\), but 5 features from the layer before ask for \(20, 5\)"),
    ({"bias_hh_l0": np.ones(19)}, r"bias_hh_l0 .* has shape \(19,\), but 5 units of lstm ask for \(20,\)"),
    ({"weight_hh_l0": np.ones((21, 5))}, "21 rows for 5 units are those of none of rnn_tanh, rnn_relu, lstm, gru"),
    ({"weight_hh_l0": np.ones(20)}, r"weight_hh_l0 of the mapping has shape \(20,\); a weight has two axes"),
    ({"weight_ih_l4": np.ones((20, 5))}, "has tensors of layer 4, but none of layer 2"),
    ({"weight_ih_l2": np.ones((20, 5))}, "has no h2h_weight of layer 2, beside weight_ih_l2"),
    ({"weight_ih_l1": np.array(["a"])}, "weight_ih_l1 must be an array of numbers")])
def test_tensors_that_are_no_stack(state, change, match):
    with pytest.raises(ValueError, match=match):
        from_torch({**state, **change})


def test_modes():
    state = state_of(5, 1, nn.RNN)
    with pytest.raises(ValueError, match=r"weight_hh_l0 .* \(5, 5\): no tensor tells rnn_tanh from rnn_relu; pass"):
        from_torch(state)
    assert from_torch(state, nn.RNN(5, activation="relu")).mode == "rnn_relu"
    with pytest.raises(ValueError, match=r"has shape \(5, 5\), but mode 'gru' of 5 units needs \(15, 5\); leave mode"):
        from_torch(state, mode="gru")
    with pytest.raises(ValueError, match="mode must be one of rnn_tanh, rnn_relu, lstm, gru, got 'elman'"):
        from_torch(state, mode="elman")


def test_what_is_no_layer(state):
    with pytest.raises(TypeError, match="expected gluon_rnn.nn.RNN, .* got Dense; convert each recurrent layer"):
        from_torch(state, mx.gluon.nn.Dense(2))
    with pytest.raises(TypeError, match="expected a Bidirectional of two single layers of one kind"):
        from_torch(state, nn.Bidirectional(nn.LSTM(5), nn.GRU(5)))
    with pytest.raises(ValueError, match="no recurrent layer at all .*prefixes found: none"):
        from_torch({"weight": np.ones((3, 3))})


@pytest.mark.parametrize("layer, match", [
    (lambda: nn.ResetBeforeGRU(4, input_size=2), "is reset_before_gru, which torch.nn does not have"),
    (lambda: nn.RNN(4, activation="sigmoid", input_size=2), "is rnn_sigmoid, which torch.nn does not have"),
    (lambda: nn.Chain([nn.LSTM(4, input_size=2), nn.LSTM(3)]), "has layers of unequal kinds or sizes")])
def test_what_torch_does_not_have(layer, match):
    layer = layer()
    with pytest.raises(ValueError, match="has no parameters yet"):
        to_torch(layer)
    layer.initialize()
    with pytest.raises(ValueError, match=match):
        to_torch(layer)


# ---- beside PyTorch itself -------------------------------------------------------------------------------------------

@pytest.mark.torch
@pytest.mark.parametrize("kind, options", [
    ("LSTM", {}), ("LSTM", dict(num_layers=3, bidirectional=True)), ("GRU", dict(num_layers=2, bidirectional=True)),
    ("RNN", dict(nonlinearity="relu")), ("LSTM", dict(proj_size=2, num_layers=2))])
def test_beside_torch(kind, options):
    import torch
    module = getattr(torch.nn, kind)(3, 5, **options).double()
    mode = "rnn_relu" if kind == "RNN" else None
    block = from_torch(module.state_dict(), mode=mode)
    inputs = torch.randn(6, 2, 3, dtype=torch.float64)
    with torch.no_grad():
        assert_rounded([call(block, inputs.numpy())], [module(inputs)[0].numpy()], 6 * (3 + 5 + 2), precision(mode))
        again = getattr(torch.nn, kind)(3, 5, **options).double()
        again.load_state_dict({name: torch.from_numpy(value) for name, value in to_torch(block).items()})
        np.testing.assert_array_equal(again(inputs)[0].numpy(), module(inputs)[0].numpy())


@pytest.mark.torch
def test_tensors_of_half_precision_become_float32():
    import torch
    state = {name: value.bfloat16() for name, value in torch.nn.LSTM(3, 5).state_dict().items()}
    block = from_torch(state)
    assert block._dtype == "float32"
    np.testing.assert_array_equal(to_torch(block)["weight_hh_l0"], state["weight_hh_l0"].float().numpy())
