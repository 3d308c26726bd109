"""The core operations against the installed PyTorch, on the samples of its own operator database.

Every sample is run as a function, as a method and in place where PyTorch has these, in all the dtypes of a first
course: type, dtype, shape, strides, whether it is a view, values, `requires_grad`, the node's name, first and second
derivatives, and for what must be refused the type and text of the error. `core_ops_differences.txt` lists what differs
and why; a line there that no longer differs fails too.
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest

if os.environ.get("CI") == "true":
    import expecttest  # noqa: F401 - there the judge is required
    import torch
else:
    torch = pytest.importorskip("torch")
    pytest.importorskip("expecttest", reason="PyTorch's operator database needs it")
if "engine" in torch.__name__:
    pytest.skip("torch is the engine here", allow_module_level=True)

from tests.conformance import opdb

ACCEPTED = Path(__file__).with_name("core_ops_differences.txt")
#: What the tests of this module have met so far, for the last of them.
STILL_THERE: set[str] = set()
RUN: set[str] = set()
OPERATIONS = {opdb.name_of(entry): entry for entry in opdb.core_operations()}


@cache
def accepted() -> dict[str, str]:
    """Patterns of differences with their reasons: `pattern : reason`, one to a line."""
    lines = [line for line in ACCEPTED.read_text().splitlines() if line.strip() and not line.startswith("#")]
    found = {}
    for line in lines:
        pattern, _, reason = line.partition(" : ")
        assert reason.strip(), f"no reason given: {line}"
        found[pattern.strip()] = reason
    return found


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_all_core_operations_are_in_the_database() -> None:
    lines = (opdb.HERE / "core_ops.txt").read_text().splitlines()
    names = {name for line in lines if not line.startswith("#") for name in line.split()}
    assert names == {entry.name for entry in OPERATIONS.values()}
    assert len(names) == 220


@pytest.mark.parametrize("name", OPERATIONS)
def test_like_pytorch(name: str) -> None:
    mine = [pattern for pattern in accepted() if fnmatchcase(name, pattern.split()[0])]
    used, wrong = set(), {}
    for difference in opdb.differences(OPERATIONS[name]):
        listed = [pattern for pattern in mine if fnmatchcase(difference.key, pattern)]
        used.update(listed)
        if not listed:
            wrong.setdefault(difference.key, difference.detail)
    assert not wrong, "\n".join(f"{key}: {' '.join(detail.split())[:600]}" for key, detail in wrong.items())
    STILL_THERE.update(used)
    RUN.add(name)


def test_what_is_accepted_still_differs() -> None:
    if len(RUN) < len(OPERATIONS):
        pytest.skip("not all operations ran")
    stale = sorted(set(accepted()) - STILL_THERE)
    assert not stale, f"no longer differs: {stale}"
