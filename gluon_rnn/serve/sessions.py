"""Streams: the states of a model for one client, kept between its messages and given up when it stays away."""
import collections
import secrets
import time

from gluon_rnn.serve.limits import Refusal

__all__ = ["Session", "Sessions", "StepStream", "streams"]


class _Asked(Exception):
    """The model asks for a step that has not come."""


class StepStream:
    """``predictor.stream`` turned round: steps are handed to it, and it answers. Used in the thread of the model only.

    Parameters
    ----------
    predictor
        With ``stream(steps)``, which yields one answer after each step.
    """

    def __init__(self, predictor):
        self._steps = collections.deque()
        self._answers = iter(predictor.stream(self._feed()))

    def _feed(self):
        while True:
            if not self._steps:
                raise _Asked
            yield self._steps.popleft()

    def answers(self, steps):
        """Return the answers to `steps`, a list; ValueError, after which the stream has ended, for a wrong step."""
        found = []
        for step in steps:
            self._steps.append(step)
            try:
                found.append(next(self._answers))
            except (_Asked, StopIteration):
                raise ValueError("a step had nothing in it that the model reads; the stream has ended") from None
        return found

    def close(self):
        """End the stream and free its states."""
        self._answers.close()


def streams(predictor):
    """Return None if the model answers step by step, else the sentence that says why it does not."""
    try:
        next(iter(predictor.stream(_nothing())))
    except _Asked:
        return None
    except ValueError as error:
        return str(error)
    return None


def _nothing():
    raise _Asked
    yield


class Session:
    """One client's stream.

    Attributes
    ----------
    name : str
        Nobody can guess it; who has it goes on with the stream.
    steps : int
        Read so far.
    connected : bool
    """

    def __init__(self, stream):
        self.name, self.stream, self.steps = secrets.token_urlsafe(16), stream, 0
        self.connected, self.used = True, time.monotonic()


class Sessions:
    """All streams of a server, at most `limit` of them, each given up `timeout` seconds after its last use.

    Parameters
    ----------
    begin : callable
        Gives a new `StepStream`.
    end : callable
        Called with one that is given up.
    timeout : float
    limit : int
    """

    def __init__(self, begin, end, timeout, limit):
        self._begin, self._end, self._timeout, self._limit = begin, end, timeout, limit
        self._sessions = {}

    def __len__(self):
        return len(self._sessions)

    def open(self, name=None):
        """Return the `Session` called `name`, or a new one.

        Raises
        ------
        Refusal
            503 where there are too many; 404 where there is none of this name; 409 where another client is connected.
        """
        self.expire()
        if name is not None:
            return self._resumed(name)
        if len(self._sessions) >= self._limit:
            raise Refusal(503, f"there are {len(self._sessions)} streams, and this server keeps at most {self._limit}; "
                               "connect again later")
        session = Session(self._begin())
        self._sessions[session.name] = session
        return session

    def _resumed(self, name):
        session = self._sessions.get(name)
        if session is None:
            raise Refusal(404, f"there is no session {name[:40]!r}; it has ended, or nothing was sent for "
                               f"{self._timeout:g} s; connect without a session to begin a new one")
        if session.connected:
            raise Refusal(409, "the session has a client that is connected; close that connection first")
        session.connected, session.used = True, time.monotonic()
        return session

    def release(self, session):
        """Keep a session whose client has gone, for as long as the timeout says."""
        session.connected, session.used = False, time.monotonic()

    def drop(self, session):
        """Give a session up."""
        if self._sessions.pop(session.name, None) is not None:
            self._end(session.stream)

    def expire(self):
        """Give up the sessions that nobody has been connected to for too long."""
        latest = time.monotonic() - self._timeout
        for session in [each for each in self._sessions.values() if not each.connected and each.used < latest]:
            self.drop(session)

    def clear(self):
        """Give all sessions up."""
        for session in list(self._sessions.values()):
            self.drop(session)
