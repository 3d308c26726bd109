"""What a lesson is, once parsed: the contract between the parser, the templates and the exports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Lang = Literal["zh", "en"]
LANGUAGES: tuple[Lang, ...] = ("zh", "en")

#: An nbformat 4.5 output dict (`stream`, `execute_result`, `display_data`, `error`).
CellOutput = dict[str, Any]


@dataclass(frozen=True)
class Heading:
    """A heading inside a lesson: one section of the article when `level` is 2."""

    level: int
    anchor: str
    text: str
    html: str
    #: As written, without the leading marks.
    markdown: str = ""
    #: Line of the file, from 1, for messages.
    line: int = 0


@dataclass(frozen=True)
class Prose:
    """A run of Markdown, rendered to safe HTML with its mathematics typeset."""

    kind: Literal["prose"] = field(default="prose", init=False)
    html: str
    markdown: str


@dataclass(frozen=True)
class HeadingBlock:
    """A heading as a block of its own, so that the page can anchor it."""

    kind: Literal["heading"] = field(default="heading", init=False)
    heading: Heading


@dataclass(frozen=True)
class CodeCell:
    """A cell that can be edited and run."""

    kind: Literal["cell"] = field(default="cell", init=False)
    id: str
    source: str
    tags: tuple[str, ...] = ()
    #: What real PyTorch printed, from recorded.json; empty when nothing was recorded.
    recorded: tuple[CellOutput, ...] = ()
    #: Version of PyTorch that recorded it, such as "2.13.0".
    recorded_with: str | None = None
    #: Line of the file on which the first line of `source` stands, from 1, for messages.
    line: int = 0

    @property
    def expects_error(self) -> bool:
        """Whether the cell shows an error on purpose."""
        return "raises-exception" in self.tags


@dataclass(frozen=True)
class Directive:
    """A MyST directive: an aside, a visual, a quiz, and (later) an exercise with its hints, solution and checks."""

    kind: Literal["directive"] = field(default="directive", init=False)
    name: str
    #: As written: an aside's title, a quiz's or an exercise's id, a visual's kind.
    argument: str
    options: dict[str, str]
    blocks: tuple[Block, ...]
    #: The content as safe HTML, without a wrapper and without the title; for a quiz its question, options and answer.
    html: str
    #: The argument as inline HTML (code and mathematics set): what to show as an aside's title.
    title_html: str = ""
    #: Line of the file, from 1, for messages.
    line: int = 0


Block = Prose | HeadingBlock | CodeCell | Directive


@dataclass(frozen=True)
class Lesson:
    """One page of the course in one language."""

    slug: str
    number: int
    lang: Lang
    title: str
    summary: str
    blocks: tuple[Block, ...]
    headings: tuple[Heading, ...]

    @property
    def cells(self) -> tuple[CodeCell, ...]:
        """All code cells in page order, those inside directives included."""
        return tuple(_cells(self.blocks))


def _cells(blocks: tuple[Block, ...]) -> list[CodeCell]:
    found: list[CodeCell] = []
    for block in blocks:
        if isinstance(block, CodeCell):
            found.append(block)
        elif isinstance(block, Directive):
            found.extend(_cells(block.blocks))
    return found
