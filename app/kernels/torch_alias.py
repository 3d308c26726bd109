"""`import torch` gives the engine: `torch.nn` is `engine.nn`, the very same module object.

Holds for every submodule, loaded or not, and also where real PyTorch is installed: below `torch` nothing else is
ever found.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

ALIAS = "torch"
TARGET = "engine"


class TorchFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `torch` and everything below it in the engine."""

    def __init__(self) -> None:
        self._own_specs: dict[str, importlib.machinery.ModuleSpec | None] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the import system passes it
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the engine's module of that name.

        Raises:
            ModuleNotFoundError: the engine has none.
        """
        if fullname != ALIAS and not fullname.startswith(ALIAS + "."):
            return None
        actual = TARGET + fullname[len(ALIAS) :]
        try:
            found = importlib.util.find_spec(actual)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return importlib.machinery.ModuleSpec(fullname, self, is_package=found.submodule_search_locations is not None)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return the engine's module itself."""
        module = importlib.import_module(TARGET + spec.name[len(ALIAS) :])
        self._own_specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own spec back, which the import machinery has just replaced by the alias's."""
        alias = module.__spec__
        if alias is not None and alias.name in self._own_specs:
            module.__spec__ = self._own_specs.pop(alias.name)


def install() -> None:
    """Answer `import torch` with the engine, from now on and before every other finder."""
    if not any(isinstance(finder, TorchFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, TorchFinder())
    for name, module in list(sys.modules.items()):
        if name == TARGET or name.startswith(TARGET + "."):
            sys.modules[ALIAS + name[len(TARGET) :]] = module
