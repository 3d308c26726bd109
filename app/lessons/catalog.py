"""All lessons in both languages, as they stand in the lessons folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from app.lessons.errors import LessonError
from app.lessons.model import LANGUAGES, Block, CodeCell, Directive, Lang, Lesson
from app.lessons.parser import SLUG, parse_lesson
from app.lessons.recordings import Recording, load_recording


class UnknownLesson(LookupError):
    """There is no lesson of that name in that language."""


@dataclass(frozen=True)
class Catalog:
    """The lessons in page order, by language."""

    by_language: Mapping[Lang, tuple[Lesson, ...]]

    @classmethod
    def load(cls, root: Path) -> Catalog:
        """Read every lesson below `root`, the folder that holds `lessons/` and `static/dist/math.json`.

        The result is kept until one of those files changes. Raises `LessonError`, naming file and line.
        """
        files = (*_sources(root), *root.glob("lessons/*/recorded.json"), root / "static" / "dist" / "math.json")
        stamp = tuple((path, path.stat().st_mtime_ns) for path in files if path.is_file())
        return _load(root, stamp)

    def lessons(self, lang: Lang) -> tuple[Lesson, ...]:
        """Return the lessons of one language, in order."""
        return self.by_language[lang]

    def get(self, lang: Lang, slug: str) -> Lesson:
        """Return one lesson. Raises `UnknownLesson`."""
        for lesson in self.by_language.get(lang, ()):
            if lesson.slug == slug:
                return lesson
        raise UnknownLesson(f"no lesson {slug!r} in {lang!r}")


def lesson_folders(root: Path) -> list[Path]:
    """Return the folders of the lessons below `root`, in order."""
    return sorted(path for path in (root / "lessons").glob("*") if path.is_dir() and SLUG.match(path.name))


def read_lesson(folder: Path, lang: Lang, formulas: Mapping[str, str] | None = None) -> Lesson:
    """Parse one file of a lesson, without its recording. Raises `LessonError`."""
    path = folder / f"{lang}.md"
    name = f"lessons/{folder.name}/{path.name}"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise LessonError(name, 0, "the file is missing; every lesson has zh.md and en.md") from error
    except UnicodeDecodeError as error:
        raise LessonError(name, 0, f"the file is not UTF-8: {error}") from error
    return parse_lesson(text, slug=folder.name, lang=lang, path=name, formulas=formulas)


def load_formulas(root: Path) -> Mapping[str, str]:
    """Return the typeset formulas that the front-end build wrote; empty before the first build."""
    path = root / "static" / "dist" / "math.json"
    if not path.is_file():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LessonError("static/dist/math.json", 0, f"not JSON: {error}; build the front end again") from error
    return {str(name): str(html) for name, html in data.items()}


def with_recording(lesson: Lesson, recording: Recording | None) -> Lesson:
    """Return the lesson with what PyTorch printed in its cells."""
    return lesson if recording is None else replace(lesson, blocks=_recorded(lesson.blocks, lesson.lang, recording))


@lru_cache(maxsize=4)
def _load(root: Path, _stamp: tuple[tuple[Path, int], ...]) -> Catalog:
    formulas = load_formulas(root)
    folders = [(folder, load_recording(folder)) for folder in lesson_folders(root)]
    return Catalog(
        {
            lang: tuple(with_recording(read_lesson(folder, lang, formulas), recording) for folder, recording in folders)
            for lang in LANGUAGES
        }
    )


def _sources(root: Path) -> Iterator[Path]:
    for folder in lesson_folders(root):
        yield from (folder / f"{lang}.md" for lang in LANGUAGES)


def _recorded(blocks: tuple[Block, ...], lang: Lang, recording: Recording) -> tuple[Block, ...]:
    filled: list[Block] = []
    for block in blocks:
        if isinstance(block, CodeCell):
            cell = recording.get(lang, block.id)
            if cell is not None:
                block = replace(block, recorded=cell.outputs, recorded_with=recording.torch)
        elif isinstance(block, Directive):
            block = replace(block, blocks=_recorded(block.blocks, lang, recording))
        filled.append(block)
    return tuple(filled)
