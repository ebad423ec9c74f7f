"""The language model: equations, gradients, tied weights, dropout at each place, states, lengths, files, errors."""
import math

import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn.models import LanguageModel
from gluon_rnn.nn import GRU, LSTM, RNN
from gluon_rnn.registry import models
from tests.gradients import assert_slopes
from tests.reference import EXACT, rounding

V, E, H, T, N = 11, 5, 6, 7, 3


def build(encoder=LSTM, *, layers=1, dtype="float64", encoder_options=None, **options):
    options.setdefault("embed_size", None if options.get("tie_weights") else E)
    model = LanguageModel(V, encoder(H, layers, dtype=dtype, **(encoder_options or {})), **options)
    model.initialize(mx.init.Xavier())
    for parameter in model.collect_params().values():   # biases too: a lost bias must show
        parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, parameter.shape, dtype=dtype))
    return model


def tokens(steps=T, batch=N):
    return mx.nd.array(np.random.randint(0, V, (steps, batch)), dtype="int32")


def difference(first, second):
    return float(np.abs(first.asnumpy() - second.asnumpy()).max())


def loss_of(model, data, target):
    logits, _ = model(data, model.begin_state(data.shape[1]))
    return -mx.nd.pick(mx.nd.log_softmax(logits, axis=-1), target, axis=-1).sum()


@pytest.mark.parametrize("tied", [False, True])
def test_equations_against_a_numpy_loop(tied):
    model = build(RNN, dtype="float64", tie_weights=tied)
    data = tokens()
    logits, (state,) = model(data, model.begin_state(N))
    table, bias = model.embedding_weight.data().asnumpy(), model.output_bias.data().asnumpy()
    weight = table if tied else model.output_weight.data().asnumpy()
    size = table.shape[1]
    i2h, h2h, i2h_bias, h2h_bias = (value.asnumpy() for value in model.encoder.parts().values())
    assert i2h.shape == (H, size) and h2h.shape == (H, H)
    for row in range(N):
        h = np.zeros(H)
        for step in range(T):
            h = np.tanh(i2h @ table[int(data[step, row].asscalar())] + i2h_bias + h2h @ h + h2h_bias)
            np.testing.assert_allclose(logits[step, row].asnumpy(), weight @ h + bias, **EXACT)
        np.testing.assert_allclose(state[0, row].asnumpy(), h, **EXACT)


def test_scores_after_tokens_are_those_of_the_last_step():
    model, read = build(), tokens()
    states = [mx.nd.random.normal(shape=state.shape, dtype="float64") for state in model.begin_state(N)]
    expected, _ = model(read, states)
    assert difference(model.scores_after(read, states), expected[-1]) < 1e-14


@pytest.mark.parametrize("tied", [False, True])
def test_gradients_against_central_differences(tied):
    model = build(GRU, dtype="float64", tie_weights=tied)
    data, target = tokens(4, 2), tokens(4, 2)
    with autograd.record():
        loss = loss_of(model, data, target)
    loss.backward()
    assert_slopes(lambda: loss_of(model, data, target),
                  {name: (p.data(), p.grad().asnumpy()) for name, p in model.collect_params().items()})


def test_gradient_of_tied_weights_is_the_sum_of_both():
    untied, tied = build(embed_size=H, dtype="float64"), build(tie_weights=True, dtype="float64")
    for name, parameter in tied._collect_params_with_prefix().items():
        untied._collect_params_with_prefix()[name].set_data(parameter.data())
    untied.output_weight.set_data(tied.embedding_weight.data())
    assert set(untied._collect_params_with_prefix()) - set(tied._collect_params_with_prefix()) == {"output_weight"}
    data, target = tokens(), tokens()
    for model in (untied, tied):
        with autograd.record():
            loss = loss_of(model, data, target)
        loss.backward()
    both = untied.embedding_weight.grad() + untied.output_weight.grad()
    assert difference(both, tied.embedding_weight.grad()) < EXACT["atol"]
    assert untied.embedding_weight.grad().norm().asscalar() > 1e-3 < untied.output_weight.grad().norm().asscalar()


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("encoder, layers", [(RNN, 1), (LSTM, 2), (GRU, 2)])
def test_chunks_with_states_equal_the_whole(encoder, layers, hybrid):
    model = build(encoder, layers=layers, dropout=0.5, drop_i=0.5, drop_e=0.5)
    if hybrid:
        model.hybridize()
    data = tokens(10)
    whole, last = model(data, model.begin_state(N))
    states, pieces = model.begin_state(N), []
    for start, stop in ((0, 4), (4, 5), (5, 10)):
        logits, states = model(data[start:stop], states)
        pieces.append(logits)
    assert difference(mx.nd.concat(*pieces, dim=0), whole) < EXACT["atol"]
    assert max(difference(a, b) for a, b in zip(states, last)) < EXACT["atol"]
    assert difference(model(data), whole) == 0   # without states: logits alone, from begin_state
    assert [state.shape for state in states] == [info["shape"] for info in model.state_info(N)]


