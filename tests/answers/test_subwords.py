"""Pieces of words: nothing is lost or unknown, draws are more than one and come again, settings go through JSON.

Tests `gluon_rnn/data/subwords.py` too, where the names stay.
"""
import doctest
import json

import numpy as np
import pytest

pytest.importorskip("sentencepiece", reason="sentencepiece is in the extra: pip install gluon_rnn[data]")

from gluon_rnn.data import ParallelText, SentenceTokenizer, SubwordTokenizer, subwords  # noqa: E402
from gluon_rnn.data.sentences import normalise  # noqa: E402
from gluon_rnn.data.subwords import tokenizer_of  # noqa: E402

SENTENCES = ["Tom n'est pas là.", "Il est là, n'est-ce pas ?", "Elle dort peu.", "Où est Tom ?"] * 10


@pytest.fixture(scope="module")
def tokenizer():
    return SubwordTokenizer.fit(SENTENCES, 60)


@pytest.mark.parametrize("text", ["Tom dort.", "  n'est-ce\u00a0pas  ?", "\u2581 Ω zzz", ""])
def test_pieces_join_to_the_normalised_sentence(tokenizer, text):
    wanted = normalise(text.replace("\u2581", " "))
    assert tokenizer.join(tokenizer.split(text)) == tokenizer.normalise(text) == wanted
    assert tokenizer.join(tokenizer.sample(text, 0.1)) == wanted


def test_draws_differ_and_come_again(tokenizer):
    def draw():
        tokenizer.seed(3)
        return [tuple(tokenizer.sample(SENTENCES[1], 0.1)) for _ in range(20)]

    first = draw()
    assert len(set(first)) > 5 and draw() == first
    # p^alpha with a large alpha is the most probable way alone
    assert tuple(tokenizer.sample(SENTENCES[1], 1000.0)) == tuple(tokenizer.split(SENTENCES[1]))


def test_every_piece_of_a_draw_is_known(tokenizer):
    pieces = set(tokenizer.pieces)
    assert all(set(tokenizer.sample(sentence, 0.1)) <= pieces for sentence in SENTENCES)


@pytest.mark.parametrize("make", [lambda: SubwordTokenizer.fit(SENTENCES, 60, lower=True),
                                  lambda: SentenceTokenizer("character")])
def test_settings_go_through_json(make):
    made = make()
    again = tokenizer_of(json.loads(json.dumps(made.settings)))
    assert type(again) is type(made) and again.split("Tom Dort.") == made.split("Tom Dort.")


def test_too_few_pieces_are_refused():
    with pytest.raises(ValueError, match="no 3 subwords can be learnt from 40 sentences .*; set num_subwords to more"):
        SubwordTokenizer.fit(SENTENCES, 3)


def test_examples():
    assert doctest.testmod(subwords).failed == 0


@pytest.fixture
def pairs(tmp_path):
    """Return a function that reads 40 pairs as subwords."""
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{sentence[::-1]}{n}\t{sentence}\n" for n, sentence in enumerate(SENTENCES)))
    return lambda **options: ParallelText(path, [0.8, 0.2], unit="subword", num_subwords=80, **options)


def test_training_ids_are_drawn_by_seed_and_evaluation_is_not(pairs):
    data = pairs(subword_alpha=0.1)
    ids = [data.training_ids([0, epoch])[1].ids for epoch in (0, 1, 0)]
    assert np.array_equal(ids[0], ids[2]) and not np.array_equal(ids[0], ids[1])
    unknown = data.target_vocab.token_to_idx["<unk>"]
    assert all((drawn != unknown).all() for drawn in ids)
    texts = [data.tokenizer.join(data.target_vocab.to_tokens(data.training_ids([1])[1][n].tolist())[:-1])
             for n in range(5)]
    assert texts == [data.tokenizer.normalise(target) for _, target in data.texts("train")[:5]]


def test_without_alpha_training_ids_never_change(pairs):
    data = pairs()
    assert data.training_ids([0, 0]) is data.ids("train")


@pytest.mark.parametrize("options, message", [
    ({"unit": "word", "subword_alpha": 0.1}, "goes with unit subword, got 0.1 and unit word"),
    ({"unit": "subword", "subword_alpha": -1.0}, "a number above 0"),
    ({"unit": "subword", "subword_alpha": 0.1, "min_freq": 2}, "min_freq 2 has no meaning"),
])
def test_options_that_do_not_go_together_are_refused(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        ParallelText(tmp_path / "none.tsv", [0.5, 0.5], **options)
