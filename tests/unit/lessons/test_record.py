"""Recording needs real PyTorch: the rest of these tests is skipped where it is not installed."""

from __future__ import annotations

import importlib.util
import io
import json
from typing import Any

import pytest

from app.lessons import record
from app.lessons.lint import lint_lessons
from app.lessons.model import CellOutput

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")


def run(course: Any) -> tuple[int, str]:
    out = io.StringIO()
    return record.record_lessons(course.root, out), out.getvalue()


def outputs(course: Any, cell: str, lang: str = "en") -> list[CellOutput]:
    data = json.loads((course.folder / "recorded.json").read_text(encoding="utf-8"))
    found: list[CellOutput] = data["cells"][lang][cell]["outputs"]
    return found


def test_without_pytorch_it_says_so_and_leaves_the_recording(course: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (course.folder / "recorded.json").read_bytes()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    status, said = run(course)
    assert status == 1
    assert "needs real PyTorch" in said
    assert (course.folder / "recorded.json").read_bytes() == before


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
    course.replace('print("值", x)', "torch.tensor(2)", "zh")
    course.replace('print("value", x)', "torch.tensor(2)", "en")
    run(course)
    assert [
        (output["output_type"], output.get("text") or output.get("data")) for output in outputs(course, "1.1-c1")
    ] == [
        ("stream", "a\n"),
        ("display_data", {"text/plain": "tensor(1)"}),
        ("stream", "UserWarning: careful\n"),
        ("stream", "b\n"),
        ("execute_result", {"text/plain": "tensor(2)"}),
    ]


@needs_torch
def test_the_line_of_an_error_is_the_cell_s_own(course: Any) -> None:
    course.replace("x = torch.tensor(2.0)", "def f():\n    raise KeyError('k')\nx = torch.tensor(2.0)")
    for lang in ("zh", "en"):
        path = course.folder / f"{lang}.md"
        text = path.read_text(encoding="utf-8").replace("raise ValueError", "x\nf() if x else ValueError")
        path.write_text(text, encoding="utf-8")
    run(course)
    (error,) = outputs(course, "1.1-c2")
    assert error["metadata"] == {"line": 2}
    assert error["traceback"][1:5:2] == ["  Cell 1.1-c2, line 2", "  Cell 1.1-c1, line 3, in f"]


@needs_torch
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print(object())", "which differs from run to run"),
        ("import os; print(os.getcwd())", "which differs from run to run"),
        ("1 / 0", "fails: ZeroDivisionError: division by zero"),
    ],
)
def test_what_cannot_stand_is_told(course: Any, code: str, message: str) -> None:
    course.replace("import torch\n", f"import torch\n{code}\n")
    status, said = run(course)
    assert status == 1
    assert "lessons/01-one/en.md:26: cell 1.1-c1" in said
    assert message in said


@needs_torch
def test_a_lesson_that_ends_python_is_told(course: Any) -> None:
    course.replace("import torch\n", "import torch, os\nos._exit(3)\n")
    status, said = run(course)
    assert status == 1
    assert "01-one/zh: Python ended with 3" in said
