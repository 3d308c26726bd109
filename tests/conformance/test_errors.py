"""What beginners run into: the exact text of PyTorch 2.13's errors and warnings, and that the advised fix works."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance.programs import FOLDER, Outcome, namespace, run

ENTRIES = json.loads((FOLDER / "errors.json").read_text(encoding="utf-8"))["entries"]

#: Not as PyTorch's yet. The list only shrinks: an entry that passes fails the test until it is taken off.
NOT_YET: dict[str, str] = {}

#: Belongs to the kernel, where `torch` is the only name that finds the engine.
ELSEWHERE = {"module-pytorch"}


def as_told(entry: dict[str, Any]) -> tuple[Outcome, Outcome]:
    """What the code and its fix should show."""
    code = Outcome(stdout=entry["output"])
    if entry["kind"] == "warning":
        code.warnings = [(entry["warning_category"], entry["message"])]
    elif entry["exception"] is not None:
        code.error = (entry["exception"], entry["message"], entry["error_line"])
    return code, Outcome(stdout=entry["fix_output"])


def problems(entry: dict[str, Any]) -> list[str]:
    """Where the engine differs."""
    found = []
    for what, expected in zip(("code", "fix_code"), as_told(entry), strict=True):
        if entry[what] is None:
            continue
        got = run(entry[what], namespace())
        got.stdout, got.result = got.display, None
        if entry["kind"] != "warning":
            got.warnings = []  # only what is recorded about an entry is compared
        if got != expected:
            found.append(f"{what}:\n{entry[what]}\n  PyTorch: {expected}\n  engine:  {got}")
    return found


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e["id"] not in ELSEWHERE], ids=lambda entry: entry["id"])
def test_entry(entry: dict[str, Any]) -> None:
    found = problems(entry)
    if entry["id"] in NOT_YET:
        assert found, f"{entry['id']} is right now: take it off NOT_YET"
    else:
        assert not found, "\n".join(found)


def test_the_list_names_entries() -> None:
    assert NOT_YET.keys() | ELSEWHERE <= {entry["id"] for entry in ENTRIES}
