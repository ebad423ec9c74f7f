"""The CTC model: encoder and linear layer; contract tests stand in tests/nn/test_contract.py."""
import doctest

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.models import CTCModel, ctc
from gluon_rnn.nn import GRU, LSTM
from gluon_rnn.registry import models
from tests.reference import EXACT


def test_example_and_name():
    assert doctest.testmod(ctc, extraglobs={"mx": mx}).failed == 0
    assert models.get("ctc") is CTCModel


def test_equations():
    model = CTCModel(GRU(5, dtype="float64"), 3)
    model.initialize()
    model.output_bias.set_data(mx.nd.random.normal(shape=4, dtype="float64"))
    inputs, lengths = mx.nd.random.normal(shape=(6, 2, 3), dtype="float64"), mx.nd.array([6, 4])
    hidden = model.encoder(inputs, None, lengths).asnumpy()
    want = hidden @ model.output_weight.data().asnumpy().T + model.output_bias.data().asnumpy()
    want[4:, 1] = 0
    np.testing.assert_allclose(model(inputs, None, lengths).asnumpy(), want, **EXACT)


@pytest.mark.parametrize("arguments, message", [
    ((LSTM(4), 0), "num_labels must be a whole number"),
    ((LSTM(4, layout="NTC"), 3), "must have layout 'TNC', got 'NTC'")])
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        CTCModel(*arguments)
