"""What a server takes at most: bytes, items, lengths, requests that wait, sessions; and the refusal of more."""
import dataclasses
import json

import fastapi

__all__ = ["BodyLimit", "Limits", "Refusal"]


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits of a server.

    Parameters
    ----------
    max_batch : int, default 64
        Items that one call of the model takes; 1 takes them one by one.
    max_wait : float, default 0.005
        So many seconds an item waits at most for others to share its call.
    max_queue : int, default 1024
        Items that wait for the model; more are refused with status 503.
    max_body : int, default 1000000
        Bytes of a request, and of a message of a stream.
    max_items : int, default 256
        Items of a request; texts that a model writes for one item.
    max_length : int, default 10000
        Length of an item: characters of a text, steps of a row of numbers, tokens to write; steps of a message.
    session_timeout : float, default 300
        Seconds after which the states of a stream are given up that nobody sends to.
    max_sessions : int, default 256
        Streams at a time.

    Raises
    ------
    ValueError
        If one is below 1 (times: below 0), or a request may have more items than may wait.
    """

    max_batch: int = 64
    max_wait: float = 0.005
    max_queue: int = 1024
    max_body: int = 1_000_000
    max_items: int = 256
    max_length: int = 10_000
    session_timeout: float = 300.0
    max_sessions: int = 256

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value, least = getattr(self, field.name), 0 if isinstance(field.default, float) else 1
            if not least <= value < float("inf"):
                raise ValueError(f"{field.name} must be a finite number of at least {least}, got {value!r}")
        if self.max_items > self.max_queue:
            raise ValueError(f"max_items is {self.max_items} and max_queue {self.max_queue}, so that a request could "
                             "be larger than the queue; raise max_queue")


class Refusal(Exception):
    """A request that is not answered: status and one sentence."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class BodyLimit:
    """ASGI application around `app`, which answers bodies of more than `limit` bytes with status 413."""

    def __init__(self, app, limit):
        self.app, self.limit = app, limit
        self.sentence = f"the body has more than {limit} bytes; send fewer items, or start the server with --max-body"

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self.limit:
            await self._refuse(send)
            return
        await self.app(scope, self._counted(receive), send)

    def _counted(self, receive):
        """Return `receive`, which raises as soon as more bytes have come than are allowed, declared or not."""
        taken = 0

        async def receive_counted():
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limit:
                raise fastapi.HTTPException(413, self.sentence, {"Connection": "close"})
            return message

        return receive_counted

    async def _refuse(self, send):
        body = json.dumps({"detail": self.sentence}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
                   (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})
