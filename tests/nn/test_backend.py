"""The switch between implementations: where it is set, which way a call takes, and that both give the same numbers."""
import types

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.models import NARX, ClosedLoop
from gluon_rnn.nn import backend, numpy_ops
from tests.reference import EXACT


def looped(**kwargs):
    layer = nn.PeepholeLSTM(5, input_size=3, dtype="float64", **kwargs)
    layer.initialize()
    return layer


def test_the_argument_wins_over_the_variable_and_the_variable_over_auto(monkeypatch):
    monkeypatch.delenv("GLUON_RNN_BACKEND", raising=False)
    assert nn.LSTM(3).backend == "auto"
    monkeypatch.setenv("GLUON_RNN_BACKEND", "reference")
    assert nn.LSTM(3).backend == "reference"
    assert nn.LSTM(3, backend="auto").backend == "auto"


def test_wrong_names_say_where_they_stand(monkeypatch):
    with pytest.raises(ValueError, match="^backend must be one of auto, reference, got 'numpy'"):
        nn.LSTM(3, backend="numpy")
    monkeypatch.setenv("GLUON_RNN_BACKEND", "fast")
    with pytest.raises(ValueError, match="environment variable GLUON_RNN_BACKEND must be one of auto, reference, got"):
        nn.LSTM(3)


def test_the_path_of_a_loop():
    layer, inputs = looped(), mx.nd.ones((4, 2, 3), dtype="float64")
    few, many = layer.begin_state(2), layer.begin_state(400)              # 20 and 4,000 numbers
    assert backend.loop_path(layer, inputs, few) == "numpy"
    with autograd.record():
        assert backend.loop_path(layer, inputs, few) == "graph"           # not hybridized: operator by operator
    layer.hybridize()
    assert backend.loop_path(layer, inputs, few) == "numpy"
    assert backend.loop_path(layer, inputs, many) == "chunks"
    with autograd.record():
        assert backend.loop_path(layer, inputs, few) == "chunks"
    reference = looped(backend="reference")
    reference.hybridize()
    assert backend.loop_path(reference, inputs, few) == "graph"


def test_a_fused_feedback_network_with_many_products_runs_in_numpy():
    loop = ClosedLoop(NARX(1, 2, (60,)))
    assert loop.fused_size == 62                                          # 62 ** 2 * 137 > 2 ** 19 > 62 ** 2 * 136
    for rows, path in ((136, "graph"), (137, "numpy")):
        assert backend.loop_path(loop, mx.nd.ones((3, rows, 1)), loop.begin_state(rows)) == path


def test_no_numpy_on_another_device_or_dtype():
    layer = looped()
    there = types.SimpleNamespace(context=mx.gpu(0), shape=(4, 2, 3))
    assert not layer.knows_numpy(there) and backend.loop_path(layer, there, []) == "graph"
    with pytest.raises(ValueError, match="NumPy reads arrays of a CPU, got one on gpu"):
        numpy_ops.view(there)
    layer.cast("float16")
    assert not layer.knows_numpy(mx.nd.ones((4, 2, 3), dtype="float16"))


def test_words_name_the_path():
    layer, inputs = looped(), mx.nd.ones((4, 2, 3), dtype="float64")
    assert layer.explain_backend(inputs) == ("PeepholeLSTM (backend 'auto'): a loop in NumPy, since no gradients are "
                                             "asked for and the block is on a CPU")
    reference = looped(backend="reference")
    assert "MXNet's operators one by one" in reference.explain_backend(inputs)
    reference.hybridize()
    assert "one MXNet graph with a foreach loop in it" in reference.explain_backend(inputs)
    fused = nn.LSTM(3, input_size=3)
    fused.hybridize()
    assert fused.explain_backend(inputs) == "LSTM (backend 'auto'): one MXNet graph"


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("lengths", [None, [6, 2, 0]])
def test_both_give_the_same_numbers(lengths, hybrid):
    inputs = mx.nd.random.normal(shape=(6, 3, 3), dtype="float64")
    others = [] if lengths is None else [mx.nd.array(lengths, dtype="float64")]
    layers = [looped(backend=name) for name in backend.BACKENDS]
    for name, parameter in layers[0]._collect_params_with_prefix().items():
        layers[1]._collect_params_with_prefix()[name].set_data(parameter.data())
    results = []
    for layer in layers:
        layer.hybridize(hybrid)
        outputs, states = layer(inputs, layer.begin_state(3), *others)
        results.append([array.asnumpy() for array in (outputs, *states)])
    for got, want in zip(*results):
        np.testing.assert_allclose(got, want, **EXACT)
