"""Build hook: bundles the pages' front end and packs the data folders into wheels.

An editable install reads the folders from the checkout, so it gets no copies that could go stale.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: Folders and files a running server reads that live outside the packages; packed under `app/_data`.
DATA = ("templates", "lessons", "static/dist", "docs/http-api.md")


def _bundle(root: Path) -> ModuleType:
    # A build backend does not put the project's root on the path.
    spec = importlib.util.spec_from_file_location("gradlens_bundle", root / "bundle.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling for sdists, wheels and editable installs alike."""

    def dependencies(self) -> list[str]:
        """Ask for Node as a package only where something must be built and the machine has none."""
        root = Path(self.root)
        bundle = _bundle(root)
        if bundle.is_current(root) or bundle.system_node() is not None:
            return []
        return [bundle.NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the bundle when needed; say where standard wheels find the data folders."""
        root = Path(self.root)
        _bundle(root).build(root)
        if self.target_name == "wheel" and version == "standard":
            for name in DATA:
                if (root / name).exists():
                    build_data["force_include"][str(root / name)] = f"app/_data/{name}"
