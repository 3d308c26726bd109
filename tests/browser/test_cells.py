"""Chapter 3 as a learner goes through it: read, edit, run, fail, stop, come back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.reader import PATIENCE, LessonPage

pytestmark = pytest.mark.browser


def test_a_cell_shows_what_pytorch_printed_until_it_is_run(chapter3: LessonPage) -> None:
    output = chapter3.output("3.1-a1")
    expect(output).to_contain_text("PyTorch 2.13.0 printed this")
    expect(output).to_contain_text("tensor(-2.)")

    chapter3.run("3.1-a1", count=1)

    expect(output).not_to_contain_text("PyTorch 2.13.0")
    expect(output.locator(".out-stdout")).to_have_text("tensor(-2.)\n", use_inner_text=False)


def test_an_edited_cell_runs_as_edited_and_survives_a_reload(chapter3: LessonPage) -> None:
    source = "import torch\nprint(torch.tensor([1.5, 2.5]) * 2)  # 注释"
    chapter3.write("3.1-a1", source)
    chapter3.page.keyboard.press("ControlOrMeta+Enter")
    chapter3.wait_done("3.1-a1", count=1)
    expect(chapter3.output("3.1-a1")).to_contain_text("tensor([3., 5.])")

    chapter3.page.reload()

    expect(chapter3.output("3.1-a1")).to_contain_text("tensor([3., 5.])")
    assert chapter3.source("3.1-a1") == source
    expect(chapter3.cell("3.1-a1").locator(".cell-count")).to_contain_text("[1]")


def test_variables_outlive_a_reload_of_the_page(chapter3: LessonPage) -> None:
    chapter3.write("3.1-a1", "kept = 41")
    chapter3.page.keyboard.press("ControlOrMeta+Enter")
    chapter3.wait_done("3.1-a1", count=1)

    chapter3.page.reload()
    chapter3.write("3.1-c1", "print(kept + 1)")
    chapter3.page.keyboard.press("ControlOrMeta+Enter")

    expect(chapter3.output("3.1-c1").locator(".out-stdout")).to_have_text("42", timeout=PATIENCE)


def test_edits_belong_to_one_language(chapter3: LessonPage, page: Page) -> None:
    chapter3.write("3.1-a1", "print('mine')")
    chinese = LessonPage(page, "/zh/lessons/03-autograd")
    assert "mine" not in chinese.source("3.1-a1")


def test_shift_enter_runs_and_moves_to_the_next_cell(chapter3: LessonPage, page: Page) -> None:
    chapter3.editor("3.1-a1")
    page.keyboard.press("Shift+Enter")
    expect(chapter3.cell("3.1-c1").locator(".cm-content")).to_be_focused()
    page.keyboard.press("Shift+Enter")
    chapter3.wait_done("3.1-a1", count=1)
    chapter3.wait_done("3.1-c1", count=2)
    expect(chapter3.output("3.1-c1")).to_contain_text("tensor(1., grad_fn=<AddBackward0>)")


def test_an_error_names_itself_and_marks_its_line(chapter3: LessonPage) -> None:
    chapter3.write("3.1-a1", "x = 1\ny = x / 0\nz = 3")
    chapter3.page.keyboard.press("ControlOrMeta+Enter")
    head = chapter3.output("3.1-a1").locator(".out-error-head")
    expect(head).to_contain_text("ZeroDivisionError: division by zero", timeout=PATIENCE)
    expect(head).to_contain_text("line 2")
    expect(chapter3.cell("3.1-a1").locator(".error-line")).to_have_text("y = x / 0")
    trace = chapter3.output("3.1-a1").locator("details")
    expect(trace.locator("pre")).not_to_be_visible()
    trace.locator("summary").click()
    expect(trace.locator("pre")).to_contain_text("ZeroDivisionError")

    chapter3.write("3.1-a1", "print('well')")
    chapter3.run("3.1-a1", count=2)
    expect(chapter3.cell("3.1-a1").locator(".error-line")).to_have_count(0)
    expect(chapter3.output("3.1-a1")).not_to_contain_text("ZeroDivisionError")


def test_a_cell_that_needs_the_ones_above_offers_to_run_them(chapter3: LessonPage) -> None:
    chapter3.run("3.1-c1")
    output = chapter3.output("3.1-c1")
    expect(output).to_contain_text("NameError: name 'y' is not defined")
    output.get_by_role("button", name="Run the cells above, then this one").click()
    expect(output).to_contain_text("tensor(1., grad_fn=<AddBackward0>)", timeout=PATIENCE)
    expect(output).not_to_contain_text("NameError")
    expect(chapter3.output("3.1-a1")).to_contain_text("tensor(-2.)")


def test_a_full_width_sign_is_explained(page: Page) -> None:
    lesson = LessonPage(page, "/zh/lessons/03-autograd")
    lesson.write("3.1-a1", "print（1）")
    lesson.run("3.1-a1", count=1)
    expect(lesson.output("3.1-a1").locator(".out-note")).to_contain_text("中文（全角）符号")
    expect(lesson.cell("3.1-a1").locator(".error-line")).to_have_text("print（1）")


def test_an_endless_loop_shows_its_time_and_can_be_stopped(chapter3: LessonPage) -> None:
    chapter3.write("3.1-a1", "print('begun', flush=True)\nwhile True: pass")
    chapter3.page.keyboard.press("ControlOrMeta+Enter")
    cell = chapter3.cell("3.1-a1")
    expect(chapter3.output("3.1-a1")).to_contain_text("begun", timeout=PATIENCE)
    expect(cell.locator(".cell-state")).to_contain_text(re.compile(r"Running\s+\d+\.\d s"))

    cell.get_by_role("button", name="Stop cell 3.1-a1").click()

    expect(chapter3.output("3.1-a1")).to_contain_text("Stopped.")
    expect(cell.get_by_role("button", name="Run cell 3.1-a1")).to_be_visible()
    chapter3.write("3.1-a1", "print('again')")
    chapter3.run("3.1-a1")
    expect(chapter3.output("3.1-a1").locator(".out-stdout")).to_have_text("again")


def test_a_flood_of_output_leaves_the_page_awake(chapter3: LessonPage) -> None:
    chapter3.write("3.1-a1", "while True: print('spam')")
    chapter3.page.keyboard.press("ControlOrMeta+Enter")
    output = chapter3.output("3.1-a1")
    # Cut into blocks, which need no layout while they are out of sight.
    expect(output.locator(".out-stdout .out-block").nth(8)).to_be_attached(timeout=PATIENCE)
    chapter3.cell("3.1-a1").get_by_role("button", name="Stop cell 3.1-a1").click()
    expect(output).to_contain_text("Stopped.")
    expect(output).to_contain_text("left out: a cell may print")
    begun = output.locator(".out-stdout").first.text_content() or ""
    assert set(begun.split("\n")[:-1]) == {"spam"}


def test_a_progress_bar_writes_over_itself(chapter3: LessonPage) -> None:
    chapter3.write("3.1-a1", "for i in range(5):\n    print(f'\\r{i * 25}%', end='', flush=True)\nprint('\\nend')")
    chapter3.page.keyboard.press("ControlOrMeta+Enter")
    expect(chapter3.output("3.1-a1").locator(".out-stdout")).to_have_text("100%\nend", timeout=PATIENCE)


def test_reset_brings_the_lesson_back_and_undo_the_edit(chapter3: LessonPage) -> None:
    cell = chapter3.cell("3.1-c1")
    original = chapter3.source("3.1-c1")
    expect(cell.locator(".cell-reset")).to_have_count(0)
    chapter3.write("3.1-c1", "print('mine')")

    cell.get_by_role("button", name="Reset cell 3.1-c1").click()
    assert chapter3.source("3.1-c1") == original
    cell.get_by_role("button", name="Undo reset of cell 3.1-c1").click()
    assert chapter3.source("3.1-c1") == "print('mine')"

    cell.get_by_role("button", name="Reset cell 3.1-c1").click()
    chapter3.page.reload()
    assert chapter3.source("3.1-c1") == original


def test_run_all_goes_past_the_errors_that_are_meant(chapter3: LessonPage) -> None:
    chapter3.press("run-all")
    cells = chapter3.page.locator("gl-cell")
    for index in range(cells.count()):
        expect(cells.nth(index).locator(".cell-count")).to_contain_text(f"[{index + 1}]", timeout=PATIENCE)
    expect(chapter3.output("3.1-c5").locator(".out-error-head")).to_contain_text(
        "RuntimeError: grad can be implicitly created only for scalar outputs"
    )


def test_run_all_stops_at_an_error_that_is_not_meant(chapter3: LessonPage) -> None:
    chapter3.write("3.1-c1", "undefined_name")
    chapter3.press("run-all")
    expect(chapter3.output("3.1-c1")).to_contain_text("NameError", timeout=PATIENCE)
    expect(chapter3.page.locator("gl-toolbar")).to_contain_text("Ready")
    expect(chapter3.cell("3.1-c2").locator(".cell-count")).to_have_count(0)
    expect(chapter3.output("3.1-c2")).to_contain_text("PyTorch 2.13.0 printed this")


def test_restart_forgets_the_variables(chapter3: LessonPage) -> None:
    chapter3.run("3.1-a1", count=1)
    chapter3.press("restart")
    expect(chapter3.page.locator(".toolbar-state")).to_contain_text("all variables are gone")
    expect(chapter3.cell("3.1-a1").locator(".cell-count")).to_have_count(0)
    chapter3.write("3.1-c1", "print('x' in globals())")
    chapter3.run("3.1-c1", count=1)
    expect(chapter3.output("3.1-c1").locator(".out-stdout")).to_have_text("False")


def test_warnings_and_pictures_are_shown_and_html_is_not_interpreted(chapter3: LessonPage) -> None:
    chapter3.write(
        "3.1-a1",
        "import sys\n"
        "from IPython.display import HTML, Image, display\n"
        "print('careful', file=sys.stderr)\n"
        "display(HTML('<b id=injected>bold</b>'))\n"
        "import base64\n"
        "png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='\n"
        "display(Image(data=base64.b64decode(png), format='png'))",
    )
    chapter3.page.keyboard.press("ControlOrMeta+Enter")
    output = chapter3.output("3.1-a1")
    expect(output.locator("img")).to_have_js_property("naturalWidth", 1, timeout=PATIENCE)
    expect(output.locator(".out-stderr")).to_have_text("careful")
    expect(output.locator("#injected")).to_have_count(0)
    expect(output).to_contain_text("<IPython.core.display.HTML object>")


def test_the_keyboard_is_never_trapped_in_an_editor(chapter3: LessonPage, page: Page) -> None:
    cell = chapter3.cell("3.1-c1")
    chapter3.editor("3.1-c1")
    page.keyboard.press("Escape")
    expect(cell.locator(".cell-run")).to_be_focused()
    page.keyboard.press("Tab")
    expect(cell.locator(".cm-content")).not_to_be_focused()


def test_the_editor_completes_from_the_kernel_and_explains(chapter3: LessonPage, page: Page) -> None:
    chapter3.run("3.1-a1", count=1)
    chapter3.write("3.1-c1", "x.requires_gr")
    page.keyboard.press("Tab")
    option = page.locator(".cm-tooltip-autocomplete li", has_text="requires_grad_")
    expect(option).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".cm-tooltip-autocomplete")).to_have_count(0)
    expect(chapter3.cell("3.1-c1").locator(".cm-content")).to_be_focused()

    chapter3.write("3.1-c1", "torch.tensor")
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".explanation")).to_contain_text("requires_grad")


def test_a_composed_chinese_text_reaches_the_source(chapter3: LessonPage, page: Page) -> None:
    chapter3.write("3.1-c1", "# ")
    client = page.context.new_cdp_session(page)
    client.send("Input.imeSetComposition", {"text": "zhang", "selectionStart": 5, "selectionEnd": 5})
    client.send("Input.insertText", {"text": "张量"})
    expect(chapter3.cell("3.1-c1").locator(".cm-content")).to_have_text("# 张量")
    assert chapter3.source("3.1-c1") == "# 张量"
