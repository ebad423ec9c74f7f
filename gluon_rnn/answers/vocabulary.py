"""Tokens and their ids, read from the JSON text of gluonnlp's vocabularies without gluonnlp."""
import json

from gluon_rnn.registry import suggest

__all__ = ["Vocabulary"]

_SPECIAL = ("padding_token", "bos_token", "eos_token")


class Vocabulary:
    """Tokens and their ids, as `gluonnlp.Vocab` has them.

    Parameters
    ----------
    idx_to_token : list of str
        Tokens in the order of their ids, special ones among them.
    unknown_token, padding_token, bos_token, eos_token : str, optional

    Attributes
    ----------
    token_to_idx : dict of str to int

    Raises
    ------
    ValueError
        If a token has two ids, or a special token has none.

    Examples
    --------
    >>> vocab = Vocabulary(["<unk>", "a", "b"], unknown_token="<unk>")
    >>> vocab["b"], vocab[["a", "z"]], len(vocab), "z" in vocab
    (2, [1, 0], 3, False)
    """

    def __init__(self, idx_to_token, *, unknown_token=None, padding_token=None, bos_token=None, eos_token=None):
        self.idx_to_token = list(idx_to_token)
        self.token_to_idx = {token: index for index, token in enumerate(self.idx_to_token)}
        self.unknown_token, self.padding_token = unknown_token, padding_token
        self.bos_token, self.eos_token = bos_token, eos_token
        if len(self.token_to_idx) < len(self.idx_to_token):
            twice = next(token for index, token in enumerate(self.idx_to_token) if self.token_to_idx[token] != index)
            raise ValueError(f"the vocabulary has the token {twice!r} twice; each token has one id, write it anew")
        for name in ("unknown_token", *_SPECIAL):
            token = getattr(self, name)
            if token is not None and token not in self.token_to_idx:
                raise ValueError(f"the vocabulary's {name} {token!r} is not among its {len(self)} tokens; write it "
                                 "anew")

    @classmethod
    def from_json(cls, text):
        """Return the vocabulary that `to_json`, or that of a `gluonnlp.Vocab`, wrote; ValueError for other text."""
        try:
            saved = json.loads(text)
            special = {**{name: saved.get(name) for name in _SPECIAL}, **saved.get("identifiers_to_tokens", {})}
            vocab = cls(saved["idx_to_token"], unknown_token=saved["unknown_token"],
                        **{name: special[name] for name in _SPECIAL})
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"expected a vocabulary as gluonnlp.Vocab.to_json writes it, got {text[:60]!r} "
                             f"({type(error).__name__}: {error}); write it anew") from None
        if vocab.token_to_idx != saved.get("token_to_idx", vocab.token_to_idx):
            raise ValueError("the vocabulary's token_to_idx and idx_to_token differ; write it anew")
        return vocab

    def to_json(self):
        """Return JSON text that `from_json` and `gluonnlp.Vocab.from_json` read."""
        special = {name: getattr(self, name) for name in _SPECIAL}
        return json.dumps({"idx_to_token": self.idx_to_token, "token_to_idx": self.token_to_idx,
                           "reserved_tokens": [token for token in special.values() if token is not None] or None,
                           "unknown_token": self.unknown_token, "identifiers_to_tokens": special})

    def __getitem__(self, tokens):
        """Return the id of a token, or the ids of a list of them; ValueError for one without id and unknown token."""
        if isinstance(tokens, (list, tuple)):
            return [self[token] for token in tokens]
        index = self.token_to_idx.get(tokens, self.token_to_idx.get(self.unknown_token))
        if index is None:
            raise ValueError(f"{tokens!r} is not among the {len(self)} tokens of the vocabulary; "
                             f"{suggest(tokens, self.idx_to_token[:50])}")
        return index

    def to_indices(self, tokens):
        """Return ids as ``vocab[tokens]`` does."""
        return self[tokens]

    __call__ = to_indices

    def to_tokens(self, indices):
        """Return the token of an id, or a list of those of a list of ids; ValueError for an id out of range."""
        if isinstance(indices, (list, tuple)):
            return [self.to_tokens(index) for index in indices]
        if not 0 <= indices < len(self):
            raise ValueError(f"token ids lie from 0 to {len(self) - 1}, got {indices}")
        return self.idx_to_token[indices]

    def __contains__(self, token):
        return token in self.token_to_idx

    def __len__(self):
        return len(self.idx_to_token)

    def __eq__(self, other):
        return isinstance(other, Vocabulary) and self.to_json() == other.to_json()

    __hash__ = None

    def __repr__(self):
        return f"{type(self).__name__}({len(self):,} tokens, unknown {self.unknown_token!r})"
