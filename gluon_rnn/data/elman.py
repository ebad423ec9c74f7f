"""Elman's generated corpus of two- and three-word sentences, with its exact entropy rate.

Every sentence is drawn independently: a template uniformly, then each word uniformly from its category. With p(s) the
probability of the *distinct* sentence s (two templates may yield the same one),

    H = - sum_s p(s) log p(s)   [nats per sentence],     L = sum_s p(s) |s|   [tokens per sentence]

and the entropy rate of the stream is H / L nats per token, provided that the stream can be cut back into sentences in
one way only. It can where sentences end in a mark; without one, the Sardinas-Patterson test decides. No model can do
better on average than a perplexity of exp(H / L); one that has learnt the grammar and carries its state comes close.

References
----------
Elman (1990), Finding structure in time, Cognitive Science 14, section "Discovering lexical classes from word order":
29 words, 10,000 sentences, 27,354 words in one stream.
Sardinas & Patterson (1953), A necessary and sufficient condition for the unique decomposition of coded messages.
"""
import itertools
import math

import gluonnlp
import numpy as np

from gluon_rnn.data.readers import of_split, positions
from gluon_rnn.data.text import encode, tokenize
from gluon_rnn.registry import datasets

__all__ = ["ElmanGrammar", "LEXICON", "TEMPLATES", "draw_sentences", "entropy_rate", "sentence_distribution",
           "uniquely_decodable"]

# The paper's table of categories gives examples only; the other words are those of its cluster diagram, 29 in all.
LEXICON = {
    "NOUN-HUM": ("man", "woman", "boy", "girl"),
    "NOUN-ANIM": ("cat", "mouse", "dog"),
    "NOUN-INANIM": ("book", "rock", "car"),
    "NOUN-AGRESS": ("dragon", "monster", "lion"),
    "NOUN-FRAG": ("glass", "plate"),
    "NOUN-FOOD": ("cookie", "bread", "sandwich"),
    "VERB-INTRAN": ("think", "sleep", "exist"),
    "VERB-TRAN": ("see", "chase", "like"),
    "VERB-AGPAT": ("move", "break"),
    "VERB-PERCEPT": ("smell", "see"),
    "VERB-DESTROY": ("break", "smash"),
    "VERB-EAT": ("eat",),
}

TEMPLATES = (
    ("NOUN-HUM", "VERB-EAT", "NOUN-FOOD"),
    ("NOUN-HUM", "VERB-PERCEPT", "NOUN-INANIM"),
    ("NOUN-HUM", "VERB-DESTROY", "NOUN-FRAG"),
    ("NOUN-HUM", "VERB-INTRAN"),
    ("NOUN-HUM", "VERB-TRAN", "NOUN-HUM"),
    ("NOUN-HUM", "VERB-AGPAT", "NOUN-INANIM"),
    ("NOUN-HUM", "VERB-AGPAT"),
    ("NOUN-ANIM", "VERB-EAT", "NOUN-FOOD"),
    ("NOUN-ANIM", "VERB-TRAN", "NOUN-ANIM"),
    ("NOUN-ANIM", "VERB-AGPAT", "NOUN-INANIM"),
    ("NOUN-ANIM", "VERB-AGPAT"),
    ("NOUN-INANIM", "VERB-AGPAT"),
    ("NOUN-AGRESS", "VERB-DESTROY", "NOUN-FRAG"),
    ("NOUN-AGRESS", "VERB-EAT", "NOUN-HUM"),
    ("NOUN-AGRESS", "VERB-EAT", "NOUN-ANIM"),
    ("NOUN-AGRESS", "VERB-EAT", "NOUN-FOOD"),
)


def sentence_distribution(templates, lexicon):
    """Return {sentence: probability} over distinct sentences (tuples of words); templates of one sentence are merged.

    >>> sentence_distribution([("N", "V"), ("N",)], {"N": ("dog",), "V": ("bark", "run")})
    {('dog', 'bark'): 0.25, ('dog', 'run'): 0.25, ('dog',): 0.5}
    """
    distribution = {}
    for template in templates:
        choices = [lexicon[category] for category in template]
        probability = 1 / (len(templates) * math.prod(map(len, choices)))
        for sentence in itertools.product(*choices):
            distribution[sentence] = distribution.get(sentence, 0.0) + probability
    return distribution


def uniquely_decodable(sentences):
    """Tell whether a stream of such sentences without marks can be cut into them in one way only (Sardinas-Patterson).

    >>> uniquely_decodable([("a",), ("a", "b")]), uniquely_decodable([("a",), ("b",), ("a", "b")])
    (True, False)
    """
    sentences = set(sentences)
    tails = {rest for rest in _tails(sentences, sentences) if rest}   # a sentence less itself leaves nothing
    seen = set()
    while tails:
        if tails & sentences:
            return False
        seen |= tails
        tails = (_tails(sentences, tails) | _tails(tails, sentences)) - seen
    return True


