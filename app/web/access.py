"""Whose session it is: the secret in the path must come back in the cookie or the bearer header."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app.sessions.errors import UnknownSession
from app.sessions.session import Session
from app.sessions.store import SessionStore
from app.web.problems import Problem

COOKIE = "gradlens_session"


def set_cookie(response: Response, session_id: str, *, secure: bool) -> None:
    """Give the browser the session's cookie: sent for that session's addresses only, never shown to scripts."""
    response.set_cookie(
        COOKIE, session_id, path=f"/api/sessions/{session_id}", httponly=True, samesite="strict", secure=secure
    )


def delete_cookie(response: Response, session_id: str) -> None:
    """Take the session's cookie back."""
    response.delete_cookie(COOKIE, path=f"/api/sessions/{session_id}", httponly=True, samesite="strict")


async def session_store(request: Request) -> SessionStore:
    """The app's store of sessions. Asynchronous, or the framework would call it in a thread."""
    store: SessionStore = request.app.state.store
    return store


Store = Annotated[SessionStore, Depends(session_store)]


def _presented(request: Request) -> str | None:
    authorization = request.headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None
    return request.cookies.get(COOKIE)


async def own_session(session: str, request: Request, store: Store) -> Session:
    """The session named in the path, if the caller holds its secret.

    Raises `Problem`: 403 for someone else's session, whether or not it exists, 404 for one's own that is gone.
    """
    presented = _presented(request)
    # Compared as bytes: headers may hold what compare_digest refuses as text.
    if presented is None or not hmac.compare_digest(presented.encode(), session.encode()):
        raise Problem(
            "foreign-session",
            "Use a session of your own: POST /api/sessions opens one, and its id goes along as the cookie that was "
            "set or as Authorization: Bearer.",
        )
    try:
        return store.get(session)
    except UnknownSession:
        raise unknown_session() from None


OwnSession = Annotated[Session, Depends(own_session)]


async def paced_session(own: OwnSession, request: Request) -> Session:
    """One's own session, if it has calls left; stopping and closing never wait for that. Raises `Problem`: 429."""
    wait = request.app.state.session_rates.take(own.id)
    if wait:
        raise Problem("too-many-requests", "Wait a moment before the next call of this session.", retry_after=wait)
    return own


PacedSession = Annotated[Session, Depends(paced_session)]


def unknown_session() -> Problem:
    """The problem for a session that is no more."""
    return Problem(
        "unknown-session",
        "The session has ended. Open a new one with POST /api/sessions and send the cells that had run as history.",
    )


async def json_body(request: Request) -> None:
    """Refuse a body that does not call itself JSON: a form on another site cannot send that without asking first."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem("not-json", "Send the body with Content-Type: application/json.")


JsonBody = Depends(json_body)
