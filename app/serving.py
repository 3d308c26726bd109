"""Listening, serving and stopping: uvicorn around the app."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from app.sessions.store import SessionStore


async def serve(app: FastAPI, listener: socket.socket, announce: Callable[[], None]) -> None:
    """Serve `app` on `listener` until a signal comes; call `announce` once connections are taken.

    Raises what the app's lifespan raises when it refuses to start.
    """
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        # Forwarded headers would let anyone choose the address that rates are counted under.
        proxy_headers=False,
        # Entered here instead, so that a refusal to start arrives as an exception and not as a log entry.
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=3,
    )
    async with app.router.lifespan_context(app):
        await _Server(config, app.state.store, announce).serve(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, store: SessionStore, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._store = store
        self._announce = announce

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on Ctrl+C and SIGTERM, and swallow them."""
        # Raised again afterwards, as is the default, SIGTERM would end the process before its kernels are put away.
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, self.handle_exit) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections and say so."""
        await super().startup(sockets)
        if self.started:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what runs first: streams then end with a status, and nothing is left to wait for."""
        await self._store.close()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """Bind `host` and `port`. Raises `OSError` whose text says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only sockets that name their protocol are spared Nagle's algorithm by asyncio: 40 ms on every small answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name != "nt":
        # A port whose last connections are still fading may be taken over; one that is in use may not.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), port))
        # Listening is where a port that another program bound first is refused.
        listener.listen(512)
    except OSError as error:
        listener.close()
        if isinstance(error, PermissionError):
            raise OSError(f"Port {port} needs privileges. Choose one above 1023, for example --port 8000.") from error
        if isinstance(error, socket.gaierror) or port == 0:
            raise OSError(f"Cannot listen on {host}: {error.strerror}.") from error
        raise OSError(
            f"Port {port} on {host} is taken by another program ({error.strerror}). "
            f"Choose another, for example --port {port + 1 if port < 65535 else 8000}, or --port 0 for any free one."
        ) from error
    return listener