@pytest.mark.parametrize("encoder", [RNN, LSTM, GRU])
@pytest.mark.parametrize("tied", [False, True])
def test_hybridized_equals_imperative_outputs_and_gradients(encoder, tied):
    model = build(encoder, layers=2, tie_weights=tied, drop_e=0.3, drop_i=0.3, dropout=0.3)
    data, results = tokens(), []
    for hybrid in (False, True):
        model.hybridize(hybrid)
        with autograd.record(train_mode=False):
            logits, states = model(data, model.begin_state(N))
            loss = (logits * logits).sum() + states[0].sum()
        loss.backward()
        results.append([logits] + states + [parameter.grad().copy() for parameter in model.collect_params().values()])
    for first, second in zip(*results):
        assert difference(first, second) < EXACT["atol"] * max(1, float(first.abs().max().asscalar()))


def test_lengths_rows_alone_and_padding_that_changes_nothing():
    model = build(layers=2)
    data, lengths = tokens(), [T, 3, 1]
    logits, states = model(data, model.begin_state(N), mx.nd.array(lengths))
    filled = data.asnumpy().copy()
    for row, length in enumerate(lengths):
        alone, last = model(data[:length, row:row + 1], model.begin_state(1))
        assert difference(logits[:length, row:row + 1], alone) < EXACT["atol"]
        assert max(difference(state[:, row:row + 1], other) for state, other in zip(states, last)) < EXACT["atol"]
        assert not logits.asnumpy()[length:, row].any()
        filled[length:, row] = 99   # no token of the vocabulary
    again, _ = model(mx.nd.array(filled, dtype="int32"), model.begin_state(N), mx.nd.array(lengths))
    assert difference(again, logits) == 0


@pytest.mark.parametrize("place", ["drop_e", "drop_i", "dropout"])
@pytest.mark.parametrize("hybrid", [False, True])
def test_dropout_acts_in_training_and_is_the_identity_in_prediction(place, hybrid):
    model = build(**{place: 0.5})
    plain = build()
    for name, parameter in plain._collect_params_with_prefix().items():
        parameter.set_data(model._collect_params_with_prefix()[name].data())
    if hybrid:
        model.hybridize()
    data, results = tokens(), []
    for seed in (1, 1, 2):
        mx.random.seed(seed)
        with autograd.train_mode():
            results.append(model(data))
    assert difference(results[0], results[1]) == 0
    assert difference(results[0], results[2]) > 1e-3
    assert difference(model(data), plain(data)) == 0


def test_drop_e_drops_whole_words_and_scales_the_rest():
    model = build(drop_e=0.5)
    table = model.embedding_weight.data()
    with autograd.train_mode():
        weights = {"embedding_weight": table}
        embedded = model._embed(mx.nd, mx.nd.arange(V).reshape((V, 1)), weights)[:, 0].asnumpy()   # (V, E)
    kept = np.abs(embedded).sum(axis=1) > 0
    np.testing.assert_allclose(embedded[kept], 2 * table.asnumpy()[kept], rtol=rounding("float32", 4))   # of the mask
    assert 0 < kept.sum() < V   # all alike in 2 seeds of 2,048, and the seed is fixed by the test's name


@pytest.mark.parametrize("variational", [True, False])
def test_drop_i_has_one_mask_for_all_steps_or_one_for_each(variational):
    model = build(drop_i=0.5, drop_i_variational=variational)
    same = mx.nd.ones((50, N), dtype="int32")
    with autograd.train_mode():
        embedded = model._embed(mx.nd, same, {"embedding_weight": model.embedding_weight.data()})   # (50, N, E)
        dropped = embedded.asnumpy() == 0
    assert (dropped == dropped[:1]).all() == variational
    assert dropped.any() and not dropped.all()
    assert (dropped[0] != dropped[0, :1]).any()   # the rows of a batch have masks of their own


@pytest.mark.parametrize("variational", [True, False])
def test_dropout_on_the_output_has_one_mask_for_all_steps_or_one_for_each(variational):
    model = build(dropout=0.5, dropout_variational=variational)
    for parameter in (model.embedding_weight, model.output_bias):
        parameter.set_data(mx.nd.zeros(parameter.shape, dtype="float64"))
    # An output weight with the identity in its first H rows shows the encoder's output after dropout.
    model.output_weight.set_data(mx.nd.array(np.eye(V, H), dtype="float64"))
    with autograd.train_mode():
        dropped = model(tokens(40)).asnumpy()[:, :, :H] == 0
    assert (dropped == dropped[:1]).all() == variational
    # 720 or 18 fair draws: the share is within 4 standard errors of a half
    assert abs(dropped.mean() - 0.5) < 4 * 0.5 / math.sqrt(dropped.size if not variational else N * H)


