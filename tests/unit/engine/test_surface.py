"""The page about what the engine has is what the code says, and everything public says what it does."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from engine import naming

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def surface() -> ModuleType:
    spec = importlib.util.spec_from_file_location("surface", ROOT / "tools" / "surface.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


def test_the_page_is_up_to_date(surface: ModuleType) -> None:
    committed = (ROOT / "docs" / "engine-surface.md").read_text(encoding="utf-8")
    assert committed == surface.page(), "run `python tools/surface.py` and commit docs/engine-surface.md"


@pytest.mark.parametrize("space", naming.pytorch_names())
def test_public_names_are_documented(surface: ModuleType, space: str) -> None:
    values = surface.public(space)
    silent = [
        name for name, value in values.items() if not surface.is_constant(value) and not surface.first_line(value)
    ]
    assert silent == []
    # What looks like a constant only because nothing is written about it.
    assert [name for name, value in values.items() if isinstance(value, property) and not value.__doc__] == []


def test_the_list_of_a_first_course_has_only_names_of_pytorch(surface: ModuleType) -> None:
    known = naming.pytorch_names()
    unknown = [
        f"{space}.{name}"
        for space, names in surface.first_course().items()
        for name in names
        if name not in known[space]
    ]
    assert unknown == []


def test_the_page_shows_calls_nodes_and_what_they_save(surface: ModuleType) -> None:
    page = surface.page()
    for line in (
        "| `add(input, other, *, alpha=1, out=None)` | self + alpha * other, elementwise with broadcasting. |"
        " `AddBackward0` |",
        "| `leaky_relu(input, negative_slope=0.01, inplace=False)` |"
        " input where it is positive, else negative_slope * input. | `LeakyReluBackward0` (self) |",
        "| Mul | `MulBackward0` | `self`, `other` | `self`, `other` |  |",
    ):
        assert line in page
    operations = [name for name in surface.op.OPERATIONS if f"\n| {name} | `" not in page]
    assert all(not surface.op.OPERATIONS[name].__module__.startswith("engine.") for name in operations)


def test_a_stub_counts_as_missing(surface: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def stub() -> None:
        """Not available: raises NotImplementedError."""

    assert surface.available("torch.nn.functional", "relu")
    monkeypatch.setattr(surface.holder("torch.nn.functional"), "relu", stub)
    assert not surface.available("torch.nn.functional", "relu")
