"""Sentences of natural language as words and punctuation, and back, without loss.

``Ils n'en ont-ils pas, Tom's?`` becomes ``Ils n'¦ en ont ¦-¦ ils pas ¦, Tom ¦'s ¦?``: a mark (here ¦) on a side of a
token says that no space separates it from its neighbour there. Words carry no mark, so that a word is the same token
in all places. An apostrophe belongs to the word before it (French l', n', qu') or to an English ending ('s, 't, 'll).
The model learns spaces before punctuation, as in French, like other tokens.
"""
import re
import unicodedata

__all__ = ["MARK", "SentenceTokenizer", "normalise"]

#: U+FFED, halfwidth black square: does not occur in texts.
MARK = "\uffed"
_ENDING = r"'(?:s|t|m|d|re|ve|ll)\b"
_TOKEN = re.compile(rf"""
    (?<=\w){_ENDING} |                 # an English ending directly after a word
    \d+(?:[.,]\d+)+ |                 # 3.14 and 10,000
    \w+(?:(?!{_ENDING})'(?=\w))? |    # a word, with the apostrophe that ties it to the next one
    [^\w\s]                           # any other sign""", re.VERBOSE | re.IGNORECASE)
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'", MARK: " "})


def normalise(text):
    """Return text in Unicode's form NFC, with one kind of apostrophe, and one plain space for each run of white space.

    No-break spaces are white space too.

    >>> normalise("  C\u2019est\u00a0bon\u202f! ")
    "C'est bon !"
    """
    return " ".join(unicodedata.normalize("NFC", text).translate(_APOSTROPHES).split())


class SentenceTokenizer:
    """Tokenizer of sentences, and its inverse.

    Parameters
    ----------
    unit : {"word", "character"}, default "word"
        "word": words, numbers and signs, see the module; "character": the characters of the normalised sentence.
    lower : bool, default False
        Whether letters are made small.

    Examples
    --------
    >>> tokenizer = SentenceTokenizer()
    >>> tokens = tokenizer.split("Qu'est-ce que c'est ?")
    >>> [token.replace(MARK, "|") for token in tokens]
    ["Qu'|", 'est', '|-|', 'ce', 'que', "c'|", 'est', '?']
    >>> tokenizer.join(tokens)
    "Qu'est-ce que c'est ?"
    """

    def __init__(self, unit="word", lower=False):
        if unit not in ("word", "character"):
            raise ValueError(f"unit must be 'word', 'character' or, for pairs of sentences, 'subword', got {unit!r}")
        self.unit, self.lower = unit, lower

    @property
    def settings(self):
        """All of it as a dict that JSON holds; see `gluon_rnn.answers.subwords.tokenizer_of`."""
        return {"unit": self.unit, "lower": self.lower}

    def normalise(self, text):
        """Return the text as `join` gives it back: see `normalise`, in small letters where `lower`."""
        return normalise(text.lower() if self.lower else text)

    def split(self, text):
        """Return the tokens of a sentence, a list of str."""
        text = self.normalise(text)
        if self.unit == "character":
            return list(text)
        spans = [match.span() for match in _TOKEN.finditer(text)]
        tokens = [text[begin:end] for begin, end in spans]
        for index in range(1, len(spans)):
            if spans[index - 1][1] == spans[index][0]:
                word = text[spans[index][0]]
                if word.isalnum() or word == "_":
                    tokens[index - 1] += MARK                             # the sign before it is tied to the word
                else:
                    tokens[index] = MARK + tokens[index]
        return tokens

    def join(self, tokens):
        """Return the sentence of `tokens`."""
        if self.unit == "character":
            return "".join(tokens)
        text = " ".join(tokens)
        return text.replace(f"{MARK} ", "").replace(f" {MARK}", "").replace(MARK, "")
