"""Words as ids of words and characters, and ids of tags as names."""
import numpy as np

from gluon_rnn.answers.checks import check_sizes

__all__ = ["TagEncoder"]


class TagEncoder:
    """Encoder of words as ids of words and characters, and decoder of tag ids to names.

    Parameters
    ----------
    words, chars : Vocabulary or gluonnlp.Vocab
        With an unknown token.
    tags : list of str
    lowercase : bool, default False
        Words are looked up in lower case; characters are not.
    max_word_length : int, default 30
        Of a longer word the first and the last characters are spelled, half of this number each.
    """

    def __init__(self, words, chars, tags, lowercase=False, max_word_length=30):
        check_sizes(max_word_length=max_word_length)
        self.words, self.chars, self.tags = words, chars, list(tags)
        self.lowercase, self.max_word_length = lowercase, max_word_length
        self._word_ids, self._char_ids = dict(words.token_to_idx), dict(chars.token_to_idx)
        self._tag_ids = {tag: index for index, tag in enumerate(self.tags)}
        self._spelled = {}

    def word_ids(self, words):
        """Return the ids of a sentence's words, (T,) int32; the unknown word's where the vocabulary has none."""
        unknown = self._word_ids[self.words.unknown_token]
        words = (word.lower() for word in words) if self.lowercase else words
        return np.array([self._word_ids.get(word, unknown) for word in words], dtype=np.int32)

    def spell(self, word):
        """Return the ids of a word's characters, (M,) int32; the same array each time for a word of the vocabulary."""
        if word in self._spelled:
            return self._spelled[word]
        unknown, half = self._char_ids[self.chars.unknown_token], self.max_word_length // 2
        short = word if len(word) <= self.max_word_length else word[:self.max_word_length - half] + word[
            len(word) - half:]
        ids = np.array([self._char_ids.get(char, unknown) for char in short], dtype=np.int32)
        if word in self._word_ids:                                        # of other words there is no end
            self._spelled[word] = ids
        return ids

    def tag_ids(self, tags):
        """Return the ids of a sentence's tags, (T,) int32."""
        return np.array([self._tag_ids[tag] for tag in tags], dtype=np.int32)
