"""Tracebacks as learners need them: their own frames, without the frames of the engine and of the machinery."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from types import TracebackType

#: nbformat's tracebacks may carry terminal colours; ours never do.
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
#: A cell's code, as Python's own formatting names it.
_CELL = re.compile(r'File "<cell (\d+) [0-9a-f]+>"')


class FrameFilter:
    """Leaves out frames whose source lies below one of `hidden` folders, and shortens the names of the others."""

    def __init__(self, hidden: list[str]) -> None:
        self._hidden = (*(os.path.join(folder, "") for folder in hidden), "<frozen importlib")
        paths = sysconfig.get_paths()
        folders = {paths["purelib"]: "site-packages", paths["platlib"]: "site-packages", paths["stdlib"]: "python"}
        for path in sys.path:
            if os.path.basename(path) in ("site-packages", "dist-packages"):
                folders[path] = "site-packages"
        # The longest first: site-packages usually lies inside the standard library's folder.
        self._short = sorted(folders.items(), key=lambda entry: -len(entry[0]))

    def prune(self, error: BaseException) -> None:
        """Leave out the hidden frames of `error` and of what caused it, in place."""
        seen: set[int] = set()
        waiting: list[BaseException | None] = [error]
        while waiting:
            current = waiting.pop()
            if current is None or id(current) in seen:
                continue
            seen.add(id(current))
            current.__traceback__ = self._kept(current.__traceback__)
            waiting += [current.__cause__, current.__context__]
            if isinstance(current, BaseExceptionGroup):
                waiting += current.exceptions

    def _kept(self, tb: TracebackType | None) -> TracebackType | None:
        entries = []
        while tb is not None:
            if not tb.tb_frame.f_code.co_filename.startswith(self._hidden):
                entries.append(tb)
            tb = tb.tb_next
        kept: TracebackType | None = None
        for entry in reversed(entries):
            kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        return kept

    def lines(self, text: str) -> list[str]:
        """Split a formatted traceback into plain lines, with this machine's folders shortened in frame headings."""
        return [self._shortened(line) for line in _ANSI.sub("", text).rstrip("\n").split("\n")]

    def _shortened(self, line: str) -> str:
        line = _CELL.sub(r"Cell In[\1]", line)
        if line.lstrip().startswith("File "):
            for folder, short in self._short:
                line = line.replace(os.path.join(folder, ""), short + "/")
        return line


def failing_line(error: BaseException, filename: str) -> int | None:
    """Return the line of the cell `filename` at which `error` arose, or None when it arose elsewhere."""
    if isinstance(error, SyntaxError) and error.filename == filename:
        return error.lineno
    line = None
    tb = error.__traceback__
    while tb is not None:
        if tb.tb_frame.f_code.co_filename == filename:
            line = tb.tb_lineno
        tb = tb.tb_next
    return line
