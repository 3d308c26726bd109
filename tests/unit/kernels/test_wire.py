from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from app.kernels import wire
from app.kernels.wire import Done, Idle, OutputMessage, Ready, Reply, WireError, check_message


def read(*chunks: bytes) -> dict[str, Any]:
    async def reading() -> dict[str, Any]:
        reader = asyncio.StreamReader()
        for chunk in chunks:
            reader.feed_data(chunk)
        reader.feed_eof()
        return await wire.read_frame(reader)

    return asyncio.run(reading())


def test_a_frame_comes_back_as_it_was_sent() -> None:
    message = {"type": "output", "run": 1, "output": {"text": "张量 \U0001f600"}}
    assert read(wire.encode(message)) == message


def test_a_frame_in_pieces_is_put_together() -> None:
    frame = wire.encode({"type": "idle", "run": 3})
    assert read(*(frame[i : i + 1] for i in range(len(frame)))) == {"type": "idle", "run": 3}


def test_the_blocking_side_reads_the_same_frames() -> None:
    end, other = os.pipe()
    os.write(other, wire.encode({"type": "run"}))
    os.close(other)
    assert wire.read_frame_blocking(end) == {"type": "run"}
    with pytest.raises(EOFError):
        wire.read_frame_blocking(end)
    os.close(end)


def test_a_frame_over_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(WireError, match="over the limit"):
        read((wire.MAX_FRAME + 1).to_bytes(4, "big"))


def test_a_message_over_the_limit_is_not_sent() -> None:
    with pytest.raises(WireError, match="over the limit"):
        wire.encode({"text": "x" * wire.MAX_FRAME})


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"1",
        b"null",
        b'{"a": NaN}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"type": "idle"} {}',
    ],
)
def test_what_is_no_json_object_is_refused(payload: bytes) -> None:
    with pytest.raises(WireError):
        read(len(payload).to_bytes(4, "big") + payload)


def test_half_a_frame_is_the_end_of_the_kernel() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        read(wire.encode({"type": "idle"})[:-1])


def test_every_message_is_recognised_and_unknown_keys_are_dropped() -> None:
    assert check_message({"type": "idle", "run": 1, "more": 2}) == Idle(1)
    assert check_message({"type": "output", "run": 1, "output": {}}) == OutputMessage(1, {})
    assert check_message({"type": "reply", "request": 7, "data": {}}) == Reply(7, {})
    assert check_message({"type": "ready", "confinement": {}}) == Ready({})
    done = {"type": "done", "run": 1, "status": "ok", "reason": None, "execution_count": 3}
    assert check_message(done) == Done(1, "ok", None, 3)


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"type": "exec"},
        {"type": ["idle"]},
        {"type": "idle", "run": "1"},
        {"type": "idle", "run": True},
        {"type": "idle", "run": -1},
        {"type": "idle", "run": 2**60},
        {"type": "idle", "run": 1.0},
        {"type": "output", "run": 1, "output": []},
        {"type": "output", "run": 1},
        {"type": "done", "run": 1, "status": "killed", "execution_count": 1},
        {"type": "done", "run": 1, "status": {}, "execution_count": 1},
        {"type": "done", "run": 1, "status": "ok", "execution_count": None},
        {"type": "done", "run": 1, "status": "ok", "reason": "x" * 3000, "execution_count": 1},
        {"type": "done", "run": 1, "status": "ok", "reason": 5, "execution_count": 1},
        {"type": "reply", "request": 1, "data": "x"},
        {"type": "ready", "confinement": None},
    ],
)
def test_any_other_message_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        check_message(raw)


def test_cleaning_makes_anything_sendable() -> None:
    circle: list[Any] = []
    circle.append(circle)
    cleaned = wire.clean({"a": "\ud800x", 3: (1, 2.5, None, True), "o": object, "c": circle})
    assert cleaned["a"] == "\\ud800x"
    assert cleaned["3"] == [1, 2.5, None, True]
    assert cleaned["o"] == "<class 'object'>"
    wire.encode(cleaned)
