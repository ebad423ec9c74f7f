"""The copy memory problem: say ten symbols again after T steps, a test of how much is kept and for how long.

    inputs    s_1 ... s_K  . . . . (T - 1 blanks)  ?  . . . . (K blanks)        T + 2 K steps
    targets   . . . . . . . . . . . (T + K blanks)    s_1 ... s_K

with s_k drawn independently and uniformly from M symbols. A network without memory says "." for T + K steps and then
any symbol: K ln M / (T + 2 K) nats a step, with K = 10 and M = 8 the 10 ln 8 / (T + 20) of the papers.

References
----------
Hochreiter & Schmidhuber (1997), Long short-term memory: problems of this kind.
Arjovsky, Shah & Bengio (2016), Unitary evolution recurrent neural networks, section 4.1: the form above.
"""
import math
import string

import gluonnlp
import numpy as np

from gluon_rnn.data.readers import SPLITS, of_split
from gluon_rnn.data.tagged_text import Sentence, TagEncoder
from gluon_rnn.nn.checks import check_sizes
from gluon_rnn.registry import datasets

__all__ = ["BLANK", "SIGNAL", "CopyMemory", "draw_copies", "memoryless_loss"]

BLANK, SIGNAL, UNK = ".", "?", "<unk>"


def draw_copies(count, delay, copied, symbols, rng):
    """Return inputs and targets, (count, delay + 2 * copied) int64 each, drawn by a NumPy generator.

    Numbers 0 to `symbols` - 1 are the symbols, `symbols` is the blank and `symbols` + 1 the signal to answer.
    """
    drawn = rng.integers(symbols, size=(count, copied))
    inputs = np.full((count, delay + 2 * copied), symbols)
    targets = inputs.copy()
    inputs[:, :copied], inputs[:, copied + delay - 1] = drawn, symbols + 1
    targets[:, copied + delay:] = drawn
    return inputs, targets


def memoryless_loss(delay, copied=10, symbols=8):
    """Return K ln M / (T + 2 K), the nats a step of the best answer that knows nothing of the symbols.

    >>> round(memoryless_loss(100), 4), round(memoryless_loss(1000), 4)
    (0.1733, 0.0204)
    """
    return copied * math.log(symbols) / (delay + 2 * copied)


@datasets.register("copy_memory")
class CopyMemory:
    """The copy memory problem, generated, for the task ``tagging``; see the module.

    Parameters
    ----------
    delay : int, >= 1, default 100
        T.
    copied : int, >= 1, default 10
        K, symbols to remember.
    symbols : int from 2 to 26, default 8
        M; they are called a, b, c, ...
    train, valid, test : int, default 10000, 500, 500
        Sequences in each split.
    seed : int, default 0
        Of these data alone; other random generators neither change them nor are changed.

    Attributes
    ----------
    splits : tuple of str
    encoder : TagEncoder
        M + 2 words and an unknown one, M + 1 tags.
    duplicates : dict of str to int
        For "valid" and "test", how many of their sequences stand in the training split too.
    baseline : float
        `memoryless_loss` of these sizes, nats a step.

    Examples
    --------
    >>> words, tags = CopyMemory(delay=3, copied=2, train=4, valid=1, test=1).sequences("test")[0]
    >>> words, tags
    (('h', 'a', '.', '.', '?', '.', '.'), ('.', '.', '.', '.', '.', 'h', 'a'))
    """

    def __init__(self, delay: int = 100, copied: int = 10, symbols: int = 8, train: int = 10000, valid: int = 500,
                 test: int = 500, seed: int = 0):
        sizes = {"train": train, "valid": valid, "test": test}
        check_sizes(delay=delay, copied=copied, **sizes)
        if isinstance(symbols, bool) or not isinstance(symbols, int) or not 2 <= symbols <= 26:
            raise ValueError(f"symbols must be a whole number from 2 to 26, one letter each, got {symbols!r}")
        names = np.array([*string.ascii_lowercase[:symbols], BLANK, SIGNAL], dtype=object)
        self.splits, self.baseline = SPLITS, memoryless_loss(delay, copied, symbols)
        self._sentences = {}
        for number, (split, size) in enumerate(sizes.items()):
            drawn = draw_copies(size, delay, copied, symbols, np.random.default_rng([seed, number]))
            self._sentences[split] = [Sentence(tuple(words), tuple(tags)) for words, tags in zip(*names[list(drawn)])]
        known = {sentence.words for sentence in self._sentences["train"]}
        self.duplicates = {split: sum(sentence.words in known for sentence in self._sentences[split])
                           for split in ("valid", "test")}
        vocab = gluonnlp.Vocab(gluonnlp.data.count_tokens(list(names)), unknown_token=UNK, padding_token=None,
                               bos_token=None, eos_token=None)
        self.encoder = TagEncoder(vocab, vocab, [BLANK, *names[:symbols]])

    def sequences(self, split):
        """Return the sequences of "train", "valid" or "test", a list of `Sentence`: words in, tags out."""
        return of_split(self._sentences, split)

    def __repr__(self):
        sizes = ", ".join(f"{split} {len(sentences):,}" for split, sentences in self._sentences.items())
        return f"{type(self).__name__}(sequences: {sizes}; without memory {self.baseline:.4f} nats a step)"
