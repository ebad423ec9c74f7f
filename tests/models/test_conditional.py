"""The conditional language model: where the condition goes, states, chunks, lengths, learning a class by heart, errors.

The rest of the contract is proved for `gluon_rnn.nn.Conditioned` in tests/nn/test_contract.py.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn.models import ConditionalLanguageModel
from gluon_rnn.nn import GRU, LSTM, RNN
from tests import reference
from tests.reference import EXACT

V, E, H, C, K, T, N = 9, 3, 4, 2, 5, 6, 3


def build(inject="both", encoder=LSTM, condition=None, **options):
    model = ConditionalLanguageModel(V, encoder(H, num_layers=2, dtype="float64"), condition_size=C, inject=inject,
                                     embed_size=E, **(condition or {"num_classes": K}), **options)
    model.initialize(mx.init.Xavier())
    for parameter in model.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.6, 0.6, parameter.shape, dtype="float64"))
    return model


def tokens(steps=T):
    return mx.nd.array(np.random.randint(0, V, (steps, N)), dtype="int32")


CLASSES = [4, 0, 2]


@pytest.mark.parametrize("inject", ["both", "state", "input"])
@pytest.mark.parametrize("encoder", [LSTM, GRU])
def test_equations_against_a_numpy_loop(inject, encoder):
    model, data = build(inject, encoder), tokens()
    logits, _ = model(data, model.states_for(mx.nd.array(CLASSES, dtype="int32")))
    parts = {name: value.asnumpy() for name, value in model.encoder.encoder.parts().items()}
    table, first = model.embedding_weight.data().asnumpy(), model.first
    count = len(model.encoder.encoder.state_info())
    for row, label in enumerate(CLASSES):
        v = first.condition.weight.data().asnumpy()[label]
        states = np.zeros((count, 2, H))
        if inject != "input":
            dense = first.states.dense
            states = np.tanh(dense.weight.data().asnumpy() @ v + dense.bias.data().asnumpy()).reshape(count, 2, H)
        inputs = table[data.asnumpy()[:, row]]
        if inject != "state":
            inputs = np.concatenate([inputs, np.tile(v, (T, 1))], axis=1)
        outputs, _ = reference.run_row(encoder.__name__.lower(), parts, inputs, list(states), 2, 1)
        want = outputs @ model.output_weight.data().asnumpy().T + model.output_bias.data().asnumpy()
        np.testing.assert_allclose(logits.asnumpy()[:, row], want, **EXACT)


@pytest.mark.parametrize("inject", ["both", "state", "input"])
def test_the_class_changes_the_logits_and_its_row_alone(inject):
    model, data = build(inject), tokens()
    results = [model(data, model.states_for(mx.nd.array(classes, dtype="int32")))[0].asnumpy()
               for classes in (CLASSES, [1, *CLASSES[1:]])]
    assert (results[0][:, 0] != results[1][:, 0]).any()
    np.testing.assert_allclose(results[0][:, 1:], results[1][:, 1:], **EXACT)


@pytest.mark.parametrize("inject", ["both", "state", "input"])
@pytest.mark.parametrize("hybrid", [False, True])
def test_chunks_with_states_equal_the_whole(inject, hybrid):
    model, data = build(inject), tokens()
    if hybrid:
        model.hybridize()
    states = model.states_for(mx.nd.array(CLASSES, dtype="int32"))
    assert [state.shape for state in states] == [info["shape"] for info in model.state_info(N)]
    whole, last = model(data, states)
    first, states = model(data[:2], states)
    second, states = model(data[2:], states)
    np.testing.assert_allclose(mx.nd.concat(first, second, dim=0).asnumpy(), whole.asnumpy(), **EXACT)
    for got, want in zip(states, last):
        np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), **EXACT)


@pytest.mark.parametrize("inject", ["both", "state", "input"])
def test_lengths_and_padding(inject):
    model, data, lengths = build(inject), tokens().astype("float32"), [6, 3, 1]
    states = model.states_for(mx.nd.array(CLASSES, dtype="int32"))
    filled = data.copy()
    for row, length in enumerate(lengths):
        filled[length:, row] = float("nan")
    logits, after = model(filled, states, mx.nd.array(lengths))
    for row, length in enumerate(lengths):
        alone, want = model(data[:length, row:row + 1], model.states_for(mx.nd.array(CLASSES[row:row + 1])))
        np.testing.assert_allclose(logits[:length, row].asnumpy(), alone[:, 0].asnumpy(), **EXACT)
        assert not logits[length:, row].asnumpy().any()
        np.testing.assert_allclose(after[0][:, row].asnumpy(), want[0][:, 0].asnumpy(), **EXACT)
        np.testing.assert_array_equal(after[-1][row].asnumpy(), want[-1][0].asnumpy())


def test_a_vector_as_condition():
    model, data = build(condition={"vector_size": 3}, encoder=RNN), tokens()
    vectors = mx.nd.random.normal(shape=(N, 3), dtype="float64")
    logits, states = model(data, model.states_for(vectors))
    dense = model.first.condition
    want = np.tanh(vectors.asnumpy() @ dense.weight.data().asnumpy().T + dense.bias.data().asnumpy())
    np.testing.assert_allclose(states[-1].asnumpy(), want, **EXACT)
    assert np.isfinite(logits.asnumpy()).all()


def test_learns_one_word_for_each_class_by_heart():
    words = mx.nd.array(np.random.randint(2, V, (5, K)), dtype="int32")
    data = mx.nd.concat(mx.nd.ones((1, K), dtype="int32"), words[:-1], dim=0)
    model = ConditionalLanguageModel(V, GRU(24), num_classes=K, embed_size=8)
    model.initialize(mx.init.Xavier())
    classes = mx.nd.arange(K).astype("int32")
    trainer = gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 0.03})
    for _ in range(60):
        with autograd.record():
            logits, _ = model(data, model.states_for(classes))
            loss = -mx.nd.pick(mx.nd.log_softmax(logits), words).sum()
        loss.backward()
        trainer.step(5 * K)
    assert (logits.asnumpy().argmax(axis=2) == words.asnumpy()).all()


def test_save_and_load_and_no_warning(tmp_path, recwarn):
    model, other, data = build(), build(), tokens()
    model.hybridize()
    states = model.states_for(mx.nd.array(CLASSES, dtype="int32"))
    want = model(data, states)[0].asnumpy()
    assert not [w for w in recwarn if "not used by any computation" in str(w.message)]
    model.save_parameters(str(tmp_path / "parameters"))
    other.load_parameters(str(tmp_path / "parameters"))
    states = other.states_for(mx.nd.array(CLASSES, dtype="int32"))
    np.testing.assert_allclose(other(data, states)[0].asnumpy(), want, **EXACT)


@pytest.mark.parametrize("make, message", [
    (lambda: build("begin"), "inject must be one of 'both', 'state', 'input', got 'begin'"),
    (lambda: build(condition={"num_classes": 2, "vector_size": 2}), "give num_classes or vector_size, got 2 and 2"),
    (lambda: ConditionalLanguageModel(V, GRU(4)), "give num_classes or vector_size, got None and None"),
    (lambda: ConditionalLanguageModel(V, GRU(4, bidirectional=True), num_classes=2), "needs a causal encoder"),
    (lambda: ConditionalLanguageModel(V, GRU(4, layout="NTC"), num_classes=2), "must have layout 'TNC'"),
    (lambda: build().states_for(mx.nd.array([0, 5])), "a class number must be 0 to 4, got 0.0 to 5.0"),
    (lambda: build().states_for(mx.nd.ones((2, 1))), r"class numbers of shape \(N,\), got \(2, 1\)"),
    (lambda: build(condition={"vector_size": 3}).states_for(mx.nd.ones((2, 4))), r"vectors \(N, 3\), got shape")])
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
