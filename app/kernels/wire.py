"""Frames between the server and a kernel: a four-byte length, then one JSON object.

The server trusts nothing that a kernel sends: `read_frame` bounds a frame's size before reading it, and
`check_message` accepts only the messages listed here, with exact types, and drops every key it does not know.
"""

from __future__ import annotations

import asyncio
import os
import struct
from dataclasses import dataclass
from typing import Any, Literal, cast

import orjson

#: The largest frame either side accepts, in bytes. Holds a full output with its escapes, or a graph document.
MAX_FRAME = 4 * 1024 * 1024

_HEADER = struct.Struct(">I")


class WireError(Exception):
    """The other side broke the protocol."""


@dataclass(frozen=True)
class Ready:
    """The kernel is confined and waits for work; sent once, before any learner code runs."""

    confinement: dict[str, Any]


@dataclass(frozen=True)
class OutputMessage:
    """An output of run `run`; its contents are checked by `app.kernels.outputs`."""

    run: int
    output: dict[str, Any]


@dataclass(frozen=True)
class Done:
    """Run `run` has ended and all its outputs were sent."""

    run: int
    status: Literal["ok", "error", "interrupted", "timeout"]
    reason: str | None
    execution_count: int


@dataclass(frozen=True)
class Idle:
    """The kernel has tidied up after run `run` and can be stopped."""

    run: int


@dataclass(frozen=True)
class Reply:
    """The answer to request `request` (completion or inspection)."""

    request: int
    data: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """The kernel could not start, or its own code failed: `reason` is a traceback, for the server's log."""

    reason: str


Message = Failed | Ready | OutputMessage | Done | Idle | Reply


def encode(message: dict[str, Any]) -> bytes:
    """Write `message` as a frame.

    Raises:
        WireError: the message cannot be written as JSON, or is larger than `MAX_FRAME`.
    """
    try:
        payload = orjson.dumps(message)
    except TypeError as error:
        raise WireError(f"cannot be written as JSON: {error}") from error
    if len(payload) > MAX_FRAME:
        raise WireError(f"a frame of {len(payload)} bytes is over the limit of {MAX_FRAME}")
    return _HEADER.pack(len(payload)) + payload


def decode(payload: bytes) -> dict[str, Any]:
    """Read the JSON object in `payload`; orjson itself refuses nesting deeper than 1024. Raises WireError."""
    try:
        message = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise WireError(f"not JSON: {error}") from error
    if not isinstance(message, dict):
        raise WireError("not a JSON object")
    return message


async def read_frame(reader: asyncio.StreamReader) -> dict[str, Any]:
    """Read the next message.

    Raises:
        WireError: the frame is too large or is not a JSON object.
        asyncio.IncompleteReadError: the other side has gone.
    """
    (length,) = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    if length > MAX_FRAME:
        raise WireError(f"a frame of {length} bytes is over the limit of {MAX_FRAME}")
    return decode(await reader.readexactly(length))


def read_frame_blocking(descriptor: int) -> dict[str, Any]:
    """Read the next message from a blocking descriptor (the kernel's side).

    Raises:
        EOFError: the server has gone.
    """
    (length,) = _HEADER.unpack(_read_exactly(descriptor, _HEADER.size))
    if length > MAX_FRAME:
        raise WireError(f"a frame of {length} bytes is over the limit of {MAX_FRAME}")
    return decode(_read_exactly(descriptor, length))


def _read_exactly(descriptor: int, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = os.read(descriptor, count - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def clean_text(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot carry, by their escapes."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def clean(value: Any, depth: int = 32) -> Any:
    """Return `value` with every text cleaned and every key a text; what JSON cannot carry becomes its `repr`."""
    if isinstance(value, str):
        return clean_text(str(value))
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, dict):
        return {clean_text(str(key)): clean(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item, depth - 1) for item in value]
    return clean_text(repr(value))


def check_message(raw: dict[str, Any]) -> Message:
    """Recognise the message in `raw`, which comes from a kernel and may be anything.

    Raises:
        WireError: `raw` is none of the messages of this protocol.
    """
    kind = raw.get("type")
    if kind == "output":
        return OutputMessage(_integer(raw, "run"), _mapping(raw, "output"))
    if kind == "done":
        status = raw.get("status")
        if status not in ("ok", "error", "interrupted", "timeout"):
            raise WireError(f"unknown status {_shown(status)}")
        known = cast(Literal["ok", "error", "interrupted", "timeout"], status)
        return Done(_integer(raw, "run"), known, _reason(raw), _integer(raw, "execution_count"))
    if kind == "idle":
        return Idle(_integer(raw, "run"))
    if kind == "reply":
        return Reply(_integer(raw, "request"), _mapping(raw, "data"))
    if kind == "ready":
        return Ready(_mapping(raw, "confinement"))
    if kind == "failed":
        return Failed(str(raw.get("reason"))[:8000])
    raise WireError(f"unknown message {_shown(kind)}")


def _integer(raw: dict[str, Any], key: str) -> int:
    value = raw.get(key)
    if type(value) is not int or not 0 <= value < 2**53:
        raise WireError(f"{key} is not a count: {_shown(value)}")
    return value


def _mapping(raw: dict[str, Any], key: str) -> dict[str, Any]:
    value = raw.get(key)
    if type(value) is not dict:
        raise WireError(f"{key} is not an object")
    return value


def _reason(raw: dict[str, Any]) -> str | None:
    value = raw.get("reason")
    if value is None:
        return None
    if type(value) is not str or len(value) > 2000:
        raise WireError("reason is not a short text")
    return value


def _shown(value: Any) -> str:
    return repr(value)[:80]
