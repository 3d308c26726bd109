"""Runs small programs as a notebook would, with `import torch` giving the engine, in this process."""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import re
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import engine

FOLDER = Path(__file__).parent

#: PyTorch's warnings from C++ end with the file that raised them; the recorded texts go without.
INTERNALLY = re.compile(r" ?\(Triggered internally at [^)]*\)$")


@dataclass
class Outcome:
    """What one cell showed."""

    stdout: str = ""
    #: Text of the last expression's value, when there is one that is not None.
    result: str | None = None
    #: Exception's class name, its text, and the 1-based line of the cell that raised it.
    error: tuple[str, str, int | None] | None = None
    #: (category, text) of every warning.
    warnings: list[tuple[str, str]] = field(default_factory=list)

    @property
    def display(self) -> str:
        """What was printed, and the last value after it."""
        return self.stdout if self.result is None else f"{self.stdout}{self.result}\n"


def namespace() -> dict[str, Any]:
    """A fresh notebook whose `import torch` finds the engine, whatever else is installed."""

    def importer(name: str, globals_: Any = None, locals_: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        if level == 0 and (name == "torch" or name.startswith("torch.")):
            name = "engine" + name[len("torch") :]
        return __import__(name, globals_, locals_, fromlist, level)

    return {"__name__": "__main__", "__builtins__": {**vars(builtins), "__import__": importer}}


def run(source: str, names: dict[str, Any], filename: str = "<cell>") -> Outcome:
    """Run one cell in a notebook's names."""
    outcome = Outcome()
    written = io.StringIO()
    with contextlib.redirect_stdout(written), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        engine.set_printoptions(profile="default")
        try:
            tree = ast.parse(source, filename)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, filename, "exec"), names)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), filename, "eval"), names)
                outcome.result = None if value is None else repr(value)
        except Exception as error:
            text = error.msg if isinstance(error, SyntaxError) else str(error)
            outcome.error = (type(error).__name__, text, failing_line(error, filename))
    outcome.stdout = written.getvalue()
    outcome.warnings = [(each.category.__name__, INTERNALLY.sub("", str(each.message))) for each in caught]
    return outcome


def failing_line(error: BaseException, filename: str) -> int | None:
    """The innermost line of the cell on the way to the error."""
    if isinstance(error, SyntaxError):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == filename), None)
