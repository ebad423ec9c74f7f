"""Classifier and regressor over several encoders: the contract for many-to-one models, dropout, export, learning.

Tests `around_encoder.py` too.
"""
import doctest

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn import export
from gluon_rnn.models import SequenceClassifier, SequenceRegressor, classifier
from gluon_rnn.nn import Pooling
from gluon_rnn.nn.pooling import POOLINGS, forward_size_of
from gluon_rnn.registry import encoders, models
from tests.reference import EXACT

V, E, C, H, K, T, N = 11, 5, 3, 6, 4, 7, 3
LENGTHS = [7, 4, 1]
ENCODERS = {
    "lstm": ("lstm", {}), "rnn": ("rnn", {"num_layers": 2}), "gru": ("gru", {}),
    "bidirectional": ("lstm", {"bidirectional": True, "num_layers": 2}), "tdnn": ("tdnn", {}),
    "tdnn_ahead": ("tdnn", {"contexts": [[-2, 2], {-1, 2}]}), "peephole": ("peephole_lstm", {}),
    "both_directions": ("bidirectional", {"cell": "layer_norm_lstm"}),
}
CASES = [(encoder, "last") for encoder in ENCODERS]
CASES += [("bidirectional", pooling) for pooling in POOLINGS[1:]] + [("tdnn_ahead", "mean"), ("peephole", "attention")]


def build(encoder="lstm", pooling="last", ids=True, cls=SequenceClassifier, dtype="float64", **options):
    name, arguments = ENCODERS[encoder]
    options.update({"vocab_size": V, "embed_size": E} if ids else {"input_size": C})
    model = cls(encoders.build(name, hidden_size=H, dtype=dtype, **arguments), K, pooling=pooling, **options)
    model.initialize()
    for parameter in model.collect_params().values():                     # biases too: a lost bias must show
        parameter.set_data(mx.nd.random.uniform(-0.6, 0.6, parameter.shape, dtype=dtype))
    return model


def inputs_of(ids, steps=T, rows=N, dtype="float64"):
    if ids:
        return mx.nd.array(np.random.randint(0, V, (steps, rows)), dtype="int32")
    return mx.nd.random.normal(shape=(steps, rows, C), dtype=dtype)


def assert_same(got, want, **tolerance):
    for a, b in zip(*(list(x) if isinstance(x, (list, tuple)) else [x] for x in (got, want))):
        np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), **(tolerance or EXACT))


BUILDS = [(*case, ids) for case in CASES for ids in (True, False)]


def name_of(case):
    return f"{case[0]}-{case[1]}-{'ids' if case[2] else 'features'}"


@pytest.fixture(params=BUILDS, ids=name_of)
def case(request):
    encoder, pooling, ids = request.param
    return build(encoder, pooling, ids), ids


def test_examples():
    assert doctest.testmod(classifier, extraglobs={"mx": mx}).failed == 0
    assert models.get("classifier") is SequenceClassifier and models.get("regressor") is SequenceRegressor


def test_it_is_encoder_then_pooling_then_a_linear_layer(case):
    model, ids = case
    inputs, lengths = inputs_of(ids), mx.nd.array(LENGTHS)
    embedded = inputs
    if ids:
        embedded = mx.nd.array(model.embedding_weight.data().asnumpy()[inputs.asnumpy()], dtype="float64")
    pooling = Pooling(model._pooling, model.encoder.output_size, forward_size_of(model.encoder),
                      "float64", params=model.pooling.params)
    pooled = pooling(model.encoder(embedded, None, lengths), lengths).asnumpy()
    weight, bias = model.output_weight.data().asnumpy(), model.output_bias.data().asnumpy()
    np.testing.assert_allclose(model(inputs, None, lengths).asnumpy(), pooled @ weight.T + bias, **EXACT)