@pytest.mark.parametrize("tied", [False, True])
def test_save_and_load(tmp_path, tied):
    model, other = build(layers=2, tie_weights=tied), build(layers=2, tie_weights=tied)
    model.save_parameters(str(tmp_path / "model.params"))
    data = tokens()
    assert difference(model(data), other(data)) > 1e-3
    other.hybridize()
    other(data)   # the graph that is cached already must see the new values
    other.load_parameters(str(tmp_path / "model.params"))
    assert difference(model(data), other(data)) == 0
    names = set(mx.nd.load(str(tmp_path / "model.params")))
    assert ("output_weight" in names) != tied and {"embedding_weight", "output_bias"} < names


def test_export_runs_at_another_length_and_batch(tmp_path):
    model = build(layers=2, tie_weights=True, dropout=0.4, drop_e=0.2)
    model.hybridize()
    model(tokens(), model.begin_state(N))
    model.export(str(tmp_path / "model"), epoch=0)
    inputs = ["data0"] + [f"data{i + 1}" for i in range(2)]
    block = mx.gluon.SymbolBlock.imports(str(tmp_path / "model-symbol.json"), inputs,
                                         str(tmp_path / "model-0000.params"))
    data = tokens(4, 5)
    states = [mx.nd.random.normal(shape=info["shape"], dtype="float64") for info in model.state_info(5)]
    logits, after = model(data, states)
    exported = block(data, *states)
    assert max(difference(a, b) for a, b in zip([logits] + list(after), exported)) < EXACT["atol"]


def test_first_prediction_is_close_to_uniform():
    model = LanguageModel(V, LSTM(H), embed_size=E)
    model.initialize(mx.init.Xavier(magnitude=50))   # the embedding and the output keep their own
    data, target = tokens(20, 20), tokens(20, 20)
    assert loss_of(model, data, target).asscalar() / 400 == pytest.approx(math.log(V), abs=0.05)
    for parameter in (model.embedding_weight, model.output_weight):
        assert 0.08 < float(parameter.data().abs().max().asscalar()) <= 0.1


def test_sizes_that_are_left_out():
    assert build(embed_size=None).embed_size == H and build(tie_weights=True).embed_size == H
    assert build().vocab_size == V and build().causal
    assert models.get("language_model") is LanguageModel


@pytest.mark.parametrize("options, encoder_options, message", [
    ({"tie_weights": True, "embed_size": 4}, {}, "got embed_size 4 and output size 6"),
    ({}, {"bidirectional": True}, "LSTM looks ahead"),
    ({}, {"input_size": 9}, "input_size is 9, but embed_size is 5"),
    ({}, {"layout": "NTC"}, "must have layout 'TNC', got 'NTC'"),
    ({"dropout": 1.0}, {}, "dropout must be a rate of at least 0 and below 1, got 1.0"),
    ({"drop_e": -0.1}, {}, "drop_e must be a rate of at least 0"),
])
def test_wrong_arguments(options, encoder_options, message):
    with pytest.raises(ValueError, match=message):
        build(encoder_options=encoder_options, **options)


def test_wrong_inputs():
    model = build()
    with pytest.raises(ValueError, match=r"2 dimensions in the order TN, got shape \(7, 3, 1\)"):
        model(tokens().expand_dims(2))
    with pytest.raises(ValueError, match="states of shapes .* for a batch of 3"):
        model(tokens(), model.begin_state(4))


@pytest.mark.slow
def test_it_learns_a_stream_that_only_memory_can_predict():
    """The next token repeats the one five steps back: without memory the loss cannot fall below ln 4."""
    from gluon_rnn.data import BPTTBatches
    rng = np.random.RandomState(0)
    ids = np.tile(rng.permutation(np.arange(20) % 4), 200)
    model = LanguageModel(4, LSTM(16))
    model.initialize()
    model.hybridize()
    trainer = mx.gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 0.02})
    criterion = mx.gluon.loss.SoftmaxCrossEntropyLoss(axis=-1)
    for _ in range(3):
        states = model.begin_state(8)
        for data, target in BPTTBatches(ids, 8, 20):
            states = [state.detach() for state in states]
            with autograd.record():
                logits, states = model(data, states)
                loss = criterion(logits, target).mean()
            loss.backward()
            trainer.step(1)
    assert loss.asscalar() < 0.3 < math.log(4)
