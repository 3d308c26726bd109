"""What a page loads: little script before the first focus, and never from elsewhere."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect

pytestmark = pytest.mark.browser

DIST = Path(__file__).resolve().parents[2] / "static" / "dist"
KIB = 1024


def packed(content: bytes) -> int:
    return len(gzip.compress(content, 9))


def test_the_script_before_the_first_focus_is_small(page: Page) -> None:
    scripts: dict[str, Response] = {}

    def note(response: Response) -> None:
        if response.request.resource_type == "script":
            scripts[response.url.partition("/static/")[2]] = response

    page.on("response", note)
    page.goto("/zh/lessons/03-autograd")
    page.wait_for_load_state("networkidle")
    assert any(name.startswith("main-") for name in scripts)
    assert sum(packed(response.body()) for response in scripts.values()) <= 60 * KIB

    before = set(scripts)
    page.locator("gl-cell textarea").first.focus()
    expect(page.locator(".cm-content").first).to_be_visible()
    assert {name for name in scripts.keys() - before if "rich-surface" in name}


def test_all_script_together_is_bounded() -> None:
    assert sum(packed(path.read_bytes()) for path in DIST.rglob("*.js")) <= 300 * KIB


def test_every_bundled_package_brings_its_licence() -> None:
    text = (DIST / "THIRD_PARTY_LICENSES.txt").read_text(encoding="utf-8")
    for package in ("lit", "katex", "@codemirror/view", "@lezer/python", "@dagrejs/dagre", "style-mod"):
        assert re.search(rf"^{re.escape(package)} \d+\.\d+\.\d+ \(", text, re.MULTILINE), package


def test_the_manifest_names_files_that_are_there() -> None:
    manifest = json.loads((DIST / "manifest.json").read_text(encoding="utf-8"))
    assert {"main.js", "theme.js", "style.css", "katex.css", "icon.svg"} <= manifest.keys()
    assert [name for name in manifest.values() if not (DIST / name).is_file()] == []
