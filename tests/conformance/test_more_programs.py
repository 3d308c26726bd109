"""Hundreds of small programs of a beginner's kind, half of them wrong, print, warn and raise what PyTorch 2.13 does.

`more_programs.jsonl` holds the programs with PyTorch's answers (a warning that comes twice is noted once);
`more_not_yet.txt` those that are known to differ, each with its reason. Both only ever improve: a program that passes
must be taken off the list.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import engine
from tests.conformance.test_semantics import outcome

torch: Any = engine

HERE = Path(__file__).parent
CASES = [json.loads(line) for line in (HERE / "more_programs.jsonl").read_text(encoding="utf-8").splitlines()]


def listed() -> dict[str, str]:
    """The programs that are known to differ, by their text, with the reason."""
    lines = (HERE / "more_not_yet.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" | ", 1) for line in lines if line and not line.startswith("#"))
    return {json.loads(code): reason for reason, code in pairs}


NOT_YET = listed()


@pytest.fixture(autouse=True)
def fresh() -> None:
    """As in a new process, for what a program may have set."""
    torch.set_printoptions(profile="default")
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(0)


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{n}-{CASES[n]['category']}")
def test_program(number: int) -> None:
    case = CASES[number]
    got = outcome(case["code"])
    got["warnings"] = list(dict.fromkeys(got["warnings"]))
    wanted = {key: case[key] for key in ("stdout", "error", "warnings")}
    if case["code"] in NOT_YET:
        assert got != wanted, f"program {number} passes now: take it off more_not_yet.txt"
    else:
        assert got == wanted


def test_the_list_of_exceptions_names_real_programs() -> None:
    assert NOT_YET.keys() <= {case["code"] for case in CASES} and all(NOT_YET.values())
