"""Seq2Seq: equations, padding, states, one step at a time, scheduled sampling, files, errors; it learns to reverse.

Tests `bridge.py` and `decoding.py` too.
"""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd, gluon

from gluon_rnn.models import DecodeStep, ScheduledSampling, Seq2Seq, SourceEncoder
from gluon_rnn.nn import GRU, LSTM, RNN, JordanCell, PeepholeLSTM, Unrolled
from tests import gradients, reference
from tests.reference import EXACT, rounding

VS, VT, E, H, S, T, N = 11, 9, 4, 5, 6, 7, 3
SOURCE_LENGTHS, TARGET_LENGTHS = [6, 4, 1], [5, 7, 2]
CASES = {"none": (LSTM, LSTM, {}), "luong": (LSTM, GRU, {}), "bahdanau": (GRU, LSTM, {}),
         "luong-dot-tied": (GRU, LSTM, {"score": "dot", "tie_weights": True}),
         "luong-loop": (PeepholeLSTM, PeepholeLSTM, {}), "bahdanau-copy": (GRU, GRU, {"bridge": "copy"})}


def build(attention="luong", encoder=LSTM, decoder=GRU, *, dtype="float64", **options):
    both = options.get("bridge") != "copy" and encoder is not PeepholeLSTM
    source = encoder(H, dtype=dtype, **({"bidirectional": True} if both else {}))
    size = 2 * H if options.get("score") == "dot" else H
    target = decoder(size, num_layers=2 if both else 1, dtype=dtype)
    options.setdefault("embed_size", E)
    model = Seq2Seq(VS, VT, source, target, attention=attention, **options)
    model.initialize(mx.init.Xavier())
    for parameter in model.collect_params().values():   # biases too: a lost bias must show
        parameter.set_data(mx.nd.random.uniform(-0.6, 0.6, parameter.shape, dtype=dtype))
    return model


def build_case(name, dtype="float64"):
    encoder, decoder, options = CASES[name]
    return build(name.split("-")[0], encoder, decoder, dtype=dtype, **options)


@pytest.fixture(params=CASES)
def model(request):
    return build_case(request.param)


def batch():
    return (mx.nd.array(np.random.randint(0, VS, (S, N)), dtype="int32"),
            mx.nd.array(np.random.randint(0, VT, (T, N)), dtype="int32"),
            mx.nd.array(SOURCE_LENGTHS), mx.nd.array(TARGET_LENGTHS))


def arrays(results):
    logits, weights = results
    return [logits] if weights is None else [logits, weights]


def assert_same(got, want, **tolerance):
    assert len(got) == len(want)
    for a, b in zip(got, want):
        np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), **(tolerance or EXACT))


# ---- equations, as a NumPy loop over one pair at a time ------------------------------------------------------------

def dense(block, values):
    result = block.weight.data().asnumpy() @ values
    return result if block.bias is None else result + block.bias.data().asnumpy()


def attend(attention, query, memory):
    if hasattr(attention, "query"):
        scores = [dense(attention.score, np.tanh(dense(attention.query, query) + dense(attention.key, m)))[0]
                  for m in memory]
    else:
        scores = [query @ dense(attention.key, m) for m in memory]
    weights = np.exp(scores) / np.exp(scores).sum()
    return weights @ memory, weights


def run_row(model, source, target, names):
    """Return logits (T, V) and weights (T, S) of one pair."""
    encoder = {key: value.asnumpy() for key, value in model.encoder.parts().items()}
    decoder = {key: value.asnumpy() for key, value in model.decoder.parts().items()}
    begin = [np.zeros((2, H)) for _ in model.encoder.state_info()]
    memory, finals = reference.run_row(names[0], encoder, model.source_embedding.weight.data().asnumpy()[source],
                                       begin, num_layers=1, directions=2)
    first = np.tanh(dense(model.bridge.states.dense, np.concatenate([state.ravel() for state in finals])))
    states = list(first.reshape(-1, 2, H))
    logits, weights = [], []
    for token in target:
        x = model.target_embedding.weight.data().asnumpy()[token]
        if model.attention_name == "bahdanau":
            context, row = attend(model.attention, states[0][-1], memory)
            x = np.concatenate([x, context])
        output, states = reference.run_row(names[1], decoder, x[None], states, num_layers=2, directions=1)
        hidden = output[0]
        if model.attention_name == "luong":
            context, row = attend(model.attention, hidden, memory)
        if model.attention_name != "none":
            hidden = np.tanh(dense(model.readout, np.concatenate([context, hidden])))
            weights.append(row)
        logits.append(dense(model.output, hidden))
    return np.array(logits), np.array(weights)


