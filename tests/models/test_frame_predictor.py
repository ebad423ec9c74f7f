"""The frame predictor: equations, loss, gradients, the contract with padding, graphs, chunks, errors."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.models import FramePredictor, frame_loss
from gluon_rnn.nn import GRU, LSTM, RNN
from tests.gradients import assert_central_differences
from tests.reference import EXACT, run_row

K, H, T, N = 5, 4, 7, 3


def build(encoder=LSTM, layers=1, dtype="float64", **options):
    model = FramePredictor(encoder(H, layers, dtype=dtype), K, **options)
    model.initialize()
    for parameter in model.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.5, 0.5, parameter.shape, dtype=dtype))
    return model


def frames(steps=T, rows=N, dtype="float64"):
    return mx.nd.array(np.random.randint(0, 2, (steps, rows, K)), dtype=dtype)


@pytest.mark.parametrize("skip", [False, True])
def test_equations_against_a_numpy_loop(skip):
    model, roll = build(RNN, dtype="float64", skip=skip), frames(dtype="float64")
    logits = model(roll).asnumpy()
    parts = {name: array.asnumpy() for name, array in model.encoder.parts().items()}
    weight, bias = model.output_weight.data().asnumpy(), model.output_bias.data().asnumpy()
    for row in range(N):
        hidden, _ = run_row("rnn", parts, roll[:, row].asnumpy(), [np.zeros((1, H))], 1, 1)
        direct = roll[:, row].asnumpy() @ model.skip_weight.data().asnumpy().T if skip else 0
        np.testing.assert_allclose(logits[:, row], hidden @ weight.T + bias + direct, **EXACT)


def test_loss_is_the_probability_of_the_frame():
    logits, target, lengths = mx.nd.random.normal(scale=3, shape=(T, N, K), dtype="float64"), frames(), [7, 3, 0]
    losses = frame_loss(mx.nd, logits, target, mx.nd.array(lengths)).asnumpy()
    probability = 1 / (1 + np.exp(-logits.asnumpy()))
    of_target = np.where(target.asnumpy() > 0, probability, 1 - probability).prod(axis=2)
    for row, length in enumerate(lengths):
        np.testing.assert_allclose(losses[:length, row], -np.log(of_target[:length, row]), **EXACT)
        assert not losses[length:, row].any()
    extreme = frame_loss(mx.nd, mx.nd.full((1, 1, K), 1e4), mx.nd.zeros((1, 1, K)), mx.nd.ones(1)).asscalar()
    assert extreme == pytest.approx(K * 1e4)                              # no overflow where a prediction is wrong


def test_gradients_against_central_differences():
    model, roll, target = build(GRU, dtype="float64", skip=True), frames(3, 2, "float64"), frames(3, 2, "float64")
    lengths = mx.nd.array([3, 2], dtype="float64")
    assert_central_differences(lambda: [frame_loss(mx.nd, model(roll, None, lengths), target, lengths)], model, [])


@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize("hybrid", [False, True])
def test_row_alone_is_row_of_the_padded_batch(layout, hybrid):
    model, lengths = build(layers=2, layout=layout), [7, 4, 1]
    if hybrid:
        model.hybridize()

    def as_layout(array):
        return array if layout == "TNC" else array.swapaxes(0, 1)

    roll = frames()
    logits, states = model(as_layout(roll), model.begin_state(N), mx.nd.array(lengths))
    logits = as_layout(logits)
    for row, length in enumerate(lengths):
        alone, last = model(as_layout(roll[:length, row:row + 1]), model.begin_state(1))
        np.testing.assert_allclose(logits[:length, row:row + 1].asnumpy(), as_layout(alone).asnumpy(), **EXACT)
        assert not logits.asnumpy()[length:, row].any()
        for state, want in zip(states, last):
            np.testing.assert_allclose(state[:, row:row + 1].asnumpy(), want.asnumpy(), **EXACT)


@pytest.mark.parametrize("filler", [99.0, float("nan")])
@pytest.mark.parametrize("hybrid", [False, True])
def test_padding_changes_nothing(filler, hybrid):
    model, lengths = build(skip=True, dtype="float32"), mx.nd.array([7, 4, 0])
    if hybrid:
        model.hybridize()
    results = []
    for value in (0, filler):
        mx.random.seed(0)
        roll, target = mx.nd.random.uniform(shape=(T, N, K)), mx.nd.random.uniform(shape=(T, N, K))
        for array in (roll, target):
            array[4:, 1], array[:, 2] = value, value
        with mx.autograd.record():
            loss = frame_loss(mx.nd, model(roll, None, lengths), target, lengths).sum()
        loss.backward()
        results.append([loss, *(parameter.grad().copy() for parameter in model.collect_params().values())])
    for plain, filled in zip(*results):
        np.testing.assert_array_equal(plain.asnumpy(), filled.asnumpy())


def test_chunks_with_states_equal_the_whole():
    model, roll = build(layers=2, drop_i=0.5, dropout=0.5), frames()
    whole, (states, pieces) = model(roll), (model.begin_state(N), [])
    for begin, end in ((0, 3), (3, 4), (4, 7)):
        logits, states = model(roll[begin:end], states)
        pieces.append(logits)
    np.testing.assert_allclose(mx.nd.concat(*pieces, dim=0).asnumpy(), whole.asnumpy(), **EXACT)


def test_exported_graph_is_the_live_model_at_other_sizes(tmp_path):
    model = build(skip=True)
    model(mx.sym.var("frames"), None, mx.sym.var("valid_length")).save(str(tmp_path / "graph.json"))
    graph = mx.sym.load(str(tmp_path / "graph.json"))
    parameters = {parameter.name: parameter.data() for parameter in model.collect_params().values()}
    for steps, rows in ((7, 3), (2, 1)):
        roll, lengths = frames(steps, rows), mx.nd.array([steps, 2, 1][:rows])
        result, = graph.bind(mx.cpu(), {"frames": roll, "valid_length": lengths, **parameters}).forward()
        np.testing.assert_allclose(result.asnumpy(), model(roll, None, lengths).asnumpy(), **EXACT)


@pytest.mark.parametrize("place", ["drop_i", "dropout"])
def test_dropout_acts_in_training_only(place):
    model, roll, results = build(**{place: 0.5}), frames(), []
    for seed in (1, 1, 2):
        mx.random.seed(seed)
        with mx.autograd.train_mode():
            results.append(model(roll).asnumpy())
    assert (results[0] == results[1]).all() and np.abs(results[0] - results[2]).max() > 1e-3
    assert (model(roll).asnumpy() == model(roll).asnumpy()).all()


def test_errors():
    with pytest.raises(ValueError, match="LSTM looks ahead: it would see the frame"):
        FramePredictor(LSTM(H, bidirectional=True))
    with pytest.raises(ValueError, match="must have layout 'TNC', got 'NTC'"):
        FramePredictor(LSTM(H, layout="NTC"))
    with pytest.raises(ValueError, match="num_keys must be a whole number of at least 1, got 0"):
        FramePredictor(LSTM(H), 0)
    with pytest.raises(ValueError, match="drop_i must be a rate"):
        FramePredictor(LSTM(H), drop_i=1.0)
