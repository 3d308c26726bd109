"""Outputs from a kernel, rebuilt key by key: what nbformat 4.5 knows and the page shows passes, nothing else does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from app.kernels.limits import GRAPH_MIME
from app.kernels.wire import WireError

#: Texts that the page shows as text, and pictures that cannot carry a script. HTML and SVG from a learner's code
#: are left out: whoever sends a classmate a lesson's code must not be able to send them a page's markup.
_TEXT_TYPES = ("text/plain", "text/markdown", "text/latex")
_PICTURE_TYPES = ("image/png", "image/jpeg")

_BASE64 = re.compile(r"[A-Za-z0-9+/\s]*={0,2}\s*")
_LINES = 20_000
_NAME = 400

#: Says what is wrong with a graph document, or None.
DocumentCheck = Callable[[Any], str | None]


def check_output(raw: dict[str, Any], check_document: DocumentCheck) -> dict[str, Any] | None:
    """Rebuild the output in `raw`, which comes from a kernel and may be anything.

    A graph document that `check_document` objects to is replaced by a message on stderr. None when nothing is left
    that the page could show.

    Raises:
        WireError: `raw` is no nbformat output.
    """
    kind = raw.get("output_type")
    if kind == "stream":
        name = raw.get("name")
        if name not in ("stdout", "stderr"):
            raise WireError("a stream is stdout or stderr")
        return {"output_type": "stream", "name": name, "text": _text(raw, "text")}
    if kind == "error":
        return _error(raw)
    if kind not in ("display_data", "execute_result"):
        raise WireError("unknown output")
    data = raw.get("data")
    if type(data) is not dict:
        raise WireError("data is not an object")
    if GRAPH_MIME in data:
        objection = check_document(data[GRAPH_MIME])
        if objection is not None:
            text = f"[The graph of this cell cannot be shown: {objection}]\n"
            return {"output_type": "stream", "name": "stderr", "text": text}
    bundle = _bundle(data)
    if not bundle:
        return None
    output = {"output_type": kind, "data": bundle, "metadata": _picture_sizes(raw.get("metadata"))}
    if kind == "execute_result":
        count = raw.get("execution_count")
        if type(count) is not int or count < 0:
            raise WireError("execution_count is not a count")
        output["execution_count"] = count
    return output


def size_of(output: dict[str, Any]) -> int:
    """Measure a checked output in bytes."""
    if output["output_type"] == "stream":
        return len(output["text"].encode())
    if output["output_type"] == "error":
        return len(output["evalue"].encode()) + sum(len(line.encode()) for line in output["traceback"])
    values = output["data"].values()
    return sum(len(value.encode()) if isinstance(value, str) else len(orjson.dumps(value)) for value in values)


def _error(raw: dict[str, Any]) -> dict[str, Any]:
    lines = raw.get("traceback")
    if type(lines) is not list or len(lines) > _LINES or not all(type(line) is str for line in lines):
        raise WireError("traceback is not a list of lines")
    metadata: dict[str, Any] = {}
    given = raw.get("metadata")
    if type(given) is dict:
        line, explanation = given.get("line"), given.get("help")
        if type(line) is int and 1 <= line <= 1_000_000:
            metadata["line"] = line
        if type(explanation) is str and len(explanation) <= 4000:
            metadata["help"] = explanation
    return {
        "output_type": "error",
        "ename": _text(raw, "ename")[:_NAME],
        "evalue": _text(raw, "evalue"),
        "traceback": lines,
        "metadata": metadata,
    }


def _bundle(data: dict[str, Any]) -> dict[str, Any]:
    bundle: dict[str, Any] = {}
    for mime in _TEXT_TYPES:
        if mime in data:
            bundle[mime] = _text(data, mime)
    for mime in _PICTURE_TYPES:
        if mime in data:
            picture = _text(data, mime)
            if not _BASE64.fullmatch(picture):
                raise WireError(f"{mime} is not base64")
            bundle[mime] = picture
    if GRAPH_MIME in data:
        bundle[GRAPH_MIME] = data[GRAPH_MIME]
    return bundle


def _picture_sizes(metadata: Any) -> dict[str, Any]:
    sizes: dict[str, Any] = {}
    if type(metadata) is dict:
        for mime in _PICTURE_TYPES:
            given = metadata.get(mime)
            if type(given) is dict:
                kept = {key: given[key] for key in ("width", "height") if type(given.get(key)) in (int, float)}
                if kept:
                    sizes[mime] = kept
    return sizes


def _text(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    if type(value) is not str:
        raise WireError(f"{key} is not a text")
    return value
