"""Names as PyTorch shows them: of the module a class comes from, of the module that lacks something."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn


def belongs_to(module: str, *classes: type) -> None:
    """Let classes say that they come from a module of PyTorch: `<class 'torch.nn.modules.linear.Linear'>`."""
    for each in classes:
        each.__module__ = module


def missing_from(module: str) -> Callable[[str], NoReturn]:
    """The `__getattr__` of a module: the error for a name it lacks, under the name that PyTorch gives the module."""

    def refuse(name: str) -> NoReturn:
        raise AttributeError(f"module '{module}' has no attribute '{name}'")

    return refuse
