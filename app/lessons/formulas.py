"""Finding the formulas of the lessons by the rule of docs/authoring.md, which static/build.mjs follows too.

`python -m app.lessons.formulas [lessons]` prints the keys as JSON, to compare the two.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

_FRONT_MATTER = re.compile(r"\A---\n[\s\S]*?\n---(?:\n|\Z)")
_FENCE = re.compile(r"^ *(`{3,})")
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)")
_DISPLAY = re.compile(r"\$\$([\s\S]+?)\$\$")
_INLINE = re.compile(r"(?<!\d)\$(?!\s)([^$\n]+)(?<!\s)\$(?!\d)")


def key(tex: str, *, display: bool) -> str:
    """Return the key of a formula in math.json."""
    return f"{'display' if display else 'inline'}:{' '.join(tex.split())}"


def prose(markdown: str) -> str:
    """Return the text of a lesson without front matter, code and escaped dollars (steps 1 to 4 of the rule)."""
    return _CODE_SPAN.sub("", _without_fences(_FRONT_MATTER.sub("", markdown))).replace("\\$", "")


def find(markdown: str) -> list[str]:
    """Return the keys of all formulas of a Markdown text: display formulas, then inline ones, each in text order."""
    text = prose(markdown)
    displayed = [key(match[1], display=True) for match in _DISPLAY.finditer(text)]
    return displayed + [key(match[1], display=False) for match in _INLINE.finditer(_DISPLAY.sub("", text))]


def has_stray_dollar(markdown: str) -> bool:
    """Tell whether a dollar sign is left that belongs to no formula."""
    return "$" in _INLINE.sub("", _DISPLAY.sub("", prose(markdown)))


def _without_fences(text: str) -> str:
    kept: list[str] = []
    closing: re.Pattern[str] | None = None
    for line in text.split("\n"):
        if closing is None:
            opening = _FENCE.match(line)
            if opening is None:
                kept.append(line)
            else:
                closing = re.compile(rf"^ *`{{{len(opening[1])},}} *$")
        elif closing.match(line):
            closing = None
    return "\n".join(kept)


def main(arguments: list[str]) -> int:
    """Print the keys of every formula under the given folder (default `lessons`) as a sorted JSON list."""
    root = Path(arguments[0] if arguments else "lessons")
    keys = {found for path in sorted(root.glob("*/*.md")) for found in find(path.read_text(encoding="utf-8"))}
    print(json.dumps(sorted(keys), ensure_ascii=False, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
