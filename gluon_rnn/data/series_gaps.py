"""Recordings cut where their dates have a gap."""
import dataclasses
import logging

from gluon_rnn.answers.gaps import irregular
from gluon_rnn.data.dates import nanoseconds_of

__all__ = ["split_at_gaps"]

_log = logging.getLogger(__name__)


def split_at_gaps(recordings, min_rows):
    """Return recordings without gaps, each what lies between two gaps of one of `recordings`.

    Rows before the start of a recording stay context, as far as no gap lies between.

    Parameters
    ----------
    recordings : list of Recording
        With dates.
    min_rows : int
        Those with fewer rows, context counted, are left out, and the log says how many.

    Raises
    ------
    ValueError
        If there are no dates, or nothing is left.
    """
    found = []
    for recording in recordings:
        if recording.times is None:
            raise ValueError("gaps: split needs the name of the date column; set date")
        pieces = list(_pieces(recording))
        kept = [piece for piece in pieces if len(piece) >= min_rows]
        if len(pieces) > 1:
            _log.info("%s: %d recordings between gaps, %d of them of fewer than %d rows left out", recording.name,
                      len(pieces), len(pieces) - len(kept), min_rows)
        found += kept
    if not found:
        raise ValueError(f"{recordings[0].name}: no part between two gaps has {min_rows} rows; lower min_rows, or fill "
                         "the gaps")
    return found


def _pieces(recording):
    """Yield the parts of a recording between its gaps that have rows behind its start."""
    rows, _ = irregular(nanoseconds_of(recording.times))
    edges = [0, *rows, len(recording)]
    for first, stop in zip(edges, edges[1:]):
        if stop > recording.start:
            name = recording.name if not rows else f"{recording.name}, rows {first + 1} to {stop}"
            yield dataclasses.replace(recording, name=name, x=recording.x[first:stop], y=recording.y[first:stop],
                                      start=max(recording.start - first, 0), times=recording.times[first:stop])
