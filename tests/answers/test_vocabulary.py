"""Vocabularies without gluonnlp: the same ids as gluonnlp's from its text, and the same text back."""
import json

import pytest

import gluon_rnn  # noqa: F401  first of all: it prepares the process for MXNet
from gluon_rnn.answers.vocabulary import Vocabulary

gluonnlp = pytest.importorskip("gluonnlp")
WORDS = ["to", "be", "or", "not", "to", "be", "that", "is", "the", "question"]


@pytest.mark.parametrize("special", [
    {}, {"padding_token": None, "bos_token": None, "eos_token": None},
    {"unknown_token": None, "padding_token": None, "bos_token": None},
    {"padding_token": None, "bos_token": None, "min_freq": 2}])
def test_gluonnlp_and_this_class_read_each_others_text(special):
    theirs = gluonnlp.Vocab(gluonnlp.data.count_tokens(WORDS), **special)
    ours = Vocabulary.from_json(theirs.to_json())
    assert ours.idx_to_token == theirs.idx_to_token and ours.token_to_idx == dict(theirs.token_to_idx)
    for name in ("unknown_token", "padding_token", "bos_token", "eos_token"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert json.loads(ours.to_json()) == json.loads(theirs.to_json())
    assert json.loads(gluonnlp.Vocab.from_json(ours.to_json()).to_json()) == json.loads(theirs.to_json())
    assert ours[["be", "to"]] == theirs[["be", "to"]] == ours(["be", "to"]) == ours.to_indices(("be", "to"))
    assert ours.to_tokens([0, 1]) == theirs.to_tokens([0, 1]) and len(ours) == len(theirs) and "be" in ours
    if theirs.unknown_token is not None:
        assert ours["hamlet"] == theirs["hamlet"]


def test_a_token_without_an_id_is_named():
    with pytest.raises(ValueError, match="'c' is not among the 2 tokens of the vocabulary"):
        Vocabulary(["a", "b"])["c"]
    with pytest.raises(ValueError, match="token ids lie from 0 to 1, got 2"):
        Vocabulary(["a", "b"]).to_tokens(2)
    with pytest.raises(ValueError, match="token ids lie from 0 to 1, got -1"):
        Vocabulary(["a", "b"]).to_tokens([0, -1])


def test_vocabularies_that_are_none():
    with pytest.raises(ValueError, match="has the token 'a' twice"):
        Vocabulary(["a", "b", "a"])
    with pytest.raises(ValueError, match="eos_token '<eos>' is not among its 1 tokens"):
        Vocabulary(["a"], eos_token="<eos>")
    for text in ("", "[]", "{}", '{"idx_to_token": 3, "unknown_token": null}'):
        with pytest.raises(ValueError, match=r"expected a vocabulary as gluonnlp.Vocab.to_json writes it"):
            Vocabulary.from_json(text)
    text = json.dumps({"idx_to_token": ["a"], "token_to_idx": {"a": 1}, "unknown_token": None})
    with pytest.raises(ValueError, match="token_to_idx and idx_to_token differ"):
        Vocabulary.from_json(text)


def test_equality_and_looks():
    assert Vocabulary(["a"]) == Vocabulary(["a"]) != Vocabulary(["b"])
    assert repr(Vocabulary(["a"], unknown_token="a")) == "Vocabulary(1 tokens, unknown 'a')"
