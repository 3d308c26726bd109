"""The graph of a cell in the page: it appears, steps, opens, and answers to the source and back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.reader import LessonPage

pytestmark = pytest.mark.browser


@pytest.fixture
def parabola(chapter3: LessonPage) -> LessonPage:
    """Chapter 3 after its first cell ran: y = a * x**2 + b * x + c, then y.backward()."""
    chapter3.run("3.1-a1", count=1)
    expect(graph(chapter3).locator("svg.gl-stage")).to_be_visible()
    return chapter3


def graph(lesson: LessonPage) -> Locator:
    return lesson.output("3.1-a1").locator("gl-graph")


def node(lesson: LessonPage, name: str) -> Locator:
    """The drawn node of the first tensor or function of this name."""
    identity: str = graph(lesson).evaluate("(graph, name) => graph.document.nodes.find(n => n.name === name).id", name)
    return graph(lesson).locator(f'[data-node="{identity}"]').first


def step_count(lesson: LessonPage) -> str:
    return graph(lesson).locator(".gl-count").inner_text()


def test_the_graph_that_ran_is_drawn_with_its_functions(parabola: LessonPage) -> None:
    picture = graph(parabola)
    for name in ("PowBackward0", "MulBackward0", "AddBackward0"):
        expect(picture.locator("svg.gl-stage")).to_contain_text(name)
    assert picture.evaluate("graph => graph.document.events.length") > 10


def test_the_film_steps_by_button_keyboard_and_slider(parabola: LessonPage, page: Page) -> None:
    picture = graph(parabola)
    total = picture.evaluate("graph => graph.document.events.length")
    assert step_count(parabola) == f"{total} / {total}"

    picture.locator(".gl-step-first").click()
    expect(picture.locator(".gl-count")).to_have_text(f"0 / {total}")
    picture.locator(".gl-step-next").click()
    expect(picture.locator(".gl-count")).to_have_text(f"1 / {total}")
    page.keyboard.press("ArrowRight")
    expect(picture.locator(".gl-count")).to_have_text(f"2 / {total}")
    page.keyboard.press("ArrowLeft")
    expect(picture.locator(".gl-count")).to_have_text(f"1 / {total}")
    slider = picture.get_by_role("slider")
    slider.focus()
    page.keyboard.press("End")
    expect(picture.locator(".gl-count")).to_have_text(f"{total} / {total}")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(rf"{total} / {total}"))


def test_a_node_opens_with_its_formula_what_it_saved_and_its_source(parabola: LessonPage) -> None:
    node(parabola, "PowBackward0").click()
    panel = graph(parabola).locator(".gl-inspector")
    expect(panel).to_be_visible()
    expect(panel).to_contain_text("PowBackward0")
    expect(panel).to_contain_text("engine/ops/")
    expect(panel).to_contain_text("class Pow")
    expect(panel.locator(".katex").first).to_be_visible()

    parabola.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def test_a_leaf_opens_with_its_gradient(parabola: LessonPage) -> None:
    node(parabola, "x").click()
    panel = graph(parabola).locator(".gl-inspector")
    expect(panel).to_contain_text("torch.float32")
    expect(panel).to_contain_text(".grad−2")


def test_pointing_at_a_node_marks_its_source(parabola: LessonPage) -> None:
    node(parabola, "PowBackward0").hover()
    expect(parabola.cell("3.1-a1").locator(".span-mark").first).to_be_visible()
    marked = parabola.cell("3.1-a1").locator(".span-mark").all_inner_texts()
    assert "".join(marked) == "x**2"


def test_the_caret_in_the_source_lights_the_nodes_it_made(parabola: LessonPage, page: Page) -> None:
    parabola.editor("3.1-a1")
    lines = parabola.source("3.1-a1").split("\n")
    line = next(index for index, text in enumerate(lines) if "x**2" in text)
    page.keyboard.press("ControlOrMeta+Home")
    for _ in range(line):
        page.keyboard.press("ArrowDown")
    for _ in range(lines[line].index("x**2") + 1):
        page.keyboard.press("ArrowRight")
    lit = graph(parabola).evaluate("graph => [...graph.lit]")
    functions = graph(parabola).evaluate(
        "graph => graph.document.nodes.filter(node => node.kind === 'function').map(node => [node.id, node.name])"
    )
    assert [name for identity, name in functions if identity in lit] == ["PowBackward0"]


def test_an_edited_source_no_longer_answers_for_the_old_graph(parabola: LessonPage) -> None:
    parabola.editor("3.1-a1")
    parabola.page.keyboard.type(" ")
    node(parabola, "PowBackward0").hover()
    expect(graph(parabola)).to_be_visible()
    expect(parabola.cell("3.1-a1").locator(".span-mark")).to_have_count(0)


def test_the_graph_is_there_again_after_a_reload(parabola: LessonPage, page: Page) -> None:
    page.reload()
    expect(graph(parabola).locator("svg.gl-stage")).to_contain_text("PowBackward0")


def test_the_graph_speaks_chinese_on_a_chinese_page(page: Page) -> None:
    lesson = LessonPage(page, "/zh/lessons/03-autograd")
    lesson.run("3.1-a1", count=1)
    expect(graph(lesson)).to_contain_text("计算图")
