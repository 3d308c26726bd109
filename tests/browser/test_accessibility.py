"""axe finds nothing on any page, in both languages and both themes, at rest and in use."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reader import PATIENCE, PHONE, LessonPage, violations
from tests.conftest import Complaints

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_page_is_clean(page: Page, axe_source: str, lang: str, theme: str) -> None:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.goto(f"/{lang}/")
    lessons = page.locator(".chapter-card h3 a").evaluate_all("links => links.map(a => a.href)")
    found: dict[str, list[str]] = {}
    for address in [f"/{lang}/", *lessons, "/docs"]:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        found[address] = violations(page, axe_source)
    assert {address: what for address, what in found.items() if what} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_lesson_in_use_is_clean(page: Page, axe_source: str, lang: str, theme: str) -> None:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
    lesson = LessonPage(page, f"/{lang}/lessons/03-autograd")
    lesson.run("3.1-a1", count=1)
    expect(lesson.cell("3.1-a1").locator("gl-graph svg.gl-stage")).to_be_visible()
    lesson.cell("3.1-a1").locator("gl-graph [data-node]").first.click()
    lesson.write("3.1-c1", "import sys\nprint('careful', file=sys.stderr)\n1 / 0")
    page.keyboard.press("ControlOrMeta+Enter")
    expect(lesson.output("3.1-c1").locator(".out-error")).to_be_visible(timeout=PATIENCE)
    lesson.page.locator(".quiz-option").first.click()
    lesson.run("3.1-c2")
    # With every table and traceback open, and code that is wider than a phone.
    page.locator("details").evaluate_all("all => all.forEach(details => details.open = true)")
    lesson.editor("3.1-c2")
    assert violations(page, axe_source) == []
    page.set_viewport_size(PHONE)
    assert violations(page, axe_source) == []


def test_the_page_of_an_error_is_clean(page: Page, axe_source: str, complaints: Complaints) -> None:
    complaints.expected.append("404")
    page.goto("/en/lessons/99-nowhere")
    expect(page.locator("h1")).to_have_text("There is no such page")
    assert violations(page, axe_source) == []
