"""The wall around every route: who may call, how much they may send, what a page may load.

Pure ASGI, so that streamed answers pass through unbuffered. It runs before routing: a route cannot forget it.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.config import Settings
from app.web.limits import RateLimiter
from app.web.problems import Problem

#: Methods that change nothing; every other one must come from the site's own pages or from no browser at all.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

#: KaTeX positions its glyphs with style attributes; style *elements* stay forbidden.
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

RESPONSE_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


class SecurityMiddleware:
    """Checks Host, Origin, `Sec-Fetch-Site`, sizes and the caller's rate; adds the security headers."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._limits = settings.limits
        self._origins = {origin.lower() for origin in settings.origins}
        self._hosts = {urlsplit(origin).netloc for origin in self._origins}
        self._rates = RateLimiter(settings.limits.address_rate, settings.limits.address_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI prescribes."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            # Nothing here speaks WebSocket; a cross-site page must not even get a handshake.
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in RESPONSE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check(scope)
            body = _BoundedBody(receive, self._limits.body)
            await self._app(scope, body, send_secured)
        except Problem as problem:
            await problem.response()(scope, receive, send_secured)

    def _check(self, scope: Scope) -> None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > self._limits.headers:
            raise Problem("headers-too-large", f"Send at most {self._limits.headers // 1024} KiB of headers.")
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if len(headers.getlist("host")) != 1 or host not in self._allowed_hosts(scope):
            raise Problem(
                "foreign-host",
                "Open the address that the server printed when it started. To reach it by another name, "
                "start it with --origin, for example --origin https://learn.example.org",
            )
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length) > self._limits.body:
            raise _too_large(self._limits.body)
        if scope["method"] not in SAFE_METHODS:
            self._check_origin(headers, host)
            client = scope.get("client")
            wait = self._rates.take(client[0] if client else "")
            if wait:
                raise Problem("too-many-requests", "Wait a moment before the next call.", retry_after=wait)

    def _allowed_hosts(self, scope: Scope) -> set[str]:
        # The port of the socket that took the connection, so that port 0 needs no configuration.
        port = (scope.get("server") or ("", None))[1]
        suffixes: Iterable[str] = ("", f":{port}") if port in (80, None) else (f":{port}",)
        return self._hosts | {name + suffix for name in _LOOPBACK_NAMES for suffix in suffixes}

    def _check_origin(self, headers: Headers, host: str) -> None:
        site = headers.get("sec-fetch-site")
        if site is not None and site != "same-origin":
            raise _foreign_origin()
        for origin in headers.getlist("origin"):
            if urlsplit(origin.lower()).netloc != host or not self._is_own(origin.lower(), host):
                raise _foreign_origin()

    def _is_own(self, origin: str, host: str) -> bool:
        return origin in self._origins if host in self._hosts else origin == f"http://{host}"


class _BoundedBody:
    """A `receive` that refuses bodies above a size, whatever Content-Length said or did not say."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._seen = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            if self._seen > self._limit:
                raise _too_large(self._limit)
        return message


def _too_large(limit: int) -> Problem:
    return Problem("too-large", f"Send at most {limit // 1024} KiB in one request.")


def _foreign_origin() -> Problem:
    return Problem(
        "foreign-origin",
        "Only this site's own pages may make this call from a browser. Open the site itself and try there; "
        "programs send no Origin header and authenticate with Authorization: Bearer.",
    )
