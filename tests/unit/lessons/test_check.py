from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from typing import Any

from app.kernels.events import KernelEvent, Output, Status
from app.kernels.forkclient import KernelsUnavailable
from app.lessons.check import check_lessons
from app.lessons.recordings import RecordedCell, Recording, load_recording, save_recording

ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "", "traceback": ["x"], "metadata": {"line": 1}}

Script = Callable[[str], list[KernelEvent]]


class ScriptedPool:
    """A pool whose kernels answer each cell from a script, and that counts what is open."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.open = 0
        self.kernels = 0
        self.ran: list[str] = []

    async def start(self) -> None:
        self.open += 1

    async def close(self) -> None:
        self.open -= 1

    async def acquire(self) -> ScriptedKernel:
        self.kernels += 1
        return ScriptedKernel(self)


class ScriptedKernel:
    def __init__(self, pool: ScriptedPool) -> None:
        self.pool = pool
        self.pool.open += 1

    async def run(self, *, cell: str, source: str, silent: bool = False) -> AsyncIterator[KernelEvent]:
        self.pool.ran.append(cell)
        for event in self.pool.script(cell):
            yield event

    async def kill(self) -> None:
        self.pool.open -= 1


def as_recorded(cell: str) -> list[KernelEvent]:
    if cell == "1.1-c2":
        return [Output(ERROR), Status("error", None, 1, 2)]
    return [Status("ok", None, 1, 1)]


def check(course: Any, script: Script) -> tuple[int, str, ScriptedPool]:
    pool = ScriptedPool(script)
    out = io.StringIO()
    return check_lessons(course.root, out, pool), out.getvalue(), pool


def test_all_as_recorded(course: Any) -> None:
    status, said, pool = check(course, as_recorded)
    assert status == 0
    assert said == "2 pages, 4 cells: 0 cells differ from PyTorch, 0 problems of form\n"
    assert pool.ran == ["1.1-c1", "1.1-c2"] * 2
    assert pool.kernels == 2
    assert pool.open == 0


def test_a_difference_is_shown_where_it_is(course: Any) -> None:
    recording = load_recording(course.folder)
    assert recording is not None
    old = recording.cells["en"]
    told = {"output_type": "stream", "name": "stdout", "text": "same\ntensor(2.)\n"}
    cells = {**recording.cells, "en": {**old, "1.1-c1": RecordedCell(old["1.1-c1"].fingerprint, (told,))}}
    save_recording(course.folder, Recording("2.13.0", cells))

    def script(cell: str) -> list[KernelEvent]:
        said = Output({"output_type": "stream", "name": "stdout", "text": "same\ntensor(3.)\n"})
        return [said, *as_recorded(cell)] if cell == "1.1-c1" else as_recorded(cell)

    status, said, pool = check(course, script)
    assert status == 1
    assert "lessons/01-one/en.md:26: cell 1.1-c1\n--- PyTorch\n+++ this engine\n" in said
    assert " same\n-tensor(2.)\n+tensor(3.)\n" in said
    assert said.endswith("2 pages, 4 cells: 2 cells differ from PyTorch, 0 problems of form\n")
    assert pool.open == 0


def test_a_cell_that_was_stopped_differs(course: Any) -> None:
    status, said, _ = check(course, lambda cell: [Status("timeout", "10 s are over", 10_000, 1)])
    assert status == 1
    assert "+[error, line None] timeout: 10 s are over\n" in said


def test_problems_of_form_are_told_and_cells_run_all_the_same(course: Any) -> None:
    course.replace("(#s1-1)", "(#s9)", "en")
    status, said, pool = check(course, as_recorded)
    assert status == 1
    assert "there is no heading #s9" in said
    assert said.endswith("0 cells differ from PyTorch, 1 problem of form\n")
    assert len(pool.ran) == 4


def test_lessons_that_cannot_be_read_end_the_check(course: Any) -> None:
    (course.folder / "en.md").unlink()
    status, said, pool = check(course, as_recorded)
    assert status == 1
    assert "lessons/01-one/en.md: the file is missing" in said
    assert pool.ran == []


def test_a_machine_that_runs_no_cells_is_told(course: Any) -> None:
    class NoPool(ScriptedPool):
        async def start(self) -> None:
            raise KernelsUnavailable("no fork here")

    out = io.StringIO()
    assert check_lessons(course.root, out, NoPool(as_recorded)) == 1
    assert out.getvalue() == "No cell can be run: no fork here\n"


def test_kernels_are_ended_when_a_run_breaks(course: Any) -> None:
    class BrokenError(Exception):
        pass

    def script(cell: str) -> list[KernelEvent]:
        raise BrokenError

    pool = ScriptedPool(script)
    try:
        check_lessons(course.root, io.StringIO(), pool)
    except BrokenError:
        pass
    else:
        raise AssertionError("the failure was swallowed")
    assert pool.open == 0
