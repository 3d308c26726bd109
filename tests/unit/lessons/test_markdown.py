from __future__ import annotations

import pytest

from app.lessons.markdown import Markdown
from app.lessons.model import Lang


def html(text: str, *, lang: Lang = "zh", formulas: dict[str, str] | None = None) -> str:
    markdown = Markdown(lang, formulas or {})
    return markdown.html(markdown.parse(text))


def test_html_in_a_source_is_shown_not_interpreted() -> None:
    assert html("a <script>alert(1)</script> <b>b</b>") == (
        "<p>a &lt;script&gt;alert(1)&lt;/script&gt; &lt;b&gt;b&lt;/b&gt;</p>\n"
    )
    assert "<div" not in html("<div onclick=x>\n\ntext\n\n</div>")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "JaVaScRiPt:alert(1)"])
def test_dangerous_links_stay_text(address: str) -> None:
    assert "<a" not in html(f"[x]({address})")


def test_external_links_are_marked() -> None:
    assert html("[t](https://pytorch.org/)") == (
        '<p><a href="https://pytorch.org/" class="external" rel="noopener">t</a></p>\n'
    )
    assert 'rel="noopener"' in html("<https://pytorch.org/>")


def test_links_to_lessons_become_addresses_of_the_site() -> None:
    assert 'href="/zh/lessons/02-tensors#s2-1"' in html("[t](../02-tensors/zh.md#s2-1)")
    assert 'href="/en/lessons/02-tensors"' in html("[t](../02-tensors/en.md)")
    assert 'href="#s2-1"' in html("[t](#s2-1)")


def test_formulas_come_from_the_table() -> None:
    table = {"inline:a + b": "<i>INLINE</i>", "display:c d": "<i>DISPLAY</i>"}
    assert html("看 $a  + b$", formulas=table) == '<p>看 <span class="math math-inline"><i>INLINE</i></span></p>\n'
    assert html("$$\nc\n  d\n$$\n", formulas=table) == '<div class="math math-display"><i>DISPLAY</i></div>\n'


def test_formulas_that_are_not_in_the_table_show_their_source() -> None:
    assert html("$a < b$") == ('<p><span class="math math-inline" data-tex="a &lt; b">a &lt; b</span></p>\n')
    assert html('$$"$$') == '<div class="math math-display" data-tex="&quot;">&quot;</div>\n'


def test_a_formula_may_open_a_text_that_ends_with_a_digit() -> None:
    assert 'data-tex="-128"' in html("$-128$ to 127")


def test_escaped_dollars_are_dollars() -> None:
    assert html(r"\$5 and \$6") == "<p>$5 and $6</p>\n"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("张量\n求导", "<p>张量求导</p>\n"),
        ("张量，\n“求导”", "<p>张量，“求导”</p>\n"),
        ("张量\nautograd", "<p>张量\nautograd</p>\n"),
        ("two\nwords", "<p>two\nwords</p>\n"),
        ("用 `x`\n求导", "<p>用 <code>x</code>\n求导</p>\n"),
    ],
)
def test_no_space_is_set_between_lines_of_chinese(source: str, shown: str) -> None:
    assert html(source) == shown


def test_listings_and_tables_can_be_scrolled_from_the_keyboard() -> None:
    assert html("```bash\npip install <x>\n```", lang="en") == (
        '<pre class="listing" role="group" tabindex="0" aria-label="Code">'
        '<code class="language-bash">pip install &lt;x&gt;\n</code></pre>\n'
    )
    table = html("| a | b |\n| - | - |\n| 1 | 2 |\n")
    assert table.startswith('<div class="table-scroll" role="group" tabindex="0" aria-label="表格"><table>')
    assert table.endswith("</table></div>\n")


def test_inline_is_one_line_without_a_paragraph() -> None:
    assert Markdown("en", {}).inline("On `x` <b>") == "On <code>x</code> &lt;b&gt;"


def test_a_formula_keeps_the_sign_that_closes_its_clause() -> None:
    table = {"inline:x": "X"}
    formula = '<span class="math math-inline">X</span>'
    held = f'<span class="unbroken">{formula}'
    assert html("到 $x$。再到 $x$ 为止", formulas=table) == f"<p>到 {held}。</span>再到 {formula} 为止</p>\n"
    assert html("the $x$-th ($x$), then", formulas=table) == f"<p>the {held}-th</span> ({held}),</span> then</p>\n"
    assert html("`x`。", formulas=table) == "<p><code>x</code>。</p>\n"
