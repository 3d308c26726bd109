"""All sessions of a server: opening, finding, closing, and the culling of what nobody uses."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.kernels.pool import KernelPool
from app.kernels.process import KernelProcess
from app.sessions.errors import KernelsUnavailable, SessionBusy, TooManySessions, UnknownSession
from app.sessions.events import Output, Status
from app.sessions.replay import HistoryCell
from app.sessions.session import Session

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoreLimits:
    """How many sessions and kernels, and for how long (in seconds) without being used."""

    sessions: int = 2000
    kernels: int = 400
    kernel_idle: float = 15 * 60
    session_idle: float = 24 * 3600
    #: A full store gives the place of a session unused for this long to a newcomer.
    session_spare: float = 10 * 60


class SessionStore:
    """The server's sessions. `pool` and `clock` are for tests."""

    def __init__(
        self,
        pool: KernelPool | None = None,
        limits: StoreLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._limits = limits or StoreLimits()
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._culling: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the kernels and the culling.

        Raises:
            KernelsUnavailable: cells cannot run on this machine; the message says why.
        """
        if self._pool is None:
            self._pool = KernelPool()
        await self._pool.start()
        self._culling = asyncio.get_running_loop().create_task(self._cull_for_ever())

    async def close(self) -> None:
        """End every session, kernel and the fork server."""
        if self._culling is not None:
            self._culling.cancel()
            with suppress(asyncio.CancelledError):
                await self._culling
            self._culling = None
        await asyncio.gather(*(session.close() for session in self._sessions.values()))
        self._sessions.clear()
        if self._pool is not None:
            await self._pool.close()

    def create(self) -> Session:
        """Open a session under an id that nobody can guess.

        Raises:
            TooManySessions: the store is full of sessions in use.
        """
        if len(self._sessions) >= self._limits.sessions and not self._give_up_a_place():
            raise TooManySessions(retry_after=60)
        session = Session(secrets.token_urlsafe(32), self._acquire, self._clock)
        self._sessions[session.id] = session
        return session

    def get(self, session_id: str) -> Session:
        """Find a session.

        Raises:
            UnknownSession: there is none of that id.
        """
        try:
            return self._sessions[session_id]
        except KeyError:
            raise UnknownSession from None

    async def delete(self, session_id: str) -> None:
        """Close a session and end its kernel.

        Raises:
            UnknownSession: there is none of that id.
        """
        session = self.get(session_id)
        del self._sessions[session_id]
        await session.close()

    def __len__(self) -> int:
        return len(self._sessions)

    def confinement(self) -> dict[str, Any]:
        """Tell which layers of confinement hold: `platform`, `full`, and `layers` by name."""
        return self._pool.confinement() if self._pool is not None else {}

    async def cull(self) -> None:
        """End kernels and sessions that were not used for long, and the idlest kernels when there are too many."""
        now = self._clock()
        for session in [one for one in self._sessions.values() if not one.busy]:
            idle = now - session.last_used
            if idle > self._limits.session_idle:
                del self._sessions[session.id]
                await session.close()
            elif idle > self._limits.kernel_idle and session.has_kernel:
                await session.drop_kernel()
        await self._make_room(0)

    async def _acquire(self) -> KernelProcess:
        if self._pool is None:
            raise KernelsUnavailable("The server has not started its kernels yet. Try again.")
        await self._make_room(1)
        return await self._pool.acquire()

    async def _make_room(self, wanted: int) -> None:
        """End the idlest kernels until `wanted` more fit.

        Raises:
            KernelsUnavailable: every kernel is busy.
        """
        holders = [session for session in self._sessions.values() if session.has_kernel]
        excess = len(holders) + wanted - self._limits.kernels
        if excess <= 0:
            return
        idle = sorted((one for one in holders if not one.busy), key=lambda one: one.last_used)[:excess]
        for session in idle:
            await session.drop_kernel()
        if wanted and len(idle) < excess:
            raise KernelsUnavailable("All kernels of this server are busy. Try again in a moment.")

    def _give_up_a_place(self) -> bool:
        spare = [one for one in self._sessions.values() if not one.busy]
        oldest = min(spare, key=lambda one: one.last_used, default=None)
        if oldest is None or self._clock() - oldest.last_used < self._limits.session_spare:
            return False
        del self._sessions[oldest.id]
        if oldest.has_kernel:
            self._closing = asyncio.get_running_loop().create_task(oldest.close())
        return True

    async def _cull_for_ever(self) -> None:
        while True:
            await asyncio.sleep(30)
            try:
                await self.cull()
            except Exception:
                _log.exception("culling failed")


__all__ = [
    "HistoryCell",
    "KernelsUnavailable",
    "Output",
    "Session",
    "SessionBusy",
    "SessionStore",
    "Status",
    "StoreLimits",
    "TooManySessions",
    "UnknownSession",
]
