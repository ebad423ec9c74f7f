"""Assets of a run beside those made of the data now: rounding is allowed, nothing else. Folders: `test_loop.py`."""
import json
from types import SimpleNamespace

import pytest

from gluon_rnn.training.folder import check_assets

OLD = {"reader": json.dumps(["audio", json.dumps({"mean": [-9.16, 0.0], "mels": 40, "name": "logmel"})]),
       "words": "a b"}


class Assets:
    """Of two files."""

    def __init__(self, found):
        self.found = found

    def texts(self):
        return self.found

    @classmethod
    def from_texts(cls, read):
        return cls({name: read(name) for name in OLD})


def check(new):
    check_assets(SimpleNamespace(read=OLD.__getitem__), Assets(new), "the run")


def reader(**changes):
    return {**OLD, "reader": json.dumps(["audio", json.dumps({"mean": [-9.16, 0.0], "mels": 40, "name": "logmel",
                                                              **changes})])}


@pytest.mark.parametrize("new", [OLD, reader(mean=[-9.16 * (1 + 1e-9), 1e-12])])
def test_the_same_but_for_rounding(new):
    check(new)


@pytest.mark.parametrize("new", [
    reader(mean=[-9.1601, 0.0]), reader(mean=[-9.16]), reader(mean=[float("nan"), 0.0]), reader(mels=41),
    reader(name="mfcc"), reader(more=1), {**OLD, "words": "a c"}, {**OLD, "words": "[1"}])
def test_anything_else_is_another_data_set(new):
    with pytest.raises(ValueError, match="made from the data is not the one of the run: the data have changed"):
        check(new)
