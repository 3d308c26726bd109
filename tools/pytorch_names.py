"""Writes engine/names.txt, the public names of real PyTorch: `python tools/pytorch_names.py` where torch is installed.

With them the engine tells "PyTorch has it, gradlens does not" from "there is no such thing".
"""

from __future__ import annotations

import importlib
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

TARGET = Path(__file__).resolve().parents[1] / "engine" / "names.txt"

#: Where a first course looks for names. `torch.Tensor` is a class, the rest are modules.
NAMESPACES = (
    "torch", "torch.Tensor", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.nn.utils", "torch.optim",
    "torch.optim.lr_scheduler", "torch.autograd", "torch.autograd.functional", "torch.func", "torch.linalg",
    "torch.special", "torch.utils", "torch.utils.data", "torch.cuda",
)  # fmt: skip


def is_public(name: str, value: Any) -> bool:
    """Whether a name is PyTorch's own: no private one, and nothing that the module only imported from Python."""
    if name.startswith("_"):
        return False
    home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return not isinstance(home, str) or home.partition(".")[0] == "torch"


def names_of(namespace: str) -> list[str]:
    """The public names of a namespace, sorted."""
    if namespace == "torch.Tensor":
        return [name for name in dir(importlib.import_module("torch").Tensor) if not name.startswith("_")]
    module = importlib.import_module(namespace)
    listed = set(getattr(module, "__all__", ()))
    return [name for name in dir(module) if name in listed or is_public(name, getattr(module, name))]


def main() -> int:
    """Write the file: a heading for each namespace, its names under it."""
    version = importlib.import_module("torch").__version__.partition("+")[0]
    parts = [f"# The public names of PyTorch {version}, written by tools/pytorch_names.py."]
    for namespace in NAMESPACES:
        names = textwrap.wrap(" ".join(names_of(namespace)), 118, break_on_hyphens=False)
        parts += [f"[{namespace}]", *names]
    TARGET.write_text("\n".join(parts) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
