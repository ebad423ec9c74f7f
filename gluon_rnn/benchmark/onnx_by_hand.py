"""Recurrent stacks as somebody would write them in ONNX by hand: one operator a layer, no lengths. Needs no MXNet."""
import os

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

__all__ = ["GATES", "OnnxByHandPeer", "stack"]

#: gates of each operator
GATES = {"rnn": ("RNN", 1), "lstm": ("LSTM", 4), "gru": ("GRU", 3)}


def stack(case):
    """Return the ONNX model of a `case` of the benchmark `inference`, random weights.

    Inputs ``data`` (T, N, H) and ``states_h`` (L * D, N, H), for an LSTM ``states_c`` too; outputs (T, N, D * H) and
    the states after the last step.
    """
    kind, gates = GATES[case["cell"]]
    directions, layers, size = 2 if case["bidirectional"] else 1, case["layers"], case["H"]
    states = ["states_h", "states_c"] if kind == "LSTM" else ["states_h"]
    rng, nodes = np.random.default_rng(0), []
    constants = {"outer": np.array([0, 0, -1])} if case["bidirectional"] else {"one": np.array([1])}
    for name in states:
        parts = [f"{name}_{layer}" for layer in range(layers)]
        nodes.append(helper.make_node("Split", [name], parts, axis=0, num_outputs=layers))
    values = "data"
    for layer in range(layers):
        width = size if layer == 0 else directions * size
        for part, shape in (("W", (gates * size, width)), ("R", (gates * size, size)), ("B", (2 * gates * size,))):
            constants[f"{part}_{layer}"] = rng.uniform(-0.1, 0.1, (directions, *shape)).astype(np.float32)
        nodes += _layer(kind, layer, values, states, size, directions)
        values = f"outputs_{layer}"
    nodes[-1].output[0] = "outputs"
    for name in states:
        nodes.append(helper.make_node("Concat", [f"{name}_{layer}_next" for layer in range(layers)], [f"{name}_next"],
                                      axis=0))
    return _model(nodes, constants, states, (layers * directions, size), directions * size)


def _layer(kind, layer, values, states, size, directions):
    """Return the operator of a layer, and what makes (T, D, N, H) of it (T, N, D * H)."""
    options = {"hidden_size": size, "direction": "bidirectional" if directions == 2 else "forward"}
    if kind == "GRU":
        options["linear_before_reset"] = 1
    begins = [f"{name}_{layer}" for name in states]
    node = helper.make_node(kind, [values, *(f"{part}_{layer}" for part in "WRB"), "", *begins],
                            [f"raw_{layer}", *(f"{begin}_next" for begin in begins)], **options)
    if directions == 1:
        return [node, helper.make_node("Squeeze", [f"raw_{layer}", "one"], [f"outputs_{layer}"])]
    return [node, helper.make_node("Transpose", [f"raw_{layer}"], [f"turned_{layer}"], perm=[0, 2, 1, 3]),
            helper.make_node("Reshape", [f"turned_{layer}", "outer"], [f"outputs_{layer}"])]


def _model(nodes, constants, states, state_shape, width):
    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    rows, size = state_shape
    inputs = [value("data", "T", "N", size), *(value(name, rows, "N", size) for name in states)]
    outputs = [value("outputs", "T", "N", width), *(value(f"{name}_next", rows, "N", size) for name in states)]
    graph = helper.make_graph(nodes, "by_hand", inputs, outputs,
                              [numpy_helper.from_array(array, name) for name, array in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model


class OnnxByHandPeer:
    """ONNX Runtime on a graph that was written by hand."""

    def __init__(self):
        self.threads = int(os.environ["OMP_NUM_THREADS"])

    def about(self):
        """Return the version and the number of threads."""
        return {"version": onnxruntime.__version__, "threads": str(self.threads)}

    def inference(self, case):
        """Return a call of a stack, all inputs NumPy arrays."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        session = onnxruntime.InferenceSession(stack(case).SerializeToString(), options,
                                                    providers=["CPUExecutionProvider"])
        rows = case["layers"] * (2 if case["bidirectional"] else 1)
        feed = {entry.name: np.zeros((rows, case["N"], case["H"]), np.float32) for entry in session.get_inputs()}
        feed["data"] = np.random.default_rng(1).uniform(-1, 1, (case["T"], case["N"], case["H"])).astype("float32")
        return lambda: session.run(None, feed)
