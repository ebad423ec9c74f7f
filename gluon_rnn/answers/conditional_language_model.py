"""Conditional language models: sequences of a class, drawn token by token."""
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gluon_rnn.answers.abc_notation import to_abc, write_midi
from gluon_rnn.answers.checks import check_sizes
from gluon_rnn.answers.pipeline import Pipeline
from gluon_rnn.answers.sampling import MAX_LENGTH, generate
from gluon_rnn.answers.streaming import require_one
from gluon_rnn.answers.vocabulary import Vocabulary
from gluon_rnn.registry import suggest

__all__ = ["ConditionalAssets", "ConditionalLanguageModelPipeline"]


@dataclass
class ConditionalAssets:
    """Vocabulary, names of classes, "character" or "word", and whether texts are tunes in ABC notation.

    One more token than the vocabulary has stands before and behind each sequence. The class of a tune is its metre.
    """

    vocab: Any
    labels: list
    unit: str
    abc: bool = False

    #: the class of vocabulary that `from_texts` makes; a plain attribute, no field
    vocabulary_class = Vocabulary

    @property
    def boundary(self):
        """The id of the token before and behind each sequence."""
        return len(self.vocab)

    def join(self, ids):
        """Return the text of token ids."""
        return ("" if self.unit == "character" else " ").join(self.vocab.idx_to_token[index] for index in ids)

    def texts(self):
        """Return the two files."""
        return {"vocab.json": self.vocab.to_json(),
                "classes.json": json.dumps({"labels": self.labels, "unit": self.unit, "abc": self.abc})}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        return cls(cls.vocabulary_class.from_json(read("vocab.json")), **json.loads(read("classes.json")))


class ConditionalLanguageModelPipeline(Pipeline):
    """The name of a class in, texts of that class out.

    Networks: "first", ``_, states = first(classes)``, takes class numbers (N,) int32 to the states before the first
    token; "model" takes token ids (T, N) int32, and its outputs are logits (T, N, V + 1), the last token being the
    boundary. Options: `temperature`, `top_p` and `max_length` of `gluon_rnn.answers.sampling.generate` where a call
    names no others.
    """

    task = "conditional_language_model"
    assets_class = ConditionalAssets
    network_names = ("first", "model")
    option_names = ("temperature", "top_p", "max_length")

    def __init__(self, networks, assets, options=None):
        super().__init__(networks, assets, options)
        self.options = {"max_length": MAX_LENGTH, **self.options}

    def draw(self, classes, seed=None, **options):
        """Return (text, finished) of a sequence drawn for each of `classes`, numbers; `options` as for `generate`."""
        vocab, boundary = self.assets.vocab, self.assets.boundary
        first, model = (require_one(self.networks[name]) for name in self.network_names)
        _, states = first(np.array(list(classes), dtype=np.int32))
        drawn = generate(model, states, len(classes), boundary, boundary, seed=seed,
                         exclude=[vocab.token_to_idx[vocab.unknown_token]], **options)
        return [(self.assets.join(ids), finished) for ids, finished in drawn]

    def predict(self, label, count=1, path=None, midi=None, seed=None, **options):
        """Return texts of a class that the model writes, a list of `count`.

        Parameters
        ----------
        label : str
            Name of the class.
        count : int, >= 1, default 1
        path : str or Path, optional
            A text file that is written, for tunes one in ABC notation.
        midi : str or Path, optional
            A MIDI file of the first tune; needs music21.
        seed : int, optional
            The same texts for the same seed; others each time without one.
        options
            `temperature`, `top_k`, `top_p`, `max_length` of `gluon_rnn.answers.sampling.generate`; by default those of
            the run's recipe.

        Raises
        ------
        ValueError
            If there is no such class, or an option is out of range.
        """
        check_sizes(count=count)
        if label not in self.assets.labels:
            raise ValueError(f"no class {label!r}; {suggest(label, self.assets.labels)}")
        drawn = self.draw([self.assets.labels.index(label)] * count, seed, **{**self.options, **options})
        texts = [text for text, _ in drawn]
        if self.assets.abc:
            texts = [to_abc(text, label, number) for number, text in enumerate(texts, start=1)]
        if path is not None:
            Path(path).write_text("\n".join(texts), encoding="utf-8")
        if midi is not None:
            write_midi(texts[0], midi)
        return texts

    def answer(self, item, folder=None, number=1):
        """Return a text of the class that `item` names; a tune is written into `folder`, and the answer says where."""
        if not self.assets.abc or folder is None:
            return self.predict(item)[0]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"tune-{number}.abc"
        midi = path.with_suffix(".mid") if importlib.util.find_spec("music21") else None
        tune, = self.predict(item, path=path, midi=midi)
        return f"{tune}\n({path}{'' if midi is None else f', {midi}'})"
