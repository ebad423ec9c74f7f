"""Parameters that are views into one vector behave as Gluon's own: trainers, files, initialisers, devices, sharing."""
import copy
import warnings

import mxnet as mx
import numpy as np
import pytest
from gluonnlp.model.utils import apply_weight_drop
from mxnet import autograd, gluon

from gluon_rnn import nn
from gluon_rnn.nn.flat_parameters import graph_parameters, split_old_vectors
from tests.reference import rounding

INPUTS = (5, 3, 4)
#: roundings of float32 on the longest path: five steps of two layers, each with four or twelve inputs and six units
TERMS = 5 * 2 * (12 + 6)
BOUND = rounding("float32", TERMS)


def pair(cell="LSTM", **options):
    """One of our layers and one of Gluon's with the same random parameters."""
    options = {"activation": "tanh", **options} if cell == "RNN" else options
    ours, theirs = (getattr(package, cell)(6, 2, input_size=4, **options) for package in (nn, gluon.rnn))
    for layer in (ours, theirs):
        layer.initialize()
    for name, parameter in ours._reg_params.items():
        value = mx.nd.random.uniform(-0.5, 0.5, shape=parameter.shape)
        parameter.set_data(value)
        theirs._reg_params[name].set_data(value)
    return ours, theirs


def backward(layer, inputs):
    with autograd.record():
        loss = (layer(inputs) ** 2).sum()
    loss.backward()


def assert_equal(ours, theirs, terms=0, gradients=False):
    """Of parameters or gradients: the same bits, or what so many roundings leave."""
    for name, parameter in ours._reg_params.items():
        got, want = ((p.grad() if gradients else p.data()).asnumpy() for p in (parameter, theirs._reg_params[name]))
        np.testing.assert_allclose(got, want, rtol=0, atol=rounding("float32", terms, want), err_msg=name)


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("cell, bidirectional", [("RNN", False), ("LSTM", True), ("GRU", True)])
def test_names_shapes_order_and_gradients_are_gluons(cell, bidirectional, hybrid):
    ours, theirs = pair(cell, bidirectional=bidirectional)
    found, known = ({name[len(layer.prefix):]: parameter.shape for name, parameter in layer.collect_params().items()}
                    for layer in (ours, theirs))
    assert list(found.items()) == list(known.items())
    assert list(ours._collect_params_with_prefix()) == list(theirs._collect_params_with_prefix())
    inputs = mx.nd.random.normal(shape=INPUTS)
    for layer in (ours, theirs):
        layer.hybridize(hybrid)
        backward(layer, inputs)
    assert_equal(ours, theirs, TERMS, gradients=True)                     # one operator against another of the same


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_a_trainer_over_views_updates_as_one_over_the_vector(optimizer):
    """Elementwise updates: the very same bits, whether named parameters or the vector are what the trainer has."""
    ours, _ = pair()
    twin = copy.deepcopy(ours)
    trainers = [gluon.Trainer(ours.collect_params(), optimizer, {"learning_rate": 0.1}),
                gluon.Trainer(list(graph_parameters(twin).values()), optimizer, {"learning_rate": 0.1})]
    inputs = mx.nd.random.normal(shape=INPUTS)
    for _ in range(3):
        for layer, trainer in zip((ours, twin), trainers):
            layer.hybridize(static_alloc=True)
            backward(layer, inputs)
            trainer.step(1)
    assert_equal(ours, twin)


def test_stale_gradients_are_noticed():
    layer, _ = pair()
    trainer = gluon.Trainer(layer.collect_params(), "sgd")
    backward(layer, mx.nd.ones(INPUTS))
    trainer.step(1)
    with pytest.raises(UserWarning, match="has not been updated by backward since last"):
        trainer.step(1)
    backward(layer, mx.nd.ones(INPUTS))
    trainer.step(1)


