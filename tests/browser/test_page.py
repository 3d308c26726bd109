"""The page around the cells: languages, themes, contents, phones, no script, the network."""

from __future__ import annotations

import re
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.reader import PATIENCE, PHONE, LessonPage
from tests.conftest import Complaints

pytestmark = pytest.mark.browser


def test_the_front_page_leads_to_every_lesson(page: Page) -> None:
    page.goto("/en/")
    links = page.locator(".chapter-card h3 a")
    assert links.count() >= 5
    addresses = [links.nth(index).get_attribute("href") for index in range(links.count())]
    for address in addresses:
        assert address is not None
        response = page.goto(address)
        assert response is not None
        assert response.status == 200
        expect(page.locator("h1")).to_be_visible()


def test_switching_the_language_keeps_the_place(page: Page) -> None:
    LessonPage(page, "/en/lessons/03-autograd")
    section = page.locator("#s3-2")
    section.evaluate("element => element.scrollIntoView({ block: 'start', behavior: 'instant' })")
    before = section.bounding_box()
    # With the mouse itself: Locator.click would first scroll to where the header stands when it does not stick.
    switch = page.get_by_role("link", name="中文").bounding_box()
    assert switch is not None
    page.mouse.click(switch["x"] + switch["width"] / 2, switch["y"] + switch["height"] / 2)

    expect(page).to_have_url(re.compile("/zh/lessons/03-autograd"))
    expect(page.locator(".cell-run").first).to_be_visible()
    expect(page.locator("#s3-2")).to_be_in_viewport()
    after = page.locator("#s3-2").bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 4


def test_the_contents_mark_the_section_that_is_read(page: Page) -> None:
    LessonPage(page, "/en/lessons/03-autograd")
    contents = page.get_by_role("navigation", name="Contents", exact=True)
    contents.get_by_role("link", name=re.compile("^3.3")).click()
    expect(contents.locator('a[href="#s3-3"]')).to_have_attribute("aria-current", "location")
    expect(page.locator("#s3-3")).to_be_in_viewport()
    expect(contents.locator("[aria-current=location]")).to_have_count(1)


def test_the_theme_follows_the_system_until_one_is_chosen(page: Page) -> None:
    root = page.locator("html")
    page.emulate_media(color_scheme="dark")
    page.goto("/zh/")
    expect(root).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-theme", "light")

    page.get_by_role("button", name="深色").click()
    expect(root).to_have_attribute("data-theme", "dark")
    page.goto("/en/lessons/03-autograd")
    expect(root).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="As the system").click()
    expect(root).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_page_scrolls_sideways_on_a_phone(page: Page, lang: str) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"/{lang}/")
    addresses = [f"/{lang}/", *page.locator(".chapter-card h3 a").evaluate_all("links => links.map(a => a.href)")]
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{address} is {width} px wide"


def test_a_run_graph_and_a_long_line_fit_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    lesson = LessonPage(page, "/zh/lessons/03-autograd")
    lesson.run("3.1-a1", count=1)
    expect(lesson.cell("3.1-a1").locator("gl-graph svg.gl-stage")).to_be_visible()
    lesson.write("3.1-c1", "print('x' * 500)")
    lesson.run("3.1-c1", count=2)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_contents_fold_on_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    LessonPage(page, "/en/lessons/03-autograd")
    link = page.locator('.toc-narrow a[href="#s3-2"]')
    expect(link).not_to_be_visible()
    page.locator(".toc-narrow summary").click()
    link.click()
    expect(page.locator("#s3-2")).to_be_in_viewport()
    expect(link).not_to_be_visible()


def test_a_lesson_reads_without_script(browser: Browser, base_url: str) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=base_url)
    page = context.new_page()
    page.goto("/en/lessons/03-autograd")
    cell = page.locator("#cell-3\\.1-a1")
    expect(cell.locator(".cell-source")).to_contain_text("y.backward()")
    expect(cell).to_contain_text("PyTorch 2.13.0 printed this")
    expect(cell).to_contain_text("tensor(-2.)")
    expect(page.locator(".katex").first).to_be_visible()
    expect(page.locator("noscript p")).to_be_visible()
    context.close()


def test_a_quiz_answers_at_once(page: Page) -> None:
    LessonPage(page, "/en/lessons/03-autograd")
    quiz = page.locator(".quiz").first
    expect(quiz.locator(".quiz-correct")).not_to_be_visible()
    quiz.locator('[data-correct="false"] input').first.check()
    expect(quiz.locator(".quiz-verdict")).to_have_text("✗ Not this one.")
    expect(quiz.locator(".quiz-correct")).to_be_visible()
    quiz.locator('[data-correct="true"] input').check()
    expect(quiz.locator(".quiz-verdict")).to_have_text("✓ Right.")


def test_a_lost_session_is_rebuilt_from_what_ran(
    chapter3: LessonPage, complaints: Complaints, page: Page, base_url: str
) -> None:
    complaints.expected.append("404")
    chapter3.write("3.1-a1", "kept = 41")
    page.keyboard.press("ControlOrMeta+Enter")
    chapter3.wait_done("3.1-a1", count=1)
    # The server forgets the session behind the page's back, as it does when it is restarted.
    session = page.evaluate("() => JSON.parse(sessionStorage['gradlens:session:03-autograd']).id")
    close = Request(
        f"{base_url}/api/sessions/{session}", method="DELETE", headers={"Authorization": f"Bearer {session}"}
    )
    with urlopen(close) as answer:
        assert answer.status == 204

    chapter3.write("3.1-c1", "print(kept + 1)")
    page.keyboard.press("ControlOrMeta+Enter")
    expect(chapter3.output("3.1-c1").locator(".out-stdout")).to_have_text("42", timeout=PATIENCE)


def test_a_broken_network_loses_nothing(chapter3: LessonPage, complaints: Complaints, page: Page) -> None:
    complaints.expected.append("Failed to load resource")
    chapter3.write("3.1-a1", "print('back again')")
    page.route("**/api/**", lambda route: route.abort())
    chapter3.cell("3.1-a1").locator(".cell-run").click()
    expect(page.locator(".toolbar-state")).to_contain_text("trying again")
    note = chapter3.output("3.1-a1").locator(".out-note")
    expect(note).to_contain_text("The connection to the server broke", timeout=PATIENCE)
    assert chapter3.source("3.1-a1") == "print('back again')"
    expect(page.locator(".toolbar-state")).to_have_text("Cannot reach the server")

    page.unroute("**/api/**")
    note.get_by_role("button", name="Try again").click()
    expect(chapter3.output("3.1-a1").locator(".out-stdout")).to_have_text("back again", timeout=PATIENCE)
    expect(page.locator(".toolbar-state")).to_have_text("Ready")
