"""The built front end: which file stands behind a logical name, and how it is served."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.web.caching import Content

URL_PREFIX = "/static/"

#: How the bundler ends the names of entries, chunks and fonts: a hash of what is inside.
_FINGERPRINT = re.compile(r"-[A-Z0-9]{8}\.\w+\Z")

#: The system's own tables may lack or misname these.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}


class BundleMissing(RuntimeError):
    """The front end has not been built; the message says how to."""


@dataclass(frozen=True)
class StaticFile:
    """One file of the bundle, ready to send."""

    content: Content
    #: Its name changes with its content, so a browser may keep it for ever.
    fingerprinted: bool


class Assets:
    """The files of `static/dist`, read into memory: a server goes on undisturbed while the next bundle is built.

    Templates call `url`; `/static/…` calls `get`.
    """

    def __init__(self, names: Mapping[str, str], contents: Mapping[str, bytes]) -> None:
        self._names = dict(names)
        self._contents = dict(contents)
        self._files: dict[str, StaticFile] = {}

    @classmethod
    def load(cls, folder: Path) -> Assets:
        """Read the manifest of the bundle in `folder`. Raises `BundleMissing`."""
        try:
            names = orjson.loads((folder / "manifest.json").read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise BundleMissing(
                f"The pages' scripts and styles have not been built: {folder / 'manifest.json'} cannot be read. "
                "In a checkout, build them with: python3 bundle.py"
            ) from error
        return cls(
            names,
            {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()},
        )

    def url(self, name: str) -> str:
        """Address of the file that the logical `name`, such as `main.js`, stands for. Raises `KeyError`."""
        return URL_PREFIX + self._names[name]

    def get(self, path: str) -> StaticFile | None:
        """The file at `path` below /static/, or None. Only files that were there at the start are ever served."""
        if path not in self._contents:
            return None
        if path not in self._files:
            self._files[path] = self._read(path)
        return self._files[path]

    def _read(self, path: str) -> StaticFile:
        media_type = _TYPES.get(Path(path).suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        content = Content.of(self._contents[path], media_type)
        return StaticFile(content, _FINGERPRINT.search(path) is not None)
