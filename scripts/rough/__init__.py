"""Rough handling: kills, damaged runs, fuzzed recipes, full disks, closed streams. ``python -m scripts.rough --help``.

Each part is a module of this folder that has

``TITLE``
    what its row of the table is called;
``COUNT``
    how many attempts it makes by default;
``prepare(folder)``
    makes in an empty folder what all attempts share, and returns it; raises `Skipped` with the reason where the
    machine cannot do it;
``attempt(shared, folder, random, number)``
    makes one attempt in an empty folder, from a generator of random numbers that is seeded by its number, and returns
    an `Outcome`.

`runner` runs a part in a process of its own, so that a crash counts as one.
"""
from dataclasses import dataclass

__all__ = ["PARTS", "Outcome", "Skipped"]

#: modules of this folder that are parts, in the order of the table
PARTS = ("kills", "folders", "configurations", "disk", "streams", "bundles", "files")


class Skipped(Exception):
    """A part cannot run here; its text says why."""


@dataclass
class Outcome:
    """What came of an attempt.

    Attributes
    ----------
    verdict : {"passed", "traceback", "wrong", "crash"}
        "wrong": an answer or a state that is not right, and nobody said so.
    note : str
        What was tried, and what came, for the list of failures.
    """

    verdict: str
    note: str = ""
