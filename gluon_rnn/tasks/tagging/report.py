"""What a run of a tagger leaves behind: scores beside those of the most frequent tag, predictions, confusions."""
import collections

from gluon_rnn.metrics.baselines.tags import MostFrequentTag
from gluon_rnn.report.exhibits import Exhibit
from gluon_rnn.tasks.task import Report

__all__ = ["report"]


def report(task, path, limit=None):
    """Evaluate the model of a task on its final split, and write ``predictions.tsv``."""
    split, tags = task.final_split, task.data.encoder.tags
    loss, found = task.tag_split(split, limit)
    sentences = task.encoded[split]
    scores = {"loss": loss / sum(map(len, found.values())), **task.accuracies(split, found)}
    simple = MostFrequentTag(task.encoded["train"], len(task.data.encoder.words))
    guessed = {index: simple(sentences[index][0]) for index in found}
    rows = [(word, gold, tags[best]) for index in sorted(found)
            for word, gold, best in zip(*task.data.sequences(split)[index], found[index])]
    lines = ["word\ttag\tpredicted", *("\t".join(row) for row in rows)]
    (path / "predictions.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Report(split, scores, {"most frequent tag of each word": task.accuracies(split, guessed)},
                  _confusions(rows), [Exhibit("predictions.tsv", f"Tags on the {split} split")])


def _confusions(rows, count=10):
    """Return the most frequent mistakes as text, from rows of (word, tag, predicted tag)."""
    wrong = collections.Counter((tag, predicted) for _, tag, predicted in rows if tag != predicted)
    return "most frequent confusions: " + ", ".join(f"{tag} taken for {predicted} {number}"
                                                    for (tag, predicted), number in wrong.most_common(count))
