"""The benchmark of inference: every peer answers (`our_inference.py`); `onnx_by_hand.py` beside NumPy; the table."""
import csv

import numpy as np
import onnxruntime
import pytest
from onnx import numpy_helper

from gluon_rnn.benchmark import inference
from gluon_rnn.benchmark.onnx_by_hand import stack

# each kind of stack once, at few units
KINDS = {(case["cell"], case["bidirectional"]): dict(case, T=3, N=2, H=4) for case in inference.CASES}
PEERS = ["ours", "symbol-bundle", "onnx-bundle", "onnx-by-hand", "gluon",
         pytest.param("torch", marks=pytest.mark.torch)]


@pytest.mark.parametrize("peer", PEERS)
def test_every_peer_answers(peer, running):
    rows = list(inference.run([running(peer)], KINDS.values(), repeats=2, calls=3))
    assert len(rows) == len(KINDS) == 6
    assert all(0 < row["p50"][peer] <= row["p99"][peer] for row in rows)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_the_lstm_written_by_hand_is_an_lstm():
    model = stack(dict(cell="lstm", bidirectional=False, layers=1, H=3))
    weights = {one.name: numpy_helper.to_array(one).astype(np.float64) for one in model.graph.initializer}
    session = onnxruntime.InferenceSession(model.SerializeToString())
    x, h, c = np.random.default_rng(0).standard_normal((3, 4, 2, 3)).astype(np.float32)[:, :4]
    outputs, h_next, c_next = session.run(None, {"data": x, "states_h": h[:1], "states_c": c[:1]})
    h, c = h[0].astype(np.float64), c[0].astype(np.float64)
    w, r, b = (weights[f"{name}_0"][0] for name in "WRB")
    for t, step in enumerate(x):
        i, o, f, g = np.split(step @ w.T + h @ r.T + b[:12] + b[12:], 4, axis=1)       # the order of ONNX
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(outputs[t], h, rtol=0, atol=1e-5)      # sums of 12 products in float32
    np.testing.assert_allclose([h_next[0], c_next[0]], [h, c], rtol=0, atol=1e-5)


def test_table(tmp_path):
    row = dict(inference.CASES[2], p50={"a": 0.002, "b": 0.003}, p99={"a": 0.004, "b": 0.005})
    names = ["a", "b"]
    assert inference.line(row, names).split() == [
        "lstm", "fwd", "35", "64", "2.000", "/", "4.000", "3.000", "/", "5.000", "32,000", "sequences/s"]
    assert inference.summary([row], names) == "b / a: 1.50 to 1.50"
    assert inference.header(names).splitlines()[0].split() == ["cell", "dir", "T", "N", *names]
    inference.write_csv(tmp_path / "rows.csv", [row], names)
    with open(tmp_path / "rows.csv", newline="", encoding="utf-8") as file:
        found, = csv.DictReader(file)
    assert found["cell"] == "lstm" and float(found["b_p99"]) == 0.005
