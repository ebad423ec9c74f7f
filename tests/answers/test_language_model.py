"""Text that a language model writes: an Elman network in NumPy and the live one write the same; files, prefixes."""
import json

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.answers import open_pipeline
from gluon_rnn.answers.network import Network
from gluon_rnn.answers.vocabulary import Vocabulary
from gluon_rnn.inference.live import LiveNetwork
from gluon_rnn.models import LanguageModel
from gluon_rnn.nn import RNN

WORDS = ["<unk>", "<eos>", "boy", "sees", "dog", "hears"]


def files(unit="word", **special):
    return {"vocab.json": Vocabulary(WORDS if unit == "word" else list("\nabcde"), **special).to_json(),
            "text.json": json.dumps({"unit": unit, "separator": " " if unit == "word" else ""})}.__getitem__


class ElmanNetwork(Network):
    """h_t = tanh(W e(y_t) + R h_{t-1} + b), logits = O h_t + c, in float64, from the parameters of a live model."""

    def __init__(self, model):
        self.values = {name.split(".")[-1]: parameter.data().asnumpy().astype(np.float64)
                       for name, parameter in model._collect_params_with_prefix().items()}

    def begin_state(self, batch_size):
        return [np.zeros((batch_size, self.values["h2h_weight"].shape[0]))]

    def __call__(self, inputs, states=None, valid_length=None, *signals):
        v, (h,), outputs = self.values, states, []
        for tokens in inputs:
            h = np.tanh(v["embedding_weight"][tokens] @ v["i2h_weight"].T + v["i2h_bias"]
                        + h @ v["h2h_weight"].T + v["h2h_bias"])
            outputs.append(h @ v["output_weight"].T + v["output_bias"])
        return np.array(outputs), [h]


@pytest.fixture
def model():
    block = LanguageModel(6, RNN(8, activation="tanh"), embed_size=5)
    block.initialize(mx.init.Normal(0.9))
    return block


@pytest.mark.parametrize("options", [{"temperature": 0}, {"seed": 4}, {"seed": 4, "temperature": 0.6, "top_k": 3},
                                     {"seed": 1, "top_p": 0.7, "exclude": [3]}])
def test_the_equations_in_numpy_write_what_the_live_model_writes(model, options):
    # One draw in 1e5 or so would fall between two sums of probabilities that differ by float32's rounding.
    texts = [open_pipeline("language_model", {"model": network}, files(unknown_token="<unk>", eos_token="<eos>"))
             .predict("boy sees", length=30, **options) for network in (ElmanNetwork(model), LiveNetwork(model))]
    assert texts[0] == texts[1]
    words = texts[0].split(" ")
    assert words[:2] == ["boy", "sees"] and len(words) == 32 and "<unk>" not in words
    assert "exclude" not in options or WORDS[3] not in words[2:]


def test_pieces_join_and_characters_have_no_separator(model):
    pipeline = open_pipeline("language_model", {"model": LiveNetwork(model)}, files("character"))
    pieces = list(pipeline.write(5, "ab", seed=2))
    assert len(pieces) == 7 and "".join(pieces) == pipeline.predict("ab", 5, seed=2)
    assert pipeline.predict(length=3, seed=2) == "".join(pipeline.write(3, seed=2)) and len(pipeline.answer("c")) == 301
    with pytest.raises(ValueError, match="the prefix has 'x' at position 1, which is not among the 6 tokens"):
        pipeline.predict("ax")


def test_ensembles_and_options_are_refused(model):
    network = LiveNetwork(model)
    with pytest.raises(ValueError, match="got an ensemble of 2"):
        open_pipeline("language_model", {"model": [network, network]}, files("character")).predict("a")
    with pytest.raises(ValueError, match="has no option 'length'; it takes none"):
        open_pipeline("language_model", {"model": network}, files("character"), {"length": 3})
