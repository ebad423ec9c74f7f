"""Letting a frame predictor play on, and the picture of a piano roll."""
import mxnet as mx
import numpy as np

__all__ = ["continue_roll", "draw_roll"]


def continue_roll(model, roll, length, *, temperature=1.0, seed=0, ctx=None):
    """Return `length` frames that `model` plays after `roll`, (length, keys) float32 of 0 and 1.

    Each key of a frame is drawn alone, with probability ``sigmoid(logit / temperature)``; the drawn frame is the next
    input, and the states are carried, so that a step costs the same however long the piece has become.

    Parameters
    ----------
    model : FramePredictor
    roll : (frames, keys) array, at least one frame
    length : int, >= 0
    temperature : float, >= 0, default 1
        0 plays every key that is more probable than not.
    seed : int
    ctx : mxnet.Context, optional

    Raises
    ------
    ValueError
        If the shape or an option does not fit.
    """
    roll = np.asarray(roll, dtype=np.float32)
    if roll.ndim != 2 or not len(roll) or roll.shape[1] != model.num_keys:
        raise ValueError(f"expected a roll of at least one frame by {model.num_keys} keys, got shape {roll.shape}")
    if length < 0 or temperature < 0:
        raise ValueError(f"length and temperature must be at least 0, got {length} and {temperature}")
    random, frames = np.random.default_rng(seed), []
    states = model.begin_state(1, ctx=ctx)
    inputs = roll[:, None]                                                # (T, 1, K)
    while len(frames) < length:
        logits, states = model(mx.nd.array(inputs, ctx=ctx), states)
        frames.append(_draw_frame(logits[-1, 0].asnumpy(), temperature, random))
        inputs = frames[-1][None, None]
    return np.array(frames, dtype=np.float32).reshape(-1, model.num_keys)


def _draw_frame(logits, temperature, random):
    uniform = random.uniform(size=logits.shape)
    if temperature == 0:
        return (logits > 0).astype(np.float32)
    # sigmoid(l / t) > u without overflow: l / t > log(u / (1 - u))
    return (logits / temperature > np.log(uniform) - np.log1p(-uniform)).astype(np.float32)


def draw_roll(roll, given=None, path=None):
    """Draw a piano roll, time to the right and pitch upwards.

    Parameters
    ----------
    roll : (frames, keys) array of 0 and 1
    given : int, optional
        So many frames at the beginning were given; a line stands behind them.
    path : str or Path, optional
        Where a PNG is written.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # no pyplot: that would choose a backend for everyone
    from matplotlib.figure import Figure
    roll = np.asarray(roll)
    figure = Figure(figsize=(min(16, 3 + len(roll) / 12), 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(roll.T, origin="lower", aspect="auto", cmap="Greys", interpolation="nearest", vmin=0, vmax=1)
    sounding = np.flatnonzero(roll.any(axis=0))
    if len(sounding):
        axes.set_ylim(sounding[0] - 3, sounding[-1] + 3)
    if given is not None:
        axes.axvline(given - 0.5, color="tab:red", linewidth=1)
        axes.set_title(f"{given} frames given, {len(roll) - given} played by the model")
    axes.set(xlabel="frame", ylabel="key")
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure
