"""Joining arrays in the forms that MXNet joins at the speed of memory.

``F.concat`` hands arrays of two and of four dimensions to oneDNN. All others it joins number by number, backwards too:
ten to twenty times slower, as slow as the matrix products around it. An axis of size 1 in front makes up for that.

Along the first axis it is the other way round: there MXNet copies each array in one piece, and oneDNN takes two to ten
times as long.
"""
__all__ = ["join", "join_vectors"]


def join(F, *parts, dim=2):
    """Return arrays of three dimensions, such as (T, N, C_i), joined along axis `dim`: features by default.

    The same numbers as ``F.concat(*parts, dim=dim)``.
    """
    if dim == 0:
        return F.concat(*parts, dim=0)
    joined = F.concat(*(F.expand_dims(part, axis=0) for part in parts), dim=dim + 1)
    return F.squeeze(joined, axis=0)


def join_vectors(F, *parts):
    """Return vectors (n_i,) as one: the same numbers as ``F.concat(*parts, dim=0)``."""
    joined = F.concat(*(F.expand_dims(part, axis=0) for part in parts), dim=1)
    return F.reshape(joined, shape=(-1,))
