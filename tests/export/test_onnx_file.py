"""ONNX models of strangers: files elsewhere, functions, domains, sizes and damage are refused before they are opened.

Also `protobuf.py`. The library onnx, which the package's reader does not use, writes the files.
"""
import ast
import json
import pathlib
import random

import mxnet as mx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from gluon_rnn import nn
from gluon_rnn.export import BundleError, export, load, manifest
from gluon_rnn.export.onnx_file import ONNX_OPERATORS, QUANTIZED, checked_model

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "gluon_rnn" / "export" / "onnx"
#: MXNet's operators of which the sources speak, that ONNX has by the same name and no export writes
MXNETS = {"Dropout", "Not", "Identity"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    layer = nn.LSTM(5, input_size=3)
    layer.initialize()
    folder = tmp_path_factory.mktemp("onnx")
    export(layer, folder / "plain", example=mx.nd.ones((4, 2, 3)), format="onnx")
    export(layer, folder / "small", example=mx.nd.ones((4, 2, 3)), format="onnx", quantize=True)
    return folder


def words(path):
    return {node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_the_list_is_what_the_sources_write():
    found = set().union(*map(words, SOURCES.rglob("*.py")))
    written = {name for name in found if onnx.defs.has(name)}
    assert written - MXNETS <= ONNX_OPERATORS <= written, written ^ ONNX_OPERATORS
    for name in ("If", "Loop", "Optional", "ImageDecoder", "StringSplit", "RandomNormal"):
        assert name not in ONNX_OPERATORS
    assert not set(QUANTIZED) & ONNX_OPERATORS


def altered(bundle, tmp_path, change, which="plain"):
    model = onnx.load(str(bundle / which / "model.onnx"))
    change(model)
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    content = json.loads((bundle / which / "manifest.json").read_text())
    content["sha256"]["model.onnx"] = manifest.sha256(tmp_path / "model.onnx")
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    return tmp_path


def outside(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../etc/passwd"


def in_an_attribute(model):
    tensor = numpy_helper.from_array(np.ones(1, np.float32))
    tensor.data_location = TensorProto.EXTERNAL
    model.graph.node[0].attribute.append(helper.make_attribute("value", tensor))


def a_function(model):
    model.functions.append(helper.make_function("own", "f", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])],
                                                model.opset_import))


def other_input(model):
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 4


@pytest.mark.parametrize("change, message", [
    (outside, "no export writes .13 of a tensor: numbers in another file"),
    (in_an_attribute, "keeps numbers in another file"),
    (a_function, "has the field 25 in a model"),
    (lambda model: model.graph.node[0].MergeFrom(helper.make_node("If", [], [])), "has the operator 'If'"),
    (lambda model: setattr(model.graph.node[0], "domain", "evil.ops"), "of the domain 'evil.ops'"),
    (lambda model: model.opset_import.append(helper.make_opsetid("evil.ops", 1)), "takes operators from 'evil.ops'"),
    (lambda model: model.graph.sparse_initializer.add(), "has the field 15 in a graph"),
    (lambda model: model.graph.initializer[0].dims.__setitem__(0, 10**9), "with another number of bytes"),
    (lambda model: model.graph.initializer[0].dims.append(2**40), "has a tensor of the type"),
    (lambda model: setattr(model.graph.initializer[0], "data_type", 8), "has a tensor of the type 8"),
    (lambda model: model.metadata_props.add(key="ort_config", value="{}"), "has settings for ONNX Runtime"),
    (lambda model: model.graph.node.pop(), "no model that ONNX Runtime can run|the manifest says"),
    (lambda model: model.graph.output.pop(), "arrays, and the manifest says"),
    (lambda model: model.ClearField("graph"), "has 0 graphs"), (other_input, "the manifest says|no model that")])
def test_what_no_export_writes_is_refused(bundle, tmp_path, change, message):
    with pytest.raises(BundleError, match=message):
        load(altered(bundle, tmp_path, change))


def test_what_is_untouched_loads_quantised_or_not(bundle, tmp_path):
    assert load(altered(bundle, tmp_path, lambda model: None)).begin_state(2)
    assert load(bundle / "small").manifest["quantized"]


def test_two_graphs_would_be_merged(bundle, tmp_path):
    whole = (bundle / "plain" / "model.onnx").read_bytes()
    (tmp_path / "model.onnx").write_bytes(whole + whole)
    with pytest.raises(BundleError, match="has 2 graphs"):
        checked_model(tmp_path / "model.onnx")


def test_damaged_bytes_give_a_sentence_or_a_model(bundle, tmp_path):
    """Every length of the file, and 300 changed bytes: no other error comes out of the reader."""
    whole, path, drawn = (bundle / "plain" / "model.onnx").read_bytes(), tmp_path / "model.onnx", random.Random(3)
    cases = [whole[:size] for size in range(0, len(whole), 7)]
    for _ in range(300):
        content = bytearray(whole)
        content[drawn.randrange(len(content))] = drawn.randrange(256)
        cases.append(bytes(content))
    refused = 0
    for content in cases:
        path.write_bytes(content)
        try:
            assert checked_model(path) == content
        except BundleError as error:
            refused += 1
            assert str(error).endswith("export again")
    assert refused > len(whole) // 7 * 0.9
