"""`Conditioned`: sizes. The contract of sequence blocks is proved for it in `test_contract.py`."""
import mxnet as mx
import numpy as np

from gluon_rnn.nn import TDNN, Conditioned


def test_an_open_size_is_that_of_the_first_inputs_and_the_condition():
    """States of the encoder are past inputs, so it has to know it before it runs."""
    encoder = TDNN(4)
    block, inputs = Conditioned(encoder, 2), mx.nd.random.normal(shape=(5, 3, 6))
    block.initialize()
    outputs = block(inputs)
    without = mx.nd.concat(inputs, mx.nd.zeros((5, 3, 2)), dim=2)          # the condition that a first state is
    np.testing.assert_array_equal(outputs.asnumpy(), encoder(without).asnumpy())
    assert (block.input_size, encoder.input_size) == (6, 8)
