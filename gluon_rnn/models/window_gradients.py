"""Losses of word vectors and their gradients by hand, in NumPy, over blocks of neighbouring words.

A block is L centres side by side and the S = L + 2 R words around them, R being the reach of the windows. `pairs`
(L, S) says with 1 which words are in the window of which centre. All words of a block share M words of noise, so
that scores are products of small matrices, and no vector is fetched twice for two centres that share it.

Skip-gram (Mikolov et al. 2013b, equation 4): a centre w, by its vector v_w, predicts each word o of its window,

    loss = sum_pairs [ -log s(u_o . v_w) - k E_n log s(-u_n . v_w) ],            s(x) = 1 / (1 + exp(-x))

and CBOW (Mikolov et al. 2013a, section 3.1): the mean h of the vectors in the window predicts the centre,

    loss = sum_centres [ -log s(u_w . h) - k E_n log s(-u_n . h) ].

E_n is the mean over words n of the noise distribution. The papers draw k words for each pair; here it is the mean over
the M words of the block, an estimate of the same sum without bias and of less variance for k < M. A word of noise that
happens to be the right one counts as noise, as in the equation; word2vec's C code leaves it out.

References
----------
Mikolov, Chen, Corrado, Dean (2013a), Efficient estimation of word representations in vector space.
Mikolov, Sutskever, Chen, Corrado, Dean (2013b), Distributed representations of words and phrases and their
compositionality.
Ji, Satish, Li, Dubey (2016), Parallelizing word2vec in shared and distributed memory: shared noise, products of
matrices in the place of dot products.
"""
import numpy as np
import scipy.sparse

__all__ = ["cbow", "row_sums", "skip_gram"]


def skip_gram(centres, contexts, noise, pairs, negatives):
    """Return the summed loss of blocks, and its gradients.

    Parameters
    ----------
    centres : (B, L, D) array of float32 or float64
        Vectors v of the centres of B blocks.
    contexts : (B, S, D) array
        Output vectors u of the words around them.
    noise : (B, M, D) array
        Output vectors of the words of noise.
    pairs : (B, L, S) array
        1 for a word in the window of a centre, else 0.
    negatives : float
        k, what a word of noise weighs.

    Returns
    -------
    loss : float
    gradients : (B, L, D), (B, S, D) and (B, M, D) arrays
        In the order of the arguments.
    """
    loss, right = _of_scores(centres @ contexts.swapaxes(1, 2), pairs, -1)                    # (B, L, S)
    weights = (pairs.sum(axis=2) * (negatives / noise.shape[1])).astype(centres.dtype)        # (B, L)
    noise_loss, wrong = _of_scores(centres @ noise.swapaxes(1, 2), weights[:, :, None], 1)    # (B, L, M)
    gradient = right @ contexts
    gradient += wrong @ noise
    return loss + noise_loss, (gradient, right.swapaxes(1, 2) @ centres, wrong.swapaxes(1, 2) @ centres)


def cbow(centres, contexts, noise, pairs, negatives):
    """Return the summed loss of blocks, and its gradients.

    Parameters
    ----------
    centres : (B, L, D) array of float32 or float64
        Output vectors u of the centres of B blocks.
    contexts : (B, S, D) array
        Vectors v of the words around them.
    noise : (B, M, D) array
        Output vectors of the words of noise.
    pairs, negatives
        As for `skip_gram`; a centre whose window is empty has no loss.

    Returns
    -------
    loss, gradients
        As for `skip_gram`.
    """
    counts = pairs.sum(axis=2, keepdims=True)
    shares = pairs / np.maximum(counts, 1)                                                    # (B, L, S)
    trained = (counts > 0).astype(centres.dtype)                                              # (B, L, 1)
    means = shares @ contexts                                                                 # (B, L, D)
    loss, right = _of_scores(np.einsum("bld,bld->bl", means, centres)[:, :, None], trained, -1)
    weights = trained * centres.dtype.type(negatives / noise.shape[1])
    noise_loss, wrong = _of_scores(means @ noise.swapaxes(1, 2), weights, 1)                  # (B, L, M)
    gradient = right * centres
    gradient += wrong @ noise
    return loss + noise_loss, (right * means, shares.swapaxes(1, 2) @ gradient, wrong.swapaxes(1, 2) @ means)


def _of_scores(scores, weights, sign):
    """Return sum weights * log(1 + exp(sign * scores)), and its derivatives by the scores, in their place."""
    scores *= sign
    losses = np.log1p(np.exp(-np.abs(scores)))                            # exp(-|x|) overflows nowhere
    losses += np.maximum(scores, 0)
    slopes = np.exp(np.subtract(scores, losses, out=scores), out=scores)  # s(x) = exp(x - log(1 + exp(x)))
    losses *= weights
    slopes *= weights
    slopes *= sign
    return float(losses.sum(dtype=np.float64)), slopes


def row_sums(ids, gradients):
    """Return the sum of all gradients of each word: what an embedding's backward pass adds up.

    Parameters
    ----------
    ids : (n,) array of int
    gradients : (n, D) array

    Returns
    -------
    rows : (r,) int64 array
        The words, each once, in order.
    sums : (r, D) array
        In the dtype of the gradients; always added up in the order of `ids`.
    """
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    ones = np.ones(len(ids), dtype=gradients.dtype)
    # np.add.at does the same an order of magnitude slower
    pick = scipy.sparse.csr_matrix((ones, order, np.append(begins, len(ids))), shape=(len(begins), len(ids)))
    return ordered[begins].astype(np.int64), pick @ gradients
