"""Every encoder on another device gives what it gives on the CPU: outputs, states, lengths, gradients, step by step."""
import mxnet as mx
import numpy as np
import pytest
from mxnet import autograd

from gluon_rnn.inference.live import LiveNetwork
from gluon_rnn.nn import LSTM
from gluon_rnn.nn.numpy_ops import view
from tests.devices.conftest import PRETENDED, on_devices
from tests.nn.test_contract import BLOCKS, FEATURES, ROWS, STEPS, TERMS, build
from tests.reference import assert_rounded

# One of each way to compute that depends on the device; the rest of their code is the same on all.
ALWAYS = [(name, {}) for name in ("lstm", "min_gru", "lru", "peephole_lstm", "tdnn", "narx", "forecaster_closed_loop")]
TIME_MAJOR = [case for case in BLOCKS if "layout" not in case[1]]         # as live networks are
LENGTHS = [STEPS, 4, 1]


@pytest.fixture
def pair(case, device, tmp_path):
    """The same block on the CPU and on the device; its parameters go there by a file."""
    here, there = build(*case, "float32"), build(*case, "float32")
    here.save_parameters(str(tmp_path / "weights"))
    there.collect_params().reset_ctx(device)
    there.load_parameters(str(tmp_path / "weights"), ctx=device)
    return here, there


def arguments(block, device):
    """Return inputs, states and lengths on a device, the same numbers on each."""
    random = np.random.default_rng(0)
    shape = (STEPS, ROWS) if block.layout == "TNC" else (ROWS, STEPS)
    inputs = mx.nd.array(random.standard_normal((*shape, FEATURES)), ctx=device)
    states = [mx.nd.array(random.uniform(-0.5, 0.5, state.shape), ctx=device)
              for state in block.begin_state(ROWS, ctx=device)]
    return inputs, states if block.causal else block.begin_state(ROWS, ctx=device), mx.nd.array(LENGTHS, ctx=device)


def computed(block, device, draws):
    """Return what a block makes of these arguments: as it is, as a graph, with gradients, and from its own zeros."""
    inputs, states, lengths = arguments(block, device)
    found = [block(inputs)]
    for _ in range(2):
        outputs, after = block(inputs, states, lengths)
        found += [outputs, *after]
        inputs.attach_grad()
        with autograd.record(train_mode=not draws):
            outputs, after = block(inputs, states, lengths)
            loss = sum((array ** 2).sum() for array in [outputs, *after])
        loss.backward()
        found += [loss, inputs.grad.copy()]
        found += [parameter.grad(device).copy() for parameter in block.collect_params().values()
                  if parameter.grad_req != "null"]
        block.hybridize()
    return found


@on_devices(BLOCKS, ALWAYS)
def test_a_block_computes_what_it_does_on_the_cpu(case, pair, device):
    here, there = pair
    draws = "zoneout" in case[0]                                          # random numbers, in training
    found = computed(there, device, draws)
    assert all(array.context == device for array in found)
    assert_rounded(found, computed(here, mx.cpu(0), draws), TERMS)


@on_devices(TIME_MAJOR, [])
def test_a_live_network_goes_step_by_step(pair, device):
    here, there = pair
    if not there.causal:
        pytest.skip("reads each sequence from its end too")
    found = [stepwise(block, place) for block, place in ((there, device), (here, mx.cpu(0)))]
    assert_rounded(*found, TERMS)


def stepwise(block, device):
    network = LiveNetwork(block, device)
    stepping, states, found = network.stepping(ROWS), None, []
    inputs = arguments(block, mx.cpu(0))[0].asnumpy()
    for step in range(STEPS):
        outputs, states = stepping(inputs[step:step + 1], states)
        found.append(outputs.copy())
    return found


@pytest.mark.parametrize("device", [PRETENDED], indirect=True)
def test_what_numpy_does_is_not_done_on_a_gpu(device):
    layer = LSTM(4, input_size=3)
    layer.initialize(ctx=device)
    with pytest.raises(ValueError, match="a stepper computes on a CPU"):
        layer.stepper()
    assert LiveNetwork(layer).stepping(1).block is layer
    with pytest.raises(ValueError, match="NumPy reads arrays of a CPU, got one on"):
        view(mx.nd.ones(2, ctx=device))
