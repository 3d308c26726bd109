"""Every cell of every lesson shows in a learner's kernel what real PyTorch showed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.kernels.pool import KernelPool
from app.lessons.catalog import Catalog, lesson_folders
from app.lessons.check import compare, run_lesson
from app.lessons.model import LANGUAGES, CellOutput, Lang

ROOT = Path(__file__).resolve().parents[2]
PAGES = [(folder.name, lang) for folder in lesson_folders(ROOT) for lang in LANGUAGES]

Printed = dict[str, list[CellOutput]]


async def run_all(catalog: Catalog) -> dict[tuple[str, Lang], Printed]:
    pool = KernelPool()
    try:
        await pool.start()
        return {(slug, lang): await run_lesson(pool, catalog.get(lang, slug)) for slug, lang in PAGES}
    finally:
        await pool.close()


@pytest.fixture(scope="session")
def printed(catalog: Catalog) -> dict[tuple[str, Lang], Printed]:
    """What our engine prints, page by page."""
    return asyncio.run(run_all(catalog))


@pytest.mark.parametrize(("slug", "lang"), PAGES)
def test_as_pytorch(slug: str, lang: Lang, catalog: Catalog, printed: dict[tuple[str, Lang], Printed]) -> None:
    differences = compare(catalog.get(lang, slug), printed[slug, lang])
    assert not differences, "\n".join(f"cell {cell}\n{difference}" for cell, difference in differences.items())
