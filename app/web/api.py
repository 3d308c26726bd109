"""The HTTP API of docs/http-api.md: sessions, running cells, help for the editor, the catalogue."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from app.config import Limits
from app.lessons.catalog import Catalog
from app.lessons.model import LANGUAGES, Lang, Lesson
from app.sessions.errors import KernelsUnavailable, SessionBusy, TooManySessions, UnknownSession
from app.sessions.events import Output
from app.sessions.replay import HistoryCell
from app.sessions.session import Session
from app.web import sse
from app.web.access import (
    JsonBody,
    OwnSession,
    PacedSession,
    Store,
    delete_cookie,
    paced_session,
    set_cookie,
    unknown_session,
)
from app.web.metrics import Metrics
from app.web.models import (
    CheckBody,
    CursorBody,
    LessonEntry,
    LessonInLanguage,
    LessonsAnswer,
    ProblemDocument,
    RunBody,
    SessionAnswer,
)
from app.web.problems import MEDIA_TYPE, Problem

_PROBLEM = {"model": ProblemDocument, "content": {MEDIA_TYPE: {}}}
_ERRORS: dict[int | str, dict[str, Any]] = dict.fromkeys((403, 404, 413, 415, 422, 429), _PROBLEM)

router = APIRouter(prefix="/api")


@router.post("/sessions", status_code=201, responses={429: _PROBLEM}, summary="Open a session")
async def open_session(request: Request, response: Response, store: Store) -> SessionAnswer:
    """Open a session: one kernel, one namespace."""
    wait = request.app.state.opening_rates.take(request.client.host if request.client else "")
    if wait:
        raise Problem("too-many-requests", "Too many sessions were opened from this address.", retry_after=wait)
    try:
        session = store.create()
    except TooManySessions as error:
        raise Problem(
            "too-many-sessions",
            "This server has as many learners as it can hold. Close other pages of the course, or try again soon.",
            retry_after=error.retry_after,
        ) from None
    response.headers["Cache-Control"] = "no-store"
    set_cookie(response, session.id, secure=_reached_by_tls(request))
    return SessionAnswer(session=session.id)


@router.delete("/sessions/{session}", status_code=204, responses=_ERRORS, summary="Close a session")
async def close_session(own: OwnSession, store: Store) -> Response:
    """End the session and its kernel."""
    await store.delete(own.id)
    response = Response(status_code=204)
    delete_cookie(response, own.id)
    return response


@router.post(
    "/sessions/{session}/run",
    dependencies=[JsonBody],
    response_class=Response,
    responses={**_ERRORS, 200: {"content": {"text/event-stream": {}}}, 409: _PROBLEM},
    summary="Run a cell",
)
async def run(own: PacedSession, body: RunBody, request: Request) -> Response:
    """Run a cell and stream its outputs; the last event is its status."""
    limits: Limits = request.app.state.settings.limits
    _check_source(body.source, limits)
    _check_history(body, limits)
    return sse.EventStream(
        _run(own, body, request.app.state.metrics),
        on_disconnect=own.interrupt,
        last_words=_last_words,
    )


async def _run(session: Session, body: RunBody, metrics: Metrics) -> AsyncIterator[bytes]:
    started = time.perf_counter()
    history = [HistoryCell(cell=item.cell, source=item.source) for item in body.history]
    try:
        async for event in session.run(cell=body.cell, source=body.source, lesson=body.lesson, history=history):
            if isinstance(event, Output):
                yield sse.encode("output", event.output)
            else:
                metrics.runs.labels(event.status).inc()
                yield _status(event.status, event.reason, event.elapsed_ms, event.execution_count)
    except SessionBusy as error:
        raise Problem("busy", str(error), retry_after=1) from None
    except KernelsUnavailable as error:
        raise Problem(
            "unavailable", f"No kernel can be started now ({error}). Try again soon.", retry_after=5
        ) from None
    except UnknownSession:
        raise unknown_session() from None
    metrics.run_seconds.observe(time.perf_counter() - started)


def _last_words(error: Exception) -> bytes:
    reason = error.detail if isinstance(error, Problem) else "The server failed while the cell ran; its log says why."
    return _status("killed", reason, 0, None)


def _status(status: str, reason: str | None, elapsed_ms: int, execution_count: int | None) -> bytes:
    return sse.encode(
        "status",
        {"status": status, "reason": reason, "elapsed_ms": elapsed_ms, "execution_count": execution_count},
    )


@router.post("/sessions/{session}/interrupt", status_code=202, responses=_ERRORS, summary="Stop the running cell")
async def interrupt(own: OwnSession) -> Response:
    """Stop the cell that runs; its stream then ends with its status. Harmless when none runs."""
    await own.interrupt()
    return Response(status_code=202)


@router.post("/sessions/{session}/restart", status_code=202, responses=_ERRORS, summary="Start with a fresh kernel")
async def restart(own: PacedSession) -> Response:
    """Throw the namespace away; the next run starts in an empty one."""
    await own.restart()
    return Response(status_code=202)


@router.post(
    "/sessions/{session}/complete", dependencies=[JsonBody], responses=_ERRORS, summary="Completions at a cursor"
)
async def complete(own: PacedSession, body: CursorBody, request: Request) -> dict[str, Any]:
    """`{"matches": [{"text", "type"}], "start", "end"}`: what could stand between `start` and `end`."""
    _check_cursor(body, request.app.state.settings.limits)
    found: dict[str, Any] = await own.complete(body.source, body.cursor)
    return found


@router.post(
    "/sessions/{session}/inspect", dependencies=[JsonBody], responses=_ERRORS, summary="Documentation at a cursor"
)
async def inspect(own: PacedSession, body: CursorBody, request: Request) -> dict[str, Any]:
    """`{"found", "data": {"text/plain"}}`: signature and documentation of the name at the cursor."""
    _check_cursor(body, request.app.state.settings.limits)
    found: dict[str, Any] = await own.inspect(body.source, body.cursor)
    return found


@router.post(
    "/sessions/{session}/check",
    dependencies=[Depends(paced_session), JsonBody],
    responses=_ERRORS,
    summary="Check an exercise",
)
async def check(body: CheckBody, request: Request) -> Response:
    """Run an exercise's checks. The course has no exercises yet, so every name is unknown."""
    _check_source(body.source, request.app.state.settings.limits)
    raise Problem("unknown-exercise", f"The course has no exercise named {body.exercise!r}.")


