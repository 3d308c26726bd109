"""`gradlens record`: run every lesson in real PyTorch and keep what it printed."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from app.lessons.catalog import lesson_folders, read_lesson
from app.lessons.errors import LessonError
from app.lessons.model import LANGUAGES, Lang, Lesson
from app.lessons.recordings import RecordedCell, Recording, fingerprint, save_recording
from app.lessons.transcript import shown

CHILD = Path(__file__).with_name("record_child.py")
#: Seconds that all cells of one lesson may take together, the start of PyTorch included.
TIME_LIMIT = 300

#: What changes from run to run: addresses of objects, and this machine's folders.
_UNSTABLE = re.compile(r"\bat 0x[0-9a-f]+|/(?:tmp|home|root|usr|var|Users)/|<cell ")


class RecordingError(Exception):
    """A lesson could not be run in real PyTorch."""


def record_lessons(root: Path, out: TextIO) -> int:
    """Record every lesson below `root`, the folder that holds `lessons/`, and report to `out`.

    Needs real PyTorch in this interpreter. Returns 0, or 1 when anything is amiss; what could be recorded is written.
    """
    if importlib.util.find_spec("torch") is None:
        out.write("Recording needs real PyTorch, which this Python has not: pip install torch\n")
        return 1
    status = 0
    for folder in lesson_folders(root):
        try:
            lessons = {lang: read_lesson(folder, lang) for lang in LANGUAGES}
            recording = record_lesson(lessons)
        except (LessonError, RecordingError) as error:
            out.write(f"{error}\n")
            status = 1
            continue
        save_recording(folder, recording)
        out.write(f"{folder.name}: {len(lessons['zh'].cells)} cells, PyTorch {recording.torch}\n")
        for complaint in _complaints(lessons, recording):
            out.write(f"{complaint}\n")
            status = 1
    return status


def record_lesson(lessons: dict[Lang, Lesson]) -> Recording:
    """Run one lesson in each language, each in a fresh process. Raises `RecordingError`."""
    versions: set[str] = set()
    cells: dict[Lang, dict[str, RecordedCell]] = {}
    for lang, lesson in lessons.items():
        result = _run(lesson)
        versions.add(result["torch"])
        cells[lang] = {
            cell.id: RecordedCell(fingerprint(cell.source), tuple(result["cells"][cell.id])) for cell in lesson.cells
        }
    return Recording(torch=versions.pop(), cells=cells)


def _run(lesson: Lesson) -> dict[str, Any]:
    request = {"cells": [{"id": cell.id, "source": cell.source} for cell in lesson.cells]}
    with tempfile.TemporaryDirectory(prefix="gradlens-record-") as folder:
        result = Path(folder) / "result.json"
        work = Path(folder) / "work"
        work.mkdir()
        environment = {"HOME": folder, "PATH": os.defpath, "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"}
        for name in ("SYSTEMROOT", "TEMP"):
            if name in os.environ:
                environment[name] = os.environ[name]
        try:
            ran = subprocess.run(
                [sys.executable, "-I", str(CHILD), str(result)],
                input=json.dumps(request),
                cwd=work,
                env=environment,
                capture_output=True,
                text=True,
                encoding="utf-8",
                timeout=TIME_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RecordingError(f"{lesson.slug}/{lesson.lang}: no end after {TIME_LIMIT} s") from error
        if ran.returncode or not result.is_file():
            raise RecordingError(f"{lesson.slug}/{lesson.lang}: Python ended with {ran.returncode}\n{ran.stderr}")
        data: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return data


def _complaints(lessons: dict[Lang, Lesson], recording: Recording) -> Iterator[str]:
    for lang, lesson in lessons.items():
        for cell in lesson.cells:
            recorded = recording.get(lang, cell.id)
            outputs = recorded.outputs if recorded else ()
            where = f"lessons/{lesson.slug}/{lang}.md:{cell.line}: cell {cell.id}"
            failed = [output for output in outputs if output["output_type"] == "error"]
            if failed and not cell.expects_error:
                yield f"{where} fails: {failed[-1]['ename']}: {failed[-1]['evalue']}"
            if cell.expects_error and not failed:
                yield f"{where} has the tag raises-exception but does not fail"
            unstable = _UNSTABLE.search("\n".join(map(shown, outputs)))
            if unstable:
                yield f"{where} prints {unstable[0]!r}, which differs from run to run"
