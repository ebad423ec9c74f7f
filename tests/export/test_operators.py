"""The list of operators holds all that the package exports: every encoder with several layers, and every model."""
import json

import mxnet as mx
import pytest

from gluon_rnn import models, nn
from gluon_rnn.export.bundle import _described, _traced
from gluon_rnn.export.bounded_lengths import with_bounds
from gluon_rnn.export.graphs import graphs_of
from gluon_rnn.export.operators import MOST, OPERATORS
from gluon_rnn.export.symbol_file import as_text, checked_symbol
from tests.models.test_seq2seq import CASES, build_case
from tests.nn.test_contract import BLOCKS, batch, build, name_of


def ids(steps=5, rows=2):
    return mx.nd.zeros((steps, rows), dtype="int32")


def pooled(pooling):
    return models.SequenceClassifier(nn.LSTM(6, bidirectional=True), 4, vocab_size=9, pooling=pooling)


MODELS = {
    **{f"classifier {one}": lambda one=one: (pooled(one), ids()) for one in ("last", "mean", "max", "attention")},
    **{f"translation {one}": lambda one=one: (build_case(one, "float32"), ids(), ids(4)) for one in CASES},
    **{f"text of a class {one}": lambda one=one: (models.ConditionalLanguageModel(
        9, nn.LSTM(6), num_classes=9, embed_size=5, inject=one, condition_size=3), ids())
       for one in ("state", "input", "both")},
    "crf": lambda: (models.SequenceTagger(nn.GRU(6), 4, vocab_size=9, embed_size=5, crf=True), ids()),
}


def symbols(model, *example):
    model.initialize(force_reinit=True)
    for name, graph in graphs_of(model, example).items():
        yield name, json.loads(_traced(graph, _described(graph, "float32")).tojson())


def check_all(model, *example):
    """Return the operators of a model's graphs, having checked them; what is written anew is the same graph."""
    found = set()
    for name, stored in symbols(model, *example):
        checked = checked_symbol(stored, name)
        found |= {node["op"] for node in checked["nodes"]}
        assert [node["op"] for node in checked["nodes"]] == [node["op"] for node in stored["nodes"]]
        assert len(mx.sym.load_json(as_text(with_bounds(checked))).list_outputs()) == len(stored["heads"])
    return found


@pytest.mark.parametrize("case", {case[0]: case for case in BLOCKS}.values(), ids=name_of)
def test_encoders(case):
    block = build(*case, "float32")
    check_all(block, batch(block).astype("float32"))


@pytest.mark.parametrize("name", MODELS)
def test_models(name):
    check_all(*MODELS[name]())


def test_nothing_that_runs_code_holds_an_address_or_draws_is_on_the_list():
    for name in ("_NDArray", "_Native", "Custom", "_CustomFunction", "_NoGradient", "_cond", "_while_loop", "_CachedOp",
                 "_FusedOp", "_subgraph_op", "_TensorRT", "_copyto", "_imdecode", "_cvimread", "_random_uniform",
                 "_CrossDeviceCopy", "_contrib_tvm_vadd"):
        assert name not in OPERATORS


@pytest.mark.parametrize("op, key, good, bad", [
    ("FullyConnected", "num_hidden", ["1", "33278"], ["0", "-1", str(MOST + 1), "1.5", "1" * 5000]),
    ("Reshape", "shape", ["(-1, 5)", "[0, -3]", "7"], ["(-5,)", "1+1", "(1" + ",1" * 9 + ")", "__import__('os')"]),
    ("_mul_scalar", "scalar", ["0.5", "-1e+30"], ["nan", "inf", "x", ""]),
    ("slice_axis", "end", ["None", "-2"], ["none", "(1,)*9", "1e9"]),
    ("Activation", "act_type", ["relu", "tanh"], ["Relu", "", "custom"]),
    ("_foreach", "in_data_locs", ["[0]", "[4, 0]", "[]"], ["[-1]", "[0", "(0)", "[1000000]"]),
    ("RNN", "num_layers", ["1"], ["2", "0"])])
def test_attributes_are_bounded(op, key, good, bad):
    allowed = OPERATORS[op].attributes[key]
    assert all(map(allowed, good)) and not any(map(allowed, bad))
