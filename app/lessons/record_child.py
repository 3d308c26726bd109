"""Runs the cells of one lesson in IPython with whatever `torch` its interpreter has, and writes down what they print.

A program of its own, started by `app.lessons.record` as `python -I record_child.py RESULT` with
`{"cells": [{"id", "source"}]}` on standard input; it must not import the app. RESULT becomes
`{"torch": version, "cells": {id: [nbformat output]}}`.
"""

from __future__ import annotations

import io
import json
import re
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

import torch
from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

Output = dict[str, Any]

_TRIGGERED = re.compile(r" ?\(Triggered internally at .*?\)")


class Outputs:
    """The outputs of the running cell; neighbouring writes to one stream become one output."""

    def __init__(self) -> None:
        self.cell = ""
        self.items: list[Output] = []

    def begin(self, cell: str) -> list[Output]:
        """Start the list of another cell."""
        self.cell, self.items = cell, []
        return self.items

    def write(self, name: str, text: str) -> None:
        """Add to a stream."""
        if not text:
            return
        last = self.items[-1] if self.items else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self.items.append({"output_type": "stream", "name": name, "text": text})


OUTPUTS = Outputs()


class Stream(io.TextIOBase):
    """Standard output or error of the cells."""

    def __init__(self, name: str) -> None:
        self._name = name

    def writable(self) -> bool:
        """Accept text."""
        return True

    def write(self, text: str) -> int:
        """Add `text` to the running cell's outputs."""
        OUTPUTS.write(self._name, text)
        return len(text)


class CellCompiler(CachingCompiler):
    """Give code the name of its cell, so that a traceback can tell cells from libraries."""

    def get_code_name(self, *_what: Any) -> str:
        """Return the file name under which the running cell is compiled."""
        return f"<cell {OUTPUTS.cell}>"


class ResultHook(DisplayHook):
    """The value of a cell's last expression."""

    def write_output_prompt(self) -> None:
        """Leave out the prompt: the page numbers its outputs."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Keep the value in every form that it offers."""
        OUTPUTS.items.append(
            {
                "output_type": "execute_result",
                "execution_count": self.prompt_count,
                "data": format_dict,
                "metadata": md_dict or {},
            }
        )

    def finish_displayhook(self) -> None:
        """End without the line break that a terminal needs."""
        self._is_active = False


class Publisher(DisplayPublisher):
    """What `display` shows."""

    def publish(self, data: Any, metadata: Any = None, *_more: Any, **_rest: Any) -> None:
        """Keep what is displayed in every form that it offers."""
        OUTPUTS.items.append({"output_type": "display_data", "data": data, "metadata": metadata or {}})


class Shell(InteractiveShell):
    """IPython's shell without a terminal, a profile or a history."""

    compiler_class = Type(CellCompiler)

    def _showtraceback(self, _etype: Any, _evalue: Any, _stb: Any) -> None:
        # Errors are written from the result of run_cell.
        pass


def error_output(error: BaseException) -> Output:
    """Describe an error by the learner's own lines only; `metadata.line` is the line of the cell that failed."""
    here = f"<cell {OUTPUTS.cell}>"
    if isinstance(error, SyntaxError) and error.filename == here:
        line, message = error.lineno, str(error.msg)
        rows = [f"  Cell {OUTPUTS.cell}, line {line}", f"    {(error.text or '').strip()}"]
    else:
        trace = traceback.extract_tb(error.__traceback__)
        frames = [frame for frame in trace if frame.filename.startswith("<cell ")]
        own = [frame.lineno for frame in frames if frame.filename == here]
        line, message = own[-1] if own else None, str(error)
        rows = []
        for frame in frames:
            where = "" if frame.name == "<module>" else f", in {frame.name}"
            rows += [f"  Cell {frame.filename[6:-1]}, line {frame.lineno}{where}", f"    {frame.line}"]
    name = type(error).__name__
    return {
        "output_type": "error",
        "ename": name,
        "evalue": message,
        "traceback": ["Traceback (most recent call last):", *rows, f"{name}: {message}"],
        "metadata": {"line": line},
    }


def format_warning(message: Warning | str, category: type[Warning], *_where: Any, **_more: Any) -> str:
    """Format a warning without paths, which differ from machine to machine."""
    return f"{category.__name__}: {_TRIGGERED.sub('', str(message))}\n"


def main(result: Path) -> None:
    """Run the cells in order; an error ends its cell, not the lesson."""
    cells = json.load(sys.stdin)["cells"]
    torch.set_num_threads(1)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = Shell.instance(
        config=config, displayhook_class=ResultHook, display_pub_class=Publisher, ipython_dir=str(Path.cwd())
    )
    warnings.formatwarning = format_warning
    recorded: dict[str, list[Output]] = {}
    console = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    try:
        for cell in cells:
            recorded[cell["id"]] = outputs = OUTPUTS.begin(cell["id"])
            ran = shell.run_cell(cell["source"], store_history=True)  # type: ignore[no-untyped-call]
            error = ran.error_before_exec or ran.error_in_exec
            if error is not None:
                outputs.append(error_output(error))
    finally:
        sys.stdout, sys.stderr = console
    version = torch.__version__.partition("+")[0]
    result.write_text(json.dumps({"torch": version, "cells": recorded}), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
