"""Conditional language models: sequences of a class, drawn token by token."""
import importlib.util
import json
from pathlib import Path

import numpy as np

from gluon_rnn.answers.abc_notation import to_abc, write_midi
from gluon_rnn.answers.pipeline import Pipeline
from gluon_rnn.answers.sampling import generate
from gluon_rnn.answers.streaming import require_one
from gluon_rnn.answers.vocabulary import Vocabulary
from gluon_rnn.registry import suggest

__all__ = ["ConditionalLanguageModelPipeline"]


class ConditionalLanguageModelPipeline(Pipeline):
    """The name of a class in, texts of that class out.

    Parameters
    ----------
    first, model : Network
        "first", ``_, states = first(classes)``: class numbers (N,) int32 to the states before the first token;
        "model": token ids (T, N) int32 to logits (T, N, V + 1). Id V, one more than the vocabulary has, stands before
        and behind each sequence.
    vocab : Vocabulary
        V tokens.
    labels : list of str
        Names of the classes.
    unit : {"character", "word"}
    abc : bool
        Whether texts are tunes in ABC notation, and classes their metres.
    drawing : dict
        `temperature`, `top_p` and `max_length` of `gluon_rnn.answers.sampling.generate` where a call names no others;
        the options of `open`.
    """

    task = "conditional_language_model"
    network_names = ("first", "model")
    option_names = ("temperature", "top_p", "max_length")

    def __init__(self, first, model, vocab, labels, unit, abc=False, drawing=None):
        self._first, self._model, self._vocab = first, model, vocab
        self._labels, self._unit, self._abc, self._drawing = labels, unit, abc, drawing or {}

    @classmethod
    def open(cls, networks, read, options):
        """Return the pipeline for the files vocab.json and classes.json."""
        drawing = cls.checked_options(options)
        first, model = (require_one(cls.networks_of(networks, name)) for name in cls.network_names)
        return cls(first, model, Vocabulary.from_json(read("vocab.json")), **json.loads(read("classes.json")),
                   drawing=drawing)

    def draw(self, classes, seed=None, **options):
        """Return (text, finished) of a sequence drawn for each of `classes`, numbers; `options` as for `generate`."""
        vocab, boundary = self._vocab, len(self._vocab)
        _, states = self._first(np.array(list(classes), dtype=np.int32))
        drawn = generate(self._model, states, len(classes), boundary, boundary, seed=seed,
                         exclude=[vocab.token_to_idx[vocab.unknown_token]], **options)
        separator = "" if self._unit == "character" else " "
        return [(separator.join(vocab.idx_to_token[index] for index in ids), finished) for ids, finished in drawn]

    def predict(self, label, count=1, path=None, midi=None, seed=None, **options):
        """Return texts of a class that the model writes, a list of `count`.

        Parameters
        ----------
        label : str
            Name of the class.
        count : int, default 1
        path : str or Path, optional
            A text file that is written, for tunes one in ABC notation.
        midi : str or Path, optional
            A MIDI file of the first tune; needs music21.
        seed : int, optional
            The same texts for the same seed; others each time without one.
        options
            `temperature`, `top_k`, `top_p`, `max_length` of `gluon_rnn.answers.sampling.generate`; by default those of
            the run's recipe.
        """
        if label not in self._labels:
            raise ValueError(f"no class {label!r}; {suggest(label, self._labels)}")
        drawn = self.draw([self._labels.index(label)] * count, seed, **{**self._drawing, **options})
        texts = [text for text, _ in drawn]
        if self._abc:
            texts = [to_abc(text, label, number) for number, text in enumerate(texts, start=1)]
        if path is not None:
            Path(path).write_text("\n".join(texts), encoding="utf-8")
        if midi is not None:
            write_midi(texts[0], midi)
        return texts

    def answer(self, item, folder=None, number=1):
        """Return a text of the class that `item` names; of tunes, where there is a `folder`, where its files are, too."""
        if not self._abc or folder is None:
            return self.predict(item)[0]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"tune-{number}.abc"
        midi = path.with_suffix(".mid") if importlib.util.find_spec("music21") else None
        tune, = self.predict(item, path=path, midi=midi)
        return f"{tune}\n({path}{'' if midi is None else f', {midi}'})"
