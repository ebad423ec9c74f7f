"""The application: /predict, /stream, /health, /model, /metrics and the page at /."""
import asyncio
import concurrent.futures
import contextlib
import pathlib

import fastapi
import pydantic
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from gluon_rnn.serve.batching import Batcher
from gluon_rnn.serve.limits import BodyLimit, Limits, Refusal
from gluon_rnn.serve.messages import BODY, sentence
from gluon_rnn.serve.metrics import CountedRequests, Metrics
from gluon_rnn.serve.sessions import Sessions, StepStream, streams
from gluon_rnn.serve.stream_route import StreamRoute

__all__ = ["Serving", "build_app"]

PATHS = ("/", "/predict", "/stream", "/health", "/model", "/metrics", "/openapi.json")
_PAGE = pathlib.Path(__file__).with_name("page.html")
_HEADERS = {"Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
                                       "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
                                       "frame-ancestors 'none'",
            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_SWEEP = 5.0        # s between two looks at expired sessions


class Serving:
    """A model, the one thread that it runs in, the queue in front of it and its streams.

    Parameters
    ----------
    served : gluon_rnn.serve.opening.Served
    limits : Limits
    """

    def __init__(self, served, limits):
        self.served, self.limits, self.ready = served, limits, False
        self.thread = concurrent.futures.ThreadPoolExecutor(1, "model")
        self.no_streams = (self.thread.submit(streams, served.predictor).result() if served.form.step
                           else "this model answers whole items only; ask at /predict")
        self.sessions = Sessions(lambda: StepStream(served.predictor), self._end, limits.session_timeout,
                                 limits.max_sessions)
        self.metrics = Metrics(lambda: len(self.batcher), lambda: len(self.sessions))
        batch, wait = (limits.max_batch, limits.max_wait) if served.form.batched else (1, 0.0)
        self.batcher = Batcher(self._answers, self.thread, batch, wait, limits.max_queue, self.metrics.observe_batch)

    def _answers(self, items):
        return self.served.form.answers(self.served.predictor, items)

    def _end(self, stream):
        self.thread.submit(stream.close)

    async def in_thread(self, function, *arguments):
        """Return what `function` gives in the thread of the model."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, function, *arguments)

    @contextlib.asynccontextmanager
    async def running(self, _app=None):
        """Answer inside of the ``async with``; at its end what waits is answered first."""
        self.batcher.start()
        sweeper = asyncio.get_running_loop().create_task(self._sweep())
        self.ready = True
        try:
            yield
        finally:
            self.ready = False
            sweeper.cancel()
            await self.batcher.close()
            self.sessions.clear()
            self.thread.shutdown()

    async def _sweep(self):
        while True:
            await asyncio.sleep(min(_SWEEP, self.limits.session_timeout / 2 + 0.01))
            self.sessions.expire()

    def health(self):
        """Return the content of ``/health``."""
        return {"status": "ok" if self.ready else "not ready", "ready": self.ready, **self.served.about()}


def build_app(served, limits=None):
    """Return the FastAPI application that serves a model.

    Parameters
    ----------
    served : gluon_rnn.serve.opening.Served
        See `gluon_rnn.serve.open_model`.
    limits : Limits, optional
    """
    limits = limits or Limits()
    serving = Serving(served, limits)
    # the pages that FastAPI has for its schema load scripts from elsewhere; the schema itself stays
    app = fastapi.FastAPI(title=f"gluon_rnn: {served.name}", version=served.about()["version"], docs_url=None,
                          redoc_url=None, lifespan=serving.running)
    app.state.serving = serving
    _add_predict(app, serving)
    _add_pages(app, serving)
    app.add_api_websocket_route("/stream", StreamRoute(serving))
    app.add_middleware(BodyLimit, limit=limits.max_body)
    app.add_middleware(CountedRequests, metrics=serving.metrics, paths=PATHS)
    return app


def _add_predict(app, serving):
    limits, item = serving.limits, serving.served.form.item
    body_type = pydantic.create_model(
        "Request", __config__=pydantic.ConfigDict(extra="forbid"), item=(item, None),
        items=(list[item], pydantic.Field(None, min_length=1, max_length=limits.max_items)))
    known = _keys(item)

    @app.post("/predict")
    async def predict(body: body_type):
        """Answer one item or many; answers are in the order of the items."""
        if len(body.model_fields_set) != 1:
            came = " and ".join(sorted(body.model_fields_set)) or "neither"
            raise Refusal(422, f"expected {BODY}, got {came if came == 'neither' else f'both {came}'}")
        many = "items" in body.model_fields_set
        answers = await serving.batcher.ask(body.items if many else [body.item])
        for number, answer in enumerate(answers):
            if isinstance(answer, Refusal):
                where = f"items[{number}]" if many else "item"
                raise Refusal(answer.status, f"{where}: {answer.sentence}")
        return JSONResponse({"answers": answers})

    @app.exception_handler(RequestValidationError)
    async def wrong_body(request, error):
        return _refused(422, sentence(error.errors(), known))

    @app.exception_handler(Refusal)
    async def refused(request, error):
        return _refused(error.status, error.sentence)

    @app.exception_handler(HTTPException)
    async def not_served(request, error):
        text = {404: f"there is no {request.url.path!r} here; there are {', '.join(PATHS)}",
                405: f"{request.url.path!r} does not take {request.method}",
                400: f"expected {BODY}, got text that cannot be read"}.get(error.status_code, str(error.detail))
        return _refused(error.status_code, text, error.headers)


def _add_pages(app, serving):
    page = _PAGE.read_text(encoding="utf-8")

    @app.get("/health")
    async def health():
        """Say whether the server answers, and what it serves."""
        return JSONResponse(serving.health(), 200 if serving.ready else 503)

    @app.get("/model")
    async def model():
        """Say what the model takes."""
        form = serving.served.form
        return JSONResponse({**serving.served.about(), "input": form.about, "streams": serving.no_streams is None,
                             "limits": {"max_items": serving.limits.max_items, "max_body": serving.limits.max_body,
                                        "max_length": serving.limits.max_length}})

    @app.get("/metrics")
    async def metrics():
        """Give all metrics in the text format of Prometheus."""
        kind, content = serving.metrics.text()
        return Response(content, headers={"content-type": kind})

    @app.get("/", response_class=HTMLResponse)
    async def index():
        """Give the page on which a person asks the model."""
        return HTMLResponse(page, headers=_HEADERS)


def _refused(status, text, headers=None):
    headers = {**(headers or {}), **({"Retry-After": "1"} if status == 503 else {})}
    return JSONResponse({"detail": text}, status, headers)


def _keys(item):
    """Return the keys of an item that has parts."""
    found = getattr(item, "__origin__", item)                             # Annotated[Model, ...] has it there
    return list(getattr(found, "model_fields", ()))
