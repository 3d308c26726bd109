"""What Prometheus may ask: requests, runs, sessions. One registry for each app, so that tests do not share counts."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"})


class Metrics:
    """The server's counters; `render` writes them as Prometheus text."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "gradlens_http_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.request_seconds = Histogram(
            "gradlens_http_request_seconds",
            "Time until the answer had been sent in full.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.runs = Counter("gradlens_runs", "Cells that ran, by how they ended.", ("status",), registry=self.registry)
        self.run_seconds = Histogram(
            "gradlens_run_seconds", "Time a cell took, replay included.", buckets=_SECONDS, registry=self.registry
        )
        self.sessions = Gauge("gradlens_sessions", "Sessions that are open.", registry=self.registry)

    def render(self) -> bytes:
        """All metrics in the text format."""
        return generate_latest(self.registry)


class MetricsMiddleware:
    """Counts every request under its route's template, so that ids in paths make no new series."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI prescribes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        finally:
            # The router leaves the route it chose in the scope.
            route = getattr(scope.get("route"), "path", "(none)")
            method = scope["method"] if scope["method"] in _METHODS else "(other)"
            self._metrics.requests.labels(method, route, str(status)).inc()
            self._metrics.request_seconds.labels(route).observe(time.perf_counter() - started)
