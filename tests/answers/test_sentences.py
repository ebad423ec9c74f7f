"""Sentences to tokens and back: nothing is lost, words carry no marks, French and English apostrophes.

Tests `gluon_rnn/data/sentences.py` too, where the names stay.
"""
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gluon_rnn.data.sentences import MARK, SentenceTokenizer, normalise


def split(text, **options):
    return [token.replace(MARK, "|") for token in SentenceTokenizer(**options).split(text)]


@pytest.mark.parametrize("text, tokens", [
    ("Ils n'en ont-ils pas, Tom's?", ["Ils", "n'|", "en", "ont", "|-|", "ils", "pas", "|,", "Tom", "|'s", "|?"]),
    ("J’ai 10,000 € !", ["J'|", "ai", "10,000", "€", "!"]),
    ("I'll don't.", ["I", "|'ll", "don", "|'t", "|."]),
    ("l'endroit", ["l'|", "endroit"]),           # not the English ending 'd of "endroit"
    ('"Oui"', ['"|', "Oui", '|"']),
    ("3.14, 5.", ["3.14", "|,", "5", "|."]),
    ("a\u00a0b\u202fc\td", ["a", "b", "c", "d"]),
    ("e\u0301te\u0301", ["été"]),                # two signs of Unicode that are one letter
    ("", []), (" \t ", [])])
def test_tokens(text, tokens):
    assert split(text) == tokens


@given(st.text(alphabet=st.sampled_from(list("ab'’- .,!?é1\u00a0\u202f_\"()s t")), max_size=30))
def test_nothing_is_lost(text):
    for options in ({}, {"lower": True}, {"unit": "character"}):
        tokenizer = SentenceTokenizer(**options)
        assert tokenizer.join(tokenizer.split(text)) == tokenizer.normalise(text)


@given(st.text(max_size=20))
def test_nothing_is_lost_of_any_text(text):
    tokenizer = SentenceTokenizer()
    assert tokenizer.join(tokenizer.split(text)) == normalise(text)


def test_lower_and_characters():
    assert split("Où ÇA ?", lower=True) == ["où", "ça", "?"]
    assert split("Où ça", unit="character") == ["O", "ù", " ", "ç", "a"]
    with pytest.raises(ValueError, match="unit must be 'word', 'character' or, for pairs of sentences, 'subword', got"):
        SentenceTokenizer("words")
