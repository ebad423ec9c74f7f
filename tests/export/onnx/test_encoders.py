"""Every encoder of the registry, and the blocks beside them, in ONNX Runtime: the numbers of the live block.

The graph is traced as a bundle traces it, in the interchange form (`gluon_rnn/nn/interchange.py`), states by name. The
live block answers in float64; float32 may be off by as many roundings as the longest path has, each as large as
`condition` says. Padding holds NaN, and the states to begin with are any.
"""
import mxnet as mx
import numpy as np
import onnxruntime
import pytest

from gluon_rnn import nn
from gluon_rnn.export.onnx import convert
from gluon_rnn.registry import encoders
from tests.nn.test_contract import BLOCKS, FEATURES, OTHERS, build, name_of
from tests.reference import condition

#: (T, N): none is an example size of the converter
SIZES = [(6, 3), (4, 2)]
#: roundings on the longest path of a number: sums over inputs, units and delays of two layers, at each step
TERMS = 6 * 2 * (FEATURES + 6 + 4)
PLAIN = [(name, {}) for name in [*encoders.names(), *OTHERS]]


class Case:
    """A block in float32, the same in float64, and its ONNX graph in ONNX Runtime."""

    def __init__(self, name, variant, with_lengths, form=True):
        self.block, self.exact = (build(name, variant, dtype) for dtype in ("float32", "float64"))
        for one, other in zip(self.block.collect_params().values(), self.exact.collect_params().values()):
            other.set_data(one.data().astype("float64"))
        self.names = [f"state_{number}" for number in range(len(self.block.state_info()))]
        self.time = self.block.layout.index("T")
        model = convert(*self._traced(with_lengths, form))
        self.operators = [node.op_type for node in model.graph.node]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        self._taken = {entry.name for entry in self._session.get_inputs()}

    def _traced(self, with_lengths, form):
        """Return symbol, parameters and inputs of the graph."""
        block, lengths = self.block, [mx.sym.var("valid_length")] if with_lengths else []
        with nn.read_vectors(), nn.interchange_form(form):
            outputs, states = block(mx.sym.var("data"), [mx.sym.var(name) for name in self.names], *lengths)
        inputs = {"data": ((*block.layout[:2], FEATURES), "float32"), "valid_length": (("N",), "float32")}
        for name, info in zip(self.names, block.state_info(0)):
            inputs[name] = tuple("N" if axis == "N" else size
                                 for axis, size in zip(info["__layout__"], info["shape"])), "float32"
        symbol = mx.sym.Group([outputs, *states])
        inputs = {name: entry for name, entry in inputs.items() if name in symbol.list_arguments()}
        return symbol, {key: value.data() for key, value in nn.graph_parameters(block).items()}, inputs

    def __call__(self, data, states, lengths=None):
        """Return the outputs and the list of states that ONNX Runtime gives."""
        given = {"data": data, "valid_length": lengths, **dict(zip(self.names, states))}
        outputs, *states = self._session.run(None, {name: given[name] for name in self._taken})
        return outputs, states

    def arguments(self, steps, rows):
        """Return inputs and states of random numbers."""
        def draw(shape):
            return np.random.standard_normal(shape).astype("float32")

        shape = (steps, rows, FEATURES) if self.time == 0 else (rows, steps, FEATURES)
        return draw(shape), [draw(info["shape"]) for info in self.block.state_info(rows)]

    def expected(self, data, states, lengths=None):
        """Return what the live block gives, and how far each array may be off."""
        arrays = [mx.nd.array(array, dtype="float64") for array in (data, *states)]
        given = () if lengths is None else (mx.nd.array(lengths),)

        def call():
            outputs, finals = self.exact(arrays[0], arrays[1:], *given)
            return [value.asnumpy() for value in (outputs, *finals)]

        parameters = [parameter.data() for parameter in self.exact.collect_params().values()]
        want, moves = condition(call, [*arrays, *parameters])
        return want, [TERMS * move for move in moves]


def assert_close(found, want, allowed):
    outputs, states = found
    assert len(want) == 1 + len(states)
    for got, exact, atol in zip((outputs, *states), want, allowed):
        assert got.shape == exact.shape and got.dtype == "float32"
        np.testing.assert_allclose(got, exact, rtol=0, atol=atol)


@pytest.mark.parametrize("case", BLOCKS, ids=name_of)
def test_with_lengths(case):
    assert_right_with_lengths(Case(*case, with_lengths=True))


@pytest.mark.parametrize("case", [("lstm", dict(num_layers=2, bidirectional=True)), ("gru", {}), ("jordan", {}),
                                  ("narx_closed_loop", {})], ids=name_of)
def test_the_form_that_mxnet_runs(case):
    """Of a symbol bundle: masks, reversals by places, a cell state that a further input feature holds."""
    assert_right_with_lengths(Case(*case, with_lengths=True, form=False))


def assert_right_with_lengths(case):
    for steps, rows in SIZES:
        data, states = case.arguments(steps, rows)
        lengths = np.array([2, 0, steps][-rows:], "float32")
        want, allowed = case.expected(data, states, lengths)
        by_row = data if case.time else data.swapaxes(0, 1)
        for row, length in enumerate(lengths):
            by_row[row, int(length):] = np.nan
        assert_close(case(data, states, lengths), want, allowed)


@pytest.mark.parametrize("case", PLAIN, ids=name_of)
def test_whole_sequences_and_step_by_step(case):
    case = Case(*case, with_lengths=False)
    for steps, rows in SIZES:
        data, states = case.arguments(steps, rows)
        want, allowed = case.expected(data, states)
        assert_close(case(data, states), want, allowed)
    if not case.block.causal:
        return
    chunks = []
    for step in np.split(data, steps, axis=case.time):
        outputs, states = case(step, states)
        chunks.append(outputs)
    assert_close((np.concatenate(chunks, axis=case.time), states), want, allowed)


@pytest.mark.parametrize("name, operator", [("rnn", "RNN"), ("lstm", "LSTM"), ("gru", "GRU")])
def test_a_fused_stack_is_one_operator_a_layer(name, operator):
    case = Case(name, dict(num_layers=2), with_lengths=False)
    states = len(case.names)
    assert sorted(case.operators) == sorted([*["Split", "Concat"] * states, *[operator, "Squeeze"] * 2])
    case = Case(name, dict(num_layers=2, bidirectional=True), with_lengths=True)
    assert case.operators.count(operator) == 2
    assert {"Scan", "Loop", "ReverseSequence", "Less"}.isdisjoint(case.operators)            # nothing around it
