"""Fixtures of the browser tests: a lesson that is open, and axe."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.reader import LessonPage

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
def chapter3(page: Page) -> LessonPage:
    """Chapter 3 in English."""
    return LessonPage(page, "/en/lessons/03-autograd")


@pytest.fixture(scope="session")
def axe_source() -> str:
    """The text of axe-core, which npm installs with the bundler."""
    assert AXE.is_file(), "axe-core is missing: run npm ci"
    return AXE.read_text(encoding="utf-8")
