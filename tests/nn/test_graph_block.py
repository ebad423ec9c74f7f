"""Threads that train: one has a block, a second is refused, copies have gradients of their own."""
import copy
import threading

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.nn import LSTM
from tests.nn.test_robustness import BLOCKS, batch
from tests.threads import in_ended_thread, in_threads


def gradients(block, inputs):
    with mx.autograd.record():
        results = block(inputs)
        loss = (results[0] if isinstance(results, tuple) else results).square().sum()
    loss.backward()
    return [parameter.grad().asnumpy() for parameter in block.collect_params().values() if parameter.grad_req != "null"]


@pytest.mark.parametrize("hybrid", [False, True])
@pytest.mark.parametrize("name", ["lstm", "gru", "peephole_lstm", "tdnn", "jordan", "bidirectional_lstm", "closed_loop",
                                  "both_directions", "classifier"])
def test_a_second_thread_that_trains_the_same_block_is_refused(name, hybrid):
    """MXNet would crash: one of two threads has the block, the other gets a sentence, copies train."""
    block = BLOCKS[name]()
    block.initialize()
    block.hybridize(hybrid)
    inputs = batch(block)
    want, said, done = gradients(block, inputs), [], threading.Event()
    block.hand_over()

    def work(index):
        try:
            for _ in range(5):
                for got, expected in zip(gradients(block, inputs), want):
                    np.testing.assert_array_equal(got, expected)
        except RuntimeError as error:
            said.append(str(error))
            done.set()
        else:
            done.wait(20)                                                 # else a second one might come after its end

    in_threads(work, 2)
    assert len(said) == 1 and "trains it; MXNet keeps gradients of one thread. Give each thread a copy" in said[0]
    copies = [(copy.deepcopy(block), inputs.copy()) for _ in range(2)]   # MXNet notes graphs at inputs too

    def apart(index):
        for got, expected in zip(gradients(*copies[index]), want):
            np.testing.assert_array_equal(got, expected)

    in_threads(apart, 2)


def test_a_thread_may_go_on_after_another_has_ended_or_handed_over():
    block = LSTM(4, input_size=3)
    block.initialize()
    want = gradients(block, batch(block))
    with pytest.raises(RuntimeError, match="trains it"):
        in_ended_thread(lambda: gradients(block, batch(block)))
    block.hand_over()
    in_ended_thread(lambda: gradients(block, batch(block)))
    assert len(gradients(block, batch(block))) == len(want)               # that thread has ended


def test_threads_of_varying_shapes_with_static_shapes():
    """Each shape makes buffers anew in MXNet; numbers stay those of one thread."""
    block = LSTM(6, 2, input_size=3)
    block.initialize()
    inputs = [batch(block, rows, steps) for rows, steps in ((1, 4), (2, 7), (3, 5), (4, 9))]
    want = [block(one).asnumpy() for one in inputs]
    block.hybridize(static_alloc=True, static_shape=True)

    def work(index):
        for repeat in range(25):
            at = (index + repeat) % 4
            np.testing.assert_array_equal(block(inputs[at]).asnumpy(), want[at])

    in_threads(work)
