"""The operator of linear recurrences: NumPy loops, central differences, and its two ways of running against each other.

Tests `graph_block.py` too, as far as graphs that are run and graphs that are exported differ.
"""
import json

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn import nn
from gluon_rnn.nn import backend, linear_recurrence
from gluon_rnn.nn.interchange import interchange_form
from tests.gradients import assert_central_differences
from tests.reference import EXACT

T, N, H = 5, 3, 4
FORMS = ("sum", "mean", "complex")


def arguments(form, steps=T, dtype="float64"):
    shapes = [(H,) if form == "complex" else (steps, N, H), (steps, N, H), (N, H)]
    return [mx.nd.random.normal(shape=shape, dtype=dtype) for shape in shapes]


def by_hand(form, a, b, h):
    """The recurrences number by number."""
    outputs = []
    for t in range(len(b)):
        if form == "complex":
            now = (a[::2] + 1j * a[1::2]) * (h[:, ::2] + 1j * h[:, 1::2])
            h = np.stack([now.real, now.imag], axis=2).reshape(h.shape) + b[t]
        else:
            h = a[t] * h + (b[t] if form == "sum" else (1 - a[t]) * b[t])
        outputs.append(h)
    return np.array(outputs), h


class Net(gluon.HybridBlock):
    def __init__(self, form, **options):
        super().__init__()
        self.form, self.options = form, options

    def hybrid_forward(self, F, a, b, h0):
        return linear_recurrence(F, a, b, h0, self.form, **self.options)


def graph(form, on_cpu):
    """A hybridized graph, with the operator in NumPy or with the loop of MXNet's."""
    net = Net(form)
    net.hybridize(static_alloc=True)
    with backend.cpu_graphs(on_cpu):
        net(*arguments(form))
    operators = {node["op"] for node in json.loads(net._cached_graph[1].tojson())["nodes"]}
    assert ("Custom" in operators) is on_cpu and ("_foreach" in operators) is not on_cpu
    return net


WAYS = {"imperative": Net, "reference": lambda form: Net(form, reference=True),
        "operator": lambda form: graph(form, True), "loop": lambda form: graph(form, False)}


@pytest.mark.parametrize("steps", [1, T])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", WAYS)
def test_equations(way, form, steps):
    given = arguments(form, steps)
    outputs, last = WAYS[way](form)(*given)
    want, want_last = by_hand(form, *(array.asnumpy() for array in given))
    np.testing.assert_allclose(outputs.asnumpy(), want, **EXACT)
    np.testing.assert_allclose(last.asnumpy(), want_last, **EXACT)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", WAYS)
def test_gradients_are_central_differences(way, form):
    net, given = WAYS[way](form), arguments(form)
    assert_central_differences(lambda: list(net(*given)), net, given)


@pytest.mark.parametrize("form", FORMS)
def test_gates_at_their_ends_have_exact_gradients(form):
    """At a = 0 and a = 1, where a division by products of a would fail."""
    a, b, h0 = arguments(form)
    a[:] = mx.nd.array(np.random.default_rng(0).integers(0, 2, a.shape), dtype="float64")
    assert_central_differences(lambda: list(Net(form)(a, b, h0)), Net(form), [a, b, h0])