@pytest.mark.parametrize("attention, encoder, decoder", [
    ("none", LSTM, GRU), ("luong", GRU, LSTM), ("bahdanau", LSTM, LSTM), ("bahdanau", RNN, GRU)])
def test_equations_against_a_numpy_loop(attention, encoder, decoder):
    model = build(attention, encoder, decoder, dtype="float64")
    source, target, *lengths = batch()
    logits, weights = model(source, target, *lengths)
    for row, (s, t) in enumerate(zip(SOURCE_LENGTHS, TARGET_LENGTHS)):
        want = run_row(model, source.asnumpy()[:s, row], target.asnumpy()[:t, row],
                       [block.__name__.lower() for block in (encoder, decoder)])
        np.testing.assert_allclose(logits.asnumpy()[:t, row], want[0], **EXACT)
        assert not logits.asnumpy()[t:, row].any()
        if weights is not None:
            np.testing.assert_allclose(weights.asnumpy()[:t, row, :s], want[1], **EXACT)


@pytest.mark.parametrize("attention", ["none", "luong", "bahdanau"])
def test_gradients_against_central_differences(attention):
    model = Seq2Seq(4, 3, LSTM(2, dtype="float64"), RNN(2, dtype="float64"), attention=attention, embed_size=2)
    model.initialize(mx.init.Normal(0.7))
    model.cast("float64")
    source, target = mx.nd.array([[1, 2], [3, 0]], dtype="int32"), mx.nd.array([[0, 1], [2, 2]], dtype="int32")
    gradients.assert_central_differences(
        lambda: arrays(model(source, target, mx.nd.array([2, 1]), mx.nd.array([2, 2]))), model, [])


# ---- lengths -------------------------------------------------------------------------------------------------------

def test_a_row_alone_is_its_row_of_the_padded_batch(model):
    source, target, *lengths = batch()
    results = arrays(model(source, target, *lengths))
    for row, (s, t) in enumerate(zip(SOURCE_LENGTHS, TARGET_LENGTHS)):
        alone = arrays(model(source[:s, row:row + 1], target[:t, row:row + 1]))
        assert_same([results[0][:t, row:row + 1]], alone[:1])
        assert not results[0].asnumpy()[t:, row].any()
        if len(results) > 1:
            weights = results[1].asnumpy()[:, row]
            np.testing.assert_allclose(weights[:t, :s], alone[1].asnumpy()[:, 0], **EXACT)
            np.testing.assert_allclose(weights.sum(axis=1), np.arange(T) < t, **EXACT)
            assert not weights[:, s:].any()


def test_states_are_those_of_the_last_valid_step(model):
    source, _, lengths, _ = batch()
    read = SourceEncoder(model)
    states = read(source, lengths)
    for row, length in enumerate(SOURCE_LENGTHS):
        alone = read(source[:length, row:row + 1])
        for state, want, info in zip(states, alone, model.state_info()):
            axis = info["__layout__"].index("N")
            got = state.slice_axis(axis=axis, begin=row, end=row + 1)
            got = got[:, :length] if info["__layout__"] == "NTC" else got   # keys and values: one a source step
            assert_same([got], [want])


@pytest.mark.parametrize("filler", [99.0, float("nan")])
@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_padding_changes_nothing(case, filler, hybrid):
    model = build_case(case, "float32")
    source, target, *lengths = batch()
    filled = [source.astype("float32"), target.astype("float32")]
    for tokens, of_rows in zip(filled, (SOURCE_LENGTHS, TARGET_LENGTHS)):
        for row, length in enumerate(of_rows):
            tokens[length:, row] = filler
    if hybrid:
        model.hybridize()
    results = []
    for tokens in ((source, target), filled):
        with autograd.record():
            outputs = arrays(model(*tokens, *lengths))
            loss = sum((output ** 2).sum() for output in outputs)
        loss.backward()
        results.append(outputs + [p.grad().copy() for p in model.collect_params().values()])
    for plain, with_filler in zip(*results):
        np.testing.assert_array_equal(plain.asnumpy(), with_filler.asnumpy())


# ---- graphs that must agree ----------------------------------------------------------------------------------------

