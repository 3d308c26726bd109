"""The recordings are what real PyTorch prints today. Skipped where that PyTorch is not installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from app.lessons.catalog import lesson_folders, read_lesson
from app.lessons.model import LANGUAGES
from app.lessons.record import record_lesson
from app.lessons.recordings import load_recording

ROOT = Path(__file__).resolve().parents[2]


def installed() -> str | None:
    try:
        return version("torch").partition("+")[0]
    except PackageNotFoundError:
        return None


@pytest.mark.slow
@pytest.mark.parametrize("folder", lesson_folders(ROOT), ids=lambda folder: folder.name)
def test_recorded_again_gives_the_same(folder: Path) -> None:
    kept = load_recording(folder)
    assert kept is not None
    if installed() != kept.torch:
        pytest.skip(f"PyTorch {kept.torch} is not installed")
    assert record_lesson({lang: read_lesson(folder, lang) for lang in LANGUAGES}) == kept
