"""Word vectors of any trained model of texts: as a table, beside those of others, as a file."""
from pathlib import Path

from gluon_rnn.answers.vector_table import VectorTable
from gluon_rnn.data.word2vec_text import read_vectors
from gluon_rnn.metrics.word_similarity import word_similarity
from gluon_rnn.registry import suggest
from gluon_rnn.runs import load_run
from gluon_rnn.training.word_embedding import word_tables

__all__ = ["compare", "vectors_of"]

#: what rows of a table may stand for; the first that a model has counts
_KINDS = ("word", "subword", "character")
# Tokens that vocabularies add to those of a text.
_SPECIAL = {"<unk>", "<pad>", "<bos>", "<eos>"}


def vectors_of(source, table=None, which="best"):
    """Return the vectors that a model looks words up in.

    Parameters
    ----------
    source : str or Path
        A file in word2vec's text form, the folder of a run, or the name of a model of the zoo.
    table : str, optional
        Name of the embedding, where a model has several.
    which : {"best", "last"}
        The checkpoint of a run.

    Returns
    -------
    gluon_rnn.answers.vector_table.VectorTable
        Without special tokens, and without tokens that are or have white space, in the order of the vocabulary.

    Raises
    ------
    ValueError
        If there is no such file, run or model, or it has no embedding of words, or several and `table` is none of them.
    """
    if Path(source).is_file():
        return read_vectors(source)
    predictor = load_run(source, which)
    arrays, axes = predictor.arrays(), predictor.named_axes(predictor.assets, predictor.model)
    names = next(filter(None, (word_tables(arrays, axes, (kind,)) for kind in _KINDS)), [])
    if not names:
        raise ValueError(f"{source}: a model of the task {predictor.config.task.name!r} with these settings has no "
                         "embedding whose rows are words; name a model of texts")
    if table is not None and table not in names or table is None and len(names) > 1:
        raise ValueError(f"{source}: the model has the tables {', '.join(names)}; name one of them"
                         if table is None else f"{source}: there is no table {table!r}; {suggest(table, names)}")
    name = table or names[0]
    words, vectors = axes[name][0][1], arrays[name].asnumpy()
    kept = [place for place, word in enumerate(words) if word.split() == [word] and word not in _SPECIAL]
    return VectorTable([words[place] for place in kept], vectors[kept])


def compare(tables, words=(), pairs=None, count=8):
    """Return lines that set tables of vectors side by side, on the words that all of them have.

    Parameters
    ----------
    tables : dict of str to VectorTable
        By the names that the lines show.
    words : sequence of str
        Their nearest neighbours are shown.
    pairs : list of (str, str, float), optional
        See `gluon_rnn.metrics.word_similarity.word_similarity`.
    count : int
        Neighbours of each word.

    Raises
    ------
    ValueError
        If the tables share no words, or lack one of `words`, or nearly all of the pairs.
    """
    if len(tables) > 1:
        first, *others = tables.values()
        shared = [word for word in first.words if all(word in other for other in others)]
        tables = {name: table.chosen(shared) for name, table in tables.items()}
    width = max(map(len, tables))
    lines = [f"{name:{width}}  {len(table):,} words, {table.size} numbers each" for name, table in tables.items()]
    for word in words:
        lines.append(f"{word}:")
        lines += [f"  {name:{width}}  " + ", ".join(f"{near} {cosine:.2f}" for near, cosine in
                                                    table.nearest(word, count)) for name, table in tables.items()]
    if pairs is not None:
        lines += [f"{name:{width}}  {word_similarity(table, pairs)}" for name, table in tables.items()]
    return lines
