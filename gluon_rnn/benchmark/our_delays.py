"""The networks of the benchmark `delays`, ours: one function a network, `case` to a call that does the work once."""
import mxnet as mx
from mxnet import autograd

from gluon_rnn import nn
from gluon_rnn.config import Training
from gluon_rnn.data.batching import Batch
from gluon_rnn.models import NARX, ClosedLoop
from gluon_rnn.tasks.forecasting.loss import SeriesLoss
from gluon_rnn.training.step import TrainStep

__all__ = ["tdnn", "peephole_lstm", "jordan", "free_run", "open_loop_training", "closed_loop_training"]


def tdnn(case):
    """Return a call of a TDNN forward, or forward and backward."""
    contexts = [set(offsets) for offsets in case["offsets"]]
    network = nn.TDNN(list(case["hidden"]), contexts=contexts, activation=case["activation"], input_size=case["C"])
    return _call(case, network, streams=False)


def peephole_lstm(case):
    """Return a call of a peephole LSTM forward, or forward and backward."""
    return _call(case, nn.PeepholeLSTM(case["H"], input_size=case["C"], peephole_initializer=mx.init.Uniform(0.1)))


def jordan(case):
    """Return a call of a Jordan network forward, or forward and backward."""
    return _call(case, nn.Jordan(case["H"], case["K"], input_size=case["C"], decay=case["decay"]))


def free_run(case):
    """Return a call that runs a NARX freely over T steps."""
    return _call(dict(case, C=1, backward=False), ClosedLoop(_narx(case)))


def open_loop_training(case):
    """Return a step of training in open loop: loss, gradients, their norm, Adam."""
    return _training(case, "open_loop")


def closed_loop_training(case):
    """Return a step of training on the simulation error."""
    return _training(case, "closed_loop")


def _narx(case):
    model = NARX(case["input_lag"], case["output_lag"], (case["H"],), case["activation"])
    model.initialize(mx.init.Uniform(0.1))
    return model


def _training(case, feedback):
    model, T, N = _narx(case), case["T"], case["N"]
    graph = SeriesLoss(model, model.memory, T, feedback)
    graph.hybridize(static_alloc=True)                                    # as the training loop does
    series = mx.nd.random.uniform(shape=(model.memory + T, N, 2))
    train = TrainStep(graph, [mx.cpu()], Training(optimizer=dict(name="adam", learning_rate=1e-6)))
    batch = Batch((series,), (1,), T * N)

    def step():
        train(batch, [[]], 1e-6)
        mx.nd.waitall()

    return step


def _call(case, block, streams=True):
    """Return a call of `block` that waits for its result; unless it `streams`, on whole sequences, without states."""
    if any(parameter._data is None for parameter in block.collect_params().values()):   # a closed loop has its model's
        block.initialize(mx.init.Uniform(0.1))
    block.hybridize(static_alloc=True, static_shape=not block.loops)
    x = mx.nd.random.uniform(-1, 1, shape=(case["T"], case["N"], case["C"]))
    head, states = mx.nd.ones((case["T"], case["N"], block.output_size)), block.begin_state(case["N"])

    def run():
        return block(x, states)[0] if streams else block(x)

    def forward():
        run().wait_to_read()

    def forward_backward():
        with autograd.record():
            outputs = run()
        outputs.backward(head)
        mx.nd.waitall()

    if case["backward"]:
        x.attach_grad()
    return forward_backward if case["backward"] else forward
