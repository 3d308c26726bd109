"""For those who run the server or write a client: health, metrics, the API's description."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

import app
from app.lessons.markdown import Markdown, plain_text
from app.web.access import Store
from app.web.context import DocumentContext
from app.web.i18n import STRINGS
from app.web.metrics import Metrics
from app.web.rendering import Renderer

router = APIRouter()


@router.get("/healthz", summary="Liveness and the confinement of kernels")
async def healthz(store: Store) -> dict[str, Any]:
    """`{"status": "ok", "version", "sessions", "confinement"}`."""
    return {"status": "ok", "version": app.__version__, "sessions": len(store), "confinement": store.confinement()}


@router.get("/metrics", response_class=Response, summary="Prometheus metrics")
async def metrics(request: Request, store: Store) -> Response:
    """Counters in Prometheus' text format."""
    found: Metrics = request.app.state.metrics
    found.sessions.set(len(store))
    return Response(found.render(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> Response:
    """docs/http-api.md as a page; the usual interactive page would load its scripts from another host."""
    renderer: Renderer = request.app.state.renderer
    context = DocumentContext(
        lang="en",
        strings=STRINGS["en"],
        title="HTTP API",
        html=_render(request.app.state.resources.api_document),
        assets=request.app.state.assets,
    )
    return renderer.page(request, "document.html", context)


@lru_cache(maxsize=4)
def _render(path: Path) -> str:
    reader = Markdown("en", {})
    tokens = reader.parse(path.read_text(encoding="utf-8"))
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            # Problem documents point here: their kinds are headings.
            opening.attrSet("id", re.sub(r"[^a-z0-9]+", "-", plain_text(inline).lower()).strip("-"))
    return reader.html(tokens)
