"""Recording needs real PyTorch: the rest of these tests is skipped where it is not installed."""

from __future__ import annotations

import importlib.util
import io
import json
from typing import Any

import pytest

from app.lessons import record
from app.lessons.catalog import read_lesson
from app.lessons.lint import lint_lessons
from app.lessons.model import CellOutput

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


def run(course: Any) -> tuple[int, str]:
    out = io.StringIO()
    return record.record_lessons(course.root, out), out.getvalue()


def outputs(course: Any, cell: str, lang: str = "en") -> list[CellOutput]:
    """What recorded.json holds for a cell."""
    data = json.loads((course.folder / "recorded.json").read_text(encoding="utf-8"))
    found: list[CellOutput] = data["cells"][lang][cell]["outputs"]
    return found


def english(course: Any, cell: str) -> tuple[CellOutput, ...]:
    """What a cell prints when only the English page is run."""
    recorded = record.record_lesson({"en": read_lesson(course.folder, "en")}).get("en", cell)
    assert recorded is not None
    return recorded.outputs


def test_without_pytorch_it_says_so_and_leaves_the_recording(course: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (course.folder / "recorded.json").read_bytes()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    status, said = run(course)
    assert status == 1
    assert "needs real PyTorch" in said
    assert (course.folder / "recorded.json").read_bytes() == before


@pytest.mark.slow
@needs_torch
def test_both_languages_are_recorded_and_pass_the_lint(course: Any) -> None:
    (course.folder / "recorded.json").unlink()
    status, said = run(course)
    assert (status, said.startswith("01-one: 2 cells, PyTorch 2.")) == (0, True)
    assert lint_lessons(course.root) == []
    assert outputs(course, "1.1-c1") == [{"output_type": "stream", "name": "stdout", "text": "value tensor(2.)\n"}]
    assert outputs(course, "1.1-c1", "zh")[0]["text"] == "值 tensor(2.)\n"
    (error,) = outputs(course, "1.1-c2")
    assert (error["ename"], error["evalue"], error["metadata"]) == ("ValueError", "no", {"line": 1})
    first = (course.folder / "recorded.json").read_bytes()
    run(course)
    assert (course.folder / "recorded.json").read_bytes() == first


@pytest.mark.slow
@needs_torch
def test_every_kind_of_output_in_order(course: Any) -> None:
    code = "\n".join(
        [
            "import warnings, torch",
            "print('a')",
            "display(torch.tensor(1))",
            "warnings.warn('careful')",
            "print('b')",
            "x = 2  ",
        ]
    )
    course.replace("import torch\nx = torch.tensor(2.0)", code)
    course.replace('print("value", x)', "torch.tensor(2)", "en")
    assert [
        (output["output_type"], output.get("text") or output.get("data")) for output in english(course, "1.1-c1")
    ] == [
        ("stream", "a\n"),
        ("display_data", {"text/plain": "tensor(1)"}),
        ("stream", "UserWarning: careful\n"),
        ("stream", "b\n"),
        ("execute_result", {"text/plain": "tensor(2)"}),
    ]


@pytest.mark.slow
@needs_torch
def test_the_line_of_an_error_is_the_cell_s_own(course: Any) -> None:
    course.replace("x = torch.tensor(2.0)", "def f():\n    raise KeyError('k')\nx = torch.tensor(2.0)")
    course.replace("raise ValueError", "x\nf() if x else ValueError")
    (error,) = english(course, "1.1-c2")
    assert error["metadata"] == {"line": 2}
    assert error["traceback"][1:5:2] == ["  Cell 1.1-c2, line 2", "  Cell 1.1-c1, line 3, in f"]


@pytest.mark.slow
@needs_torch
def test_what_cannot_stand_is_told(course: Any) -> None:
    course.replace("import torch\n", "import torch, os\nprint(os.getcwd())\n1 / 0\n")
    course.replace("raise ValueError", "object()\n# ValueError")
    status, said = run(course)
    assert status == 1
    for expected in (
        "en.md:26: cell 1.1-c1 fails: ZeroDivisionError: division by zero",
        "en.md:26: cell 1.1-c1 prints '/",
        "en.md:41: cell 1.1-c2 has the tag raises-exception but does not fail",
        "en.md:41: cell 1.1-c2 prints 'at 0x",
    ):
        assert f"lessons/01-one/{expected}" in said


@pytest.mark.slow
@needs_torch
def test_a_lesson_that_ends_python_is_told(course: Any) -> None:
    course.replace("import torch\n", "import os\nos._exit(3)\n")
    status, said = run(course)
    assert status == 1
    assert "01-one/zh: Python ended with 3" in said
