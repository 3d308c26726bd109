"""What the page tells about an operation: its formulas and where its declaration stands in the engine."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent


@functools.cache
def source_of(cls: type) -> dict[str, Any] | None:
    """File (relative, `engine/…`), line and text of a declaration; None for a class of the learner's."""
    try:
        path = Path(inspect.getsourcefile(cls) or "").resolve()
        lines, start = inspect.getsourcelines(cls)
    except (OSError, TypeError):
        return None
    if not path.is_relative_to(ROOT):
        return None
    return {
        "file": f"engine/{path.relative_to(ROOT).as_posix()}",
        "line": start,
        "text": textwrap.dedent("".join(lines)).rstrip()[:6000],
    }


@functools.cache
def formulas_of(cls: Any) -> tuple[tuple[str, int, str, str | None], ...]:
    """For every operand with a derivative: its name, slot, the formula as text and as LaTeX."""
    found = []
    for slot, derivative in enumerate(getattr(cls, "derivatives", ())):
        if derivative is None:
            continue
        operand = cls.tensors[slot]
        found.append((operand, slot, formula_text(derivative), cls.latex.get(operand)))
    return tuple(found)


def formula_text(derivative: Any) -> str:
    """The expression that a derivative returns; its whole body when it takes more than one statement."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(derivative)))
    except (OSError, TypeError, SyntaxError):
        return derivative.__name__
    body = tree.body[0].body  # type: ignore[attr-defined]
    if len(body) == 1 and isinstance(body[0], ast.Return) and body[0].value is not None:
        return ast.unparse(body[0].value)
    return "\n".join(ast.unparse(statement) for statement in body)[:2000]


def operand_names(op: Any, count: int) -> Sequence[str]:
    """The operands' names: declared ones, or numbered."""
    names: Sequence[str] = getattr(op, "tensors", ())
    return names if len(names) == count else [str(i) if len(names) != 1 else f"{names[0]}[{i}]" for i in range(count)]


def short(value: Any) -> str:
    """An argument as Python writes it, in bounded length."""
    if isinstance(value, (types.BuiltinFunctionType, types.FunctionType)):
        return value.__name__
    if isinstance(value, np.ndarray) and value.ndim:
        return f"array of shape {tuple(value.shape)}"
    try:
        text = repr(value)
    except Exception:
        return "…"
    return text if len(text) <= 120 else text[:119] + "…"
