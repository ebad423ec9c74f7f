"""Continuation of a piano roll by a frame predictor, and pictures of piano rolls."""
from gluon_rnn.answers import piano_roll
from gluon_rnn.answers.piano_roll import draw_roll
from gluon_rnn.inference.live import LiveNetwork

__all__ = ["continue_roll", "draw_roll"]


def continue_roll(model, roll, length, *, temperature=1.0, seed=0, ctx=None):
    """Return `length` frames that `model`, a `FramePredictor`, generates after `roll`, (length, keys) float32.

    `ctx` is the device, by default that of the model's parameters; the other arguments, and errors, are those of
    `gluon_rnn.answers.piano_roll.continue_roll`.
    """
    return piano_roll.continue_roll(LiveNetwork(model, ctx), roll, length, model.num_keys, temperature=temperature,
                                    seed=seed)
