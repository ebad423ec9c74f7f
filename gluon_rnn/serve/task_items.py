"""Tasks whose item is one value: a text, a row of numbers, a recording."""
import json

from gluon_rnn.serve import values
from gluon_rnn.serve.form import TaskForm, plain
from gluon_rnn.serve.values import checked

__all__ = ["ITEM_FORMS"]


class ClassificationForm(TaskForm):
    """A text, a row of numbers, a recording, a tree or a graph; the probability of each class."""

    task = "classification"

    def __init__(self, read, limits):
        from gluon_rnn.answers.classification import ClassifierAssets
        super().__init__(read, limits)
        assets = ClassifierAssets.from_texts(read)
        kind, _ = json.loads(read("reader.json"))
        if kind == "text":
            unit = assets.reader.unit
            self._takes_text(unit)
            self.item = checked(lambda value: values.text(value, limits.max_length, unit), {"type": "string"})
            self.about = {"kind": "text", "unit": unit}
        elif kind in ("tree", "graph"):
            self._takes_structures(assets.reader)
        else:
            {"trajectory": self._takes_rows, "audio": self._takes_recordings}[kind](assets.reader)
        self.about["labels"] = assets.labels

    def _takes_structures(self, reader):
        """Set what the model of a `TreeReader` or `GraphReader` takes: a tree or a graph as text, which can be read."""
        def read(value):
            text = values.text(value, self.limits.max_length, what=f"a {reader.structure}")
            reader(text)
            return text

        self.item, self.step = checked(read, {"type": "string"}), None
        self.about = {"kind": "text", "unit": reader.structure}


class RegressionForm(TaskForm):
    """A row of numbers; values by the names of the targets."""

    task = "regression"

    def __init__(self, read, limits):
        from gluon_rnn.answers.regression import ValueAssets
        super().__init__(read, limits)
        assets = ValueAssets.from_texts(read)
        self._takes_rows(assets.reader)
        self.about["targets"] = assets.target_names


class CTCForm(TaskForm):
    """A recording; its labels and their score."""

    task = "ctc"

    def __init__(self, read, limits):
        from gluon_rnn.answers.ctc import LabelStringAssets
        super().__init__(read, limits)
        self._takes_recordings(LabelStringAssets.from_texts(read).reader)


class TaggingForm(TaskForm):
    """A sentence; its words and their tags."""

    task = "tagging"

    def __init__(self, read, limits):
        super().__init__(read, limits)
        self._takes_text("word", "a sentence")
        self.about = {"kind": "text", "unit": "word", "labels": json.loads(read("tags.json"))["tags"]}

    def shown(self, answer):
        return {"words": list(answer.words), "tags": list(answer.tags)}


class TranslationForm(TaskForm):
    """A sentence; its translation, score and tokens."""

    task = "translation"

    def __init__(self, read, limits):
        super().__init__(read, limits)
        self._takes_text(what="a sentence")
        self.step, self.about = None, {"kind": "text", "unit": "word"}

    def shown(self, answer):
        return plain({name: getattr(answer, name) for name in ("text", "score", "source_tokens", "tokens")})


class WordVectorForm(TaskForm):
    """A word; its nearest neighbours and their cosines."""

    task = "word_vectors"

    def __init__(self, read, limits):
        super().__init__(read, limits)
        self._takes_text(what="a word")
        self.step, self.about = None, {"kind": "text", "unit": "word"}


#: by the name of a task
ITEM_FORMS = {form.task: form for form in (ClassificationForm, RegressionForm, CTCForm, TaggingForm, TranslationForm,
                                           WordVectorForm)}
