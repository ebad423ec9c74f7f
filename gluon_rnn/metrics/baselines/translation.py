"""What a translation has to beat: three ways to translate without a model."""
from collections import Counter

import numpy as np

from gluon_rnn.metrics.bleu import bleu

__all__ = ["translation_baselines"]


def translation_baselines(data, references):
    """Return {name: {"bleu": score}} of three ways to translate without a model.

    "copy of the source", "most frequent target" of the training pairs, and "nearest training source": the translation
    of the training sentence with the most similar words (cosine of counts weighted by inverse document frequency).

    Parameters
    ----------
    data : ParallelText
    references : dict of str to list of str
        Of each source sentence, as `ParallelText.references` gives them.
    """
    sources, wanted = list(references), list(references.values())
    targets = [data.tokenizer.normalise(target) for _, target in data.texts("train")]
    common = Counter(targets).most_common(1)[0][0]
    found = {"copy of the source": sources, "most frequent target": [common] * len(sources),
             "nearest training source": [targets[index] for index in _nearest(data, sources)]}
    return {name: {"bleu": bleu(texts, wanted)} for name, texts in found.items()}


def _nearest(data, sources):
    """Return the index of the training pair whose source is most similar to each of `sources`."""
    vocab, split = data.source_vocab, data.tokenizer.split
    train = _counts([vocab[split(source)] for source, _ in data.texts("train")], len(vocab))
    found = _counts([vocab[split(source)] for source in sources], len(vocab))
    weights = np.log(train.shape[0] / (1 + np.asarray((train > 0).sum(axis=0)).ravel())).clip(min=0) ** 2
    norms = np.sqrt(train.multiply(train) @ weights)
    similarity = found.multiply(weights).tocsr() @ train.T                # (sources, training pairs), sparse
    scale = 1 / np.maximum(norms, 1e-9)
    return [int(np.argmax(row.toarray().ravel() * scale)) for row in similarity]


def _counts(rows, size):
    """Return how often each of `size` token ids stands in each row, a sparse matrix."""
    from scipy.sparse import csr_matrix
    ends = np.cumsum([0, *map(len, rows)])
    ids = np.array([index for row in rows for index in row], dtype=np.int64)
    counts = csr_matrix((np.ones(len(ids)), ids, ends), shape=(len(rows), size))
    counts.sum_duplicates()
    return counts
