"""The graphs of models around encoders, in ONNX Runtime: answers of the live model, decoded labels and words too.

Inputs, parameters and lengths are those of a call; what stands past a length is no word of any vocabulary, which ONNX
would not look up.
"""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn import models, nn
from gluon_rnn.export.onnx import check, convert
from tests.models.test_seq2seq import CASES, VS, VT, build_case
from tests.onnx_cases import LENGTHS, SINGLE

T, N, S = "T", "N", "S"
FORMS = pytest.mark.parametrize("form", [True, False], ids=["interchange", "mxnet"])
IDS = ("T", "N"), "int32"
STEPS = ("N",), "float32"


def flat(results):
    """Return nested results as one list, None left out."""
    if isinstance(results, (list, tuple)):
        return [entry for result in results for entry in flat(result)]
    return [] if results is None else [results]


def drawn(name, shape, dtype, lengths):
    shape = tuple(lengths.get(axis, axis) for axis in shape)
    if name.endswith("length"):
        return np.random.permutation([lengths["S" if name.startswith("source") else "T"], 2, 0])[:shape[0]].astype(dtype)
    if name == "char_lengths":
        return np.random.randint(0, 5, shape).astype(dtype)
    return np.random.randint(0, 9, shape).astype(dtype) if dtype == "int32" else np.random.normal(size=shape).astype(dtype)


def with_padding(values, time="valid_length"):
    """Put -9 past each row's length into ids (T, N)."""
    if time in values and "data" in values and values["data"].dtype == np.int32:
        for row, length in enumerate(values[time]):
            values["data"][int(length):, row] = -9
    return values


def compare(block, call, inputs, form=True, tolerance=SINGLE):
    """Trace ``call(*variables)`` of a block, convert it, and compare with the call on arrays; return both answers."""
    for parameter in block.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(-0.6, 0.6, parameter.shape))
    with nn.read_vectors(), nn.interchange_form(form):
        symbol = mx.sym.Group(flat(call(*map(mx.sym.var, inputs))))
    parameters = {key: value.data() for key, value in nn.graph_parameters(block).items()}
    model = convert(symbol, parameters, {key: inputs[key] for key in inputs if key in symbol.list_inputs()})
    for lengths in LENGTHS:
        lengths = dict(lengths, S=lengths["T"] + 2)
        values = with_padding({key: drawn(key, *entry, lengths) for key, entry in inputs.items()})
        expected = flat(call(*(mx.nd.array(value, dtype=value.dtype) for value in values.values())))
        check(model, values, [value.asnumpy() for value in expected], tolerance)
    return model


def initialised(block):
    block.initialize()
    return block


@FORMS
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_classifier(pooling, form):
    model = initialised(models.SequenceClassifier(nn.LSTM(6, bidirectional=True), 4, vocab_size=9, pooling=pooling))
    compare(model, lambda data, lengths: model(data, None, lengths), dict(data=IDS, valid_length=STEPS), form)


def test_regressor_without_lengths():
    model = initialised(models.SequenceRegressor(nn.GRU(6), 2, input_size=3, pooling="mean"))
    compare(model, model, dict(data=((T, N, 3), "float32")))


@FORMS
def test_tagger_with_letters(form):
    model = initialised(models.SequenceTagger(
        nn.LSTM(6, bidirectional=True), 4, vocab_size=9, embed_size=5, crf=True, char_vocab_size=9, char_embed_size=3,
        char_encoder=nn.LSTM(4, bidirectional=True)))
    compare(model, lambda data, lengths, chars, char_lengths: model(data, None, lengths, chars, char_lengths),
            dict(data=IDS, valid_length=STEPS, chars=((T, N, 5), "int32"), char_lengths=((T, N), "float32")), form)


def test_best_labels_of_a_conditional_random_field():
    """Labels are whole numbers: they are equal, or the tolerance is passed by far."""
    viterbi = nn.Viterbi(initialised(nn.CRF(5)))
    compare(viterbi, viterbi, dict(data=((T, N, 5), "float32"), valid_length=STEPS))


@pytest.mark.parametrize("name", CASES)
def test_translation_as_a_whole_and_step_by_step(name):
    model = build_case(name, "float32")
    lengths = dict(source_length=STEPS, target_length=STEPS)
    source = {"source": ((S, N), "int32")}
    compare(model, lambda source, target, *given: model(source, target, *given),
            dict(source, target=((T, N), "int32"), **lengths))
    encoder, step = models.SourceEncoder(model), models.DecodeStep(model)
    compare(encoder, encoder, dict(source, source_length=STEPS))
    states = {"source_length" if shape == ("N",) else f"state_{i}": (shape, "float32")
              for i, shape in enumerate(state_shapes(model, encoder))}
    compare(step, lambda token, *states: step(token, list(states)), dict(token=(("N",), "int32"), **states))
    assert VS > 9 and VT >= 9                                             # ids are drawn below 9


def state_shapes(model, encoder):
    """Return the shapes of the decoder's states, N and S free."""
    states = encoder(mx.nd.zeros((13, 17), dtype="int32"), mx.nd.full((17,), 13))
    return [tuple({13: "S", 17: "N"}.get(length, length) for length in state.shape) for state in states]


@pytest.mark.parametrize("inject", ["state", "input", "both"])
def test_text_of_a_class(inject):
    model = initialised(models.ConditionalLanguageModel(9, nn.LSTM(6), num_classes=9, embed_size=5, inject=inject,
                                                        condition_size=3))
    compare(model.first, model.states_for, dict(classes=(("N",), "int32")))
    states = dict(h=((1, N, 6), "float32"), c=((1, N, 6), "float32"), condition=((N, 3), "float32"))
    compare(model, lambda data, *states: model(data, list(states)), dict(data=IDS, **states))


@pytest.mark.parametrize("output", [lambda: None, lambda: nn.AdaptiveSoftmax([3, 6]), lambda: nn.SampledSoftmax(4)],
                         ids=["full", "adaptive", "sampled"])
@pytest.mark.parametrize("tied", [True, False])
def test_language_model(output, tied):
    model = initialised(models.LanguageModel(9, nn.GRU(6, 2), embed_size=6, tie_weights=tied, output=output()))
    compare(model, lambda data, state: model(data, [state]), dict(data=IDS, state=((2, N, 6), "float32")))


def test_frames_and_forecasts():
    model = initialised(models.FramePredictor(nn.LSTM(6), num_keys=7, skip=True))
    compare(model, model, dict(data=((T, N, 7), "float32")))
    forecaster = initialised(models.Forecaster(nn.LSTM(6), input_size=3, horizon=4, distribution="student_t"))
    compare(forecaster, forecaster, dict(data=((T, N, 4), "float32")))    # inputs and the measured output