def test_weight_decay_spares_biases_by_wd_mult():
    layer, _ = pair()
    layer.collect_params(".*bias").setattr("wd_mult", 0)
    before = {name: parameter.data().asnumpy() for name, parameter in layer._reg_params.items()}
    trainer = gluon.Trainer(layer.collect_params(), "sgd", {"learning_rate": 1.0, "wd": 0.5})
    with autograd.record():
        loss = 0 * layer(mx.nd.ones(INPUTS)).sum()
    loss.backward()
    trainer.step(1)
    for name, parameter in layer._reg_params.items():
        np.testing.assert_array_equal(parameter.data().asnumpy(), before[name] * (1 if name.endswith("bias") else 0.5))


def test_regular_expressions_find_named_parameters_alone():
    layer, _ = pair()
    prefix = layer.prefix
    assert set(layer.collect_params("l0_.*")) == set()                    # names begin with the prefix, as in Gluon
    assert {name[len(prefix):] for name in layer.collect_params(".*l1_.*weight")} == {"l1_i2h_weight", "l1_h2h_weight"}
    assert not any("parameters" in name for name in layer.collect_params(".*"))


def test_a_global_initializer_is_respected_and_defaults_are_ours():
    layer = nn.LSTM(8, input_size=4)
    layer.initialize(mx.init.Constant(0.5))
    assert (layer.l0_h2h_weight.data() == 0.5).asnumpy().all() and (layer.l0_i2h_weight.data() == 0.5).asnumpy().all()
    layer.initialize(mx.init.Uniform(0.01), force_reinit=True)
    assert 0 < layer.l0_i2h_weight.data().abs().max().asscalar() <= 0.01
    for init in ((), (nn.OwnDefaults("zeros"),)):
        layer.initialize(*init, force_reinit=True)
        recurrent = layer.gate("l0_h2h_weight", "o").asnumpy()
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(8), rtol=0, atol=rounding("float32", 2 * 8))
    chosen = nn.LSTM(8, input_size=4, h2h_weight_initializer="zeros")
    chosen.initialize(mx.init.Constant(0.5))                              # a layer's own choice wins, as in Gluon
    assert not chosen.l0_h2h_weight.data().asnumpy().any()
    layer.l0_i2h_weight.initialize(mx.init.One(), force_reinit=True)
    assert (layer.l0_i2h_weight.data() == 1).asnumpy().all() and not (layer.l0_h2h_weight.data() == 1).asnumpy().any()


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("nested", [False, True])
def test_files_of_gluon_load_here_and_ours_there(tmp_path, nested, bidirectional):
    ours, theirs = pair("GRU", bidirectional=bidirectional)
    path, inputs = str(tmp_path / "file"), mx.nd.random.normal(shape=INPUTS)
    want = ours(inputs).asnumpy()
    for source, kind in ((ours, gluon.rnn.GRU), (theirs, nn.GRU)):
        target = kind(6, 2, bidirectional=bidirectional)                  # the input size comes from the file
        if nested:
            outer, source = gluon.nn.HybridSequential(), _inside(source)
            outer.add(target)
        source.save_parameters(path)
        (outer if nested else target).load_parameters(path)
        np.testing.assert_allclose(target(inputs).asnumpy(), want, rtol=0, atol=BOUND)


def _inside(layer):
    outer = gluon.nn.HybridSequential()
    outer.add(layer)
    return outer


def test_files_of_another_size_or_kind_are_refused(tmp_path):
    path = str(tmp_path / "file")
    pair("GRU")[0].save_parameters(path)
    with pytest.raises(AssertionError, match="expected .*vs saved"):
        nn.RNN(6, 2).load_parameters(path)
    with pytest.raises(AssertionError, match="expected .*vs saved"):
        nn.GRU(5, 2).load_parameters(path)


