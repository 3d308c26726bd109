"""What PyTorch 2.13 printed, warned and raised for 286 small programs is what the engine prints, warns and raises."""

from __future__ import annotations

import contextlib
import io
import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import engine
from tests.conformance.programs import namespace

HERE = Path(__file__).parent
CASES = [json.loads(line) for line in (HERE / "semantics.jsonl").read_text(encoding="utf-8").splitlines()]
ADDRESS = re.compile(r"0x[0-9a-f]+")


def listed() -> dict[int, str]:
    """The cases that are known to differ, with the reason."""
    lines = (HERE / "not_yet.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return {int(number): reason for number, reason in pairs}


def outcome(code: str) -> dict[str, Any]:
    """What a program prints, the error it ends with and its warnings."""
    printed = io.StringIO()
    error = None
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(printed):
        warnings.simplefilter("always")
        try:
            exec(code, namespace() | {"torch": engine, "np": np})
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
    return {
        "stdout": ADDRESS.sub("0xADDR", printed.getvalue()),
        "error": error,
        "warnings": [f"{warning.category.__name__}: {warning.message}" for warning in caught],
    }


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{n}-{CASES[n]['category']}")
def test_case(number: int) -> None:
    case = CASES[number]
    got = outcome(case["code"])
    wanted = {key: case[key] for key in ("stdout", "error", "warnings")}
    if number in listed():
        assert got != wanted, f"case {number} passes now: take it off not_yet.txt"
    else:
        assert got == wanted


def test_the_list_of_exceptions_names_real_cases() -> None:
    assert all(0 <= number < len(CASES) and reason for number, reason in listed().items())
