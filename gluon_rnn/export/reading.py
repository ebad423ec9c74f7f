"""Text of a bundle read with care: bounded, and as JSON of a depth that Python can take. Needs no MXNet."""
import json
import pathlib

__all__ = ["BundleError", "MOST_BYTES", "read_json"]

#: of a file in JSON: a vocabulary of a million words has 20 MB
MOST_BYTES = 256 * 2**20


class BundleError(ValueError):
    """A bundle that cannot be written, or that is not what its manifest says."""


def read_json(path, what):
    """Return what a JSON file holds.

    Raises
    ------
    BundleError
        If it cannot be read, is larger than `MOST_BYTES`, no UTF-8 or no JSON; it says that `what` was expected.
    """
    path = pathlib.Path(path)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise BundleError(f"{str(path)!r} has {size:,} bytes, and {what} has at most {MOST_BYTES:,}; export again")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"{str(path)!r} cannot be read ({error.strerror}); expected {what}") from None
    except RecursionError:
        raise BundleError(f"{str(path)!r} nests too deep for {what}; export again") from None
    except UnicodeDecodeError:
        raise BundleError(f"{str(path)!r} is no UTF-8, and {what} is; export again") from None
    except ValueError as error:                                           # also of a number of 5,000 digits
        place = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise BundleError(f"{str(path)!r} is no {what.split(' ', 1)[-1]}: it is damaged{place}; export again") from None
