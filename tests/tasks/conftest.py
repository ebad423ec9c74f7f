"""The small recipes of `tests.recipes` as fixtures."""
from tests.recipes import make_config  # noqa: F401
