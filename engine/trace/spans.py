"""From a running frame to the source expression it is at.

While code runs only the code object and the instruction's offset are noted; Python's own table of positions turns
them into lines and columns later (PEP 657), down to `b*x` inside `a*x**2 + b*x + c`.
"""

from __future__ import annotations

import ast
import sys
from types import CodeType, FrameType
from typing import Any, NamedTuple

#: A place in running code: the code object and the offset of the instruction.
Place = tuple[CodeType, int]


class Span(NamedTuple):
    """A stretch of a cell's source: lines from 1, columns from 0 in code points, end exclusive."""

    cell: str
    line: int
    end_line: int
    column: int
    end_column: int

    def document(self) -> dict[str, Any]:
        """As the graph document has it."""
        return self._asdict()


class Sources:
    """The learner's cells: which file name stands for which cell, and what its source says."""

    def __init__(self) -> None:
        self.cells: dict[str, str] = {}
        self.text: dict[str, str] = {}
        self._positions: dict[CodeType, list[tuple[int | None, ...]]] = {}
        self._names: dict[str, dict[tuple[int, int, int, int], str]] = {}
        self._lines: dict[str, list[str]] = {}
        #: The call of the engine that the place found last is waiting for, when the operation lies deeper inside of it
        #: (a module's layers, the formulas of a recorded pass); None for an operation called directly.
        self.call: FrameType | None = None

    def add(self, filename: str, cell: str, source: str) -> None:
        """Know `filename` (what code objects carry) as a cell with this source."""
        self.cells[filename] = cell
        self.text[filename] = source
        self._lines[filename] = source.split("\n")
        self._names.pop(filename, None)

    def place(self, depth: int) -> Place | None:
        """Where the learner's code is now: the nearest frame of a cell, `depth` frames up or higher."""
        nearest = below = frame = sys._getframe(depth)
        cells = self.cells
        while frame is not None:
            code = frame.f_code
            if code.co_filename in cells:
                self.call = None if below is nearest else below
                return code, frame.f_lasti
            below = frame
            frame = frame.f_back  # type: ignore[assignment]
        return None

    def span(self, place: Place | None) -> Span | None:
        """The source expression at a place."""
        if place is None:
            return None
        code, offset = place
        positions = self._positions.get(code)
        if positions is None:
            positions = self._positions[code] = list(code.co_positions())
        line, end_line, column, end_column = positions[offset // 2]
        if line is None or end_line is None or column is None or end_column is None:
            return None
        filename = code.co_filename
        return Span(
            self.cells[filename],
            line,
            end_line,
            self._in_characters(filename, line, column),
            self._in_characters(filename, end_line, end_column),
        )

    def _in_characters(self, filename: str, line: int, column: int) -> int:
        """Python counts columns in UTF-8 bytes; a page counts characters."""
        lines = self._lines[filename]
        if not 0 < line <= len(lines):
            return column
        text = lines[line - 1]
        return column if text.isascii() else len(text.encode()[:column].decode(errors="ignore"))

    def name_at(self, place: Place | None) -> str | None:
        """The variable that the expression at a place is assigned to, if it is the whole right-hand side."""
        span = self.span(place)
        if span is None or place is None:
            return None
        filename = place[0].co_filename
        names = self._names.get(filename)
        if names is None:
            names = self._names[filename] = assigned_names(self.text[filename])
        return names.get((span.line, span.end_line, span.column, span.end_column))


def assigned_names(source: str) -> dict[tuple[int, int, int, int], str]:
    """For every `name = expression` (and `name += …`) the span of what Python evaluates last, with the name."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    lines = source.split("\n")

    def span(node: Any) -> tuple[int, int, int, int]:
        start = len(lines[node.lineno - 1].encode()[: node.col_offset].decode(errors="ignore"))
        end = len(lines[node.end_lineno - 1].encode()[: node.end_col_offset].decode(errors="ignore"))
        return node.lineno, node.end_lineno, start, end

    names: dict[tuple[int, int, int, int], str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if isinstance(target, ast.Name):
                names[span(node.value)] = target.id
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for each, value in zip(target.elts, node.value.elts, strict=False):
                    if isinstance(each, ast.Name):
                        names[span(value)] = each.id
            elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                names[span(node.value)] = f"{target.value.id}.{target.attr}"
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            names[span(node.value)] = node.target.id
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            names[span(node)] = node.target.id
        elif isinstance(node, ast.NamedExpr):
            names[span(node.value)] = node.target.id
    return names
