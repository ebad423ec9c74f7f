"""Three networks that no class of this package is part of, with random weights, whole.

gluonnlp's language model; a recogniser of lines of text of convolutions, a bidirectional LSTM and CTC; a forecaster of
distributions as gluonts builds them (Salinas, Flunkert, Gasthaus and Januschowski, 2020, DeepAR). The last two are made
of Gluon's own blocks, exported by Gluon to files, and read from there.
"""
import collections

import gluonnlp
import mxnet as mx
import numpy as np
from mxnet import gluon

from gluon_rnn.export.onnx import check, convert
from tests.onnx_cases import EXACT, SINGLE, operators_of

WORDS = gluonnlp.Vocab(collections.Counter(f"word{number}" for number in range(60)))


def numbers(*shape, dtype="float32"):
    return np.random.normal(size=shape).astype(dtype)


def exported(network, inputs, folder):
    """Run a network of Gluon's once, and let Gluon write its files."""
    network.initialize(mx.init.Xavier(magnitude=3))
    network.hybridize()
    network(*inputs)
    network.export(str(folder / "network"), epoch=7)
    return folder / "network-symbol.json", folder / "network-0007.params"


def answers(network, inputs):
    """Return what the live network gives for NumPy arrays."""
    results = network(*(mx.nd.array(value, dtype=value.dtype) for value in inputs))
    return [result.asnumpy() for result in (results if isinstance(results, (list, tuple)) else [results])]


def test_language_model_of_gluonnlp():
    network, _ = gluonnlp.model.get_model("standard_lstm_lm_200", vocab=WORDS, pretrained=False, dropout=0.0)
    network.initialize(mx.init.Uniform(0.2))
    states = [mx.sym.var("h"), mx.sym.var("c")]
    outputs, finals = network(mx.sym.var("data"), states)
    network(mx.nd.zeros((2, 3)), network.begin_state(batch_size=3))       # makes the arrays of all parameters
    parameters = {key: value.data() for key, value in network.collect_params().items()}
    model = convert(mx.sym.Group([outputs, *finals]), parameters, {
        "data": (("T", "N"), "int32"), "h": ((2, "N", 200), "float32"), "c": ((2, "N", 200), "float32")},
        outputs=["logits", "h_out", "c_out"])
    assert collections.Counter(operators_of(model)) == dict(Gather=1, LSTM=2, Split=2, Squeeze=2, Concat=2, MatMul=1, Add=1)
    for T, N in ((7, 4), (1, 1)):
        ids, begin = np.random.randint(0, len(WORDS), (T, N)).astype("int32"), [numbers(2, N, 200), numbers(2, N, 200)]
        logits, ends = network(mx.nd.array(ids, dtype="int32"), [mx.nd.array(state) for state in begin])
        check(model, {"data": ids, "h": begin[0], "c": begin[1]}, [value.asnumpy() for value in (logits, *ends)], SINGLE)


class Recogniser(gluon.HybridBlock):
    """Images of lines (N, 1, 32, W) to the logarithms of the labels' probabilities, (W / 4, N, K), blank last."""

    def __init__(self, num_labels):
        super().__init__()
        with self.name_scope():
            self.features = gluon.nn.HybridSequential()
            for channels, pool in ((8, (2, 2)), (12, (2, 2)), (16, (2, 1)), (16, (4, 1))):
                self.features.add(gluon.nn.Conv2D(channels, 3, padding=1, use_bias=False), gluon.nn.BatchNorm(),
                                  gluon.nn.LeakyReLU(0.1), gluon.nn.MaxPool2D(pool, pool))
            self.encoder = gluon.rnn.LSTM(10, 2, bidirectional=True, dropout=0.3)
            self.output = gluon.nn.Dense(num_labels + 1, flatten=False)

    def hybrid_forward(self, F, images):
        features = self.features(images)                                  # (N, C, 1, W / 4)
        steps = F.transpose(F.squeeze(features, axis=2), axes=(2, 0, 1))
        return F.log_softmax(self.output(self.encoder(F.Dropout(steps, p=0.2))), axis=-1)


def best_path(scores):
    """Return each row's labels by CTC's best path: repetitions are one, blanks go."""
    rows = []
    for labels in scores.argmax(axis=-1).T:
        kept = [label for label, before in zip(labels, [None, *labels]) if label != before]
        rows.append([label for label in kept if label != scores.shape[-1] - 1])
    return rows