def test_checkpoints_with_vectors_still_load(tmp_path):
    """What version 0.1 saved: one vector a layer and direction, all weights before all biases."""
    layer, _ = pair(bidirectional=True)
    old = {f"l{index}_parameters": vector.data().copy() for index, vector in enumerate(layer._vectors)}
    assert set(split_old_vectors(layer, old)) == set(layer._collect_params_with_prefix())
    path, fresh = str(tmp_path / "old"), nn.LSTM(6, 2, bidirectional=True)
    mx.nd.save(path, old)
    fresh.load_parameters(path)
    assert fresh.input_size == 4
    assert_equal(fresh, layer)
    model = nn.Conditioned(nn.LSTM(6, 2), 2)                              # below a name
    mx.nd.save(path, {"encoder.l0_parameters": mx.nd.arange(24 * (4 + 6 + 2)),
                      "encoder.l1_parameters": mx.nd.zeros(24 * (6 + 6 + 2))})
    model.load_parameters(path)
    assert model.input_size == 2 and model.encoder.l0_h2h_bias.data()[-1].asscalar() == 24 * 12 - 1


@pytest.mark.parametrize("hybrid", [False, True])
def test_weight_drop_of_gluonnlp_acts(hybrid):
    layer, _ = pair()
    net, inputs = _inside(layer), mx.nd.random.normal(shape=INPUTS)
    want = net(inputs).asnumpy()
    apply_weight_drop(net, ".*h2h_weight", 0.5)
    net.hybridize(hybrid)
    with autograd.record():
        first, second = net(inputs), net(inputs)
        loss = (first ** 2).sum()
    assert np.abs((first - second).asnumpy()).max() > 1e-3                # a mask each
    loss.backward()
    gradient = layer.l0_h2h_weight.grad().asnumpy()
    assert 0.3 < (gradient == 0).mean() < 0.7                             # dropped weights get none
    assert layer.l0_i2h_weight.grad().asnumpy().any()
    np.testing.assert_allclose(net(inputs).asnumpy(), want, rtol=0, atol=BOUND)    # nothing in prediction


def test_a_symbolic_call_reads_named_parameters_as_gluons_layer_does():
    ours, theirs = pair()
    names = [name[len(ours.prefix):] for name in ours(mx.sym.var("data")).list_arguments() if name != "data"]
    assert sorted(names) == sorted(ours._reg_params)
    module = mx.mod.Module(ours(mx.sym.var("data")).sum(), label_names=None)
    module.bind([("data", INPUTS)], for_training=False)
    module.init_params(mx.init.Constant(0.5))                             # reads initialisers from the symbol
    assert {name[len(ours.prefix):] for name in module.get_params()[0]} == set(ours._reg_params)
    net = gluon.SymbolBlock(ours(mx.sym.var("data")), mx.sym.var("data"), params=ours.collect_params())
    inputs = mx.nd.random.normal(shape=INPUTS)
    np.testing.assert_allclose(net(inputs).asnumpy(), theirs(inputs).asnumpy(), rtol=0, atol=BOUND)


def test_graphs_of_gluon_read_the_vector_and_warn_of_nothing(tmp_path):
    layer, _ = pair()
    net = _inside(layer)
    net.hybridize()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        want = net(mx.nd.ones(INPUTS)).asnumpy()
    net.export(str(tmp_path / "net"))
    stored = mx.nd.load(str(tmp_path / "net-0000.params"))
    assert {name[len("arg:" + layer.prefix):] for name in stored} == {"l0_parameters", "l1_parameters"}
    loaded = gluon.SymbolBlock.imports(str(tmp_path / "net-symbol.json"), ["data"], str(tmp_path / "net-0000.params"))
    np.testing.assert_array_equal(loaded(mx.nd.ones(INPUTS)).asnumpy(), want)


