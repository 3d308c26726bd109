"""From a MyST notebook to a `Lesson`. The format is described in docs/authoring.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml  # type: ignore[import-untyped]
from markdown_it.token import Token

from app.lessons.errors import LessonError
from app.lessons.markdown import Markdown, plain_text
from app.lessons.model import Block, CodeCell, Directive, Heading, HeadingBlock, Lang, Lesson, Prose
from app.lessons.quiz import quiz_html

SLUG = re.compile(r"\A(?P<number>\d\d)-[a-z0-9]+(?:-[a-z0-9]+)*\Z")
CELL_ID = re.compile(r"\A\d+(?:\.\d+)?-[ac]\d+\Z")
ANCHOR = re.compile(r"\A[a-z][a-z0-9-]*\Z")
TAGS = frozenset({"raises-exception"})

#: Directive → the options it knows.
DIRECTIVES: Mapping[str, frozenset[str]] = {
    "aside": frozenset(),
    "quiz": frozenset(),
    "visual": frozenset({"cell"}),
    "exercise": frozenset(),
    "hint": frozenset(),
    "solution": frozenset(),
}
#: Directives that stand inside another, and inside which.
NESTED: Mapping[str, str] = {"hint": "exercise", "solution": "exercise"}
VISUALS = frozenset({"graph"})

_FRONT_MATTER = re.compile(r"\A---\n(?P<yaml>.*?\n)---\n", re.DOTALL)
_DIRECTIVE = re.compile(r"\A\{(?P<name>[a-z-]+)\}(?:\s+(?P<argument>.*))?\Z")
_OPTION = re.compile(r"\A:(?P<key>[a-z-]+):\s*(?P<value>.*)\Z")


def parse_lesson(
    text: str,
    *,
    slug: str,
    lang: Lang,
    path: str,
    formulas: Mapping[str, str] | None = None,
) -> Lesson:
    """Parse one file.

    `path` is used in messages only; `formulas` maps keys of `app.lessons.formulas` to typeset HTML.
    Raises `LessonError`, naming file and line, where the text does not keep to the format.
    """
    name = SLUG.match(slug)
    if name is None:
        raise LessonError(path, 0, f"the folder {slug!r} is not named NN-lower-case-words")
    front = _FRONT_MATTER.match(text)
    if front is None:
        raise LessonError(path, 1, "the file does not begin with front matter between two lines ---")
    title, summary = _front_matter(front["yaml"], path)
    body = text[front.end() :]
    reading = _Reading(path, Markdown(lang, formulas or {}))
    blocks = reading.blocks(body, first_line=text.count("\n", 0, front.end()) + 1, inside=None)
    return Lesson(
        slug=slug,
        number=int(name["number"]),
        lang=lang,
        title=title,
        summary=summary,
        blocks=blocks,
        headings=tuple(block.heading for block in blocks if isinstance(block, HeadingBlock)),
    )


def _front_matter(source: str, path: str) -> tuple[str, str]:
    try:
        data = yaml.safe_load(source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise LessonError(path, mark.line + 2 if mark else 1, f"front matter is not YAML: {error}") from error
    if not isinstance(data, dict):
        raise LessonError(path, 1, "front matter is not a mapping")
    unknown = sorted(str(name) for name in data if name not in ("jupytext", "kernelspec", "summary", "title"))
    if unknown:
        raise LessonError(path, 1, f"front matter holds the unknown key {unknown[0]!r}")
    values = []
    for name in ("title", "summary"):
        value = data.get(name)
        if not isinstance(value, str) or not value.strip():
            raise LessonError(path, 1, f"front matter lacks a text for {name!r}")
        values.append(value.strip())
    return values[0], values[1]


@dataclass
class _Reading:
    """The state of reading one file: where headings count from, which anchor waits for its heading."""

    path: str
    markdown: Markdown
    section: str = ""
    parts: int = 0
    anchor: Token | None = None
    anchors: set[str] = field(default_factory=set)

    def blocks(self, text: str, *, first_line: int, inside: str | None) -> tuple[Block, ...]:
        """Return the blocks of `text`, whose first line is line `first_line` of the file, inside directive `inside`."""
        tokens = self.markdown.parse(text)
        lines = text.split("\n")
        found: list[Block] = []
        prose: list[Token] = []

        def flush() -> None:
            if prose:
                start, end = prose[0].map, max(token.map[1] for token in prose if token.map)
                source = "\n".join(lines[start[0] if start else 0 : end]).strip("\n")
                found.append(Prose(html=self.markdown.html(prose), markdown=source))
                prose.clear()

        index = 0
        while index < len(tokens):
            token = tokens[index]
            line = first_line + (token.map[0] if token.map else 0)
            if self.anchor is not None and token.type != "heading_open":
                raise self.error(line, f"the anchor ({self.anchor.content})= is not followed by a heading")
            if token.type == "heading_open" and token.level == 0:
                flush()
                found.append(self.heading(token, tokens[index + 1], line, inside))
                index += 3
                continue
            if token.type == "myst_target":
                self.anchor = token
            elif token.type in ("myst_line_comment", "myst_block_break"):
                raise self.error(line, "a line that begins with % or +++ has a meaning of its own in MyST; rephrase it")
            elif token.type == "heading_open":
                raise self.error(line, "headings stand at the left margin, outside lists and quotations")
            elif token.type == "fence" and token.info.strip().startswith("{"):
                if inside is not None or token.level:
                    raise self.error(line, "code cells stand at the left margin, outside directives and lists")
                flush()
                found.append(self.cell(token, line))
            elif token.type == "colon_fence":
                if token.level:
                    raise self.error(line, "directives stand at the left margin, outside lists and quotations")
                flush()
                found.append(self.directive(token, lines, line, inside))
            else:
                prose.append(token)
            index += 1
        if self.anchor is not None:
            raise self.error(first_line + len(lines) - 1, f"the anchor ({self.anchor.content})= has no heading")
        flush()
        return tuple(found)

    def heading(self, opening: Token, inline: Token, line: int, inside: str | None) -> HeadingBlock:
        level = int(opening.tag[1])
        if inside is not None or level not in (2, 3):
            raise self.error(line, "headings are ## and ###, outside directives; the title is in the front matter")
        explicit, self.anchor = self.anchor, None
        if level == 2:
            if explicit is None:
                raise self.error(line, "a ## heading has its anchor on the line above, such as (s3-1)=")
            self.section, self.parts = explicit.content, 0
        elif explicit is None:
            self.parts += 1
        anchor = explicit.content if explicit else f"{self.section or 's'}-{self.parts}"
        if not ANCHOR.match(anchor):
            raise self.error(line, f"the anchor {anchor!r} is not made of a-z, 0-9 and hyphens")
        if anchor in self.anchors:
            raise self.error(line, f"the anchor {anchor!r} is used twice")
        self.anchors.add(anchor)
        html = self.markdown.html([inline]).strip()
        return HeadingBlock(
            Heading(level=level, anchor=anchor, text=plain_text(inline), html=html, markdown=inline.content, line=line)
        )

    def cell(self, token: Token, line: int) -> CodeCell:
        if token.info.strip() != "{code-cell} ipython3":
            raise self.error(line, f"unknown fence {token.info.strip()!r}; a cell opens with ```{{code-cell}} ipython3")
        rows = token.content.rstrip("\n").split("\n")
        options, used = self.options(rows, line + 1, {"id", "tags"})
        if used < len(rows) and not rows[used].strip():
            used += 1
        elif 0 < used < len(rows):
            raise self.error(line + 1 + used, "one empty line separates a cell's options from its code")
        identity = options.get("id", "")
        if not CELL_ID.match(identity):
            raise self.error(line, f"the cell's id {identity!r} is not like 3.1-c1")
        tags = tuple(tag.strip() for tag in options.get("tags", "[]").strip("[]").split(",") if tag.strip())
        unknown = set(tags) - TAGS
        if unknown:
            raise self.error(line, f"unknown tag {', '.join(sorted(unknown))}")
        source = "\n".join(rows[used:])
        if not source.strip():
            raise self.error(line, f"cell {identity} is empty")
        return CodeCell(id=identity, source=source, tags=tags, line=line + 1 + used)

    def directive(self, token: Token, lines: list[str], line: int, inside: str | None) -> Directive:
        if token.map is None or lines[token.map[1] - 1].strip() != token.markup:
            raise self.error(line, f"the directive is not closed by a line {token.markup}")
        opening = _DIRECTIVE.match(token.info.strip())
        if opening is None or opening["name"] not in DIRECTIVES:
            known = ", ".join(sorted(DIRECTIVES))
            raise self.error(line, f"unknown directive {token.info.strip()!r}; known are {known}")
        name, argument = opening["name"], (opening["argument"] or "").strip()
        if NESTED.get(name) != inside:
            raise self.error(line, f"{{{name}}} does not stand {f'inside {{{inside}}}' if inside else 'by itself'}")
        if not argument:
            raise self.error(line, f"{{{name}}} needs an argument on its line")
        rows = token.content.split("\n")
        options, used = self.options(rows, line + 1, DIRECTIVES[name])
        content = "\n".join(rows[used:])
        if name == "visual" and argument not in VISUALS:
            raise self.error(line, f"unknown visual {argument!r}; known are {', '.join(sorted(VISUALS))}")
        if name == "visual" and "cell" not in options:
            raise self.error(line, "a visual names its cell: an option such as :cell: 3.1-c1")
        blocks = self.blocks(content, first_line=line + 1 + used, inside=name)
        if not blocks:
            raise self.error(line, f"{{{name}}} is empty")
        if name == "quiz":
            html = quiz_html(self.markdown, content, identity=argument, path=self.path, line=line)
        else:
            html = "".join(block.html for block in blocks if isinstance(block, Prose))
        return Directive(
            name=name,
            argument=argument,
            options=options,
            blocks=blocks,
            html=html,
            title_html=self.markdown.inline(argument),
            line=line,
        )

    def options(self, rows: list[str], line: int, known: frozenset[str] | set[str]) -> tuple[dict[str, str], int]:
        """Return the `:key: value` rows that `rows` begins with, and how many they are."""
        options: dict[str, str] = {}
        for count, row in enumerate(rows):
            option = _OPTION.match(row)
            if option is None:
                return options, count
            if option["key"] not in known:
                raise self.error(line + count, f"unknown option {option['key']!r}")
            if option["key"] in options:
                raise self.error(line + count, f"option {option['key']!r} is given twice")
            options[option["key"]] = option["value"].strip()
        return options, len(rows)

    def error(self, line: int, message: str) -> LessonError:
        return LessonError(self.path, line, message)
