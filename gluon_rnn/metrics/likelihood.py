"""A mean negative log-likelihood in its customary units: perplexity of words, bits of characters."""
import math

__all__ = ["bits", "perplexity"]


def perplexity(nats):
    """Return the perplexity of a mean negative log-likelihood in nats per token; infinity where it overflows.

    >>> perplexity(0.0)
    1.0
    """
    return math.exp(nats) if nats < 700 else math.inf


def bits(nats):
    """Return nats in bits; nats per character give bits per character."""
    return nats / math.log(2)
