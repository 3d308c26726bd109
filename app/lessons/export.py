"""A lesson as a file to take away: a Jupyter notebook or a Python script, for real PyTorch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from app.lessons.model import Block, CellOutput, CodeCell, Directive, HeadingBlock, Lang, Lesson, Prose

_OPTION = re.compile(r"^(?P<mark>[-*+]) \[[ x]\] ")
#: Links to other lessons and to headings, which lead nowhere from a file that was taken away.
_INNER_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?:#|\.\./)[^)\s]*\)")
_ANSWER: dict[Lang, str] = {"zh": "看答案", "en": "Show the answer"}


def to_ipynb(lesson: Lesson) -> dict[str, Any]:
    """Return the lesson as a notebook of nbformat 4.5, with what PyTorch printed as the cells' outputs."""
    cells: list[dict[str, Any]] = []
    count = 0
    for number, part in enumerate(_parts(lesson), start=1):
        if isinstance(part, CodeCell):
            count += 1
            cells.append(_code(part, count))
        else:
            cells.append({"cell_type": "markdown", "id": f"text-{number}", "metadata": {}, "source": part})
    return {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
            "title": lesson.title,
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def to_py(lesson: Lesson) -> str:
    """Return the lesson as a script in the percent format, which editors and Jupytext read as cells."""
    parts: list[str] = []
    for part in _parts(lesson):
        if isinstance(part, CodeCell):
            head = '# %% tags=["raises-exception"]' if part.expects_error else "# %%"
            # What IPython alone understands would be a syntax error in a script.
            code = re.sub(r"^(?=[ \t]*[%!])", "# ", part.source, flags=re.MULTILINE)
            parts.append(f"{head}\n{code}\n")
        else:
            text = "\n".join(f"# {line}".rstrip() for line in part.split("\n"))
            parts.append(f"# %% [markdown]\n{text}\n")
    return "\n".join(parts)


def _code(cell: CodeCell, count: int) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": re.sub(r"[^a-zA-Z0-9_-]", "-", cell.id),
        "metadata": {"tags": list(cell.tags)} if cell.tags else {},
        "execution_count": count if cell.recorded_with else None,
        "outputs": [_plain(output, count) for output in cell.recorded],
        "source": cell.source,
    }


def _plain(output: CellOutput, count: int) -> CellOutput:
    """Return an output with the fields that nbformat knows, and no others."""
    kept = dict(output)
    if kept["output_type"] == "error":
        kept.pop("metadata", None)
    elif kept["output_type"] == "execute_result":
        kept["execution_count"] = count
    return kept


def _parts(lesson: Lesson) -> Iterable[str | CodeCell]:
    """Yield Markdown and cells in turn: what stands between two cells is one piece of Markdown."""
    text = [f"# {lesson.title}", lesson.summary]
    for block in lesson.blocks:
        if isinstance(block, CodeCell):
            if text:
                yield "\n\n".join(text)
                text = []
            yield block
        else:
            text.append(_markdown(block, lesson.lang))
    if text:
        yield "\n\n".join(text)


def _markdown(block: Block, lang: Lang) -> str:
    if isinstance(block, HeadingBlock):
        return f"{'#' * block.heading.level} {block.heading.markdown}"
    if isinstance(block, Prose):
        return _INNER_LINK.sub(r"\g<text>", block.markdown)
    if isinstance(block, Directive):
        # Hints and solutions stay on the site.
        inner = "\n\n".join(_markdown(part, lang) for part in block.blocks if isinstance(part, Prose))
        if block.name == "quiz":
            return _quote(_quiz(inner, lang))
        return _quote(f"**{block.argument}**\n\n{inner}" if block.name == "aside" else inner)
    raise TypeError(f"a cell is not Markdown: {block!r}")


def _quiz(markdown: str, lang: Lang) -> str:
    """Fold away what follows the options, and unmark the right one."""
    lines = markdown.split("\n")
    last = max(number for number, line in enumerate(lines) if _OPTION.match(line))
    right = next(_OPTION.sub("", line) for line in lines if line.startswith(("- [x]", "* [x]", "+ [x]")))
    asked = "\n".join(_OPTION.sub(r"\g<mark> ", line) for line in lines[: last + 1])
    told = "\n".join(lines[last + 1 :]).strip("\n")
    return f"{asked}\n\n<details><summary>{_ANSWER[lang]}</summary>\n\n{right}\n\n{told}\n\n</details>"


def _quote(markdown: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in markdown.split("\n"))
