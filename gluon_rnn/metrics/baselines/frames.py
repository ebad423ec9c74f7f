"""What a model of piano rolls has to beat: how often each key sounds, and the last frame with its rates of change."""
import numpy as np

__all__ = ["flip_rates", "key_frequencies", "mean_loss"]


def key_frequencies(rolls):
    """Return a predictor ``probabilities(roll)`` of each key's share of the frames of `rolls`, whatever came before.

    Keys that never sound get half a frame, so that no probability is 0 or 1 (Krichevsky and Trofimov 1981).
    """
    frames = np.concatenate([roll[1:] for roll in rolls])
    shares = (frames.sum(axis=0) + 0.5) / (len(frames) + 1)
    return lambda roll: np.broadcast_to(shares, roll[:-1].shape)


def flip_rates(rolls):
    """Return a predictor that repeats the last frame, each key changing at the rate learnt for it, on and off apart."""
    before, after = (np.concatenate([roll[part] for roll in rolls]) for part in (slice(None, -1), slice(1, None)))
    counts = [((before == state) * after).sum(axis=0) + 0.5 for state in (0, 1)]
    off, on = (count / ((before == state).sum(axis=0) + 1) for state, count in enumerate(counts))
    return lambda roll: np.where(roll[:-1] > 0, on, off)


def mean_loss(predictor, rolls):
    """Return the negative log-likelihood of a predictor on `rolls`, nats per predicted frame."""
    losses = []
    for roll in rolls:
        probability = np.where(roll[1:] > 0, predictor(roll), 1 - predictor(roll))
        losses.append(-np.log(probability).sum(axis=1))
    return float(np.concatenate(losses).mean())
