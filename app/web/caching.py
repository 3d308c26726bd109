"""Bytes as an answer: compressed for those who accept it, not sent again to those who have them."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

#: Below this many bytes compression saves less than its header costs.
_GZIP_MINIMUM = 512
_COMPRESSIBLE = ("text/", "application/json", "application/x-ipynb+json", "image/svg+xml")


@dataclass(frozen=True)
class Content:
    """What can be sent, with what is derived from it."""

    body: bytes
    media_type: str
    etag: str
    #: None when compressing would not help.
    gzipped: bytes | None

    @classmethod
    def of(cls, body: bytes, media_type: str, *, level: int = 9) -> Content:
        """Prepare `body`; `level` is gzip's: 9 for what is sent many times, less for what is made anew each time."""
        gzipped = None
        if len(body) >= _GZIP_MINIMUM and media_type.startswith(_COMPRESSIBLE):
            packed = gzip.compress(body, level, mtime=0)
            gzipped = packed if len(packed) < len(body) else None
        # Weak: it stands for the content, whichever way it is encoded.
        etag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
        return cls(body, media_type, etag, gzipped)


def answer(request: Request, content: Content, headers: Mapping[str, str], status: int = 200) -> Response:
    """`content` with `headers`: compressed if the request accepts it, 304 if the browser has it already."""
    headers = {**headers, "ETag": content.etag, "Vary": "Accept-Encoding"}
    if status == 200 and content.etag in _listed(request, "if-none-match"):
        return Response(status_code=304, headers=headers)
    if content.gzipped is not None and _accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        return Response(content.gzipped, status, headers, content.media_type)
    return Response(content.body, status, headers, content.media_type)


def _listed(request: Request, header: str) -> list[str]:
    return [item.strip() for item in request.headers.get(header, "").split(",")]


def _accepts_gzip(request: Request) -> bool:
    for item in _listed(request, "accept-encoding"):
        coding, *parameters = (part.strip().lower() for part in item.split(";"))
        if coding == "gzip":
            return not any(parameter in ("q=0", "q=0.0", "q=0.00", "q=0.000") for parameter in parameters)
    return False
