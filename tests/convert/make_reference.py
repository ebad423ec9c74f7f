"""Make the reference vectors of the tests in this folder: weights, inputs, and what the foreign library computes.

    python tests/convert/make_reference.py torch      where torch and safetensors are installed
    python tests/convert/make_reference.py keras      where keras 3 is, with any backend

Each case is one ``.npz`` file in ``reference/``: ``weights/NAME``, ``inputs``, ``states/K``, ``outputs``, ``finals/K``,
all in float64. Weights are multiples of 1/64, so that the files stay small. Files of the library's own are made too;
those of Keras, which are mostly empty space, are packed into one archive.
"""
import pathlib
import sys
import tempfile
import zipfile

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent / "reference"
STEPS, ROWS, FEATURES, UNITS = 4, 2, 3, 4
#: (class, arguments of it beside the sizes)
TORCH = {
    "lstm_bidirectional_2": ("LSTM", dict(num_layers=2, bidirectional=True)),
    "gru_bidirectional_2": ("GRU", dict(num_layers=2, bidirectional=True)),
    "rnn_tanh_2": ("RNN", dict(num_layers=2, nonlinearity="tanh")),
    "rnn_relu_bidirectional": ("RNN", dict(nonlinearity="relu", bidirectional=True)),
    "lstm_projected_2": ("LSTM", dict(num_layers=2, proj_size=2)),
    "lstm_projected_bidirectional": ("LSTM", dict(num_layers=2, proj_size=2, bidirectional=True)),
    "gru_without_bias": ("GRU", dict(bias=False)),
}
KERAS = {
    "lstm": ("LSTM", dict(unit_forget_bias=True), False),
    "lstm_bidirectional": ("LSTM", {}, True),
    "gru_reset_after": ("GRU", dict(reset_after=True), False),
    "gru_reset_before": ("GRU", dict(reset_after=False), False),
    "gru_reset_before_bidirectional": ("GRU", dict(reset_after=False), True),
    "gru_bidirectional": ("GRU", dict(reset_after=True), True),
    "rnn_tanh": ("SimpleRNN", {}, False),
    "rnn_relu_bidirectional": ("SimpleRNN", dict(activation="relu"), True),
    "lstm_without_bias": ("LSTM", dict(use_bias=False), False),
}


def short(random, shape):
    """Return numbers that compress well: multiples of 1/64 between -1 and 1."""
    return random.integers(-64, 65, size=shape) / 64


def save(name, weights, **arrays):
    """Write one case; lists of arrays are numbered."""
    flat = {f"weights/{key}": value for key, value in weights.items()}
    for key, value in arrays.items():
        flat.update({f"{key}/{i}": one for i, one in enumerate(value)} if isinstance(value, list) else {key: value})
    np.savez_compressed(FOLDER / f"{name}.npz", **flat)


# ---- torch ---------------------------------------------------------------------------------------------------------

def make_torch():
    """Run each module of `TORCH` in float64 from states of its own."""
    import torch
    for seed, (name, (kind, options)) in enumerate(TORCH.items()):
        random = np.random.default_rng(seed)
        module = getattr(torch.nn, kind)(FEATURES, UNITS, **options).double()
        state = {key: torch.from_numpy(short(random, tuple(value.shape))) for key, value in
                 module.state_dict().items()}
        module.load_state_dict(state)
        inputs, count = short(random, (STEPS, ROWS, FEATURES)), module.num_layers * (1 + module.bidirectional)
        widths = [module.proj_size or UNITS, UNITS] if kind == "LSTM" else [UNITS]
        states = [short(random, (count, ROWS, width)) for width in widths]
        given = tuple(map(torch.from_numpy, states))
        with torch.no_grad():
            outputs, finals = module(torch.from_numpy(inputs), given if kind == "LSTM" else given[0])
        finals = finals if kind == "LSTM" else [finals]
        save(f"torch_{name}", {key: value.numpy() for key, value in state.items()}, inputs=inputs, states=states,
             outputs=outputs.numpy(), finals=[final.numpy() for final in finals])
    safetensors_file()


def safetensors_file():
    """Write the parameters of a larger module as a ``.safetensors`` file."""
    import torch
    from safetensors.torch import save_file
    random = np.random.default_rng(0)
    model = torch.nn.ModuleDict({"embedding": torch.nn.Embedding(5, 3), "encoder": torch.nn.LSTM(3, 4),
                                 "output": torch.nn.Linear(4, 5)})
    save_file({key: torch.from_numpy(short(random, tuple(value.shape))).float()
               for key, value in model.state_dict().items()}, str(FOLDER / "torch_model.safetensors"))


# ---- keras ---------------------------------------------------------------------------------------------------------

def make_keras():
    """Run each layer of `KERAS` in float64; batch comes first there, and is put second here."""
    import keras
    keras.config.set_floatx("float64")
    for seed, (name, (kind, options, both)) in enumerate(KERAS.items()):
        random = np.random.default_rng(seed)
        layer = getattr(keras.layers, kind)(UNITS, return_sequences=True, return_state=True, **options)
        layer = keras.layers.Bidirectional(layer) if both else layer
        inputs = short(random, (ROWS, STEPS, FEATURES))
        layer.build(inputs.shape)
        # Not all weights: the forget bias of 1 that the layer begins with is to be seen.
        layer.set_weights([value + short(random, value.shape) if "bias" in weight.path else short(random, value.shape)
                           for weight, value in zip(layer.weights, layer.get_weights())])
        count = (2 if kind == "LSTM" else 1) * (2 if both else 1)
        states = [short(random, (ROWS, UNITS)) for _ in range(count)]
        outputs, *finals = (np.asarray(value) for value in layer(inputs, initial_state=states))
        save(f"keras_{name}", {weight.path: value for weight, value in zip(layer.weights, layer.get_weights())},
             inputs=inputs.swapaxes(0, 1), states=states, outputs=outputs.swapaxes(0, 1), finals=finals)
    keras_files(keras)


def keras_files(keras):
    """Write a model of several layers in the three formats of files, and what it computes."""
    layers, random = keras.layers, np.random.default_rng(0)
    model = keras.Sequential([
        keras.Input((None, FEATURES)),
        layers.Bidirectional(layers.LSTM(UNITS, return_sequences=True), name="reader"),
        layers.Dropout(0.5), layers.GRU(3, return_sequences=True, reset_after=False,
                                                              name="second"), layers.Dense(2)])
    model.set_weights([short(random, value.shape) for value in model.get_weights()])
    inputs = short(random, (ROWS, STEPS, FEATURES))
    outputs = np.asarray(keras.Model(model.inputs[0], model.layers[2].output)(inputs))
    save("keras_model", {}, inputs=inputs.swapaxes(0, 1), outputs=outputs.swapaxes(0, 1))
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(FOLDER / "keras_files.zip", "w",
                                                                  zipfile.ZIP_DEFLATED) as archive:
        for ending in ("keras", "h5", "weights.h5"):
            path = pathlib.Path(folder) / f"model.{ending}"
            model.save_weights(path) if ending.startswith("w") else model.save(path)
            archive.write(path, path.name)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    {"torch": make_torch, "keras": make_keras}[sys.argv[1]]()
