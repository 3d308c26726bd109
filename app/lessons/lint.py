"""What a lesson must keep to beyond being readable: one course in two languages, sound links, a fresh recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from app.lessons.catalog import lesson_folders, read_lesson
from app.lessons.errors import LessonError, Problem
from app.lessons.model import LANGUAGES, Directive, HeadingBlock, Lang, Lesson
from app.lessons.prose_lint import lint_prose
from app.lessons.recordings import FILE_NAME, Recording, fingerprint, load_recording
from app.lessons.same_code import same_code


@dataclass(frozen=True)
class Source:
    """One readable file of a lesson: its name in messages, its text, and what it says."""

    name: str
    text: str
    lesson: Lesson


def lint_lessons(root: Path) -> list[Problem]:
    """Check every lesson below `root` (the folder that holds `lessons/`); an empty list means all is well."""
    problems: list[Problem] = []
    sources: dict[tuple[str, Lang], Source] = {}
    folders = lesson_folders(root)
    if not folders:
        problems.append(Problem("lessons", 0, "there is no lesson"))
    known = {folder.name for folder in folders}
    problems += [
        Problem(f"lessons/{path.name}", 0, "the folder is not named NN-lower-case-words")
        for path in sorted((root / "lessons").glob("*"))
        if path.name not in known and list(path.glob("*.md"))
    ]
    for folder in folders:
        for lang in LANGUAGES:
            name = f"lessons/{folder.name}/{lang}.md"
            try:
                lesson = read_lesson(folder, lang)
            except LessonError as error:
                problems.append(error.problem)
            else:
                text = (folder / f"{lang}.md").read_text(encoding="utf-8")
                sources[folder.name, lang] = Source(name, text, lesson)
    anchors = {
        (slug, lang): frozenset(heading.anchor for heading in source.lesson.headings)
        for (slug, lang), source in sources.items()
    }
    for (slug, lang), source in sources.items():
        problems += lint_prose(source.name, source.text, slug=slug, lang=lang, anchors=anchors)
        problems += _visuals(source)
    for lang in LANGUAGES:
        problems += _unique(source for (_, other), source in sources.items() if other == lang)
    for folder in folders:
        pair = [sources[folder.name, lang] for lang in LANGUAGES if (folder.name, lang) in sources]
        if len(pair) == len(LANGUAGES):
            problems += _parity(pair[0], pair[1])
            problems += _recorded(folder, pair)
    return sorted(set(problems))


def _directives(lesson: Lesson) -> list[Directive]:
    return [block for block in lesson.blocks if isinstance(block, Directive)]


def _visuals(source: Source) -> Iterator[Problem]:
    cells = {cell.id for cell in source.lesson.cells}
    for directive in _directives(source.lesson):
        cell = directive.options.get("cell")
        if cell is not None and cell not in cells:
            yield Problem(source.name, directive.line, f"the visual's cell {cell} is not on this page")


def _unique(sources: Iterable[Source]) -> Iterator[Problem]:
    numbers: dict[int, str] = {}
    first: dict[str, str] = {}
    for source in sources:
        other = numbers.setdefault(source.lesson.number, source.name)
        if other != source.name:
            yield Problem(source.name, 0, f"its number is that of {other}")
        names = [(cell.id, cell.line) for cell in source.lesson.cells]
        names += [
            (item.argument, item.line) for item in _directives(source.lesson) if item.name in ("quiz", "exercise")
        ]
        for name, line in names:
            if name in first:
                yield Problem(source.name, line, f"the id {name} is already used at {first[name]}")
            first.setdefault(name, f"{source.name}:{line}")


def _outline(lesson: Lesson) -> list[tuple[str, int]]:
    """List what both languages must have in the same order: headings, cells and directives, each with its line."""
    outline: list[tuple[str, int]] = []
    for block in lesson.blocks:
        if isinstance(block, HeadingBlock):
            outline.append((f"heading {'#' * block.heading.level} {block.heading.anchor}", block.heading.line))
        elif isinstance(block, Directive):
            shared = block.argument if block.name != "aside" else ""
            options = "".join(f" {name}={value}" for name, value in sorted(block.options.items()))
            outline.append((f"directive {block.name} {shared}{options}".rstrip(), block.line))
        elif block.kind == "cell":
            outline.append((f"cell {block.id} {' '.join(block.tags)}".rstrip(), block.line))
    return outline


def _parity(one: Source, two: Source) -> Iterator[Problem]:
    """Compare the two languages of a lesson."""
    left, right = _outline(one.lesson), _outline(two.lesson)
    for (here, _), (there, line) in zip(left, right, strict=False):
        if here != there:
            yield Problem(two.name, line, f"here stands {there}, in {one.name} {here}")
            return
    if len(left) != len(right):
        longer, shorter, rest = (
            (one, two, left[len(right) :]) if len(left) > len(right) else (two, one, right[len(left) :])
        )
        yield Problem(longer.name, rest[0][1], f"{rest[0][0]} is missing from {shorter.name}")
    others = {cell.id: cell for cell in two.lesson.cells}
    for cell in one.lesson.cells:
        other = others.get(cell.id)
        if other is not None and not same_code(cell.source, other.source):
            message = f"cell {cell.id} differs from {one.name}:{cell.line} in more than comments and strings"
            yield Problem(two.name, other.line, message)


def _recorded(folder: Path, pair: list[Source]) -> Iterator[Problem]:
    name = f"lessons/{folder.name}/{FILE_NAME}"
    try:
        recording = load_recording(folder)
    except LessonError as error:
        yield Problem(name, 0, error.problem.message)
        return
    if recording is None:
        yield Problem(name, 0, "the file is missing; write it with gradlens record")
        return
    for source in pair:
        yield from _fresh(name, source, recording)


def _fresh(name: str, source: Source, recording: Recording) -> Iterator[Problem]:
    lang = source.lesson.lang
    cells = {cell.id for cell in source.lesson.cells}
    for cell in source.lesson.cells:
        recorded = recording.get(lang, cell.id)
        if recorded is None:
            yield Problem(source.name, cell.line, f"cell {cell.id} has not been recorded")
        elif recorded.fingerprint != fingerprint(cell.source):
            yield Problem(source.name, cell.line, f"cell {cell.id} has changed since it was recorded")
        else:
            failed = any(output.get("output_type") == "error" for output in recorded.outputs)
            if failed and not cell.expects_error:
                yield Problem(source.name, cell.line, f"cell {cell.id} fails but has no tag raises-exception")
            elif cell.expects_error and not failed:
                yield Problem(source.name, cell.line, f"cell {cell.id} has the tag raises-exception but does not fail")
    for left_over in sorted(set(recording.cells.get(lang, {})) - cells):
        yield Problem(name, 0, f"holds cell {left_over}, which {source.name} has not")