def test_hybrid_is_imperative_outputs_and_gradients_at_two_sizes(model):
    source, target, *lengths = batch()
    cases = [(source, target, *lengths), (source[:4, :2], target[:3, :2], mx.nd.array([4, 2]), mx.nd.array([3, 1]))]
    results = []
    for hybrid in (False, True):
        model.hybridize(hybrid)
        found = []
        for case in cases:
            with autograd.record():
                outputs = arrays(model(*case))
                loss = sum((output ** 2).sum() for output in outputs)
            loss.backward()
            found += outputs + [p.grad().copy() for p in model.collect_params().values()]
        results.append(found)
    assert_same(*results, rtol=1e-10, atol=1e-10)                         # gradients are sums over all steps


@pytest.mark.parametrize("hybrid", [False, True])
def test_step_by_step_is_teacher_forcing(model, hybrid):
    source, target, lengths, _ = batch()
    read, step = SourceEncoder(model), DecodeStep(model)
    if hybrid:
        read.hybridize()
        step.hybridize()
    want, _ = model(source, target, lengths)
    states = read(source, lengths)
    for t in range(T):
        logits, states = step(target[t], states)
        assert_same([logits], [want[t]])
        for state, info in zip(states, model.state_info(N)):
            assert [a for a, b in zip(state.shape, info["shape"]) if b] == [b for b in info["shape"] if b]


@pytest.mark.parametrize("hybrid", [False, True])
def test_scheduled_sampling_reads_what_the_coins_say(model, hybrid):
    source, target, *lengths = batch()
    scheduled = ScheduledSampling(model)
    if hybrid:
        scheduled.hybridize()
    assert_same([scheduled(source, target, *lengths, mx.nd.ones((T, N)))], [model(source, target, *lengths)[0]])
    coins = mx.nd.array(np.random.randint(0, 2, (T, N)))
    logits = scheduled(source, target, *lengths, coins)
    read, step = SourceEncoder(model), DecodeStep(model)
    states, tokens, stepped = read(source, lengths[0]), target[0], []
    for t in range(T):
        if t:
            own = stepped[-1].argmax(axis=1).astype("float32")
            tokens = mx.nd.where(coins[t], target[t].astype("float32"), own)
        outputs, states = step(tokens, states)
        stepped.append(outputs)
    for row, length in enumerate(TARGET_LENGTHS):
        assert_same([logits[:length, row]], [mx.nd.stack(*stepped)[:length, row]])


def test_scheduled_sampling_hybrid_is_imperative_gradients_too(model):
    scheduled, data = ScheduledSampling(model), (*batch(), mx.nd.array(np.random.randint(0, 2, (T, N))))
    results = []
    for hybrid in (False, True):
        scheduled.hybridize(hybrid)
        with autograd.record():
            logits = scheduled(*data)
            loss = (logits ** 2).sum()
        loss.backward()
        results.append([logits] + [p.grad().copy() for p in model.collect_params().values()])
    assert_same(*results, rtol=1e-10, atol=1e-10)


def test_scheduled_sampling_has_gradients_and_dropout():
    model = build("bahdanau", GRU, GRU, drop_i=0.3, dropout=0.3)
    source, target, *lengths = batch()
    scheduled = ScheduledSampling(model)
    scheduled.hybridize()
    losses = []
    for _ in range(2):
        mx.random.seed(1)
        with autograd.record():
            loss = (scheduled(source, target, *lengths, mx.nd.zeros((T, N))) ** 2).sum()
        loss.backward()
        losses.append(loss.asscalar())
        assert all(np.isfinite(p.grad().asnumpy()).all() and p.grad().asnumpy().any()
                   for p in model.collect_params().values())
    assert losses[0] == losses[1]
    plain = scheduled(source, target, *lengths, mx.nd.ones((T, N)))
    assert_same([plain], [model(source, target, *lengths)[0]])


def test_dropout_drops_in_training_only(model):
    encoder, decoder, options = CASES["luong"]
    model = build("luong", encoder, decoder, drop_e=0.2, drop_i=0.5, dropout=0.5, **options)
    data = batch()
    results = []
    for seed in (1, 1, 2):
        mx.random.seed(seed)
        with autograd.train_mode():
            results.append(model(*data)[0].asnumpy())
    assert (results[0] == results[1]).all()
    assert (results[0] != results[2]).any()
    np.testing.assert_array_equal(model(*data)[0].asnumpy(), model(*data)[0].asnumpy())


def test_word_dropout_takes_whole_tokens():
    model = build("none", drop_e=0.4)
    tokens = mx.nd.array(np.random.randint(0, VS, (40, 50)), dtype="int32")
    with autograd.train_mode():
        embedded = model.embed(mx.nd, model.source_embedding, tokens, None)
    whole = model.source_embedding(tokens).asnumpy()
    kept = embedded.asnumpy().any(axis=2)
    np.testing.assert_allclose(embedded.asnumpy()[kept], whole[kept] / 0.6, rtol=rounding("float32", 4))   # of the mask
    assert kept.mean() == pytest.approx(0.6, abs=0.06)                    # of 2000: a standard deviation of 0.011


