"""Neighbours from a network made by hand: special tokens have no vectors, lists and single words."""
import numpy as np
import pytest

from gluon_rnn.answers import open_pipeline
from gluon_rnn.answers.network import Network
from gluon_rnn.answers.vocabulary import Vocabulary

VOCAB = Vocabulary(["<unk>", "<eos>", "a", "b", "c"], unknown_token="<unk>", eos_token="<eos>")
VECTORS = np.array([[9, 9], [9, 9], [1, 0], [1, 0.1], [0, 1.0]])


class Lookup(Network):
    """Rows of a table; in a bundle the output vectors beside them."""

    causal, name = True, "Lookup"

    def __init__(self, in_bundle):
        self.in_bundle, self.calls = in_bundle, 0

    def outputs(self, inputs, valid_length=None, *signals):
        self.calls += 1
        return (VECTORS[inputs], -VECTORS[inputs]) if self.in_bundle else VECTORS[inputs]


@pytest.mark.parametrize("in_bundle", [False, True])
def test_neighbours(in_bundle):
    network = Lookup(in_bundle)
    pipeline = open_pipeline("word_vectors", {"model": network}, {"vocab.json": VOCAB.to_json()}.get)
    assert pipeline.table.words == ["a", "b", "c"]
    (near, cosine), (far, _) = pipeline.predict("a")
    assert (near, far) == ("b", "c") and cosine == pytest.approx(1 / np.sqrt(1.01), rel=1e-6)
    assert pipeline.predict(["a", "c"], 1) == [pipeline.predict("a", 1), pipeline.predict("c", 1)]
    assert pipeline.answer(" a ") == "b 0.995, c 0.000" and network.calls == 1
    with pytest.raises(ValueError, match="'<unk>' is not among the 3 words"):
        pipeline.predict("<unk>")
    with pytest.raises(ValueError, match="count must be a whole number of at least 1"):
        pipeline.predict("a", 0)
    with pytest.raises(ValueError, match="does not answer step by step"):
        pipeline.stream(["a"])
