"""Why a session refuses; each message says what to do."""

from __future__ import annotations

from app.kernels.forkclient import KernelsUnavailable


class SessionError(Exception):
    """A session or the store refuses what was asked."""


class UnknownSession(SessionError):
    """No session has this id: it never existed, was deleted, or was culled. Open a new one."""

    def __init__(self) -> None:
        super().__init__("There is no such session. Open a new one with POST /api/sessions.")


class TooManySessions(SessionError):
    """The server holds as many sessions as it can. Try again later."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("The server has as many learners as it can hold. Try again in a minute.")
        #: Seconds after which another try makes sense.
        self.retry_after = retry_after


class SessionBusy(SessionError):
    """The session's queue of cells is full. Wait for some to end, or interrupt."""

    def __init__(self) -> None:
        super().__init__("Too many cells of this page wait to run. Wait for some to end, or stop them.")


__all__ = ["KernelsUnavailable", "SessionBusy", "SessionError", "TooManySessions", "UnknownSession"]