def test_gradients_of_a_penalty_and_of_the_layer_add_up():
    """Reading a named parameter while a graph is recorded takes it out of the vector: nothing is overwritten."""
    layer, _ = pair()
    inputs = mx.nd.random.normal(shape=INPUTS)
    backward(layer, inputs)
    plain = {name: parameter.grad().asnumpy() for name, parameter in layer._reg_params.items()}
    with autograd.record():
        loss = (layer(inputs) ** 2).sum() + (layer.l0_h2h_weight.data() ** 2).sum()
    loss.backward()
    for name, parameter in layer._reg_params.items():
        want = plain[name] + (2 * parameter.data().asnumpy() if name == "l0_h2h_weight" else 0)
        np.testing.assert_allclose(parameter.grad().asnumpy(), want, rtol=0, atol=rounding("float32", TERMS, want))


def test_requests_for_gradients():
    layer, inputs = pair()[0], mx.nd.random.normal(shape=INPUTS)
    backward(layer, inputs)
    once = layer.l0_i2h_weight.grad().asnumpy()
    layer.collect_params().setattr("grad_req", "add")
    for _ in range(2):
        backward(layer, inputs)
    twice = layer.l0_i2h_weight.grad().asnumpy()
    np.testing.assert_allclose(twice, 2 * once, rtol=0, atol=rounding("float32", TERMS, twice))
    layer.collect_params().zero_grad()
    assert not any(parameter.grad().asnumpy().any() for parameter in layer.collect_params().values())
    layer.collect_params().setattr("grad_req", "write")
    layer.collect_params(".*weight").setattr("grad_req", "null")          # frozen
    backward(layer, inputs)
    assert layer.l0_i2h_bias.grad().asnumpy().any()
    with pytest.raises(RuntimeError, match="because grad_req='null'"):
        layer.l0_i2h_weight.grad()
    trainer = gluon.Trainer(layer.collect_params(), "sgd", {"learning_rate": 1.0})
    before = layer.l0_i2h_weight.data().asnumpy()
    trainer.step(1)
    np.testing.assert_array_equal(layer.l0_i2h_weight.data().asnumpy(), before)
    layer.l0_i2h_bias.grad_req = "add"
    with pytest.raises(ValueError, match="share one gradient, so that grad_req must be the same"):
        layer(inputs)


def test_cast_and_devices_keep_the_views():
    layer, inputs = pair()[0], mx.nd.random.normal(shape=INPUTS)
    want = layer(inputs).asnumpy()
    layer.cast("float64")
    np.testing.assert_allclose(layer(inputs.astype("float64")).asnumpy(), want, rtol=0, atol=BOUND)
    layer.cast("float32")
    layer.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    for ctx in (mx.cpu(0), mx.cpu(1)):
        np.testing.assert_allclose(layer(inputs.as_in_context(ctx)).asnumpy(), want, rtol=0, atol=BOUND)
    layer.l1_h2h_bias.set_data(mx.nd.ones(24))
    for ctx in (mx.cpu(0), mx.cpu(1)):
        vector = layer._vectors[1].data(ctx)
        assert vector.context == ctx and (vector[-24:] == 1).asnumpy().all()
        assert np.abs(layer(inputs.as_in_context(ctx)).asnumpy() - want).max() > 1e-3


def test_several_devices_train_alike():
    one, several = pair()[0], pair()[0]
    several.collect_params().reset_ctx([mx.cpu(0), mx.cpu(1)])
    for name, parameter in one._reg_params.items():
        several._reg_params[name].set_data(parameter.data())
    inputs = mx.nd.random.normal(shape=(5, 4, 4))
    trainers = [gluon.Trainer(layer.collect_params(), "sgd", {"learning_rate": 0.1}) for layer in (one, several)]
    backward(one, inputs)
    with autograd.record():
        losses = [(several(part) ** 2).sum() for part in gluon.utils.split_and_load(inputs, [mx.cpu(0), mx.cpu(1)], 1)]
    autograd.backward(losses)
    for trainer in trainers:
        trainer.step(4)
    for name, parameter in one._reg_params.items():
        for array in several._reg_params[name].list_data():
            np.testing.assert_allclose(array.asnumpy(), parameter.data().asnumpy(), rtol=0, atol=BOUND)


