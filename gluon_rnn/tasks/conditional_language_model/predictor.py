"""What a trained conditional language model answers: sequences of a class, drawn token by token."""
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gluonnlp
import mxnet as mx

from gluon_rnn.data.abc_tunes import to_abc
from gluon_rnn.inference.generation import generate
from gluon_rnn.metrics.abc_score import write_midi
from gluon_rnn.registry import suggest
from gluon_rnn.tasks.predictor import Predictor

__all__ = ["ConditionalAssets", "ConditionalPredictor", "draw"]


@dataclass
class ConditionalAssets:
    """Vocabulary, names of classes, "character" or "word", and whether texts are tunes in ABC notation.

    One more token than the vocabulary has stands before and behind each sequence.
    """

    vocab: Any
    labels: list
    unit: str
    abc: bool = False

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
        return cls(gluonnlp.Vocab.from_json(read("vocab.json")), **json.loads(read("classes.json")))


class ConditionalPredictor(Predictor):
    """A conditional language model, its vocabulary and the names of its classes."""

    assets_class = ConditionalAssets
    size_names = ("vocab_size", "num_classes")

    @classmethod
    def sizes(cls, assets):
        """Return the size of the vocabulary, one more for the boundary, and the number of classes."""
        return {"vocab_size": len(assets.vocab) + 1, "num_classes": len(assets.labels)}

    @classmethod
    def named_axes(cls, assets, model):
        """Return that rows of embedding and output layer are tokens, with the boundary as an empty one, or labels."""
        tokens = [(assets.unit, [*assets.vocab.idx_to_token, ""])]
        return {"embedding_weight": tokens, "output_weight": tokens, "output_bias": tokens,
                "first.condition.weight": [("label", assets.labels)]}

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
            `temperature`, `top_k`, `top_p`, `max_length` of `gluon_rnn.inference.generation.generate`; by default those
            of the run's recipe.
        """
        if label not in self.assets.labels:
            raise ValueError(f"no class {label!r}; {suggest(label, self.assets.labels)}")
        recipe = self.config.task.arguments
        given = {key: recipe[key] for key in ("temperature", "top_p", "max_length") if key in recipe}
        classes = [self.assets.labels.index(label)] * count
        drawn = draw(self.model, self.assets, classes, seed=seed, **{**given, **options})
        texts = [text for text, _ in drawn]
        if self.assets.abc:
            texts = [to_abc(text, label, number) for number, text in enumerate(texts, start=1)]
        if path is not None:
            Path(path).write_text("\n".join(texts), encoding="utf-8")
        if midi is not None:
            write_midi(texts[0], midi)
        return texts

    def answer(self, item, folder, number=1):
        """Return a text of the class that `item` names; of tunes where its files are, too."""
        if not self.assets.abc:
            return self.predict(item)[0]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"tune-{number}.abc"
        midi = path.with_suffix(".mid") if importlib.util.find_spec("music21") else None
        tune, = self.predict(item, path=path, midi=midi)
        return f"{tune}\n({path}{'' if midi is None else f', {midi}'})"


def draw(model, assets, classes, seed=0, **options):
    """Return (text, finished) of a sequence drawn for each of `classes`; `options` are those of `generate`."""
    ctx = model.collect_params().list_ctx()[0]
    states = model.states_for(mx.nd.array(list(classes), ctx=ctx, dtype="int32"))
    unknown = assets.vocab.token_to_idx[assets.vocab.unknown_token]
    drawn = generate(model, states, assets.boundary, assets.boundary, seed=seed, exclude=[unknown], **options)
    return [(assets.join(ids), finished) for ids, finished in drawn]
