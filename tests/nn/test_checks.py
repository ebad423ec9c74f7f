"""Checks of constructor arguments: what Gluon and NumPy users pass is taken, the rest costs one sentence.

Tests `gluon_rnn/answers/checks.py` too.
"""
import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.nn import checks


def test_what_is_accepted():
    checks.check_sizes(hidden_size=1, num_layers=np.int64(3))
    checks.check_counts(input_size=0, input_lag=np.int32(2))
    checks.check_rates(dropout=0, drop_i=False, drop_e=np.float32(0.5))
    checks.check_flags(bidirectional=True, skip=False, crf=1, tie_weights=0, other=np.bool_(True))
    checks.check_activation("softsign")
    checks.check_features("RNN", mx.nd.ones((2, 3, 4)), 4, "float32")
    checks.check_features("RNN", mx.nd.ones((2, 3, 4)), 0, "float32")


@pytest.mark.parametrize("call,message", [
    (lambda: checks.check_sizes(hidden_size=True), "hidden_size must be a whole number of at least 1, got True"),
    (lambda: checks.check_sizes(hidden_size=2.0), "hidden_size must be a whole number of at least 1, got 2.0"),
    (lambda: checks.check_counts(input_size=-1), "input_size must be a whole number of at least 0, got -1"),
    (lambda: checks.check_rates(dropout=True), "dropout must be a rate of at least 0 and below 1, got True"),
    (lambda: checks.check_rates(dropout=float("nan")), "dropout must be a rate of at least 0 and below 1, got nan"),
    (lambda: checks.check_rates(dropout=1.0), "dropout must be a rate of at least 0 and below 1, got 1.0"),
    (lambda: checks.check_flags(bidirectional="false"), "bidirectional must be true or false, got 'false'"),
    (lambda: checks.check_flags(bidirectional=2), "bidirectional must be true or false, got 2"),
    (lambda: checks.check_activation("gelu", "output_activation", ("tanh",)),
     "output_activation must be one of tanh, got 'gelu'"),
    (lambda: checks.check_features("RNN", mx.nd.ones((2, 3, 4)), 5, "float32"), "RNN expects 5 input features, got"),
    (lambda: checks.check_features("RNN", mx.nd.ones((2, 4)), 4, "float64"), "holds float64, got inputs of float32"),
])
def test_what_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