def test_row_alone_is_row_of_the_padded_batch(case):
    model, ids = case
    inputs = inputs_of(ids)
    answers, states = model(inputs, model.begin_state(N), mx.nd.array(LENGTHS))
    assert answers.shape == (N, K)
    for row, length in enumerate(LENGTHS):
        alone, last = model(inputs[:length, row:row + 1], model.begin_state(1))
        assert_same(answers[row:row + 1], alone)
        for state, want, info in zip(states, last, model.state_info(N)):
            axis = info["__layout__"].index("N")
            assert_same(state.slice_axis(axis=axis, begin=row, end=row + 1), want)


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("case", BUILDS, ids=name_of)
def test_padding_changes_nothing(case, hybrid):
    model, ids = build(*case, dtype="float32"), case[2]
    if hybrid:
        model.hybridize()
    inputs, lengths, results = inputs_of(ids, dtype="float32"), mx.nd.array([7, 4, 0]), []
    for filler in (None, 99, *(() if ids else (float("nan"), float("inf")))):
        filled = inputs.copy()
        if filler is not None:
            filled[4:, 1], filled[:, 2] = filler, filler
        with autograd.record():
            answers = model(filled, None, lengths)
            loss = (answers ** 2).sum()
        loss.backward()
        results.append([answers] + [parameter.grad().copy() for parameter in model.collect_params().values()])
    for other in results[1:]:
        for got, want in zip(other, results[0]):
            np.testing.assert_array_equal(got.asnumpy(), want.asnumpy())
    # a row of no steps answers with the bias; in look-ahead networks too
    np.testing.assert_array_equal(results[0][0][2].asnumpy(), model.output_bias.data().asnumpy())


def test_hybridized_is_imperative_in_every_call_form(case):
    model, ids = case
    inputs, lengths, begin = inputs_of(ids), mx.nd.array(LENGTHS), model.begin_state(N)
    forms = [(inputs,), (inputs, begin), (inputs, begin, lengths), (inputs, None, lengths)]
    flat = lambda result: [result[0], *result[1]] if isinstance(result, tuple) else [result]  # noqa: E731
    imperative = [flat(model(*form)) for form in forms]
    model.hybridize(static_alloc=True)
    for form, want in zip(forms, imperative):
        assert_same(flat(model(*form)), want)
        assert_same(flat(model(*form)), want)


def test_exported_graph_is_the_live_model_at_other_sizes(case, tmp_path):
    model, ids = case
    states = [mx.sym.var(f"state_{i}") for i in range(len(model.state_info()))]
    answers, finals = model(mx.sym.var("data"), states, mx.sym.var("valid_length"))
    mx.sym.Group([answers, *finals]).save(str(tmp_path / "graph.json"))
    graph = mx.sym.load(str(tmp_path / "graph.json"))
    parameters = {p.name: p.data() for p in model.collect_params().values()}
    for steps, rows in ((7, 3), (4, 2)):
        inputs, lengths = inputs_of(ids, steps, rows), mx.nd.array([steps, 2, 1][:rows])
        bound = {"data": inputs, "valid_length": lengths, **parameters}
        bound.update({f"state_{i}": value for i, value in enumerate(model.begin_state(rows))})
        answers, states = model(inputs, model.begin_state(rows), lengths)
        assert_same(graph.bind(mx.cpu(), bound).forward(), [answers, *states])


@pytest.mark.parametrize("encoder, pooling", [("lstm", "last"), ("tdnn", "last"), ("bidirectional", "attention")])
@pytest.mark.parametrize("ids", [True, False])
def test_bundle_answers_as_the_model_does_whole_and_step_by_step(encoder, pooling, ids, tmp_path):
    model = build(encoder, pooling, ids)
    assert export.export(model, tmp_path / "bundle", example=inputs_of(ids)) < EXACT["atol"]
    bundle, inputs = export.load(tmp_path / "bundle"), inputs_of(ids, 4, 2)
    graph = bundle.manifest["graphs"]["model"]
    assert graph["outputs"][0]["shape"] == ["N", K] and graph["causal"] == model.causal
    assert_same(bundle(inputs), model(inputs))


def test_streaming_chunks_end_in_the_answer_to_the_whole(case):
    model, ids = case
    inputs = inputs_of(ids)
    states, whole = model.begin_state(N), model(inputs)
    assert model.causal == (model.encoder.causal and model._pooling == "last")
    if not model.causal:
        _, carried = model(inputs[:3], states)
        with pytest.raises(ValueError, match="not causal: it reads|looks at all steps"):
            model(inputs[3:], carried)
        return
    for start, stop in ((0, 3), (3, 4), (4, T)):
        answers, states = model(inputs[start:stop], states)
    assert_same(answers, whole)


def test_batch_first_layout():
    for ids in (True, False):
        model, inputs = build(ids=ids), inputs_of(ids)
        other = SequenceClassifier(model.encoder, K, layout="NTC", params=model.params, **(
            {"vocab_size": V, "embed_size": E} if ids else {"input_size": C}))
        assert_same(other(inputs.swapaxes(0, 1), None, mx.nd.array(LENGTHS)), model(inputs, None, mx.nd.array(LENGTHS)))


