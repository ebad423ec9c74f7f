"""R-Drop: each example twice in a batch, under two draws of dropout, whose answers are to agree.

With p and q the distributions of the two copies, summed over examples (or tokens):

    loss = (CE(p) + CE(q)) / 2 + strength / 4 (KL(p || q) + KL(q || p))

which is half of what the paper writes: the mean over copies, so that `strength` = 0 gives the plain loss of a batch of
twice the size.

References
----------
Liang et al. (2021), R-Drop: regularized dropout for neural networks, NeurIPS, equations 3 and 4.
"""
__all__ = ["disagreement", "doubled_places", "twice"]


def twice(F, arrays, axes):
    """Return `arrays` with each row twice, one copy behind the other, along the batch axis of each.

    >>> twice(mx.nd, [mx.nd.array([1, 2])], [0])[0].asnumpy().tolist()
    [1.0, 1.0, 2.0, 2.0]
    """
    return [F.repeat(array, repeats=2, axis=axis) for array, axis in zip(arrays, axes)]


def doubled_places(F, places):
    """Return places (2, 2 M), t and row, in rows that are there twice, from `places` (2, M): copies side by side.

    >>> doubled_places(mx.nd, mx.nd.array([[0, 4], [0, 3]])).asnumpy().tolist()
    [[0.0, 0.0, 4.0, 4.0], [0.0, 1.0, 6.0, 7.0]]
    """
    steps, rows = F.split(places, num_outputs=2, axis=0)                             # (1, M) each
    rows = F.reshape(F.stack(2 * rows, 2 * rows + 1, axis=2), shape=(0, -1))
    return F.concat(F.repeat(steps, repeats=2, axis=1), rows, dim=0)


def disagreement(F, log_probs, num_classes):
    """Return sum KL(p || q) + KL(q || p) over pairs of copies, shape (1,), from `log_probs` (..., 2 M, K).

    Nothing is masked: where both copies say the same, as on padding, it is 0.
    """
    # F.softmax of log p is p, and a tenth of the time of F.exp; a dot product is one of the time of F.sum.
    log_p, p = (F.reshape(_difference(F, values, num_classes), shape=(-1,))
                for values in (log_probs, F.softmax(log_probs)))
    return F.dot(p, log_p)


def _difference(F, values, num_classes):
    """Return how much the first copy has more than the second one, (M, 1, K), of `values` (..., 2 M, K)."""
    one, other = F.split(F.reshape(values, shape=(-1, 2, num_classes)), num_outputs=2, axis=1)
    return one - other
