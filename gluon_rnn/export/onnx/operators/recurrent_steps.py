"""A recurrent layer as a Scan over its equations, for what ONNX's recurrent operators cannot do.

ONNX has no LSTM with a projection (Sak, Senior and Beaufays 2014). ONNX Runtime's operators know float32 alone; their
tanh is an approximation. The product with the inputs is taken for all steps before the loop. The backward direction
scans from the end: on padding, which comes first there, states stand still.
"""
import numpy as np

from gluon_rnn.export.onnx.operators.lengths import valid_steps
from gluon_rnn.export.onnx.shaping import squeeze, unsqueeze

__all__ = ["Steps"]


class Steps:
    """``outputs, finals = run(inputs, layer, begins)`` as `gluon_rnn.export.onnx.operators.recurrent.Fused`."""

    def __init__(self, builder, stack):
        self._builder, self._stack, self._valid = builder, stack, None
        if stack.lengths is not None:
            valid = valid_steps(builder, stack.lengths, stack.data, 0)
            self._valid = unsqueeze(builder, valid, [2])                  # (T, N, 1)

    def __call__(self, inputs, layer, begins):
        """Run (T, N, C) and [h] or [h, c], (D, N, H) each: return (T, N, D * H) and the last states."""
        found = [self._direction(inputs, one, [self._own(begin, backward) for begin in begins], backward)
                 for backward, one in enumerate(layer)]
        outputs, finals = zip(*found)
        finals = [[unsqueeze(self._builder, state, [0]) for state in states] for states in zip(*finals)]
        return self._joined(outputs, 2), [self._joined(states, 0) for states in finals]

    def _joined(self, parts, axis):
        return parts[0] if len(parts) == 1 else self._builder.add("Concat", *parts, axis=axis)

    def _own(self, begin, backward):
        """Return the state (N, H) of one direction."""
        if self._stack.directions == 2:
            begin = self._builder.add("Split", begin, np.array([1, 1], "int64"), axis=0, outputs=2)[backward]
        return squeeze(self._builder, begin, [0])

    def _direction(self, inputs, layer, begins, backward):
        """Return outputs (T, N, H) and the last states, (N, H) each."""
        add = self._builder.add
        bias = layer.i2h_bias + _folded(layer.h2h_bias, self._stack.mode)
        sequences = [add("Add", add("MatMul", inputs, layer.i2h_weight.T), bias)]
        sequences += [] if self._valid is None else [self._valid]
        shapes = [(state.shape, state.dtype) for state in begins]
        shapes += [(sequence.shape[1:], sequence.dtype) for sequence in sequences]
        with self._builder.body(shapes) as body:
            states, slices = body.inputs[:len(begins)], body.inputs[len(begins):]
            body.outputs = self._held(self._step(slices[0], states, layer), states, slices[1:])
        results = add("Scan", *begins, *sequences, outputs=len(begins) + 1, body=body.graph,
                      num_scan_inputs=len(sequences), scan_input_directions=[backward] * len(sequences),
                      scan_output_directions=[backward])
        shapes = [begin.shape for begin in begins] + [(*inputs.shape[:2], self._stack.state_size)]
        *finals, outputs = [self._builder.describe(result, shape, inputs.dtype)
                            for result, shape in zip(results, shapes)]
        return outputs, finals

    def _held(self, after, before, valid):
        """Return states and output of a step; with [`valid`] (N, 1), old states and 0 where it is False."""
        add = self._builder.add
        if not valid:
            return [*after, add("Identity", after[0])]
        return [*(add("Where", valid[0], new, old) for new, old in zip(after, before)),
                add("Where", valid[0], after[0], np.zeros((), after[0].dtype))]

    def _step(self, projected, states, layer):
        """Return the states after a step: [h] or [h, c]."""
        add, mode = self._builder.add, self._stack.mode
        recurrent = add("MatMul", states[0], layer.h2h_weight.T)
        if mode == "gru":
            return [self._gru(projected, recurrent, states[0], layer)]
        values = add("Add", projected, recurrent)
        if mode != "lstm":
            return [add("Relu" if mode == "rnn_relu" else "Tanh", values)]
        i, f, g, o = self._gates(values, 4)
        cell = add("Add", add("Mul", add("Sigmoid", f), states[1]), add("Mul", add("Sigmoid", i), add("Tanh", g)))
        h = add("Mul", add("Sigmoid", o), add("Tanh", cell))
        return [h if layer.h2r_weight is None else add("MatMul", h, layer.h2r_weight.T), cell]

    def _gru(self, projected, recurrent, h, layer):
        add = self._builder.add
        (r, z, n), (of_r, of_z, of_n) = self._gates(projected, 3), self._gates(recurrent, 3)
        r, z = add("Sigmoid", add("Add", r, of_r)), add("Sigmoid", add("Add", z, of_z))
        of_n = add("Add", of_n, np.split(layer.h2h_bias, 3)[2])
        n = add("Tanh", add("Add", n, add("Mul", r, of_n)))
        return add("Add", n, add("Mul", z, add("Sub", h, n)))             # (1 - z) * n + z * h

    def _gates(self, values, count):
        return self._builder.add("Split", values, np.array([self._stack.hidden_size] * count, "int64"), axis=1,
                                 outputs=count)


def _folded(bias, mode):
    """Return what of the recurrent bias (G*H,) can be added before the loop: not that behind a GRU's reset gate."""
    if mode != "gru":
        return bias
    r, z, n = np.split(bias, 3)
    return np.concatenate([r, z, np.zeros_like(n)])