def test_saved_and_loaded(tmp_path):
    model, other, inputs = build("bidirectional", "attention"), build("bidirectional", "attention"), inputs_of(True)
    assert np.abs((model(inputs) - other(inputs)).asnumpy()).max() > 1e-3
    model.save_parameters(str(tmp_path / "model.params"))
    other.load_parameters(str(tmp_path / "model.params"))
    assert_same(model(inputs), other(inputs), rtol=0, atol=0)


@pytest.mark.parametrize("place", ["dropout", "drop_e", "drop_i"])
def test_dropout_acts_in_training_and_is_the_identity_in_prediction(place):
    model, inputs, results = build(**{place: 0.5}), inputs_of(True), []
    plain = build()
    for name, parameter in plain._collect_params_with_prefix().items():
        parameter.set_data(model._collect_params_with_prefix()[name].data())
    for seed in (1, 1, 2):
        mx.random.seed(seed)
        with autograd.train_mode():
            results.append(model(inputs).asnumpy())
    assert (results[0] == results[1]).all() and np.abs(results[0] - results[2]).max() > 1e-3
    assert_same(model(inputs), plain(inputs), rtol=0, atol=0)


@pytest.mark.parametrize("encoder, pooling", [("lstm", "last"), ("bidirectional", "attention"), ("tdnn_ahead", "max")])
def test_a_tiny_set_is_learnt_to_100_percent(encoder, pooling):
    """24 random sentences with random labels: nothing but memory helps."""
    model = build(encoder, pooling, dtype="float32")
    model.hybridize()
    inputs, labels = inputs_of(True, 6, 24), mx.nd.array(np.random.randint(0, K, 24))
    lengths = mx.nd.array(np.random.randint(3, 7, 24))
    trainer = gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 0.03})
    for _ in range(150):
        with autograd.record():
            loss = gluon.loss.SoftmaxCrossEntropyLoss()(model(inputs, None, lengths), labels)
        loss.backward()
        trainer.step(24)
    assert (model(inputs, None, lengths).argmax(axis=1) == labels).asnumpy().all()


def test_regressor_learns_a_mean():
    """The mean of a sequence of numbers, exactly known; a constant guess has the targets' variance, 1 / L, as error."""
    model = SequenceRegressor(encoders.build("gru", hidden_size=8, input_size=1), pooling="mean")
    model.initialize()
    model.hybridize()
    trainer = gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 0.02})
    for _ in range(150):
        inputs = mx.nd.random.normal(shape=(5, 32, 1))
        with autograd.record():
            loss = gluon.loss.L2Loss()(model(inputs), inputs.mean(axis=0))
        loss.backward()
        trainer.step(32)
    assert 2 * loss.mean().asscalar() < 0.05 < 1 / 5


@pytest.mark.parametrize("change, message", [
    ({"pooling": "first"}, "pooling must be one of last, mean"), ({"dropout": 1.0}, "dropout must be a rate"),
    ({"ids": False, "embed_size": 3}, "embed_size and drop_e are for token ids"),
    ({"ids": False, "drop_e": 0.1}, "embed_size and drop_e are for token ids")])
def test_wrong_arguments(change, message):
    with pytest.raises(ValueError, match=message):
        build(**change)


def test_wrong_sizes_and_layouts():
    for arguments, message in (({"num_classes": 0}, "num_classes must be"),
                               ({"num_classes": 2, "vocab_size": 3, "input_size": 2}, "are both given"),
                               ({"num_classes": 2, "vocab_size": 3, "embed_size": 4}, "is 2, but embed_size is 4")):
        with pytest.raises(ValueError, match=message):
            SequenceClassifier(encoders.build("lstm", hidden_size=H, input_size=2), **arguments)
    with pytest.raises(ValueError, match="must have layout 'TNC', got 'NTC'"):
        SequenceClassifier(encoders.build("lstm", hidden_size=H, layout="NTC"), 2, vocab_size=3)
    with pytest.raises(ValueError, match=r"2 dimensions in the order TN, got shape \(7, 3, 3\)"):
        build()(inputs_of(False))
    with pytest.raises(ValueError, match="expects 3 input features"):
        build(ids=False)(mx.nd.zeros((2, 3, 4)))
