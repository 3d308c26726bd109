"""A lesson as its reader handles it, and what axe finds on a page."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, ViewportSize, expect

#: The first run of a session starts a kernel, on a machine that may be busy with other tests; milliseconds.
PATIENCE = 20_000

PHONE: ViewportSize = {"width": 390, "height": 844}


class LessonPage:
    """A lesson in a browser: its cells by id, its toolbar."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        page.goto(url)
        expect(page.locator(".cell-run").first).to_be_visible()

    def cell(self, cell: str) -> Locator:
        """The cell with this id."""
        return self.page.locator(f'gl-cell[data-cell="{cell}"]')

    def editor(self, cell: str) -> Locator:
        """The cell's editor, focused: CodeMirror has taken the text area's place."""
        found = self.cell(cell)
        plain = found.locator("textarea")
        if plain.count():
            plain.focus()
        rich = found.locator(".cm-content")
        expect(rich).to_be_visible()
        rich.focus()
        return rich

    def write(self, cell: str, source: str) -> None:
        """Replace a cell's source, as a person who selects all and pastes would."""
        self.editor(cell)
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(source)

    def source(self, cell: str) -> str:
        """The source as the cell has it."""
        text: str = self.cell(cell).evaluate("cell => cell.source")
        return text

    def run(self, cell: str, *, count: int | None = None) -> None:
        """Press Run and wait for the cell's end; `count` is the execution count it must show."""
        found = self.cell(cell)
        found.locator(".cell-run").click()
        self.wait_done(cell, count=count)

    def wait_done(self, cell: str, *, count: int | None = None) -> None:
        """Wait until the cell rests with an execution count."""
        shown = re.compile(r"\[\d+\]" if count is None else rf"\[{count}\]")
        expect(self.cell(cell).locator(".cell-count")).to_contain_text(shown, timeout=PATIENCE)

    def output(self, cell: str) -> Locator:
        """What the cell shows below its code: recorded before the first run, its own afterwards."""
        return self.cell(cell).locator(".cell-output")

    def press(self, act: str) -> None:
        """Press a button of the toolbar: run-all, stop or restart."""
        self.page.locator(f'gl-toolbar [data-act="{act}"]').click()


def violations(page: Page, axe_source: str) -> list[str]:
    """What axe finds on the page as it is now, one line a finding."""
    # Through the debugger's door, which the page's content policy does not close.
    page.evaluate(axe_source)
    result: dict[str, Any] = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    return [
        f"{found['id']}: {found['help']} at {node['target']}: {node.get('failureSummary', '')}"
        for found in result["violations"]
        for node in found["nodes"]
    ]
