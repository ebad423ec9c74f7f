"""What a server counts, in the text format of Prometheus."""
import time

import prometheus_client as prometheus

__all__ = ["CountedRequests", "Metrics"]

_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one application, in a registry of its own.

    Parameters
    ----------
    queue_size, session_count : callable
        Give what the two gauges show.
    """

    def __init__(self, queue_size, session_count):
        registry = self.registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=registry)                    # memory, processor time, open files
        self.requests = prometheus.Counter("gluon_rnn_requests", "Requests by path and status", ["path", "status"],
                                           registry=registry)
        self.seconds = prometheus.Histogram("gluon_rnn_request_seconds", "Time from a request to its answer", ["path"],
                                            buckets=_SECONDS, registry=registry)
        self.batch = prometheus.Histogram("gluon_rnn_batch_items", "Items that shared a call of the model",
                                          buckets=_SIZES, registry=registry)
        self.model = prometheus.Histogram("gluon_rnn_model_seconds", "Time that the model took for a batch",
                                          buckets=_SECONDS, registry=registry)
        self.steps = prometheus.Counter("gluon_rnn_stream_steps", "Steps of streams that were answered",
                                        registry=registry)
        for name, text, size in [("gluon_rnn_queue_items", "Items that wait for the model", queue_size),
                                 ("gluon_rnn_sessions", "Streams whose states are kept", session_count)]:
            prometheus.Gauge(name, text, registry=registry).set_function(size)

    def observe_batch(self, items, seconds):
        """Count a call of the model."""
        self.batch.observe(items)
        self.model.observe(seconds)

    def text(self):
        """Return all metrics as (content type, bytes)."""
        return prometheus.CONTENT_TYPE_LATEST, prometheus.generate_latest(self.registry)


class CountedRequests:
    """ASGI application around `app` that counts its answers; paths that are none of `paths` count as "other"."""

    def __init__(self, app, metrics, paths):
        self.app, self.metrics, self.paths = app, metrics, frozenset(paths)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"] if scope["path"] in self.paths else "other"
        status, begin = 500, time.monotonic()

        async def send_counted(message):
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            self.metrics.requests.labels(path, status).inc()
            self.metrics.seconds.labels(path).observe(time.monotonic() - begin)
