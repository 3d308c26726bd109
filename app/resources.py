"""Where the files lie that the server reads at run time: packed into the wheel, else in the checkout."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Resources:
    """Folders and files a server needs; `packed` tells an installed wheel from a checkout."""

    root: Path
    packed: bool

    @property
    def templates(self) -> Path:
        """Jinja2 templates."""
        return self.root / "templates"

    @property
    def lessons(self) -> Path:
        """The course: one folder a lesson."""
        return self.root / "lessons"

    @property
    def bundle(self) -> Path:
        """The built front end, with its manifest.json."""
        return self.root / "static" / "dist"

    @property
    def api_document(self) -> Path:
        """The description of the HTTP API that /docs shows."""
        return self.root / "docs" / "http-api.md"


def find_resources(package: Path = PACKAGE) -> Resources:
    """Locate the data folders for the `app` package that lies at `package`."""
    packed = package / "_data"
    if packed.is_dir():
        return Resources(root=packed, packed=True)
    return Resources(root=package.parent, packed=False)
