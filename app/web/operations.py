"""For those who run the server or write a client: health, metrics, the API's description."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin
from starlette.responses import Response

import app
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
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").use(anchors_plugin, max_level=3)
    html: str = markdown.render(path.read_text(encoding="utf-8"))
    return html
