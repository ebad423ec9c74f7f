"""What models have from the encoder in them: its states, its loops; what they refuse in its place."""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.models import (
    CTCModel,
    Forecaster,
    FramePredictor,
    LanguageModel,
    Seq2Seq,
    SequenceClassifier,
    SequenceTagger,
)
from gluon_rnn.nn import GRU, LSTM, Conditioned, PeepholeLSTM

MODELS = {
    "language_model": lambda encoder: LanguageModel(9, encoder, embed_size=3),
    "frame_predictor": lambda encoder: FramePredictor(encoder, 5),
    "tagger": lambda encoder: SequenceTagger(encoder, 4, vocab_size=9), "ctc": lambda encoder: CTCModel(encoder, 3),
    "classifier": lambda encoder: SequenceClassifier(encoder, 3, vocab_size=9),
    "forecaster": Forecaster, "conditioned": lambda encoder: Conditioned(encoder, 2)}


@pytest.mark.parametrize("name", MODELS)
def test_loops_are_those_of_the_encoder(name):
    looped, fused = MODELS[name](PeepholeLSTM(4)), MODELS[name](GRU(4))
    assert looped.loops and not fused.loops
    with pytest.raises(ValueError, match="a loop, which gives wrong numbers with static_shape=True"):
        looped.hybridize(static_shape=True)
    fused.hybridize(static_shape=True)
    for model, words in ((looped, "loop"), (fused, "graph")):
        model.hybridize()
        assert words in model.explain_backend(mx.nd.ones((2, 1, 1)))


def test_loops_of_a_tagger_are_those_of_the_letters_too():
    model = SequenceTagger(GRU(4), 4, vocab_size=9, char_encoder=PeepholeLSTM(4), char_vocab_size=5)
    assert model.loops


def test_states_are_made_as_by_the_encoder():
    encoder = LSTM(4, dtype="float64")
    model = LanguageModel(9, encoder)
    for got, want in zip(model.begin_state(2, mx.nd.ones), encoder.begin_state(2, mx.nd.ones)):
        assert got.dtype == np.float64
        np.testing.assert_array_equal(got.asnumpy(), want.asnumpy())


@pytest.mark.parametrize("make", [*MODELS.values(), lambda encoder: Seq2Seq(5, 5, GRU(4), encoder)])
@pytest.mark.parametrize("block", [lambda: mx.gluon.rnn.LSTM(8), lambda: mx.gluon.nn.Dense(3)])
def test_blocks_of_gluon_are_refused_in_a_sentence(make, block):
    found = f"{type(block()).__module__}.{type(block()).__name__}"
    with pytest.raises(ValueError, match=rf"a sequence block of gluon_rnn.nn as its (en|de)coder, got {found}; take"):
        make(block())


@pytest.mark.parametrize("make,message", [
    (lambda: LanguageModel(9, LSTM(4), tie_weights="no"), "tie_weights must be true or false, got 'no'"),
    (lambda: LanguageModel(9, LSTM(4), dropout_variational="no"), "dropout_variational must be true or false"),
    (lambda: LanguageModel(9, LSTM(4), dropout="0.5"), "dropout must be a rate of at least 0 and below 1, got '0.5'"),
    (lambda: LanguageModel(0, LSTM(4)), "vocab_size must be a whole number of at least 1, got 0"),
    (lambda: LanguageModel("a", LSTM(4)), "vocab_size must be a whole number of at least 1, got 'a'"),
    (lambda: FramePredictor(LSTM(4), skip="no"), "skip must be true or false"),
    (lambda: SequenceTagger(LSTM(4), 2, vocab_size=3, crf="no"), "crf must be true or false"),
    (lambda: Forecaster(LSTM(4), residual="no"), "residual must be true or false"),
    (lambda: Forecaster(LSTM(4), input_size=1, feedback="no"), "feedback must be true or false"),
    (lambda: Forecaster(LSTM(4), dtype="float"), "dtype is float, but the encoder's is float32"),
    (lambda: Forecaster(LSTM(4), dtype="flaot"), "dtype must be float16, float32 or float64, got 'flaot'"),
    (lambda: Seq2Seq(5, 5, GRU(4), GRU(4), tie_weights="no"), "tie_weights must be true or false"),
    (lambda: Conditioned(GRU(4), 2, concat_to_inputs="no"), "concat_to_inputs must be true or false")])
def test_wrong_arguments_cost_one_sentence(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_dtype_may_be_of_any_form():
    assert Forecaster(LSTM(4, dtype="float64"), dtype=np.float64)._dtype == "float64"
