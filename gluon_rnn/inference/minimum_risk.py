r"""Minimum Bayes risk: of the translations that a beam search found, the one that is most like all of them.

    argmax over a of sum over b of p_b BLEU(a, b),    p_b = softmax of the scores

BLEU(a, b) being the sentence BLEU of a with b as its reference, in tokens of the model. The most probable translation
may stand alone, while many that are less probable say nearly the same; where a sentence can be put in many ways, that
is the common case.

References
----------
Kumar and Byrne (2004), Minimum Bayes-risk decoding for statistical machine translation, section 2; candidates and
evidence are the same list here, and scores are normalised for length.
"""
import numpy as np
import scipy.special

__all__ = ["choose"]


def choose(sequences, scores):
    """Return the index of the sequence with the highest expected BLEU.

    Parameters
    ----------
    sequences : list of list of str
        Tokens; one sequence or more.
    scores : sequence of float
        Log-probabilities in nats, normalised for length or not; only their differences count.

    Raises
    ------
    ValueError
        If sacrebleu is not installed.

    Examples
    --------
    >>> choose([["a", "b"], ["c", "d", "e", "f"], ["c", "d", "e", "g"]], [-1.0, -1.1, -1.2])
    1
    """
    try:
        from sacrebleu import BLEU
    except ImportError as error:
        raise ValueError("mbr needs sacrebleu; install the extra of this package: "
                         "pip install gluon_rnn[data]") from error
    metric = BLEU(tokenize="none", effective_order=True)
    texts = [" ".join(token.replace(" ", "\u2581") for token in tokens) for tokens in sequences]
    gains = [[metric.sentence_score(text, [other]).score for other in texts] for text in texts]
    return int(np.argmax(gains @ scipy.special.softmax(scores)))
