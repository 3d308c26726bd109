"""What can be wrong in the prose of a lesson: links, pictures, formulas, marks that Markdown did not take."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from markdown_it.token import Token

from app.lessons import formulas
from app.lessons.errors import Problem
from app.lessons.markdown import LESSON_LINK, Markdown, walk
from app.lessons.model import Lang

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_UNTAKEN = re.compile(r"\*\*|__|\]\(|</?[a-zA-Z]")

#: (slug, language) → the anchors of that page.
Anchors = Mapping[tuple[str, Lang], frozenset[str]]


def lint_prose(name: str, text: str, *, slug: str, lang: Lang, anchors: Anchors) -> Iterator[Problem]:
    """Check the prose of one file, called `name` in messages, which is page `slug` in language `lang`."""
    markdown = Markdown(lang, {})
    front = _FRONT_MATTER.match(text)
    start = front.end() if front else 0
    tokens = list(_tokens(markdown, text[start:], text.count("\n", 0, start) + 1))
    for token, line in tokens:
        if token.type == "link_open":
            message = _link(str(token.meta.get("source") or token.attrGet("href")), slug, lang, anchors)
            if message:
                yield Problem(name, line, message)
        elif token.type == "image":
            if not token.content.strip():
                yield Problem(name, line, "the picture has no text alternative")
            if not str(token.attrGet("src")).startswith("/static/"):
                yield Problem(name, line, "pictures lie under /static/")
        elif token.type == "text":
            untaken = _UNTAKEN.search(token.content)
            if untaken:
                yield Problem(name, line, f"Markdown does not read {untaken[0]!r} here; see docs/authoring.md")
    yield from _formulas(name, text, tokens)


def _tokens(markdown: Markdown, text: str, first_line: int) -> Iterator[tuple[Token, int]]:
    """Yield every inline token and display formula with its line, those inside directives included."""
    blocks = markdown.parse(text)
    for token, row in walk(blocks):
        yield token, first_line + row
    for token in blocks:
        line = first_line + (token.map[0] if token.map else 0)
        if token.type == "math_block":
            yield token, line
        elif token.type == "colon_fence":
            title = token.info.partition("}")[2]
            yield from _tokens(markdown, title, line)
            yield from _tokens(markdown, token.content, line + 1)


def _link(address: str, slug: str, lang: Lang, anchors: Anchors) -> str | None:
    if address.startswith("https://"):
        return None
    if address.startswith("#"):
        if address[1:] in anchors.get((slug, lang), ()):
            return None
        return f"there is no heading {address} on this page"
    lesson = LESSON_LINK.match(address)
    if lesson is None:
        return f"the link {address!r} is neither https:, nor #anchor, nor ../NN-slug/{lang}.md"
    if lesson["lang"] != lang:
        return f"the link {address!r} leads to the other language"
    target = anchors.get((lesson["slug"], lang))
    if target is None:
        return f"there is no lesson {lesson['slug']}"
    if lesson["fragment"] and lesson["fragment"][1:] not in target:
        return f"lesson {lesson['slug']} has no heading {lesson['fragment']}"
    return None


def _formulas(name: str, text: str, tokens: list[tuple[Token, int]]) -> Iterator[Problem]:
    """Compare the formulas that Markdown sees with those that the rule finds; check that each is balanced."""
    ruled = set(formulas.find(text))
    if formulas.has_stray_dollar(text):
        yield Problem(name, 0, "a dollar sign belongs to no formula; write \\$ where one is meant")
    seen: set[str] = set()
    for token, line in tokens:
        if token.type not in ("math_inline", "math_block"):
            continue
        found = formulas.key(token.content, display=token.type == "math_block")
        seen.add(found)
        if found not in ruled:
            yield Problem(name, line, f"the formula {token.content.strip()!r} is not found by the rule of the build")
        if re.search(r"(?<!\\)%|`", token.content):
            yield Problem(name, line, "a formula holds no % and no backtick")
        if not _balanced(token.content):
            yield Problem(name, line, f"braces or environments do not match in {token.content.strip()!r}")
    for missed in sorted(ruled - seen):
        yield Problem(name, 0, f"Markdown does not read {missed.partition(':')[2]!r} as a formula")


def _balanced(tex: str) -> bool:
    plain = re.sub(r"\\[{}\\]", "", tex)
    depth = 0
    for mark in re.findall(r"[{}]", plain):
        depth += 1 if mark == "{" else -1
        if depth < 0:
            return False
    begun, ended = (sorted(re.findall(rf"\\{word}\{{(\w+\*?)\}}", tex)) for word in ("begin", "end"))
    left, right = (len(re.findall(rf"\\{word}(?![a-zA-Z])", tex)) for word in ("left", "right"))
    return depth == 0 and begun == ended and left == right
