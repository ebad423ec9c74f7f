"""What a trained recogniser answers: the labels of a sequence, at once or as they appear."""
import json
from dataclasses import dataclass
from typing import Any

import mxnet as mx
import numpy as np

from gluon_rnn.data import AudioReader
from gluon_rnn.inference import streaming
from gluon_rnn.inference.ctc import prefix_beam_search
from gluon_rnn.tasks.predictor import Predictor

__all__ = ["CTCPredictor", "LabelStringAssets"]


@dataclass
class LabelStringAssets:
    """What a trained recogniser needs besides parameters: names of the labels, and what reads a recording."""

    labels: list
    reader: Any

    def texts(self):
        """Return the two files."""
        return {"labels.json": json.dumps(self.labels), "reader.json": self.reader.to_json()}

    @classmethod
    def from_texts(cls, read):
        """Read back what `texts` gave."""
        return cls(json.loads(read("labels.json")), AudioReader.from_json(read("reader.json")))


class CTCPredictor(Predictor):
    """A model fitted by CTC, the names of its labels, and what reads a recording."""

    assets_class = LabelStringAssets
    size_names = ("num_labels", "input_size")

    @classmethod
    def sizes(cls, assets):
        """Return the number of labels and of features."""
        return {"num_labels": len(assets.labels), **assets.reader.model_arguments}

    @classmethod
    def named_axes(cls, assets, model):
        """Return that rows of the output layer are labels, with the blank as an empty one."""
        labels = [("label", [*assets.labels, ""])]
        return {"output_weight": labels, "output_bias": labels}

    def export_arguments(self):
        """Return inputs (T, N, C) that the model takes, how features are made, and the labels; the blank is last."""
        size = self.assets.reader.model_arguments["input_size"]
        example = mx.nd.array(np.random.default_rng(0).standard_normal((8, 2, size)))
        return {"example": example, "scaler": json.loads(self.assets.reader.to_json()),
                "extras": {"labels": self.assets.labels, "blank": len(self.assets.labels)}}

    def predict(self, items, beam_size=10):
        """Return the labels of each of `items`, by prefix beam search.

        Parameters
        ----------
        items : path of a .wav file, its bytes, or a list of them
        beam_size : int, >= 1, default 10

        Returns
        -------
        dict of "labels", a list of names, and "score", the logarithm of their probability (a lower bound, see
        `gluon_rnn.inference.prefix_beam_search`); a list of them where `items` is a list.
        """
        if isinstance(items, list):
            return [self.predict(item, beam_size) for item in items]
        inputs = mx.nd.array(self.assets.reader(items)[:, None], ctx=self.device)         # (T, 1, C)
        logits = self.model(inputs, None, mx.nd.array([len(inputs)], ctx=self.device))
        labels, score = prefix_beam_search(logits[:, 0], beam_size)[0]
        return {"labels": [self.assets.labels[label] for label in labels], "score": score}

    def stream(self, steps):
        """Yield the labels that begin at each of `steps`, a list that is mostly empty, by the best path.

        Parameters
        ----------
        steps : iterable of (C,) or (t, C) arrays
            Features of a step, or of some, as ``assets.reader`` makes them of a recording.

        Raises
        ------
        ValueError
            If the model looks ahead: only an encoder that reads forwards does not.
        """
        streaming.require_causal(self.model, "train one with an encoder that reads forwards only")
        blank = before = len(self.assets.labels)
        pieces = ((mx.nd.array(np.atleast_2d(step)[:, None]),) for step in steps)
        for logits in streaming.outputs(self.model, pieces):
            begun = []
            for label in logits[:, 0].asnumpy().argmax(axis=1):            # (t,)
                if label not in (before, blank):
                    begun.append(self.assets.labels[label])
                before = label
            yield begun

    def answer(self, item, folder, number=1):
        """Return the labels of a .wav file, blanks between them."""
        return " ".join(self.predict(item)["labels"])

    def stream_answers(self, item):
        """Yield a line for each label of a .wav file, and the time in s at which it appears, before more is read."""
        reader = self.assets.reader
        for step, begun in enumerate(self.stream(reader(item))):
            for label in begun:
                yield f"{step * reader.hop:.2f} s\t{label}"
