"""Server-sent events that notice when the reader has gone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

log = logging.getLogger(__name__)

#: Seconds that the first event may take before the stream begins without it. An error that comes sooner can still be
#: answered as what it is, with its own status code.
PATIENCE = 0.5

#: Seconds of silence after which a comment is sent, so that nothing between server and page drops the connection.
KEEP_ALIVE = 15.0


def encode(event: str, data: Mapping[str, Any]) -> bytes:
    """One event as it goes over the wire; `data` becomes one line of JSON."""
    return b"event: " + event.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


class EventStream(Response):
    """Streams `events`, already encoded, as they come.

    When the reader goes away, `on_disconnect` is awaited, which should end the work; `events` is still read to its end
    so that it finishes in order. Should `events` fail before the stream has begun, the failure is raised; should it
    fail later, what `last_words` makes of it is sent in place of the rest.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncIterator[bytes],
        *,
        on_disconnect: Callable[[], Awaitable[None]],
        last_words: Callable[[Exception], bytes],
    ) -> None:
        self.status_code = 200
        self.background = None
        # X-Accel-Buffering asks a reverse proxy not to hold events back.
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._events = events
        self._on_disconnect = on_disconnect
        self._last_words = last_words

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send the stream; returns when `events` has ended, whether or not anyone still reads."""
        start: Message = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        stream = _Stream(send, start)
        pump = asyncio.create_task(self._pump(stream))
        helpers = [asyncio.create_task(self._watch(receive, stream)), asyncio.create_task(stream.keep_alive())]
        try:
            await pump
            await stream.send(b"", more=False)
        finally:
            for task in (pump, *helpers):
                task.cancel()
            await asyncio.gather(pump, *helpers, return_exceptions=True)

    async def _pump(self, stream: _Stream) -> None:
        try:
            async for chunk in self._events:
                await stream.send(chunk)
        except Exception as error:
            if not stream.begun:
                raise
            log.exception("an event stream broke off")
            await stream.send(self._last_words(error))

    async def _watch(self, receive: Receive, stream: _Stream) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        stream.close()
        await self._on_disconnect()


class _Stream:
    """The sending side: silent once closed, with a comment now and then while nothing else is sent."""

    def __init__(self, send: Send, start: Message) -> None:
        self._send = send
        self._start = start
        self._open = True
        self._last = time.monotonic()
        #: The status code has been sent.
        self.begun = False

    def close(self) -> None:
        self._open = False

    async def send(self, chunk: bytes, *, more: bool = True) -> None:
        if not self._open:
            return
        self._last = time.monotonic()
        # A server may report a lost connection here as well; the watcher hears of it too and acts.
        with suppress(OSError):
            if not self.begun:
                self.begun = True
                await self._send(self._start)
            await self._send({"type": "http.response.body", "body": chunk, "more_body": more})

    async def keep_alive(self) -> None:
        await asyncio.sleep(PATIENCE)
        if not self.begun:
            await self.send(b": running\n\n")
        while self._open:
            idle = time.monotonic() - self._last
            if idle >= KEEP_ALIVE:
                await self.send(b": still running\n\n")
            await asyncio.sleep(max(0.0, KEEP_ALIVE - idle) or KEEP_ALIVE)
