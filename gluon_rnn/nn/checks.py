"""Checks of constructor arguments that every block makes in the same words."""
import numbers

import numpy as np

from gluon_rnn.answers.checks import check_counts, check_sizes

__all__ = ["ACTIVATIONS", "check_activation", "check_counts", "check_features", "check_flags", "check_input_size",
           "check_rates", "check_sizes"]

#: what `mxnet.nd.Activation` knows and the identity
ACTIVATIONS = ("tanh", "relu", "sigmoid", "softrelu", "softsign", "identity")


def check_rates(**rates):
    """Raise ValueError unless every named rate lies in [0, 1); False, as Gluon takes it, is a rate of 0."""
    for name, value in rates.items():
        if value is True or not isinstance(value, numbers.Real) or not 0 <= value < 1:
            raise ValueError(f"{name} must be a rate of at least 0 and below 1, got {value!r}")


def check_flags(**flags):
    """Raise ValueError unless every named flag is True or False, or the 1 or 0 that Gluon takes as well."""
    for name, value in flags.items():
        if isinstance(value, str) or value not in (True, False):
            raise ValueError(f"{name} must be true or false, got {value!r}")


def check_input_size(block, input_size):
    """Raise ValueError if `block` knows its number of input features and it is not `input_size`."""
    if block.input_size not in (0, input_size):
        raise ValueError(f"{type(block).__name__} expects {block.input_size} input features (input_size), got "
                         f"{input_size}")


def check_activation(activation, name="activation", known=ACTIVATIONS):
    """Raise ValueError unless `activation` is one of the `known` names."""
    if activation not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {activation!r}")


def check_features(name, array, features, dtype, what="input", note=""):
    """Raise ValueError unless `array` (..., C) has the `features` (0: any number) and the `dtype` of block `name`.

    `note` follows the expected number in the message.
    """
    if features and array.shape[-1] != features:
        raise ValueError(f"{name} expects {features} {what} features{note}, got {what}s of shape {array.shape}")
    if np.dtype(array.dtype) != np.dtype(dtype):
        raise ValueError(f"{name} holds {np.dtype(dtype).name}, got {what}s of {np.dtype(array.dtype).name}; "
                         f"cast one of them ({what}s.astype or block.cast)")
