"""The course as it is shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.lessons.catalog import Catalog
from app.lessons.errors import Problem
from app.lessons.lint import lint_lessons

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return Catalog.load(ROOT)


@pytest.fixture(scope="session")
def problems() -> list[Problem]:
    return lint_lessons(ROOT)