@pytest.mark.parametrize("tie_weights", [False, True])
def test_save_and_load(tmp_path, tie_weights):
    model, other = (build("luong", tie_weights=tie_weights) for _ in range(2))
    data = batch()
    assert not np.allclose(model(*data)[0].asnumpy(), other(*data)[0].asnumpy())
    model.save_parameters(str(tmp_path / "parameters"))
    other.load_parameters(str(tmp_path / "parameters"))
    np.testing.assert_array_equal(model(*data)[0].asnumpy(), other(*data)[0].asnumpy())
    assert (model.output.weight is model.target_embedding.weight) == tie_weights


# ---- learning ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("attention", ["none", "luong", "bahdanau"])
def test_learns_to_reverse_by_heart(attention):
    model = Seq2Seq(8, 8, GRU(24), GRU(24), attention=attention, embed_size=16)
    model.initialize(mx.init.Xavier())
    model.hybridize()
    source = mx.nd.array(np.random.randint(2, 8, (4, 16)), dtype="int32")
    wanted = source[::-1]
    target = mx.nd.concat(mx.nd.ones((1, 16), dtype="int32"), wanted[:-1], dim=0)
    trainer = gluon.Trainer(model.collect_params(), "adam", {"learning_rate": 0.02})
    for step in range(120):
        with autograd.record():
            loss = -mx.nd.pick(mx.nd.log_softmax(model(source, target)[0]), wanted).sum()
        loss.backward()
        trainer.step(64)
        right = model(source, target)[0].argmax(axis=2).asnumpy() == wanted.asnumpy()
        if step % 20 == 19 and right.all():
            break
    assert right.all()


# ---- errors --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("make, message", [
    (lambda: Seq2Seq(5, 5, GRU(4), GRU(4, bidirectional=True)), "needs a causal decoder, but GRU looks ahead"),
    (lambda: Seq2Seq(5, 5, GRU(4), GRU(4), attention="loung"), "attention must be one of 'none', 'luong', 'bahdanau'"),
    (lambda: Seq2Seq(5, 5, GRU(4, layout="NTC"), GRU(4)), "the encoder of a seq2seq must have layout 'TNC'"),
    (lambda: Seq2Seq(5, 5, GRU(4), GRU(4, dtype="float64")), "one dtype, got float32 and float64"),
    (lambda: Seq2Seq(5, 5, GRU(4), LSTM(4), bridge="copy"), "bridge 'copy' needs an encoder whose states have"),
    (lambda: Seq2Seq(5, 5, GRU(4), GRU(4), bridge="wide"), "bridge must be 'dense' or 'copy', got 'wide'"),
    (lambda: Seq2Seq(5, 5, GRU(4), GRU(4), dropout=1.0), "dropout must be a rate"),
    (lambda: Seq2Seq(5, 0, GRU(4), GRU(4)), "target_vocab_size must be a whole number"),
    (lambda: Seq2Seq(5, 5, GRU(4), GRU(4), attention="none", tie_weights=True), "tie_weights without attention needs"),
    (lambda: Seq2Seq(5, 5, GRU(4), GRU(4), score="dot", embed_size=3).attention.nothing, "object has no attribute"),
    (lambda: Seq2Seq(5, 5, GRU(4), GRU(3), score="dot"), "as long as the memory's vectors, got 3 and 4"),
    (lambda: Seq2Seq(5, 5, GRU(4), Unrolled(JordanCell(4, 2)), attention="bahdanau"), "must be its first state")])
def test_construction_errors(make, message):
    with pytest.raises((ValueError, AttributeError), match=message):
        make()


def test_call_errors():
    model = build("bahdanau")
    source, target, *lengths = batch()
    with pytest.raises(ValueError, match=r"expects target_length of shape \(3,\)"):
        model(source, target, lengths[0], mx.nd.array([1, 2]))
    with pytest.raises(ValueError, match=r"source must be token ids of two axes \(T, N\), got shape \(6,\)"):
        model(source[:, 0], target)
    for block in (model, DecodeStep(model), ScheduledSampling(model)):
        with pytest.raises(ValueError, match="a loop, which gives wrong numbers with static_shape=True"):
            block.hybridize(static_shape=True)
