"""Milliseconds of a training step of some encoders, on the CPU and on another device.

``python -m scripts.device_speed "gpu(0)"`` prints a line an encoder; `scripts/gpu_check.sh` ends with it.
"""
import argparse
import time

import gluon_rnn.nn  # noqa: F401  (prepares the process for MXNet, and fills the registry)
from gluon_rnn import runtime
from gluon_rnn.cli.process import run_command
from gluon_rnn.registry import encoders

# isort: split
import mxnet as mx
from mxnet import autograd, gluon

ENCODERS = ("lstm", "gru", "min_gru", "lru", "peephole_lstm")
#: T, N and units of a step
SIZES = (35, 32, 512)


def step_seconds(name, device, sizes=SIZES, repeats=5):
    """Return the shortest time of `repeats` steps: forward, backward, Adam; the first step of all is not counted."""
    steps, rows, units = sizes
    block = encoders.build(name, hidden_size=units, input_size=units)
    block.initialize(ctx=device)
    block.hybridize(static_alloc=True)
    trainer = gluon.Trainer(block.collect_params(), "adam")
    inputs, times = mx.nd.random.normal(shape=(steps, rows, units), ctx=device), []
    for _ in range(repeats + 1):
        begun = time.perf_counter()
        with autograd.record():
            loss = (block(inputs) ** 2).sum()
        loss.backward()
        trainer.step(rows)
        mx.nd.waitall()
        times.append(time.perf_counter() - begun)
    return min(times[1:])


def line(name, device, **options):
    """Return a line of text on an encoder."""
    here, there = (1000 * step_seconds(name, place, **options) for place in (mx.cpu(0), device))
    return f"{name:16} cpu(0) {here:8.1f} ms   {device} {there:8.1f} ms   {here / there:6.2f} times"


def main(arguments=None):
    """Print the lines of all encoders."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("device", help="such as gpu(0)")
    device, *_ = runtime.devices(parser.parse_args(arguments).device)
    for name in ENCODERS:
        print(line(name, device), flush=True)


if __name__ == "__main__":
    run_command(main)
