from __future__ import annotations

import ast
from typing import Any

import jupytext
import nbformat
import pytest

from app.lessons.catalog import Catalog
from app.lessons.export import to_ipynb, to_py
from app.lessons.model import Lesson


@pytest.fixture
def lesson(course: Any) -> Lesson:
    return Catalog.load(course.root).get("en", "01-one")


def test_notebook_is_valid_and_holds_everything(lesson: Lesson) -> None:
    notebook = nbformat.from_dict(to_ipynb(lesson))
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "markdown", "code", "markdown"]
    assert notebook.cells[0].source.startswith("# One\n\nThe first.\n\nAn opening with a formula $y = x^2$.")
    assert "## 1.1 The first section" in notebook.cells[0].source
    assert notebook.cells[1].source == lesson.cells[0].source
    assert notebook.cells[3].metadata.tags == ["raises-exception"]
    assert notebook.cells[3].outputs[0].ename == "ValueError"
    assert notebook.cells[3].execution_count == 2


def test_asides_are_quotations_without_links_into_the_site(lesson: Lesson) -> None:
    assert to_ipynb(lesson)["cells"][2]["source"] == "> **About `x`**\n>\n> See above."


def test_a_quiz_does_not_give_its_answer_away(lesson: Lesson) -> None:
    source = to_ipynb(lesson)["cells"][4]["source"]
    assert "> - 1\n> - 2\n>\n> <details><summary>Show the answer</summary>\n>\n> 2\n>\n> It is two.\n" in source
    assert "[x]" not in source


def test_script_is_python_and_reads_back_as_the_same_cells(lesson: Lesson) -> None:
    script = to_py(lesson)
    ast.parse(script)
    notebook = jupytext.reads(script, fmt="py:percent")
    expected = [(cell["cell_type"], cell["source"]) for cell in to_ipynb(lesson)["cells"]]
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == expected


def test_magics_are_comments_in_a_script(course: Any) -> None:
    course.replace("x = torch.tensor(2.0)", "%timeit 1\nx = torch.tensor(2.0)")
    script = to_py(Catalog.load(course.root).get("en", "01-one"))
    ast.parse(script)
    assert "\n# %timeit 1\n" in script
