"""Errors as problem documents (RFC 9457): what went wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any

import orjson
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

#: Every kind of problem the API answers, with its status and title. docs/http-api.md describes each; a test compares.
KINDS: dict[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be read"),
    "foreign-host": (421, "This server does not answer to that name"),
    "foreign-origin": (403, "The call comes from another site"),
    "foreign-session": (403, "The session belongs to someone else"),
    "unknown-session": (404, "No such session"),
    "unknown-exercise": (404, "No such exercise"),
    "not-found": (404, "Nothing here"),
    "method-not-allowed": (405, "Not a method of this address"),
    "busy": (409, "Too many cells wait to run"),
    "too-large": (413, "Too large"),
    "not-json": (415, "The body must be JSON"),
    "invalid": (422, "The body is not what was expected"),
    "too-many-requests": (429, "Too many requests"),
    "too-many-sessions": (429, "All places are taken"),
    "headers-too-large": (431, "The headers are too large"),
    "internal": (500, "The server failed"),
    "unavailable": (503, "Not available at the moment"),
}


class Problem(Exception):
    """An error to be answered as a problem document.

    `kind` is a key of `KINDS`; `detail` tells the caller what to do; `retry_after` is in seconds; `extra` adds
    members to the document.
    """

    def __init__(self, kind: str, detail: str, *, retry_after: float | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status, self.title = KINDS[kind]
        self.detail = detail
        self.retry_after = retry_after
        self.extra = extra

    @property
    def headers(self) -> dict[str, str]:
        """Headers the answer carries besides its content type."""
        if self.retry_after is None:
            return {}
        return {"Retry-After": str(max(1, ceil(self.retry_after)))}

    def response(self) -> Response:
        """The problem as an HTTP answer."""
        document: Mapping[str, Any] = {
            "type": f"/docs#{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }
        headers = {"Cache-Control": "no-store", **self.headers}
        return Response(orjson.dumps(document), self.status, headers, media_type=MEDIA_TYPE)


def from_status(status: int, path: str, allow: str | None = None) -> Problem:
    """The problem for an error that the framework raised on its own, such as a path without a route."""
    if status == HTTPStatus.NOT_FOUND:
        return Problem("not-found", f"Nothing is served at {path}. The calls of this API are listed at /docs.")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = f" Use {allow}." if allow else ""
        return Problem("method-not-allowed", f"{path} does not take that method.{methods}")
    if status == HTTPStatus.BAD_REQUEST:
        return Problem("bad-request", "The body could not be read as JSON. Send a JSON object in UTF-8.")
    return Problem("internal", "The request failed. Try again; if it fails again, the server's log says why.")
