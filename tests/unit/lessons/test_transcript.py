from __future__ import annotations

from typing import Any

import pytest

from app.lessons.model import CellOutput
from app.lessons.transcript import transcript


def stream(text: str, name: str = "stdout") -> CellOutput:
    return {"output_type": "stream", "name": name, "text": text}


def value(text: str, **more: Any) -> CellOutput:
    return {"output_type": "execute_result", "data": {"text/plain": text, **more}, "metadata": {}}


def error(line: int | None, evalue: str = "bad") -> CellOutput:
    return {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": evalue,
        "traceback": ["anything"],
        "metadata": {"line": line},
    }


def test_everything_is_told_in_order() -> None:
    outputs = [stream("a\n"), value("tensor(1.)"), stream("b"), error(3)]
    assert transcript(outputs) == "a\n[value] tensor(1.)\nb⏎\n[error, line 3] ValueError: bad\n"


def test_writes_may_be_cut_anywhere() -> None:
    assert transcript([stream("ab"), stream("c\n")]) == transcript([stream("abc\n")])


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ([stream("a\n")], [stream("a")]),
        ([value("a")], [stream("a\n")]),
        ([error(1)], [error(2)]),
        ([error(1)], [error(1, "worse")]),
        ([stream("UserWarning: a\n", "stderr")], [stream("UserWarning: b\n", "stderr")]),
        ([stream("a\n", "stderr")], [stream("a\n")]),
    ],
)
def test_what_a_reader_sees_makes_a_difference(one: list[CellOutput], two: list[CellOutput]) -> None:
    assert transcript(one) != transcript(two)


def test_paths_of_warnings_and_frames_of_tracebacks_make_none() -> None:
    recorded = [stream("UserWarning: dull (Triggered internally at /a/b.cpp:3.)\n", "stderr")]
    ours = [stream("/somewhere/cell.py:4: UserWarning: dull\n  x = 1\n", "stderr")]
    assert transcript(recorded) == transcript(ours) == "[stderr] UserWarning: dull\n"
    assert transcript([error(1)]) == transcript([{**error(1), "traceback": []}])


def test_the_place_in_a_syntax_error_makes_none() -> None:
    assert transcript([error(1, "invalid syntax (cell.py, line 1)")]) == transcript([error(1, "invalid syntax")])


def test_what_has_no_plain_text_is_left_out() -> None:
    graph = {"output_type": "display_data", "data": {"application/vnd.gradlens.graph.v1+json": {}}, "metadata": {}}
    assert transcript([graph]) == ""
