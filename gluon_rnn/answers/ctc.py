"""Answers of a recogniser fitted by CTC: the labels of a sequence, at once or as they appear."""
import json
from dataclasses import dataclass
from typing import Any

from gluon_rnn.answers import streaming
from gluon_rnn.answers.audio import AudioReader
from gluon_rnn.answers.checks import check_sizes
from gluon_rnn.answers.ctc_decoding import prefix_beam_search
from gluon_rnn.answers.items import read_items, step_of
from gluon_rnn.answers.padding import pad
from gluon_rnn.answers.pipeline import Pipeline, batches_of

__all__ = ["CTCPipeline", "LabelStringAssets"]


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


class CTCPipeline(Pipeline):
    """A model fitted by CTC, the names of its labels, and what reads a recording.

    The network "model" takes features (T, N, C), and its outputs are logits (T, N, K + 1), the blank last.
    """

    task = "ctc"
    assets_class = LabelStringAssets

    def predict(self, items, beam_size=10, batch_size=100):
        """Return the labels of each of `items`, by prefix beam search.

        Parameters
        ----------
        items : path of a .wav file, its bytes, an array of features (T, C) as ``assets.reader`` makes them, or a list
        beam_size : int, >= 1, default 10
        batch_size : int, >= 1, default 100
            Recordings that the network takes in one call.

        Returns
        -------
        dict of "labels", a list of names, and "score", the logarithm of their probability (a lower bound, see
        `gluon_rnn.answers.ctc_decoding.prefix_beam_search`); a list of them where `items` is a list.
        """
        check_sizes(batch_size=batch_size)
        if not isinstance(items, list):
            return self.predict([items], beam_size)[0]
        answers, model = [], streaming.require_one(self.models)
        for sequences in batches_of(read_items(self.assets.reader, items), batch_size):
            logits = model.outputs(*pad(sequences))                       # (T, N, K + 1)
            answers += [self._best(logits[:len(steps), row], beam_size) for row, steps in enumerate(sequences)]
        return answers

    def _best(self, logits, beam_size):
        labels, score = prefix_beam_search(logits, beam_size)[0]
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
        model = streaming.require_one(self.models)
        streaming.require_causal(model, "train one with an encoder that reads forwards only")
        blank = before = len(self.assets.labels)
        pieces = ((step_of(step)[:, None],) for step in steps)
        for logits in streaming.outputs(model, pieces):
            begun = []
            for label in logits[:, 0].argmax(axis=1):                     # (t,)
                if label not in (before, blank):
                    begun.append(self.assets.labels[label])
                before = label
            yield begun

    def answer(self, item, folder=None, number=1):
        """Return the labels of a .wav file, blanks between them."""
        return " ".join(self.predict(item)["labels"])

    def stream_answers(self, item):
        """Yield a line for each label of a .wav file, and the time in s at which it appears, before more is read."""
        reader = self.assets.reader
        for step, begun in enumerate(self.stream(reader(item))):
            for label in begun:
                yield f"{step * reader.hop:.2f} s\t{label}"
