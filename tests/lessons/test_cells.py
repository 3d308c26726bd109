"""Every cell of every lesson shows in a learner's kernel what real PyTorch showed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.kernels.pool import KernelPool
from app.lessons.catalog import Catalog, lesson_folders
from app.lessons.check import compare, run_lesson
from app.lessons.model import LANGUAGES, CellOutput, Lang, Lesson

ROOT = Path(__file__).resolve().parents[2]
PAGES = [(folder.name, lang) for folder in lesson_folders(ROOT) for lang in LANGUAGES]


async def run(lesson: Lesson) -> dict[str, list[CellOutput]]:
    pool = KernelPool()
    await pool.start()
    try:
        return await run_lesson(pool, lesson)
    finally:
        await pool.close()


@pytest.mark.parametrize(("slug", "lang"), PAGES)
def test_as_pytorch(slug: str, lang: Lang, catalog: Catalog) -> None:
    lesson = catalog.get(lang, slug)
    differences = compare(lesson, asyncio.run(run(lesson)))
    assert not differences, "\n".join(f"cell {cell}\n{difference}" for cell, difference in differences.items())
