"""Outputs as a reader sees them: plain text that two runs can be compared by."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.lessons.model import CellOutput

#: Where a warning was raised, and the line of source below it: both differ from machine to machine.
_WARNING = re.compile(r"^(?:.*:\d+: )?(?P<text>\w+Warning: .*)\n(?:  .*\n)?", re.MULTILINE)
#: The place that Python adds to the message of a syntax error.
_PLACE = re.compile(r" \([^()]*, line \d+\)\Z")
_TRIGGERED = re.compile(r" ?\(Triggered internally at .*?\)")


def shown(output: CellOutput) -> str:
    """Return what a reader sees of one output as plain text."""
    if output["output_type"] == "stream":
        return str(output["text"])
    if output["output_type"] == "error":
        return f"{output['ename']}: {_PLACE.sub('', output['evalue'])}"
    return str(output["data"].get("text/plain", ""))


def transcript(outputs: Sequence[CellOutput]) -> str:
    """Return all that one cell showed, in order, with warnings at the end.

    Left out is what may differ between two honest runs: where a stream was cut into writes, the paths of warnings,
    the frames of a traceback, and what has no plain text, such as the page's graph.
    """
    text = ""
    warnings = ""
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream" and output["name"] == "stderr":
            warnings += str(output["text"])
        elif kind == "stream":
            text += str(output["text"])
        elif kind == "error":
            line = (output.get("metadata") or {}).get("line")
            text = _on_new_line(text) + f"[error, line {line}] {shown(output)}\n"
        elif "text/plain" in output["data"]:
            mark = "[value]" if kind == "execute_result" else "[display]"
            text = _on_new_line(text) + f"{mark} {shown(output)}\n"
    if warnings:
        plain = _WARNING.sub(r"\g<text>\n", _TRIGGERED.sub("", warnings))
        text = _on_new_line(text) + f"[stderr] {plain}"
    return text


def _on_new_line(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "⏎\n"