def _tails(heads, wholes):
    """Return the rest of each of `wholes` after each of `heads` that is a prefix of it."""
    return {whole[size:] for whole in wholes for size in range(1, len(whole) + 1) if whole[:size] in heads}


def entropy_rate(templates, lexicon, end_of_sentence=False):
    """Return the exact entropy rate of the stream in nats per token, or None where it is not a finite sum.

    Parameters
    ----------
    templates, lexicon
        As `TEMPLATES` and `LEXICON`.
    end_of_sentence : bool
        Whether a mark that is no word ends each sentence. It adds one token and no entropy.

    Returns
    -------
    float or None
        None if there are no marks and the stream can be cut into sentences in more than one way: it is then a hidden
        Markov process, whose entropy rate has no closed form.
    """
    distribution = sentence_distribution(templates, lexicon)
    if not end_of_sentence and not uniquely_decodable(distribution):
        return None
    entropy = -sum(p * math.log(p) for p in distribution.values())
    length = sum(p * (len(sentence) + bool(end_of_sentence)) for sentence, p in distribution.items())
    return entropy / length


def draw_sentences(templates, lexicon, count, seed):
    """Return `count` sentences (tuples of words) drawn from a random generator of their own, determined by the seed."""
    rng = np.random.default_rng(seed)
    chosen = [templates[index] for index in rng.integers(len(templates), size=count)]
    longest = max(map(len, templates))
    uniform = rng.random((count, longest))   # one number per word: the sentences do not depend on the order of drawing
    return [tuple(lexicon[category][int(u * len(lexicon[category]))] for category, u in zip(template, row))
            for template, row in zip(chosen, uniform)]


@datasets.register("elman_grammar")
class ElmanGrammar:
    """Elman's simple sentences as one stream of words, generated, with the best possible score known exactly.

    Parameters
    ----------
    sentences : int, default 10000
        Number of sentences of all splits; the default is that of the paper.
    seed : int, default 0
        Of this corpus alone; other random generators neither change it nor are changed.
    split : 2 or 3 fractions, default (0.8, 0.1, 0.1)
        Train, valid and test, counted in sentences: no sentence is cut.
    end_of_sentence : str, optional
        For example "<eos>": a token after each sentence. Without one (the default, as in the paper) the stream shows
        no boundaries; the entropy rate is exact either way.

    Attributes
    ----------
    vocab : gluonnlp.Vocab
        The 29 words in alphabetical order, after `end_of_sentence` where there is one; no unknown token.
    categories : dict of str
        The category of each word, for pictures of the classes a network finds; the two verbs that are in two
        categories ("see", "break") have both, joined by "/".
    entropy_rate : float
        Nats per token; exp of it is the lowest perplexity that can be expected.
    unit, separator : "word", " "

    Examples
    --------
    >>> data = ElmanGrammar(sentences=100)
    >>> len(data.vocab), round(data.entropy_rate, 4)
    (29, 1.9487)
    """

    unit, separator = "word", " "

    def __init__(self, sentences=10000, seed=0, split=(0.8, 0.1, 0.1), end_of_sentence=None):
        if isinstance(sentences, bool) or not isinstance(sentences, int) or sentences < 1:
            raise ValueError(f"sentences must be a whole number, at least 1, got {sentences!r}")
        self.categories = {word: "/".join(category for category, words in LEXICON.items() if word in words)
                           for word in sorted(set().union(*LEXICON.values()))}
        if end_of_sentence in self.categories:
            raise ValueError(f"end_of_sentence {end_of_sentence!r} is a word of the grammar; choose another mark")
        self.vocab = gluonnlp.Vocab(gluonnlp.data.count_tokens(list(self.categories)), unknown_token=None,
                                    padding_token=None, bos_token=None, eos_token=end_of_sentence)
        self.entropy_rate = entropy_rate(TEMPLATES, LEXICON, end_of_sentence is not None)
        self._end = () if end_of_sentence is None else (end_of_sentence,)
        drawn = draw_sentences(TEMPLATES, LEXICON, sentences, seed)
        self._sentences = {name: drawn[start:stop] for name, (start, stop) in positions(sentences, split).items()}
        self.splits = tuple(self._sentences)

    def sentences(self, split):
        """Return the sentences of a split, a list of tuples of words without end marks."""
        return of_split(self._sentences, split)

    def ids(self, split):
        """Return the token ids of "train", "valid" or "test", (n,) int32."""
        stream = [word for sentence in self.sentences(split) for word in sentence + self._end]
        return encode(stream, self.vocab, f"the {split} split")

    def ideal(self, split):
        """Return the nats per token of the true grammar on this very split; it scatters about `entropy_rate`."""
        distribution = sentence_distribution(TEMPLATES, LEXICON)
        nats = -sum(math.log(distribution[sentence]) for sentence in self.sentences(split))
        return nats / sum(len(sentence) + len(self._end) for sentence in self.sentences(split))

    def tokenize(self, text):
        """Return the words of a piece of text such as a prefix."""
        return tokenize(text, self.unit)
