"""Two poets, told apart by the words of a line, and by nothing but the parts of speech of its words."""
import numpy as np

from gluon_rnn import recipes
from gluon_rnn.classic.bars import bars
from gluon_rnn.classic.experiment import Case, Experiment, experiments
from gluon_rnn.data import SentenceTokenizer
from gluon_rnn.data.sentences import MARK
from gluon_rnn.files import write_text
from gluon_rnn.parts import build_data
from gluon_rnn.runs import load_run

__all__ = ["TAGGER", "Poets", "write_tags"]

#: the model of the zoo that tags the lines
TAGGER = "bilstm_char_crf_ewt_upos"
SEEDS = (1, 2, 3)
_FILES = {split: f"tags/{split}.tsv" for split in ("train", "valid", "test")}


def write_tags(data, tagger, folder):
    """Write the lines of a labelled text as tags, one for each word and sign, a table TAGS TAB LABEL for each split.

    Parameters
    ----------
    data : gluon_rnn.data.LabelledText
    tagger : callable
        From a list of sentences, tokens with spaces between them, to a list of what has `tags`.
    folder : Path
    """
    tokenizer = SentenceTokenizer()
    for split in data.splits:
        lines = [" ".join(tokenizer.split(line)).replace(MARK, "") for line in data.items(split)]
        labels = [data.labels[number] for number in data.targets(split)]
        rows = [f"{' '.join(tagged.tags)}\t{label}\n" for tagged, label in zip(tagger(lines), labels)]
        (folder / _FILES[split]).parent.mkdir(parents=True, exist_ok=True)
        write_text(folder / _FILES[split], "".join(rows))


@experiments.register("poets")
class Poets(Experiment):
    """Lines of Poe and Frost, the same division of the same lines in both cases."""

    title = "Two poets from parts of speech alone"
    source = "A well-known exercise of courses; tags are the universal ones (Nivre et al. 2020)"
    question = "How much of a poet is in the order of parts of speech, without any word?"
    year = 2020
    columns = {"accuracy": "share of test lines whose poet is right",
               "macro_f1": "F1 of either poet, the mean of both",
               "most_frequent": "accuracy of always naming the poet of most training lines"}

    def cases(self):
        """Return words only and tags only, three seeds each."""
        files = tuple(f"data.{split}=${{output_dir}}/{file}" for split, file in _FILES.items())
        return [Case("words only", "classic/poets", seeds=SEEDS), Case("tags only", "classic/poets_tags", files, SEEDS)]

    def prepare(self, case, folder):
        """Tag the lines of the recipe of words, for the case of tags."""
        if case.recipe == "classic/poets_tags":
            write_tags(build_data(recipes.load("classic/poets").data), load_run(TAGGER).predict, folder)

    def measure(self, run, case):
        """Return accuracy and F1 on the test lines, and the accuracy of the most frequent poet."""
        data = build_data(run.config.data)
        most = np.bincount(data.targets("train")).argmax()
        return {"accuracy": run.scores["accuracy"], "macro_f1": run.scores["macro_f1"],
                "most_frequent": np.mean(data.targets("test") == most)}

    def draw(self, rows, path):
        """Draw accuracies beside that of the most frequent poet."""
        trivial = [row["most_frequent"] for row in rows if "most_frequent" in row]
        bars(path, rows, "accuracy", {"most frequent poet": trivial[0]} if trivial else None, (0.5, 1))
