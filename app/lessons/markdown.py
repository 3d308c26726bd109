"""The Markdown of the lessons: which syntax is known, and how it becomes safe HTML.

HTML in a source is never interpreted. Formulas are looked up in the table that the front-end build wrote; links to
other lessons' files become addresses of the site.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

from app.lessons.formulas import key
from app.lessons.model import Lang

LESSON_LINK = re.compile(r"\A\.\./(?P<slug>\d\d-[a-z0-9-]+)/(?P<lang>zh|en)\.md(?P<fragment>#[\w.-]+)?\Z")

#: Chinese characters and full-width punctuation: no space is set where a source line ends between two of them.
_WIDE = re.compile(r"[\u2014\u2018-\u201d\u2026\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")

#: What belongs to the formula before it: signs that close, and the end of "n-th".
_CLOSING = re.compile(r"(?:[,.;:!?)\]\u2019\u201d，。、；：！？）】》]|-\w+)+")

_TABLE_LABEL: dict[Lang, str] = {"zh": "表格", "en": "Table"}
_CODE_LABEL: dict[Lang, str] = {"zh": "代码", "en": "Code"}


@dataclass(frozen=True)
class Markdown:
    """A Markdown reader for one language, with the table of typeset formulas (key → HTML)."""

    lang: Lang
    formulas: Mapping[str, str]

    def parse(self, text: str) -> list[Token]:
        """Return the block tokens of `text`; line numbers in `token.map` start from 0."""
        return self._reader().parse(text, {})

    def html(self, tokens: Sequence[Token]) -> str:
        """Return safe HTML of block tokens."""
        reader = self._reader()
        return str(reader.renderer.render(list(tokens), reader.options, {}))

    def inline(self, text: str) -> str:
        """Return safe HTML of one line of inline Markdown."""
        return str(self._reader().renderInline(text)).strip()

    def _reader(self) -> MarkdownIt:
        reader = MarkdownIt("commonmark", {"html": False}).enable("table")
        # Digits next to a dollar are left to the lint: the plugin's own rule looks at the wrong character.
        no = dict.fromkeys(("allow_labels", "allow_blank_lines", "allow_space"), False)
        reader.use(dollarmath_plugin, **no)
        reader.use(colon_fence_plugin).use(myst_block_plugin).use(deflist_plugin)
        reader.disable(["html_block", "html_inline"])
        reader.core.ruler.push("gradlens_links", _settle_links)
        reader.core.ruler.push("gradlens_wide_breaks", _join_wide_lines)
        reader.core.ruler.push("gradlens_closing_signs", _hold_closing_signs)
        rules: dict[str, Callable[..., str]] = reader.renderer.rules  # type: ignore[attr-defined]
        rules.update(self._rules())
        return reader

    def _rules(self) -> dict[str, Callable[..., str]]:
        def math(tex: str, *, display: bool) -> str:
            tag, kind = ("div", "math-display") if display else ("span", "math-inline")
            ready = self.formulas.get(key(tex, display=display))
            source = " ".join(tex.split())
            if ready is None:
                return f'<{tag} class="math {kind}" data-tex="{escape(source)}">{escape(source)}</{tag}>'
            return f'<{tag} class="math {kind}">{ready}</{tag}>'

        def inline_math(tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
            return math(tokens[index].content, display=False)

        def block_math(tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
            return math(tokens[index].content, display=True) + "\n"

        def table_open(_tokens: Sequence[Token], _index: int, _options: Any, _env: Any) -> str:
            label = _TABLE_LABEL[self.lang]
            return f'<div class="table-scroll" role="group" tabindex="0" aria-label="{label}"><table>\n'

        def table_close(_tokens: Sequence[Token], _index: int, _options: Any, _env: Any) -> str:
            return "</table></div>\n"

        def fence(tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
            token = tokens[index]
            language = re.sub(r"[^\w-]", "", token.info.split()[0]) if token.info.split() else "text"
            label = _CODE_LABEL[self.lang]
            return (
                f'<pre class="listing" role="group" tabindex="0" aria-label="{label}">'
                f'<code class="language-{language}">{escape(token.content)}</code></pre>\n'
            )

        return {
            "math_inline": inline_math,
            "math_block": block_math,
            "table_open": table_open,
            "table_close": table_close,
            "fence": fence,
        }


def plain_text(token: Token) -> str:
    """Return what an inline token says, without markup; formulas as their TeX source."""
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content for child in token.children or []
    ).strip()


def walk(tokens: Sequence[Token]) -> list[tuple[Token, int]]:
    """Return every inline child token with the line (from 0) on which its block begins."""
    return [(child, token.map[0] if token.map else 0) for token in tokens for child in token.children or []]


def is_external(address: str) -> bool:
    """Tell whether an address leads away from the site."""
    return address.startswith(("https:", "http:", "//"))


def _settle_links(state: StateCore) -> None:
    for child, _ in walk(state.tokens):
        if child.type != "link_open":
            continue
        address = str(child.attrGet("href") or "")
        lesson = LESSON_LINK.match(address)
        if lesson:
            child.meta["source"] = address
            child.attrSet("href", f"/{lesson['lang']}/lessons/{lesson['slug']}{lesson['fragment'] or ''}")
        elif is_external(address):
            child.attrSet("class", "external")
            child.attrSet("rel", "noopener")


def _join_wide_lines(state: StateCore) -> None:
    for token in state.tokens:
        children = token.children or []
        for before, child, after in zip(children, children[1:], children[2:], strict=False):
            if child.type != "softbreak":
                continue
            if _WIDE.match(before.content[-1:]) and _WIDE.match(after.content[:1]):
                child.type, child.tag, child.content = "text", "", ""


def _hold_closing_signs(state: StateCore) -> None:
    """Keep a formula and the sign that closes its clause on one line: browsers break between the two."""
    for token in state.tokens:
        held: list[Token] = []
        for child in token.children or []:
            signs = _CLOSING.match(child.content) if child.type == "text" and held else None
            if signs and held[-1].type == "math_inline":
                opening = Token("unbroken_open", "span", 1, attrs={"class": "unbroken"})
                sign = Token("text", "", 0, content=signs[0])
                held[-1:] = [opening, held[-1], sign, Token("unbroken_close", "span", -1)]
                child.content = child.content[signs.end() :]
            held.append(child)
        if token.children:
            token.children = held
