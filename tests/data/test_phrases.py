"""Phrases: scores by counting, joining from the left, splits, passes, messages."""
import numpy as np
import pytest

from gluon_rnn.data import Phrases, Words
from gluon_rnn.data.phrases import join_pairs, pair_scores

FILLER = [f"w{number}" for number in range(8)]


def text(lines=60):
    """Return lines of words without order; each second one has "new york", each fourth "new york city"."""
    rng, found = np.random.default_rng(0), []
    for number in range(lines):
        words = list(rng.choice(FILLER, 10))
        words[4:4] = ["new", "york"] * (number % 2) + ["city"] * (number % 4 == 1)
        found.append(" ".join(words))
    return "\n".join(found) + "\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "train.txt").write_text(text())
    (tmp_path / "valid.txt").write_text("they new york city\nw1\nyork new <unk> new york\n")
    return {name: str(tmp_path / f"{name}.txt") for name in ("train", "valid")}


def test_scores_by_counting():
    words = [1, 2, 3, -1, 1, 2, 2, 3, 1]
    pairs, scores = pair_scores(words, 0.5, 4)
    counts, found = {1: 3, 2: 3, 3: 2}, dict(zip(pairs.tolist(), scores))
    beside = {(1, 2): 2, (2, 3): 2, (2, 2): 1, (3, 1): 1}
    assert found == pytest.approx({a * 4 + b: (times - 0.5) / (counts[a] * counts[b]) * 9
                                   for (a, b), times in beside.items()})


def test_no_word_is_in_two_phrases():
    words = np.array([1, 1, 1, 1, 2, 1, 1, 1])
    assert join_pairs(words, [1 * 3 + 1], 3).astype(int).tolist() == [1, 0, 1, 0, 0, 1, 0, 0]
    assert not join_pairs(np.array([1, -1, 1]), [4], 3).any()


def test_words_become_phrases_and_chance_neighbours_do_not(files):
    data, plain = Phrases(**files, threshold=8.0), Words(**files)
    # new york: (30 - 5) / 30^2 * 705 is 20, york city: (15 - 5) / (30 * 15) * 705 is 16; two of w0 to w7: about 1
    assert data.phrases == ["new_york", "york_city"]

    def words(which):
        return [which.vocab.idx_to_token[index] for index in which.ids("train")]
    assert words(data) == " ".join(words(plain)).replace("new york", "new_york").split()
    assert not Phrases(**files, threshold=25.0).phrases


def test_other_splits_are_joined_by_the_pairs_of_the_training_split(files):
    data = Phrases(**files, threshold=8.0, joiner="+")
    words = [data.vocab.idx_to_token[index] for index in data.ids("valid")]
    assert words == ["<unk>", "new+york", "city", "<eos>", "w1", "<eos>", "<unk>", "<unk>", "<unk>", "new+york",
                     "<eos>"]                                             # "new" alone is not in the training split


def test_a_second_pass_makes_longer_phrases(files):
    data = Phrases(**files, threshold=8.0, passes=2)
    words = [data.vocab.idx_to_token[index] for index in data.ids("train")]
    assert "new_york_city" in data.phrases and words.count("new_york_city") == 15 and words.count("new_york") == 15


@pytest.mark.parametrize("changes, message", [
    ({"threshold": 0}, "threshold must be above 0 and discount at least 0, got 0"),
    ({"passes": 0}, "passes must be a whole number of at least 1, got 0"),
    ({"joiner": " "}, "joiner must be a text without white space such as '_', got ' '")])
def test_mistakes(files, changes, message):
    with pytest.raises(ValueError, match=message):
        Phrases(**files, **changes)
