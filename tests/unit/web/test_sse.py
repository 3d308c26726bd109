from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.web import sse


def repr_bytes(error: Exception) -> bytes:
    return repr(error).encode()


class Connection:
    """A connection whose reader can leave."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.arrived = asyncio.Event()
        self.left = asyncio.Event()

    async def receive(self) -> Any:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        self.arrived.set()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


def test_events_are_one_line_of_json_each() -> None:
    assert sse.encode("output", {"text": "a\nb\r\u2028中"}) == (
        'event: output\ndata: {"text":"a\\nb\\r\u2028中"}\n\n'.encode()
    )


def test_chunks_pass_through_unbuffered() -> None:
    async def scenario() -> None:
        connection = Connection()
        go_on = asyncio.Event()

        async def events() -> AsyncIterator[bytes]:
            yield b"first"
            await go_on.wait()
            yield b"second"

        async def interrupt() -> None:
            raise AssertionError("nobody left")

        stream = sse.EventStream(events(), on_disconnect=interrupt, last_words=repr_bytes)
        task = asyncio.create_task(stream({}, connection.receive, connection.send))
        while b"first" not in connection.body:
            connection.arrived.clear()
            await connection.arrived.wait()
        assert b"second" not in connection.body
        go_on.set()
        await task
        assert connection.body == b"firstsecond"
        assert connection.sent[-1]["more_body"] is False

    asyncio.run(scenario())


def test_a_reader_who_leaves_interrupts_the_work_which_then_ends_in_order() -> None:
    async def scenario() -> None:
        connection = Connection()
        stopped = asyncio.Event()
        finished: list[str] = []

        async def events() -> AsyncIterator[bytes]:
            yield b"first"
            await stopped.wait()
            yield b"unread"
            finished.append("status")

        async def interrupt() -> None:
            stopped.set()

        stream = sse.EventStream(events(), on_disconnect=interrupt, last_words=repr_bytes)
        task = asyncio.create_task(stream({}, connection.receive, connection.send))
        await connection.arrived.wait()
        connection.left.set()
        await task
        assert finished == ["status"]
        assert b"unread" not in connection.body

    asyncio.run(scenario())


def test_a_lost_connection_reported_by_send_is_survived() -> None:
    async def scenario() -> None:
        connection = Connection()
        finished: list[str] = []

        async def events() -> AsyncIterator[bytes]:
            yield b"first"
            finished.append("status")

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                raise OSError("connection lost")

        async def interrupt() -> None: ...

        await sse.EventStream(events(), on_disconnect=interrupt, last_words=repr_bytes)({}, connection.receive, send)
        assert finished == ["status"]

    asyncio.run(scenario())


def test_last_words_when_the_work_fails() -> None:
    async def scenario() -> None:
        connection = Connection()

        async def events() -> AsyncIterator[bytes]:
            yield b"first "
            raise RuntimeError("broken")

        async def interrupt() -> None: ...

        stream = sse.EventStream(events(), on_disconnect=interrupt, last_words=lambda error: f"sorry: {error}".encode())
        await stream({}, connection.receive, connection.send)
        assert connection.body == b"first sorry: broken"

    asyncio.run(scenario())


def test_a_failure_before_the_first_event_is_raised_and_nothing_was_sent() -> None:
    async def scenario() -> None:
        connection = Connection()

        async def events() -> AsyncIterator[bytes]:
            raise RuntimeError("busy")
            yield b""

        async def interrupt() -> None: ...

        with pytest.raises(RuntimeError, match="busy"):
            await sse.EventStream(events(), on_disconnect=interrupt, last_words=repr_bytes)(
                {}, connection.receive, connection.send
            )
        assert connection.sent == []

    asyncio.run(scenario())


def test_a_silent_start_is_not_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "PATIENCE", 0.01)

    async def scenario() -> None:
        connection = Connection()

        async def events() -> AsyncIterator[bytes]:
            await connection.arrived.wait()
            raise RuntimeError("late")
            yield b""

        async def interrupt() -> None: ...

        stream = sse.EventStream(events(), on_disconnect=interrupt, last_words=repr_bytes)
        await stream({}, connection.receive, connection.send)
        assert connection.sent[0]["status"] == 200
        assert connection.body.endswith(b"RuntimeError('late')")

    asyncio.run(scenario())


def test_silence_is_filled_with_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE", 0.01)

    async def scenario() -> None:
        connection = Connection()

        async def events() -> AsyncIterator[bytes]:
            while connection.body.count(b": still running\n\n") < 2:
                connection.arrived.clear()
                await connection.arrived.wait()
            yield b"end"

        async def interrupt() -> None: ...

        stream = sse.EventStream(events(), on_disconnect=interrupt, last_words=repr_bytes)
        await stream({}, connection.receive, connection.send)
        assert connection.body.endswith(b"end")

    asyncio.run(scenario())
