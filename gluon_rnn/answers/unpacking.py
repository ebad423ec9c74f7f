"""A bound on what packed files unpack to: a small file may hold gigabytes of zeros."""

__all__ = ["check_unpacked"]

#: bytes that may unpack from anything; and how many times its packed size more may be
_ALWAYS, _RATIO = 2**26, 100


def check_unpacked(path, packed, unpacked):
    """Raise ValueError where `packed` bytes unpack to more than 64 MiB and more than 100 times as much.

    Texts shrink to a third or a tenth, recordings to a half.
    """
    if unpacked > max(_ALWAYS, _RATIO * packed):
        raise ValueError(f"{path}: {packed:,} packed bytes unpack to {unpacked:,} or more, as no data do that are "
                         "worth learning from; if you trust the file, unpack it yourself and name what is in it")
