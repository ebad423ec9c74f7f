"""Texts of a class: a chain for each class by hand, live models, tunes and the files that answers write.

Tests `abc_notation.py` too.
"""
import json

import mxnet as mx
import numpy as np
import pytest

from gluon_rnn.answers import abc_notation, open_pipeline
from gluon_rnn.answers.conditional_language_model import ConditionalAssets
from gluon_rnn.answers.vocabulary import Vocabulary
from gluon_rnn.inference.live import FirstStatesNetwork, LiveNetwork
from gluon_rnn.models import ConditionalLanguageModel
from gluon_rnn.nn import GRU
from tests.answers.networks import Chain, First

LETTERS, LABELS = ["<unk>", "a", "b", "c"], ["up", "down"]


def files(abc=False, labels=LABELS, unit="character"):
    assets = ConditionalAssets(Vocabulary(LETTERS, unknown_token="<unk>"), labels, unit, abc)
    return assets.texts().__getitem__


def test_a_chain_for_each_class():
    networks = {"first": First(), "model": Chain()}
    pipeline = open_pipeline("conditional_language_model", networks, files(), {"temperature": 0})
    assert pipeline.predict("up", count=2) == ["abc", "abc"] and pipeline.answer("down") == "cba"
    assert pipeline.draw([1, 0], temperature=0, max_length=3) == [("cba", False), ("abc", False)]
    words = open_pipeline("conditional_language_model", networks, files(unit="word"), {"max_length": 2})
    assert words.predict("up") == ["a b"] and words.predict("up", max_length=9) == ["a b c"]
    with pytest.raises(ValueError, match="no class 'upp'; did you mean 'up'"):
        pipeline.predict("upp")
    for count in (0, -1, "2"):
        with pytest.raises(ValueError, match=f"count must be a whole number of at least 1, got {count!r}"):
            pipeline.predict("up", count)


def test_a_live_model_writes_what_its_states_and_seeds_say(tmp_path):
    model = ConditionalLanguageModel(5, GRU(6), num_classes=2)
    model.initialize(mx.init.Normal(0.8))
    networks = {"first": FirstStatesNetwork(model), "model": LiveNetwork(model)}
    pipeline = open_pipeline("conditional_language_model", networks, files(), {"max_length": 12})
    texts = pipeline.predict("down", 3, path=tmp_path / "texts.txt", seed=8)
    assert (tmp_path / "texts.txt").read_text() == "\n".join(texts) and len(texts) == 3
    assert pipeline.predict("down", 2, seed=8) == texts[:2]               # row by row
    # the first token, by the probabilities of the live model without the unknown one
    logits = model(mx.nd.array([[4]], dtype="int32"), model.states_for(mx.nd.array([1], dtype="int32")))[0]
    weights = np.exp(logits.asnumpy()[0, 0].astype(np.float64))[1:]
    drawn = [text[:1] for text in pipeline.predict("down", 800, seed=1, max_length=1)]
    counts = np.array([drawn.count(letter) for letter in [*LETTERS[1:], ""]])
    expected = 800 * weights / weights.sum()
    # chi square with 3 degrees of freedom exceeds 21.1 with probability 1e-4
    assert ((counts - expected) ** 2 / expected).sum() < 21.1


def test_tunes_are_whole_and_written(tmp_path, monkeypatch):
    networks = {"first": First(), "model": Chain()}
    pipeline = open_pipeline("conditional_language_model", networks, files(True, ["6/8", "4/4"]), {"temperature": 0})
    tune = "X:1\nT:Untitled\nM:6/8\nabc\n"
    assert pipeline.predict("6/8", 2) == [tune, tune.replace("X:1", "X:2")] and pipeline.answer("6/8") == tune
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)    # without music21 there is no MIDI file
    answer = pipeline.answer("6/8", tmp_path / "new", 2)
    assert answer == f"{tune}\n({tmp_path / 'new' / 'tune-2.abc'})"
    assert (tmp_path / "new" / "tune-2.abc").read_text() == tune


def test_midi_needs_a_readable_tune(tmp_path):
    pytest.importorskip("music21", reason="music21 is in the extra music")
    with pytest.raises(ValueError, match="not readable as ABC notation"):
        abc_notation.write_midi("no tune at all", tmp_path / "none.mid")
    assert not (tmp_path / "none.mid").exists()


def test_assets_come_back():
    assets = ConditionalAssets.from_texts(files(True))
    assert (assets.labels, assets.unit, assets.abc, assets.boundary) == (LABELS, "character", True, 4)
    assert json.loads(assets.texts()["classes.json"]) == {"labels": LABELS, "unit": "character", "abc": True}
