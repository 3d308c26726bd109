"""The app factory: settings in, ASGI app out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

import app
from app.config import Settings
from app.lessons.catalog import Catalog
from app.resources import Resources, find_resources
from app.sessions.store import SessionStore
from app.web import api, operations, pages
from app.web.assets import Assets
from app.web.limits import RateLimiter
from app.web.metrics import Metrics, MetricsMiddleware
from app.web.problems import Problem, from_status
from app.web.rendering import Renderer
from app.web.security import RESPONSE_HEADERS, SecurityMiddleware


class ConfinementMissing(RuntimeError):
    """The server would be reachable by others while its kernels are not confined."""


def create_app(
    settings: Settings | None = None, *, resources: Resources | None = None, store: SessionStore | None = None
) -> FastAPI:
    """Build the whole server. Kernels start with the app's lifespan and end with it.

    Raises `BundleMissing` when the front end has not been built and `LessonError` when a lesson cannot be read; in the
    lifespan, `KernelsUnavailable` and, when others could reach unconfined kernels, `ConfinementMissing`.
    """
    settings = settings or Settings()
    resources = resources or find_resources()
    assets = Assets.load(resources.bundle)
    # Read now, so that a fault is known before anyone comes and the first page is not slower than the rest.
    Catalog.load(resources.root)
    # Not "or": an empty store is false.
    sessions = SessionStore() if store is None else store

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await sessions.start()
        try:
            check_exposure(settings, sessions.confinement())
            yield
        finally:
            await sessions.close()

    server = FastAPI(
        title="gradlens",
        version=app.__version__,
        summary="Runs PyTorch code for learners and answers with the graph it built.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    server.state.settings = settings
    server.state.resources = resources
    server.state.assets = assets
    server.state.renderer = Renderer(resources.templates)
    server.state.store = sessions
    server.state.metrics = Metrics()
    server.state.session_rates = RateLimiter(settings.limits.session_rate, settings.limits.session_burst)
    server.state.opening_rates = RateLimiter(settings.limits.opening_rate, settings.limits.opening_burst)

    server.include_router(operations.router)
    server.include_router(api.router)
    server.include_router(pages.router)

    server.add_exception_handler(Problem, _on_problem)
    server.add_exception_handler(HTTPException, _on_http_exception)
    server.add_exception_handler(RequestValidationError, _on_invalid)
    server.add_exception_handler(Exception, _on_failure)

    # The last added runs first: everything is counted, then everything is checked.
    server.add_middleware(SecurityMiddleware, settings=settings)
    server.add_middleware(MetricsMiddleware, metrics=server.state.metrics)
    return server


def check_exposure(settings: Settings, confinement: dict[str, Any]) -> None:
    """Raise `ConfinementMissing` if others could reach kernels that are not fully confined."""
    if (settings.loopback and not settings.origins) or confinement.get("full"):
        return
    layers: dict[str, dict[str, Any]] = confinement.get("layers", {})
    missing = ", ".join(name for name, layer in layers.items() if not layer.get("holds")) or "every layer"
    raise ConfinementMissing(
        f"Refusing to serve on {settings.host}: learners' code is not fully confined on this machine, so whoever "
        f"reaches the server could run programs on it (missing: {missing}). "
        "Serve on 127.0.0.1, or use a Linux kernel with these layers."
    )


def _answer(request: Request, problem: Problem) -> Response:
    if pages.wants_page(request):
        return pages.error_page(request, problem.status)
    return problem.response()


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _answer(request, error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, Problem):
        # Raised by the wall while the framework read the body, and wrapped on the way.
        return _answer(request, error.__cause__)
    allow = (error.headers or {}).get("Allow")
    response = _answer(request, from_status(error.status_code, request.url.path, allow))
    if allow:
        response.headers["Allow"] = allow
    return response


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(item["loc"][0] == "path" for item in found):
        return _answer(request, from_status(404, request.url.path))
    if any(item["type"] == "json_invalid" for item in found):
        return _answer(request, from_status(400, request.url.path))
    errors = [{"where": ".".join(map(str, item["loc"][1:])), "what": item["msg"]} for item in found]
    said = "; ".join(f"{item['where'] or 'the body'}: {item['what']}" for item in errors[:5])
    return _answer(request, Problem("invalid", f"Correct the body ({said}). /docs describes it.", errors=errors[:50]))


async def _on_failure(request: Request, _: Exception) -> Response:
    response = _answer(request, from_status(500, request.url.path))
    # The framework answers failures outside all middleware.
    response.headers.update(RESPONSE_HEADERS)
    return response
