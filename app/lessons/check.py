"""`gradlens check`: lint the lessons, run every cell in a learner's kernel, compare with what PyTorch printed."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TextIO

from app.kernels.events import KernelEvent, Output, Status
from app.kernels.forkclient import KernelsUnavailable
from app.kernels.pool import KernelPool
from app.lessons.catalog import Catalog
from app.lessons.errors import LessonError
from app.lessons.lint import lint_lessons
from app.lessons.model import LANGUAGES, CellOutput, Lesson
from app.lessons.transcript import transcript


class Kernel(Protocol):
    """What a check needs of a kernel process."""

    def run(self, *, cell: str, source: str, silent: bool = False) -> AsyncIterator[KernelEvent]:
        """Run a cell."""

    async def kill(self) -> None:
        """End the process."""


class Pool(Protocol):
    """What a check needs of the kernel pool."""

    async def start(self) -> None:
        """Start handing out kernels."""

    async def acquire(self) -> Kernel:
        """Return a fresh kernel."""

    async def close(self) -> None:
        """End all kernels."""


def check_lessons(root: Path, out: TextIO, pool: Pool | None = None) -> int:
    """Check every lesson below `root`, the folder that holds `lessons/`, and report to `out`.

    Each lesson runs in each language in a kernel of its own, with our engine as `torch`. What a cell shows must be
    what its recording holds: text to the letter; of an error its name, message and line. Returns 0 when all is well.
    """
    problems = lint_lessons(root)
    for problem in problems:
        out.write(f"{problem}\n")
    try:
        catalog = Catalog.load(root)
    except LessonError as error:
        out.write(f"{error}\n")
        return 1
    lessons = [lesson for pair in zip(*(catalog.lessons(lang) for lang in LANGUAGES), strict=True) for lesson in pair]
    try:
        different = asyncio.run(_check(lessons, out, pool or KernelPool()))
    except KernelsUnavailable as error:
        out.write(f"No cell can be run: {error}\n")
        return 1
    cells = _count(sum(len(lesson.cells) for lesson in lessons), "cell")
    differ = _count(different, "cell differs", "cells differ")
    out.write(f"{len(lessons)} pages, {cells}: {differ} from PyTorch, {_count(len(problems), 'problem')} of form\n")
    return 1 if different or problems else 0


def compare(lesson: Lesson, printed: Mapping[str, Sequence[CellOutput]]) -> dict[str, str]:
    """Return, for every cell that did not print what its recording holds, how the two differ."""
    differences: dict[str, str] = {}
    for cell in lesson.cells:
        expected, got = transcript(cell.recorded), transcript(printed.get(cell.id, ()))
        if expected != got:
            rows = difflib.unified_diff(
                expected.splitlines(), got.splitlines(), "PyTorch", "this engine", lineterm="", n=2
            )
            differences[cell.id] = "\n".join(rows) + "\n"
    return differences


async def run_lesson(pool: Pool, lesson: Lesson) -> dict[str, list[CellOutput]]:
    """Run a lesson's cells in order in a fresh kernel; return what each printed.

    A cell that was stopped rather than ended (time, memory) has an `error` output that says so.
    """
    kernel = await pool.acquire()
    printed: dict[str, list[CellOutput]] = {}
    try:
        for cell in lesson.cells:
            outputs = printed[cell.id] = []
            async for event in kernel.run(cell=cell.id, source=cell.source):
                if isinstance(event, Output):
                    outputs.append(event.output)
                elif isinstance(event, Status) and event.status not in ("ok", "error"):
                    outputs.append({"output_type": "error", "ename": event.status, "evalue": str(event.reason)})
    finally:
        await kernel.kill()
    return printed


async def _check(lessons: Sequence[Lesson], out: TextIO, pool: Pool) -> int:
    different = 0
    try:
        await pool.start()
        for lesson in lessons:
            differences = compare(lesson, await run_lesson(pool, lesson))
            different += len(differences)
            lines = {cell.id: cell.line for cell in lesson.cells}
            for cell, difference in differences.items():
                out.write(f"lessons/{lesson.slug}/{lesson.lang}.md:{lines[cell]}: cell {cell}\n{difference}")
    finally:
        await pool.close()
    return different


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
