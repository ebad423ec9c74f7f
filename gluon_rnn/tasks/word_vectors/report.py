"""What a run of word vectors leaves behind: the vectors, neighbours of some words, similarity of words."""
from gluon_rnn.config import ConfigError
from gluon_rnn.data.readers import read_text
from gluon_rnn.data.word2vec_text import write_vectors
from gluon_rnn.metrics.word_similarity import read_pairs, word_similarity
from gluon_rnn.report.exhibits import Exhibit
from gluon_rnn.tasks.task import Report

__all__ = ["report"]

# Neighbours are shown of every so-manieth word by frequency.
_STEP, _SHOWN = 100, 20


def report(task, path, limit=None):
    """Evaluate, and write ``vectors.txt`` and ``neighbours.txt`` into the folder of the run."""
    table, scores = task.table(), task.evaluate(task.final_split, limit)
    write_vectors(path / "vectors.txt", table)
    step = max(1, min(_STEP, len(table) // _SHOWN))
    lines = [f"{word}: {', '.join(near for near, _ in table.nearest(word, 8))}"
             for word in table.words[step - 1::step][:_SHOWN]]
    (path / "neighbours.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = ""
    if task.similarity is not None:
        found = word_similarity(table, task.similarity)
        scores["similarity"], text = found.correlation, f"{task.similarity_file}: {found}"
    files = [Exhibit("neighbours.txt", "Nearest neighbours of some words"),
             Exhibit("vectors.txt", "Vectors of all words, in word2vec's text form")]
    return Report(task.final_split, scores, text=text, files=files)


def read_similarity(path):
    """Return the pairs of a file of word similarity, None where no path is given; ConfigError where it is none."""
    try:
        return None if path is None else read_pairs(read_text(path), str(path))
    except ValueError as error:
        raise ConfigError(f"task.similarity: {error}") from error
