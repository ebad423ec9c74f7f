"""The stacks of the benchmark `inference`, ours as a bundle, in MXNet or in ONNX Runtime."""
import os
import tempfile

import mxnet as mx
import numpy as np

from gluon_rnn import nn
from gluon_rnn.export import export, load

__all__ = ["bundle"]

_LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def bundle(case, kind):
    """Return a call of an exported layer: NumPy arrays in and out, states by hand."""
    threads = int(os.environ.get("OMP_NUM_THREADS", 1))
    with tempfile.TemporaryDirectory() as folder:
        export(_layer(case), f"{folder}/bundle", example=mx.nd.array(_inputs(case)[:4]), format=kind)
        loaded = load(f"{folder}/bundle", threads=threads)
    inputs, states = _inputs(case), loaded.begin_state(case["N"])
    if not loaded.network.causal:
        return lambda: loaded(inputs)
    return lambda: loaded(inputs, states)


def _layer(case):
    layer = _LAYERS[case["cell"]](case["H"], case["layers"], bidirectional=case["bidirectional"], input_size=case["H"])
    layer.initialize(mx.init.Uniform(0.1))
    layer.hybridize(static_alloc=True, static_shape=True)
    return layer


def _inputs(case):
    return np.random.default_rng(1).uniform(-1, 1, (case["T"], case["N"], case["H"])).astype(np.float32)
