"""How much of drawn tunes music21 can read, whether their bars are full, and how much of them was learnt by heart."""
import re

import numpy as np

from gluon_rnn.metrics.abc_score import check_tune

__all__ = ["phrases_copied", "score_tunes"]


def score_tunes(tunes):
    """Return the `TuneCheck` of each tune in ABC notation, None standing for one without an end, and shares of them.

    "parses": music21 reads it without an error; "keeps_metre": and all its bars are of its metre, see
    `gluon_rnn.metrics.abc_score.check_tune`; "right_bars": of all bars, those that are not wrong.
    """
    checks = [None if tune is None else check_tune(tune) for tune in tunes]
    bars = sum(check.bars for check in checks if check)
    right = bars - sum(len(check.wrong_bars) for check in checks if check)
    return checks, {"parses": float(np.mean([bool(check) and check.parses for check in checks])),
                    "keeps_metre": float(np.mean([bool(check) and check.keeps_metre for check in checks])),
                    "right_bars": right / max(1, bars)}


def phrases_copied(texts, seen, bars=2):
    """Return the share of phrases of so many bars that stand in a training tune too: how much is learnt by heart."""
    known = {phrase for text in seen for phrase in _phrases(text, bars)}
    phrases = [phrase for text in texts for phrase in _phrases(text, bars)]
    return sum(phrase in known for phrase in phrases) / max(1, len(phrases))


def _phrases(text, bars):
    notes = "".join(line for line in text.split("\n") if line[1:2] != ":").replace(" ", "")
    parts = [part for part in re.sub(r"\[\d|[\[\]:]", "", notes).split("|") if part]   # no signs of repetition
    return [tuple(parts[index:index + bars]) for index in range(len(parts) - bars + 1)]
