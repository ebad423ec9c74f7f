"""Tokens looked up in a table, some of the table's rows left out."""

__all__ = ["look_up"]


def look_up(F, ids, table, drop_e=0.0):
    """Return the rows (..., E) of `table` (V, E) that `ids` (...) name.

    With `drop_e` > 0 so large a share of the rows is zero in a call of training, wherever they are looked up, and the
    others are larger by 1 / (1 - drop_e): Gal and Ghahramani (2016), dropout of whole words. The numbers are those of
    dropout on the table, but only the rows that are needed are touched, forward and backward.
    """
    rows = F.take(table, ids)
    if not drop_e:
        return rows
    ones = F.ones_like(F.slice_axis(table, axis=1, begin=0, end=1))
    kept = F.broadcast_like(F.take(F.Dropout(ones, p=drop_e), ids), rows)
    return rows * F.BlockGrad(kept)                                       # broadcast_mul would sum over E, for nothing
