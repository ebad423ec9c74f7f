r"""Minimum Bayes risk decoding: the candidate of a beam search with the highest expected BLEU against all candidates.

    argmax over a of sum over b of p_b BLEU(a, b),    p_b = softmax of the scores

BLEU(a, b) is the sentence BLEU of a with b as its reference, in tokens of the model. The most probable candidate may
differ from all others, while several less probable ones are nearly alike; this criterion prefers one of the latter.

References
----------
Kumar and Byrne (2004), Minimum Bayes-risk decoding for statistical machine translation, section 2. Here candidates and
evidence are the same list, and scores are normalised for length.
"""
import numpy as np

__all__ = ["choose"]


def choose(sequences, scores):
    """Return the index of the sequence with the highest expected BLEU.

    Parameters
    ----------
    sequences : list of list of str
        Tokens of each candidate; at least one candidate.
    scores : sequence of float
        Log-probability of each candidate in nats, normalised for length or not; only differences matter.

    Raises
    ------
    ValueError
        If the numbers of sequences and scores differ or are 0, or sacrebleu is not installed.

    Examples
    --------
    >>> choose([["a", "b"], ["c", "d", "e", "f"], ["c", "d", "e", "g"]], [-1.0, -1.1, -1.2])
    1
    """
    if not len(sequences) == len(scores) > 0:
        raise ValueError(f"expected one score for each sequence and at least one, got {len(sequences)} sequences and "
                         f"{len(scores)} scores")
    try:
        from sacrebleu import BLEU
    except ImportError as error:
        raise ValueError("mbr needs sacrebleu; install the extra of this package: "
                         "pip install gluon_rnn[data]") from error
    metric = BLEU(tokenize="none", effective_order=True)
    texts = [" ".join(token.replace(" ", "\u2581") for token in tokens) for tokens in sequences]
    gains = [[metric.sentence_score(text, [other]).score for other in texts] for text in texts]
    weights = np.exp(np.subtract(scores, max(scores)))                    # softmax, but for a factor
    return int(np.argmax(gains @ weights))
