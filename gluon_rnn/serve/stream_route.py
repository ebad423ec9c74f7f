"""``/stream``: a websocket whose messages hold steps of one sequence, and whose answers come after each of them."""
import asyncio
import json

from fastapi import WebSocket, WebSocketDisconnect

from gluon_rnn.serve.batching import failure
from gluon_rnn.serve.form import plain
from gluon_rnn.serve.limits import Refusal
from gluon_rnn.serve.values import shown, within

__all__ = ["StreamRoute"]

#: close codes of RFC 6455 and IANA's registry: policy violation, internal error, try again later
_CODES = {403: 1008, 404: 1008, 409: 1008, 422: 1008, 500: 1011, 503: 1013}
_CHUNK = 64         # steps in one turn of the model's thread, so that long messages let others through
_MESSAGE = 'a JSON object with "steps", a list, or "step"'


class StreamRoute:
    """The endpoint; ``await route(websocket)`` serves one client.

    Parameters
    ----------
    serving : gluon_rnn.serve.app.Serving
    """

    def __init__(self, serving):
        self._serving, self._sessions = serving, serving.sessions

    async def __call__(self, websocket: WebSocket):
        await websocket.accept()
        try:
            session = await self._session(websocket)
        except Refusal as refusal:
            await _close(websocket, refusal)
            return
        try:
            await websocket.send_json({"session": session.name, "steps": session.steps})
            await self._converse(websocket, session)
        except WebSocketDisconnect:
            self._sessions.release(session)
        except Refusal as refusal:                                        # the stream has ended
            self._sessions.drop(session)
            await _close(websocket, refusal)
        finally:
            if session.connected:                                         # cancelled: the server ends
                self._sessions.release(session)

    async def _session(self, websocket):
        if not _same_origin(websocket.headers):
            raise Refusal(403, f"a page of {websocket.headers['origin'][:60]!r} may not use this server's streams")
        if self._serving.no_streams is not None:
            raise Refusal(422, self._serving.no_streams)
        return self._sessions.open(websocket.query_params.get("session"))

    async def _converse(self, websocket, session):
        timeout = self._serving.limits.session_timeout
        while True:
            try:
                message = await asyncio.wait_for(websocket.receive(), timeout)
            except asyncio.TimeoutError:
                raise Refusal(422, f"nothing was sent for {timeout:g} s; the session has ended") from None
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))
            try:
                steps = self._steps(message.get("text"))
            except ValueError as error:                                   # no step was read, so the stream goes on
                await websocket.send_json({"detail": str(error), "steps": session.steps})
                continue
            answers = await self._answers(session, steps)
            await websocket.send_json({"answers": answers, "steps": session.steps})

    def _steps(self, text):
        """Return the checked steps of a message; ValueError with one sentence for a wrong message."""
        form, limit = self._serving.served.form, self._serving.limits.max_length
        try:
            message = json.loads(text or "")
        except (ValueError, RecursionError):
            raise ValueError(f"expected {_MESSAGE}, got {shown(text)}") from None
        if not isinstance(message, dict) or len(message) != 1 or not {"step", "steps"} & set(message):
            raise ValueError(f"expected {_MESSAGE}, got {shown(message)}")
        steps = message.get("steps", [message.get("step")])
        if not isinstance(steps, list):
            raise ValueError(f"expected {_MESSAGE}, got {shown(message)}")
        within(steps, len(steps), limit, "steps in a message")
        return [self._checked(form, number, step) for number, step in enumerate(steps)]

    @staticmethod
    def _checked(form, number, step):
        try:
            return form.step(step)
        except ValueError as error:
            raise ValueError(f"steps[{number}]: {error}") from None

    async def _answers(self, session, steps):
        found = []
        for begin in range(0, len(steps), _CHUNK):
            chunk = steps[begin:begin + _CHUNK]
            try:
                found += await self._serving.in_thread(session.stream.answers, chunk)
            except ValueError as error:
                raise Refusal(422, str(error)) from None
            except Exception:  # a fault of the model ends this stream alone
                raise failure() from None
            session.steps += len(chunk)
            self._serving.metrics.steps.inc(len(chunk))
        return plain(found)


def _same_origin(headers):
    """Return whether a browser's page, if there is one, came from this server: pages of others may not connect."""
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


async def _close(websocket, refusal):
    await websocket.send_json({"detail": refusal.sentence})
    await websocket.close(_CODES[refusal.status], refusal.sentence.encode()[:120].decode(errors="ignore"))
