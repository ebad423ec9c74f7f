"""A predictor that needs no model: its answer to a text is known, and it keeps what it was asked."""
import json
import threading
import time
import zlib

import numpy as np

from gluon_rnn.answers.vocabulary import Vocabulary
from gluon_rnn.serve.limits import Limits
from gluon_rnn.serve.opening import Served
from gluon_rnn.serve.tasks import task_form

LABELS = ["even", "odd"]


class Fake:
    """Classifies texts by their CRC-32, which has nothing to do with what stands beside them in a batch.

    `batches` has the items of each call, `threads` who called. A text with "bad" in it is refused, and one with
    "broken" fails, as do all texts that are asked together with it.

    Parameters
    ----------
    seconds : float
        That each call takes.
    """

    def __init__(self, seconds=0.0):
        self.seconds, self.batches, self.threads, self.closed = seconds, [], set(), 0

    def predict(self, items):
        self.batches.append(items)
        self.threads.add(threading.current_thread().name)
        time.sleep(self.seconds)
        for word, error in [("bad", ValueError), ("broken", RuntimeError)]:
            for item in items:
                if word in item:
                    raise error(f"{item!r} is {word}")
        return [expected(item) for item in items]

    def stream(self, steps):
        """Answer a step with the checksum of all steps so far."""
        self.threads.add(threading.current_thread().name)
        so_far = ""
        try:
            for step in steps:
                if "bad" in step:
                    raise ValueError(f"{step!r} is bad")
                if "broken" in step:
                    raise RuntimeError(f"{step!r} is broken")
                so_far += step
                if step != "silent":
                    yield expected(so_far)
        finally:
            self.closed += 1


def expected(text):
    """Return the answer to a text."""
    share = zlib.crc32(text.encode()) / 2**32
    return {"even": share, "odd": np.float64(1 - share)}


def fake(seconds=0.0, limits=None, unit="character"):
    """Return the `Served` of a new `Fake`."""
    vocab = Vocabulary(["<unk>", "a", "b"], unknown_token="<unk>")
    reader = json.dumps({"vocab": vocab.to_json(), "unit": unit, "lower": False, "max_length": None})
    texts = {"labels.json": json.dumps(LABELS), "reader.json": json.dumps(["text", reader])}
    form = task_form("classification", texts.__getitem__, limits or Limits())
    return Served(Fake(seconds), form, "fake", "run", "fake")
