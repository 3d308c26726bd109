"""Every lesson of the course keeps to the format, opens in Jupyter and can be taken away."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import jupytext
import nbformat
import pytest

from app.lessons import formulas
from app.lessons.catalog import Catalog, lesson_folders
from app.lessons.errors import Problem
from app.lessons.export import to_ipynb, to_py
from app.lessons.model import LANGUAGES, Lang

ROOT = Path(__file__).resolve().parents[2]
SLUGS = [folder.name for folder in lesson_folders(ROOT)]
PAGES = [(slug, lang) for slug in SLUGS for lang in LANGUAGES]

#: The article's chapters, each of which is a page.
CHAPTERS = ["00-why-pytorch", "01-core-functions", "02-tensors", "03-autograd", "04-dynamic-graph"]
#: Its sections, each of which is a second-level heading.
SECTIONS = ["1.1", "1.2", "1.3", "1.4", "2.1", "2.2", "2.3", "3.1", "3.2", "3.3", "4.1", "4.2"]


def test_the_article_s_chapters_and_sections_are_there(catalog: Catalog) -> None:
    assert SLUGS[: len(CHAPTERS)] == CHAPTERS
    for lang in LANGUAGES:
        anchors = {heading.anchor for lesson in catalog.lessons(lang) for heading in lesson.headings}
        assert {f"s{section.replace('.', '-')}" for section in SECTIONS} <= anchors


@pytest.mark.parametrize("slug", SLUGS)
def test_lint(slug: str, problems: list[Problem]) -> None:
    assert [str(problem) for problem in problems if problem.path.startswith(f"lessons/{slug}/")] == []


def test_lint_of_the_course_as_a_whole(problems: list[Problem]) -> None:
    pages = tuple(f"lessons/{slug}/" for slug in SLUGS)
    assert [str(problem) for problem in problems if not problem.path.startswith(pages)] == []


@pytest.mark.parametrize(("slug", "lang"), PAGES)
def test_jupytext_opens_it_and_writes_back_the_same(slug: str, lang: Lang, catalog: Catalog) -> None:
    text = (ROOT / "lessons" / slug / f"{lang}.md").read_text(encoding="utf-8")
    notebook = jupytext.reads(text, fmt="md:myst")
    cells = catalog.get(lang, slug).cells
    assert [
        (cell.metadata["id"], tuple(cell.metadata.get("tags", ())), cell.source)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ] == [(cell.id, cell.tags, cell.source) for cell in cells]
    # Through a notebook file and back: the front matter may be folded otherwise, the text may not change.
    stored = nbformat.reads(nbformat.writes(notebook), as_version=4)
    again = jupytext.writes(stored, fmt="md:myst")
    assert body(again) == body(text)
    assert jupytext.reads(again, fmt="md:myst").metadata["title"] == catalog.get(lang, slug).title


def body(text: str) -> str:
    return text.split("\n---\n", 1)[1]


@pytest.mark.parametrize(("slug", "lang"), PAGES)
def test_exports(slug: str, lang: Lang, catalog: Catalog) -> None:
    lesson = catalog.get(lang, slug)
    notebook = nbformat.from_dict(to_ipynb(lesson))
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells if cell.cell_type == "code"] == [
        cell.source for cell in lesson.cells
    ]
    ast.parse(to_py(lesson))


@pytest.mark.parametrize(("slug", "lang"), PAGES)
def test_every_formula_is_typeset(slug: str, lang: Lang) -> None:
    table = ROOT / "static" / "dist" / "math.json"
    if not table.is_file():
        pytest.skip("the front end has not been built")
    known = json.loads(table.read_text(encoding="utf-8"))
    text = (ROOT / "lessons" / slug / f"{lang}.md").read_text(encoding="utf-8")
    assert [found for found in formulas.find(text) if found not in known] == []
