"""What `convert` takes and gives: forms of symbols and parameters, names, free axes, sentences for bad input."""
import mxnet as mx
import numpy as np
import onnx
import pytest

from gluon_rnn.export.onnx import check, convert
from tests.onnx_cases import drawn

DATA = mx.sym.var("data")
DENSE = mx.sym.FullyConnected(DATA, num_hidden=2, flatten=False, name="dense")
INPUTS = {"data": (("T", "N", 3), "float32")}


@pytest.fixture
def parameters():
    return {"dense_weight": drawn((2, 3), "float32", {}), "dense_bias": drawn((2,), "float32", {})}


def shape_of(entry):
    return [axis.dim_param or axis.dim_value for axis in entry.type.tensor_type.shape.dim]


def assert_right(model, parameters):
    data = drawn((4, 2, 3), "float32", {})
    check(model, {"data": data}, [data @ parameters["dense_weight"].T + parameters["dense_bias"]])


def test_symbols_as_objects_text_and_files(parameters, tmp_path):
    DENSE.save(str(tmp_path / "net-symbol.json"))
    for symbol in (DENSE, DENSE.tojson(), tmp_path / "net-symbol.json", str(tmp_path / "net-symbol.json")):
        assert_right(convert(symbol, parameters, INPUTS), parameters)


def test_parameters_as_arrays_and_files(parameters, tmp_path):
    arrays = {f"arg:{key}": mx.nd.array(value) for key, value in parameters.items()}
    mx.nd.save(str(tmp_path / "net.params"), arrays)
    for given in (arrays, tmp_path / "net.params"):
        assert_right(convert(DENSE, given, INPUTS), parameters)
    mx.nd.save(str(tmp_path / "nameless.params"), list(arrays.values()))
    with pytest.raises(ValueError, match="arrays without names"):
        convert(DENSE, tmp_path / "nameless.params", INPUTS)


def test_free_axes_keep_their_names_and_others_have_none(parameters):
    symbol = mx.sym.Group([DENSE, mx.sym.slice_axis(DENSE, axis=0, begin=1, end=None), mx.sym.sum(DENSE, axis=0)])
    model = convert(symbol, parameters, INPUTS, name="net")
    assert shape_of(model.graph.input[0]) == ["T", "N", 3] and model.graph.name == "net"
    assert [shape_of(entry) for entry in model.graph.output] == [["T", "N", 2], [0, "N", 2], ["N", 2]]


def test_names_of_outputs(parameters):
    symbol = mx.sym.Group([DENSE, DENSE, DATA])
    names = [entry.name for entry in convert(symbol, parameters, INPUTS).graph.output]
    assert names == ["dense_output", "dense_output_again1", "data_output"]
    model = convert(symbol, parameters, INPUTS, outputs=["a", "b", "c"])
    assert [entry.name for entry in model.graph.output] == ["a", "b", "c"]


def test_only_standard_operators_of_the_version_asked_for(parameters):
    for opset in (17, 21):
        model = convert(DENSE, parameters, INPUTS, opset=opset)
        assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", opset)]
        assert_right(model, parameters)
        onnx.checker.check_model(model, full_check=True)


def test_an_input_that_the_answer_does_not_need_is_still_taken():
    symbol = mx.sym.Group([mx.sym.tanh(DATA), mx.sym.shape_array(mx.sym.var("other"))])
    model = convert(symbol, {}, {"other": ((2, 5), "float32"), **INPUTS})
    assert [entry.name for entry in model.graph.input] == ["other", "data"]


@pytest.mark.parametrize("change, sentence", [
    (dict(inputs={}), "'data' of the symbol: neither among the parameters nor among the inputs"),
    (dict(inputs=dict(INPUTS, date=((3,), "float32"))), "the symbol has no input 'date'; those it has"),
    (dict(outputs=["a", "b"]), "outputs has 2 names, but the symbol has 1 outputs: dense_output"),
    (dict(outputs=["data"]), "names of outputs must differ from each other and from those of inputs"),
    (dict(opset=13), "opset is 13, but models are written in the operators of 17 or later"),
    (dict(inputs={"data": (("T", "N", 4), "float32")}), "MXNet cannot infer the shapes"),
    (dict(inputs={"data": (("T", "N", 3), "float64")}), "MXNet cannot infer the shapes")])
def test_what_does_not_fit_is_a_sentence(parameters, change, sentence):
    arguments = dict(dict(symbol=DENSE, parameters=parameters, inputs=INPUTS), **change)
    with pytest.raises(ValueError, match=sentence):
        convert(**arguments)


def test_a_missing_parameter_is_named(parameters):
    del parameters["dense_bias"]
    with pytest.raises(ValueError, match="'dense_bias' of the symbol: neither"):
        convert(DENSE, parameters, INPUTS)


def test_an_axis_that_the_network_divides_may_be_free():
    """Primes do not fit a reshape by 4, so that the second examples are taken."""
    model = convert(mx.sym.reshape(mx.sym.tanh(DATA), shape=(-1, 4)), {}, {"data": (("T",), "float32")})
    data = np.ones(8, "float32")
    check(model, {"data": data}, [np.tanh(data).reshape(2, 4)])
