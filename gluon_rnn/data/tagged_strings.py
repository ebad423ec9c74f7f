"""Generated strings with a tag for each symbol, as the task "tagging" takes them."""
import collections

import gluonnlp

from gluon_rnn.answers.tags import TagEncoder
from gluon_rnn.data.readers import of_split
from gluon_rnn.data.tagged_text import Sentence

__all__ = ["TaggedStrings"]


class TaggedStrings:
    """Base of generated data sets whose strings have a tag at each symbol.

    Parameters
    ----------
    parts : dict of str to list of (symbols, tags)
        By split; each two sequences of texts of one length.
    symbols, tags : sequence of str
        All there are, in the order of their numbers.

    Attributes
    ----------
    splits : tuple of str
    encoder : TagEncoder
    duplicates : dict of str to int
        For splits other than "train", how many of their strings stand in the training split too.
    """

    def __init__(self, parts, symbols, tags):
        self._strings = {split: [Sentence(tuple(words), tuple(marks)) for words, marks in strings]
                         for split, strings in parts.items()}
        self.splits = tuple(parts)
        known = {string.words for string in self._strings["train"]}
        self.duplicates = {split: sum(string.words in known for string in strings)
                           for split, strings in self._strings.items() if split != "train"}
        # Counts that fall, so that the vocabulary keeps the order given.
        counter = collections.Counter({symbol: len(symbols) - place for place, symbol in enumerate(symbols)})
        vocab = gluonnlp.Vocab(counter, unknown_token="<unk>", padding_token=None, bos_token=None, eos_token=None)
        self.encoder = TagEncoder(vocab, vocab, list(tags))

    def sequences(self, split):
        """Return the strings of "train", "valid" or "test", a list of `Sentence` (words, tags)."""
        return of_split(self._strings, split)

    def __repr__(self):
        sizes = ", ".join(f"{split} {len(strings):,}" for split, strings in self._strings.items())
        return f"{type(self).__name__}(strings: {sizes}; {len(self.encoder.tags)} tags)"
