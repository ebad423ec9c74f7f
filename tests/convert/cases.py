"""Reference vectors of other libraries, in `reference/`, and how their states are ours: see `make_reference.py`."""
import pathlib

import mxnet as mx
import numpy as np

from gluon_rnn import nn

FOLDER = pathlib.Path(__file__).resolve().parent / "reference"


class Case:
    """One ``.npz`` file: `weights` by name, `inputs` (T, N, C), `states`, `outputs` and `finals` of the library."""

    def __init__(self, name):
        with np.load(FOLDER / f"{name}.npz") as file:
            arrays = {key: file[key] for key in file.files}
        self.weights = {key[len("weights/"):]: value for key, value in arrays.items() if key.startswith("weights/")}
        self.states, self.finals = ([arrays[key] for key in sorted(arrays) if key.startswith(f"{kind}/")]
                                    for kind in ("states", "finals"))
        self.inputs, self.outputs = arrays["inputs"], arrays["outputs"]


def names(library):
    """Return the names of the cases of one library that have weights and states."""
    found = sorted(path.stem for path in FOLDER.glob(f"{library}_*.npz"))
    return [name for name in found if name != "keras_model"]


def call(block, inputs, states=None):
    """Return the outputs of `block`, or outputs and states where states are given, as NumPy arrays."""
    inputs = mx.nd.array(inputs, dtype=block._dtype)
    if states is None:
        return block(inputs).asnumpy()
    outputs, finals = block(inputs, [mx.nd.array(state, dtype=block._dtype) for state in states])
    return [outputs.asnumpy(), *(final.asnumpy() for final in finals)]


def by_layer(block, states):
    """Return states (L * D, N, H) as `block` has them: those of a `BidirectionalStack` are one by one."""
    if not isinstance(block, nn.BidirectionalStack):
        return states
    return [state[index:index + 1] for index in range(len(states[0])) for state in states]


def by_direction(block, states):
    """Return Keras's states (N, H), those of the forward direction first, as `block` has them."""
    count = len(block.state_info()) if not isinstance(block, nn.BidirectionalStack) else len(states)
    return [np.stack(states[index::count]) for index in range(count)]


def snapshot(block):
    """Return copies of all parameters of a block."""
    return {name: parameter.data().asnumpy().copy() for name, parameter in
            block._collect_params_with_prefix().items()}


def assert_unchanged(block, before):
    """Hold every parameter of `block` to what it was, bit for bit."""
    for name, value in snapshot(block).items():
        np.testing.assert_array_equal(value, before[name])


def random_values(block, seed=0):
    """Set all parameters of a block, biases too, which begin at 0 and would hide a wrong order."""
    random = np.random.default_rng(seed)
    for parameter in block.collect_params().values():
        parameter.set_data(mx.nd.array(random.uniform(-0.5, 0.5, parameter.shape), dtype=parameter.dtype))
    return block