def test_recogniser_of_lines_of_text(tmp_path):
    network = Recogniser(5)
    symbol, parameters = exported(network, [mx.nd.ones((2, 1, 32, 40))], tmp_path)
    for value in network.collect_params(".*running").values():            # averages as after a training
        value.set_data(mx.nd.array(0.5 + np.abs(numbers(*value.shape)) / 4))
    network.export(str(tmp_path / "network"), epoch=7)
    model = convert(symbol, parameters, {"data": (("N", 1, 32, "W"), "float32")}, outputs=["scores"])
    assert [axis.dim_param or axis.dim_value for axis in model.graph.output[0].type.tensor_type.shape.dim][1:] == ["N", 6]
    for N, W in ((3, 52), (1, 37)):
        images = numbers(N, 1, 32, W)
        expected = answers(network, [images])
        check(model, {"data": images}, expected, SINGLE)
        assert best_path(expected[0]) != [[]] * N


class Forecaster(gluon.HybridBlock):
    """Location, scale and degrees of freedom of a t distribution for each step, after lags and features of that step."""

    LAGS, CONTEXT, HISTORY = (1, 2, 7), 12, 19

    def __init__(self, categories, dtype, hidden_size=9, embedding=3):
        super().__init__()
        self._dtype = dtype
        with self.name_scope():
            self.embed = gluon.nn.Embedding(categories, embedding)
            self.cell = gluon.rnn.HybridSequentialRNNCell()
            self.cell.add(gluon.rnn.LSTMCell(hidden_size))
            self.cell.add(gluon.rnn.ZoneoutCell(gluon.rnn.ResidualCell(gluon.rnn.LSTMCell(hidden_size)), 0.1, 0.1))
            self.projections = [gluon.nn.Dense(1, flatten=False) for _ in range(3)]
            for block in self.projections:
                self.register_child(block)

    def hybrid_forward(self, F, past, observed, features, category):
        scale = self.mean_scale(F, past, observed)                        # (N, 1)
        scaled = F.broadcast_div(past, scale)
        lags = F.stack(*(F.slice_axis(scaled, axis=1, begin=self.HISTORY - self.CONTEXT - lag,
                                      end=self.HISTORY - lag) for lag in self.LAGS), axis=2)
        static = F.concat(self.embed(category).squeeze(axis=1), F.log(scale), dim=1)
        static = F.repeat(static.expand_dims(axis=1), repeats=self.CONTEXT, axis=1)
        inputs = F.concat(lags, features, static, dim=-1)                 # (N, CONTEXT, ...)
        begin = self.cell.begin_state(func=F.zeros, dtype=self._dtype)    # of a batch that is not known yet
        outputs, states = self.cell.unroll(self.CONTEXT, inputs, begin, layout="NTC", merge_outputs=True)
        location, width, freedom = (F.squeeze(project(outputs), axis=-1) for project in self.projections)
        location, width = F.broadcast_mul(location, scale), F.Activation(width, act_type="softrelu")
        return [location, F.broadcast_mul(width, scale), 2 + F.Activation(freedom, act_type="softrelu"), *states]

    def mean_scale(self, F, past, observed):
        """Mean of the observed absolute values, at least 1e-10; that of all rows where a row has none."""
        total, count = F.sum(F.abs(past) * observed, axis=1), F.sum(observed, axis=1)
        everywhere = F.broadcast_div(F.sum(total, axis=0), F.maximum(F.sum(count, axis=0), 1))
        mean = F.where(count > 0, total / F.maximum(count, 1), F.broadcast_mul(everywhere, F.ones_like(total)))
        return F.expand_dims(F.maximum(mean, 1e-10), axis=1)


def forecaster_inputs(N, dtype):
    observed = np.random.binomial(1, 0.8, (N, Forecaster.HISTORY)).astype(dtype)
    observed[-1] = 0
    return dict(data0=numbers(N, Forecaster.HISTORY, dtype=dtype) * 30, data1=observed,
                data2=numbers(N, Forecaster.CONTEXT, 4, dtype=dtype), data3=np.random.randint(0, 6, (N, 1)).astype(dtype))


def assert_forecasts(tmp_path, dtype, tolerance):
    network = Forecaster(6, dtype)
    network.cast(dtype)
    example = [mx.nd.array(value, dtype=dtype) for value in forecaster_inputs(2, dtype).values()]
    symbol, parameters = exported(network, example, tmp_path)
    shapes = {key: (("N", *value.shape[1:]), dtype) for key, value in forecaster_inputs(1, dtype).items()}
    model = convert(symbol, parameters, shapes)
    for N in (5, 1):
        inputs = forecaster_inputs(N, dtype)
        check(model, inputs, answers(network, inputs.values()), tolerance)


def test_forecaster_of_distributions(tmp_path):
    assert_forecasts(tmp_path, "float32", SINGLE)


def test_forecaster_of_distributions_in_float64(tmp_path):
    assert_forecasts(tmp_path, "float64", EXACT["atol"])
