"""What a trained translation model answers: translations, with what attention looked at."""
import json
from dataclasses import dataclass
from typing import Any

import gluonnlp

from gluon_rnn.data.subwords import tokenizer_of
from gluon_rnn.inference.translate import Translator, attention_picture
from gluon_rnn.tasks.predictor import Predictor

__all__ = ["TranslationAssets", "TranslationPredictor"]


@dataclass
class TranslationAssets:
    """Vocabularies, and what turns sentences into tokens and back."""

    source_vocab: Any
    target_vocab: Any
    tokenizer: Any

    def texts(self):
        """Return the three files."""
        return {"source_vocab.json": self.source_vocab.to_json(), "target_vocab.json": self.target_vocab.to_json(),
                "tokenizer.json": json.dumps(self.tokenizer.settings)}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        vocabs = (gluonnlp.Vocab.from_json(read(f"{side}_vocab.json")) for side in ("source", "target"))
        return cls(*vocabs, tokenizer_of(json.loads(read("tokenizer.json"))))


class TranslationPredictor(Predictor):
    """A `Seq2Seq`, its vocabularies, and what makes tokens of sentences."""

    assets_class = TranslationAssets
    size_names = ("source_vocab_size", "target_vocab_size")
    ensemble_rule = "the mean of their probabilities"

    @classmethod
    def sizes(cls, assets):
        """Return the sizes of the vocabularies."""
        return {"source_vocab_size": len(assets.source_vocab), "target_vocab_size": len(assets.target_vocab)}

    @classmethod
    def named_axes(cls, assets, model):
        """Return that rows of embeddings and output layer are tokens."""
        source, target = ([(assets.tokenizer.unit, vocab.idx_to_token)]
                          for vocab in (assets.source_vocab, assets.target_vocab))
        return {"source_embedding.weight": source, "target_embedding.weight": target, "output.weight": target,
                "output.bias": target}

    def predict(self, lines, picture=None, **options):
        """Return the `Translation` of a sentence, or a list of them for a list of sentences.

        Parameters
        ----------
        lines : str or list of str
        picture : str or Path, optional
            Where the picture of attention is written, a PNG.
        options
            `beam_size`, `alpha`, `mbr`, `max_length`, `batch_size` of `gluon_rnn.inference.translate.Translator`.
        """
        task = self.config.task.arguments
        options = {"beam_size": task.get("beam_size", 5), "alpha": task.get("alpha", 1.0),
                   "mbr": task.get("mbr", False), **options}
        translator = Translator(self.models, *vars(self.assets).values())
        found = translator([lines] if isinstance(lines, str) else list(lines), **options)
        if picture is not None:
            attention_picture(found, picture)
        return found[0] if isinstance(lines, str) else found

    def answer(self, item, folder, number=1):
        """Return the translation of a line, and where the picture of attention is for a model that has it."""
        if self.model.attention is None:
            return self.predict(item).text
        folder.mkdir(parents=True, exist_ok=True)
        picture = folder / f"attention-{number}.png"
        return f"{self.predict(item, picture=picture).text}    ({picture})"