@pytest.mark.parametrize("form", FORMS)
def test_gradients_add_up_where_they_are_asked_to(form):
    given = arguments(form)
    once = []
    for requests in ("write", "add", "null"):
        for array in given:
            array.attach_grad("write" if requests == "null" else requests)
        if requests == "null":
            given[0].attach_grad("null")
        for _ in range(2):
            with autograd.record():
                outputs, last = Net(form)(*given)
                loss = (outputs ** 2).sum() + last.sum()
            loss.backward()
        found = [array.grad.asnumpy() for array in given[requests == "null":]]
        once = once or found
        for got, want in zip(found, once[requests == "null":]):
            np.testing.assert_allclose(got, want * (2 if requests == "add" else 1), rtol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_a_gradient_that_vanishes_becomes_nothing(form):
    """Not numbers below the smallest normal one, which are slow: 0.5^400 is one in float32."""
    a, b, h0 = arguments(form, 400, "float32")
    a[:] = 0.5 if form != "complex" else mx.nd.array([0.3, 0.4] * (H // 2))
    b.attach_grad()
    with autograd.record():
        loss = Net(form)(a, b, h0)[1].sum()
    loss.backward()
    sizes = np.abs(b.grad.asnumpy())
    assert (sizes[-50:] > 0).all()
    assert ((sizes == 0) | (sizes >= np.finfo("float32").tiny)).mean() > 0.99
    if form != "complex":
        want = 0.5 ** np.arange(400)[::-1] * (1 if form == "sum" else 0.5)
        np.testing.assert_allclose(b.grad.asnumpy()[:, 0, 0], want, rtol=1e-6, atol=1e-31)


def test_one_array_as_two_arguments_gets_both_gradients():
    a, b, h0 = arguments("mean")
    assert_central_differences(lambda: list(Net("mean")(a, a, h0)), Net("mean"), [a, h0])


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="must be one of sum, mean, complex, got 'max'"):
        linear_recurrence(mx.nd, *arguments("sum"), form="max")


def operators_of(symbol):
    return {node["op"] for node in json.loads(symbol.tojson())["nodes"]}


def test_which_graphs_have_the_operator():
    """Those that a block of this package runs; no symbol that may leave the process, and none of another device."""
    layer = nn.MinGRU(4, 2, input_size=3)
    layer.initialize()
    layer.hybridize()
    inputs = mx.nd.random.normal(shape=(T, N, 3))
    layer(inputs)
    assert "Custom" in operators_of(layer._cached_graph[1])
    assert "Custom" not in operators_of(layer(mx.sym.var("data")))
    with backend.cpu_graphs(), interchange_form():
        assert "Custom" not in operators_of(layer(mx.sym.var("data")))
    reference = nn.MinGRU(4, input_size=3, backend="reference")
    reference.initialize()
    reference.hybridize()
    reference(inputs)
    assert "Custom" not in operators_of(reference._cached_graph[1])


@pytest.mark.parametrize("with_states", [False, True])
def test_an_export_has_operators_of_mxnet_alone(with_states, tmp_path):
    layer = nn.LRU(4, input_size=3)
    layer.initialize()
    layer.hybridize()
    inputs = mx.nd.random.normal(shape=(T, N, 3))
    want = layer(inputs, layer.begin_state(N)) if with_states else layer(inputs)
    layer.export(str(tmp_path / "layer"))
    symbol = mx.sym.load(str(tmp_path / "layer-symbol.json"))
    assert "Custom" not in operators_of(symbol) and "Custom" in operators_of(layer._cached_graph[1])
    names = [name for name in symbol.list_inputs() if name.startswith("data")]
    found = gluon.SymbolBlock.imports(str(tmp_path / "layer-symbol.json"), names, str(tmp_path / "layer-0000.params"))
    given = [inputs, *layer.begin_state(N)] if with_states else [inputs] + layer.begin_state(N)[:len(names) - 1]
    got = found(*given)
    got, want = (result[0] if isinstance(result, (list, tuple)) else result for result in (got, want))
    np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), rtol=0, atol=1e-5)


def test_a_model_of_this_package_trains_and_predicts_with_the_operator():
    """The flag reaches encoders inside of other blocks: here a language model."""
    from gluon_rnn.models import LanguageModel
    model = LanguageModel(7, nn.QRNN(4, 2), embed_size=3)
    model.initialize()
    ids = mx.nd.array([[1, 2], [3, 4], [5, 6]], dtype="int32")
    want, _ = model(ids, model.begin_state(2))
    model.hybridize()
    got, _ = model(ids, model.begin_state(2))
    np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), rtol=0, atol=1e-6)
    assert "Custom" in operators_of(model._cached_graph[1])
