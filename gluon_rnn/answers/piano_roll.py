"""Piano rolls: reading them from MATLAB files, playing on by a network, and pictures."""
import pathlib

import numpy as np

from gluon_rnn.answers.checks import check_counts

__all__ = ["continue_roll", "draw_roll", "read_rolls"]

_KEYS = {split: f"{split}data" for split in ("train", "valid", "test")}


def read_rolls(path):
    """Return {split: list of (frames, keys) float32 arrays of 0 and 1} of a ``.mat`` file.

    Its cell arrays are ``traindata``, ``validdata`` and, where there is one, ``testdata``.

    Raises
    ------
    ValueError
        If there is no such file, SciPy is not installed, or a piece is no matrix of 0 and 1 with at least two frames.
    """
    path = pathlib.Path(path).expanduser()
    content = _load(path)
    missing = [_KEYS[split] for split in ("train", "valid") if _KEYS[split] not in content]
    if missing:
        present = ", ".join(key for key in content if not key.startswith("__")) or "nothing"
        raise ValueError(f"{path}: expected the arrays {', '.join(_KEYS.values())}, and {' and '.join(missing)} is "
                         f"missing; the file has {present}")
    rolls = {split: [_check(piece, f"{path}: {key}, piece {number}")
                     for number, piece in enumerate(np.ravel(content[key]), start=1)]
             for split, key in _KEYS.items() if key in content}
    _check_sizes(path, rolls)
    return rolls


def _load(path):
    if not path.is_file():
        raise ValueError(f"{path}: no such file; check the path")
    try:
        import scipy.io
    except ImportError:
        raise ValueError(f"{path}: reading a MATLAB file needs SciPy, which is not installed; pip install scipy, or "
                         "pass the roll as an array (frames, keys)") from None
    try:
        return scipy.io.loadmat(path)
    except NotImplementedError:
        raise ValueError(f"{path}: a MATLAB 7.3 file, which is HDF5; save it with the option -v7") from None
    except Exception as error:  # SciPy raises a dozen kinds for damaged files; all mean the same
        raise ValueError(f"{path}: not a MATLAB file that SciPy can read ({error}); fetch it again") from None


def _check(piece, where):
    roll = np.asarray(piece)
    if roll.dtype.kind not in "buif" or roll.ndim != 2 or roll.shape[0] < 2 or roll.shape[1] < 1:
        raise ValueError(f"{where}: expected a matrix of at least 2 frames by keys, got {roll.dtype} of shape "
                         f"{roll.shape}; leave the piece out")
    if not np.isin(roll, (0, 1)).all():
        raise ValueError(f"{where}: expected 0 and 1 only, got values such as {roll[~np.isin(roll, (0, 1))][0]}; "
                         "write 1 where a key sounds")
    return roll.astype(np.float32)


def _check_sizes(path, rolls):
    for split, pieces in rolls.items():
        if not pieces:
            raise ValueError(f"{path}: {_KEYS[split]} holds no piece; leave it out or fill it")
    keys = rolls["train"][0].shape[1]
    for split, pieces in rolls.items():
        for number, piece in enumerate(pieces, start=1):
            if piece.shape[1] != keys:
                raise ValueError(f"{path}: {_KEYS[split]}, piece {number}: expected {keys} keys as in the first piece, "
                                 f"got {piece.shape[1]}")


def continue_roll(network, roll, length, num_keys, *, temperature=1.0, seed=0):
    """Return `length` frames that `network` generates after `roll`, (length, keys) float32 of 0 and 1.

    The keys of a frame are drawn independently, each with probability ``sigmoid(logit / temperature)``. The drawn frame
    is the next input. States are carried, so that the cost of a step does not depend on the length of the piece.

    Parameters
    ----------
    network : gluon_rnn.answers.network.Network
        Frames (T, N, keys) to logits of the frames after them.
    roll : (frames, keys) array, at least one frame
    length : int, >= 0
    num_keys : int
        Keys of a frame.
    temperature : float, >= 0, default 1
        0 takes every key with a probability above 0.5.
    seed : int

    Raises
    ------
    ValueError
        If the shape or an option does not fit.
    """
    roll = np.asarray(roll, dtype=np.float32)
    if roll.ndim != 2 or not len(roll) or roll.shape[1] != num_keys:
        raise ValueError(f"expected a roll of at least one frame by {num_keys} keys, got shape {roll.shape}")
    check_counts(length=length)
    if not temperature >= 0:                                              # NaN too
        raise ValueError(f"temperature must be at least 0, got {temperature}")
    random, frames = np.random.default_rng(seed), []
    network = network.stepping(1)
    states = network.begin_state(1)
    inputs = roll[:, None]                                                # (T, 1, K)
    while len(frames) < length:
        logits, states = network(inputs, states)
        frames.append(_draw_frame(logits[-1, 0], temperature, random))
        inputs = frames[-1][None, None]
    return np.array(frames, dtype=np.float32).reshape(-1, num_keys)


def _draw_frame(logits, temperature, random):
    uniform = random.uniform(size=logits.shape)
    if temperature == 0:
        return (logits > 0).astype(np.float32)
    # sigmoid(l / t) > u without overflow: l / t > log(u / (1 - u))
    return (logits / temperature > np.log(uniform) - np.log1p(-uniform)).astype(np.float32)


def draw_roll(roll, given=None, path=None):
    """Draw a piano roll: time on the horizontal axis, pitch on the vertical one.

    Parameters
    ----------
    roll : (frames, keys) array of 0 and 1
    given : int, optional
        Number of frames at the beginning that were given; a line marks their end.
    path : str or Path, optional
        File of the PNG.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # pyplot would set a backend for the process
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
        axes.set_title(f"{given} frames given, {len(roll) - given} generated by the model")
    axes.set(xlabel="frame", ylabel="key")
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure
