"""recorded.json: what real PyTorch printed for every cell of a lesson, in each language."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.lessons.errors import LessonError
from app.lessons.model import LANGUAGES, CellOutput, Lang

FILE_NAME = "recorded.json"


@dataclass(frozen=True)
class RecordedCell:
    """The outputs of one cell, and the fingerprint of the source that gave them."""

    fingerprint: str
    outputs: tuple[CellOutput, ...]


@dataclass(frozen=True)
class Recording:
    """One lesson's recording: the version of PyTorch (such as "2.13.0"), and language → cell id → outputs."""

    torch: str
    cells: Mapping[Lang, Mapping[str, RecordedCell]]

    def get(self, lang: Lang, cell: str) -> RecordedCell | None:
        """Return the recording of a cell, or None."""
        return self.cells.get(lang, {}).get(cell)


def fingerprint(source: str) -> str:
    """Identify the source of a cell, so that a recording older than its cell is noticed."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def load_recording(folder: Path) -> Recording | None:
    """Return the recording in a lesson's folder; None when there is none. Raises `LessonError` when unreadable."""
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Recording(
            torch=str(data["torch"]),
            cells={lang: {name: _cell(value) for name, value in data["cells"][lang].items()} for lang in LANGUAGES},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"not a recording ({type(error).__name__}: {error}); write it again with gradlens record"
        raise LessonError(str(path), 0, message) from error


def save_recording(folder: Path, recording: Recording) -> None:
    """Write recorded.json: the same recording gives the same bytes."""
    data = {
        "torch": recording.torch,
        "cells": {
            lang: {
                name: {"fingerprint": cell.fingerprint, "outputs": list(cell.outputs)}
                for name, cell in recording.cells.get(lang, {}).items()
            }
            for lang in LANGUAGES
        },
    }
    text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    (folder / FILE_NAME).write_text(text, encoding="utf-8")


def _cell(value: Any) -> RecordedCell:
    outputs = value["outputs"]
    if not isinstance(outputs, list) or not all(isinstance(output, dict) for output in outputs):
        raise TypeError("outputs is not a list of objects")
    return RecordedCell(fingerprint=str(value["fingerprint"]), outputs=tuple(outputs))