def test_a_copy_is_a_layer_of_its_own():
    layer, inputs = pair()[0], mx.nd.random.normal(shape=INPUTS)
    twin = copy.deepcopy(layer)
    assert_equal(twin, layer)
    backward(twin, inputs)
    assert twin.l0_i2h_weight.grad().asnumpy().any()
    twin.l0_i2h_weight.set_data(mx.nd.zeros((24, 4)))
    assert layer.l0_i2h_weight.data().asnumpy().any()
    assert np.abs((twin(inputs) - layer(inputs)).asnumpy()).max() > 1e-3


def test_shared_parameters_are_one_vector():
    layer = pair()[0]
    other = nn.LSTM(6, 2, input_size=4, prefix=layer.prefix, params=layer.collect_params())
    inputs = mx.nd.random.normal(shape=INPUTS)
    layer.l0_i2h_bias.set_data(mx.nd.ones(24))
    np.testing.assert_array_equal(other(inputs).asnumpy(), layer(inputs).asnumpy())
    theirs = pair()[1]
    with pytest.raises(ValueError, match="params must come from a LSTM of ours with the same sizes"):
        nn.LSTM(6, 2, input_size=4, prefix=theirs.prefix, params=theirs.collect_params())
    with pytest.raises(ValueError, match="params must come from a LSTM of ours with the same sizes"):
        nn.LSTM(6, 2, input_size=5, prefix=layer.prefix, params=layer.collect_params())


def test_errors_before_the_first_call_are_gluons():
    layer = nn.LSTM(6)
    with pytest.raises(RuntimeError, match="has not been initialized"):
        layer.l0_i2h_weight.data()
    with pytest.raises(RuntimeError, match="has not been initialized"):
        layer(mx.nd.ones(INPUTS))
    layer = nn.LSTM(6)
    layer.initialize()
    with pytest.raises(gluon.parameter.DeferredInitializationError):
        layer.l0_h2h_weight.data()
    assert layer(mx.nd.ones(INPUTS)).shape == (5, 3, 6)
    with pytest.raises(ValueError, match="expects 4 input features"):
        layer(mx.nd.ones((5, 3, 7)))


@pytest.mark.parametrize("options", [{"bidirectional": True}, {"weight_drop": 0.5}])
def test_a_deferred_layer_in_a_graph_whose_first_call_has_lengths(options):
    """The size of the inputs is found out by the graph's inference, wherever the layer stands in it."""
    class Outer(gluon.HybridBlock):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def hybrid_forward(self, F, inputs, lengths):
            return self.layer(inputs, None, lengths)

    layer = nn.LSTM(6, **options)
    outer, inputs, lengths = Outer(layer), mx.nd.random.normal(shape=INPUTS), mx.nd.array([5, 2, 0])
    outer.initialize()
    outer.hybridize()
    found = outer(inputs, lengths).asnumpy()
    assert layer.input_size == 4
    outer.hybridize(False)
    np.testing.assert_allclose(outer(inputs, lengths).asnumpy(), found, rtol=0, atol=BOUND)


@pytest.mark.parametrize("cell, bidirectional", [("LSTM", True), ("GRU", False), ("RNN", False)])
def test_unfused_is_a_stack_of_gluons_cells_on_the_same_parameters(cell, bidirectional):
    layer, inputs = pair(cell, bidirectional=bidirectional)[0], mx.nd.random.normal(shape=INPUTS)
    stack = layer._unfuse()
    assert set(stack.collect_params()) == set(layer.collect_params())
    outputs, _ = stack.unroll(5, inputs, layout="TNC", merge_outputs=True)
    np.testing.assert_allclose(outputs.asnumpy(), layer(inputs).asnumpy(), rtol=0, atol=BOUND)
