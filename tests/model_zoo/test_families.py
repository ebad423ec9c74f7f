"""Families are read from the recipe of a model."""
import pytest

from gluon_rnn import recipes
from gluon_rnn.model_zoo.families import ENCODERS, FAMILIES, families_of
from gluon_rnn.registry import encoders


def test_every_encoder_has_a_family():
    assert set(ENCODERS) == set(encoders.names()) - {"bidirectional"} and len(set(FAMILIES)) == len(FAMILIES)


@pytest.mark.parametrize("recipe,changes,families", [
    ("quickstart", [], ["LSTM"]),
    ("identify/gas_furnace_narx", [], ["NARX"]),
    ("translate/eng_fra_luong", [], ["GRU", "bidirectional", "attention"]),
    ("translate/eng_fra_none", [], ["GRU", "bidirectional"]),
    ("tag/ewt_upos_chars", ["model.crf=true"], ["LSTM", "bidirectional", "CRF"]),
    ("tag/ewt_upos_words", ["model.encoder.bidirectional=false"], ["LSTM"]),
    ("ctc/spoken_digit_strings_lstm", [], ["LSTM", "CTC", "bidirectional"]),
    ("quickstart", ["model.encoder={name: jordan, hidden_size: 8, output_size: 4}"], ["Jordan"]),
    ("classify/pendigits_lstm", ["model.encoder={name: bidirectional, hidden_size: 4, cell: gru}"],
     ["GRU", "bidirectional"]),
])
def test_families_of(recipe, changes, families):
    assert families_of(recipes.load(f"configs/{recipe}.yaml", changes)) == families
