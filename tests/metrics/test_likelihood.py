"""Perplexity of words, bits of characters, and both in words."""
import math

import pytest

from gluon_rnn.metrics.likelihood import bits, perplexity, score, score_text


def test_a_uniform_choice_of_eight():
    nats = math.log(8)
    assert perplexity(nats) == pytest.approx(8) and bits(nats) == pytest.approx(3)
    assert score(nats, "word") == {"perplexity": pytest.approx(8)} and score(nats, "character") == {"bits": 3}
    assert score_text(nats, "word") == "perplexity 8.00"
    assert score_text(nats, "character") == "2.0794 nats (3.0000 bits) per character"
    assert perplexity(1e4) == math.inf
