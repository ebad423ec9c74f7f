"""A mean negative log-likelihood in its customary units: perplexity of words, bits of characters."""
import math

__all__ = ["bits", "perplexity", "score", "score_text"]


def perplexity(nats):
    """Return the perplexity of a mean negative log-likelihood in nats per token; infinity where it overflows.

    >>> perplexity(0.0)
    1.0
    """
    return math.exp(nats) if nats < 700 else math.inf


def bits(nats):
    """Return nats in bits; nats per character give bits per character."""
    return nats / math.log(2)


def score(nats, unit):
    """Return the customary score of a loss in nats per token by its name: bits of characters, perplexity of words."""
    return {"bits": bits(nats)} if unit == "character" else {"perplexity": perplexity(nats)}


def score_text(nats, unit):
    """Return a loss in words, such as ``"1.4702 nats (2.1211 bits) per character"`` or ``"perplexity 102.49"``."""
    if unit == "character":
        return f"{nats:.4f} nats ({bits(nats):.4f} bits) per character"
    return f"perplexity {perplexity(nats):.2f}"