@router.get("/lessons", summary="The catalogue")
async def lessons(request: Request) -> LessonsAnswer:
    """All lessons in course order, with their addresses and the ids of their cells."""
    catalog = Catalog.load(request.app.state.resources.root)
    entries: dict[str, LessonEntry] = {}
    for lang in LANGUAGES:
        for lesson in catalog.lessons(lang):
            entry = entries.setdefault(lesson.slug, LessonEntry(slug=lesson.slug, number=lesson.number, languages={}))
            entry.languages[lang] = _in_language(lesson, lang)
    return LessonsAnswer(lessons=sorted(entries.values(), key=lambda entry: entry.number))


def _in_language(lesson: Lesson, lang: Lang) -> LessonInLanguage:
    url = f"/{lang}/lessons/{lesson.slug}"
    return LessonInLanguage(
        title=lesson.title,
        summary=lesson.summary,
        url=url,
        notebook=f"{url}.ipynb",
        script=f"{url}.py",
        cells=[cell.id for cell in lesson.cells],
    )


def _reached_by_tls(request: Request) -> bool:
    # Behind a proxy that ends TLS the connection itself is plain; the configured origin knows better.
    host = request.headers.get("host", "").lower()
    return request.url.scheme == "https" or f"https://{host}" in request.app.state.settings.origins


def _check_source(source: str, limits: Limits) -> None:
    if len(source.encode()) > limits.source:
        raise Problem("too-large", f"A cell holds at most {limits.source // 1024} KiB of source. Split it up.")


def _check_history(body: RunBody, limits: Limits) -> None:
    size = sum(len(item.source.encode()) for item in body.history)
    if len(body.history) > limits.history_cells or size > limits.history_source:
        raise Problem(
            "too-large",
            f"A history holds at most {limits.history_cells} cells and {limits.history_source // 1024} KiB of source. "
            "Restart the session and run again what is still needed.",
        )
    for item in body.history:
        _check_source(item.source, limits)


def _check_cursor(body: CursorBody, limits: Limits) -> None:
    _check_source(body.source, limits)
    if body.cursor > len(body.source):
        raise Problem("invalid", f"The cursor is at {body.cursor}, behind the end of the source ({len(body.source)}).")
