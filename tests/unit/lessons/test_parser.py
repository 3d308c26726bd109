from __future__ import annotations

import pytest

from app.lessons.errors import LessonError
from app.lessons.model import CodeCell, Directive, HeadingBlock, Lang, Lesson, Prose
from app.lessons.parser import parse_lesson

FRONT = "---\ntitle: A title\nsummary: A summary.\n---\n"


def parse(body: str, *, lang: Lang = "en", slug: str = "03-autograd", front: str = FRONT) -> Lesson:
    return parse_lesson(front + body, slug=slug, lang=lang, path="lesson.md")


def error(body: str, **more: str) -> str:
    with pytest.raises(LessonError) as caught:
        parse(body, **more)  # type: ignore[arg-type]
    return str(caught.value)


def test_front_matter_and_folder_name() -> None:
    lesson = parse("")
    assert (lesson.slug, lesson.number, lesson.lang) == ("03-autograd", 3, "en")
    assert (lesson.title, lesson.summary) == ("A title", "A summary.")
    assert lesson.blocks == ()


def test_blocks_come_in_the_order_of_the_page() -> None:
    lesson = parse(
        "One.\n\nTwo.\n\n(s1)=\n## Head\n\nThree.\n\n"
        "```{code-cell} ipython3\n:id: 1-c1\n\nx\n```\n\n:::{aside} T\nIn.\n:::\n\nEnd.\n"
    )
    assert [block.kind for block in lesson.blocks] == ["prose", "heading", "prose", "cell", "directive", "prose"]
    first = lesson.blocks[0]
    assert isinstance(first, Prose)
    assert first.html == "<p>One.</p>\n<p>Two.</p>\n"
    assert first.markdown == "One.\n\nTwo."


def test_cell_with_options_and_place() -> None:
    lesson = parse("\n```{code-cell} ipython3\n:id: 3.1-c2\n:tags: [raises-exception]\n\nx = 1\n\nx\n```\n")
    (cell,) = lesson.cells
    assert cell == CodeCell(id="3.1-c2", source="x = 1\n\nx", tags=("raises-exception",), line=10)
    assert cell.expects_error


def test_sections_have_the_anchor_above_them_and_parts_are_counted() -> None:
    lesson = parse("(s1)=\n## A `b`\n\n### P\n\n### Q\n\n(s2)=\n## C\n\n### R\n")
    assert [(h.level, h.anchor) for h in lesson.headings] == [
        (2, "s1"),
        (3, "s1-1"),
        (3, "s1-2"),
        (2, "s2"),
        (3, "s2-1"),
    ]
    assert lesson.headings[0].html == "A <code>b</code>"
    assert lesson.headings[0].text == "A b"
    block = lesson.blocks[0]
    assert isinstance(block, HeadingBlock)
    assert block.heading.line == 6


def test_aside_has_a_title_and_a_body() -> None:
    (block,) = parse(":::{aside} On `x` and $y$\n**Body.**\n:::\n").blocks
    assert isinstance(block, Directive)
    assert (block.name, block.argument) == ("aside", "On `x` and $y$")
    assert block.html == "<p><strong>Body.</strong></p>\n"
    assert block.title_html.startswith("On <code>x</code> and <span")


def test_visual_names_its_cell() -> None:
    (block,) = parse(":::{visual} graph\n:cell: 3.1-c1\n\nThe caption.\n:::\n").blocks
    assert isinstance(block, Directive)
    assert block.options == {"cell": "3.1-c1"}
    assert block.html == "<p>The caption.</p>\n"


def test_exercise_holds_its_hints() -> None:
    (block,) = parse("::::{exercise} 3.1-e1\nDo.\n\n:::{hint} 3.1-e1\nThink.\n:::\n::::\n").blocks
    assert isinstance(block, Directive)
    assert [type(part) for part in block.blocks] == [Prose, Directive]


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        ("# Title\n", "lesson.md:5", "headings are ## and ###"),
        ("## No anchor\n", "lesson.md:5", "anchor on the line above"),
        ("(s1)=\n## A\n\n(s1)=\n## B\n", "lesson.md:9", "used twice"),
        ("(S 1)=\n## A\n", "lesson.md:6", "not made of a-z"),
        ("(s1)=\n\nText.\n", "lesson.md:7", "not followed by a heading"),
        ("Text.\n\n(s1)=\n", "lesson.md:8", "has no heading"),
        ("> ## Quoted\n", "lesson.md:5", "outside lists and quotations"),
        ("% a comment\n", "lesson.md:5", "meaning of its own in MyST"),
        ("```{code-cell} python\n:id: 1-c1\n\nx\n```\n", "lesson.md:5", "unknown fence"),
        ("```{code-cell} ipython3\n\nx\n```\n", "lesson.md:5", "the cell's id '' is not like"),
        ("```{code-cell} ipython3\n:id: one\n\nx\n```\n", "lesson.md:5", "'one' is not like"),
        ("```{code-cell} ipython3\n:id: 1-c1\nx\n```\n", "lesson.md:7", "one empty line"),
        ("```{code-cell} ipython3\n:id: 1-c1\n:size: 2\n\nx\n```\n", "lesson.md:7", "unknown option 'size'"),
        ("```{code-cell} ipython3\n:id: 1-c1\n:id: 1-c2\n\nx\n```\n", "lesson.md:7", "given twice"),
        ("```{code-cell} ipython3\n:id: 1-c1\n:tags: [wrong]\n\nx\n```\n", "lesson.md:5", "unknown tag wrong"),
        ("```{code-cell} ipython3\n:id: 1-c1\n\n```\n", "lesson.md:5", "is empty"),
        ("- item\n\n  ```{code-cell} ipython3\n  :id: 1-c1\n\n  x\n  ```\n", "lesson.md:7", "at the left margin"),
        (":::{aside} T\n\n```{code-cell} ipython3\n:id: 1-c1\n\nx\n```\n:::\n", "lesson.md:7", "at the left margin"),
        (":::{aside} T\nText.\n", "lesson.md:5", "not closed"),
        (":::{asid} T\nText.\n:::\n", "lesson.md:5", "unknown directive '{asid} T'; known are aside"),
        (":::{aside}\nText.\n:::\n", "lesson.md:5", "needs an argument"),
        (":::{aside} T\n:::\n", "lesson.md:5", "is empty"),
        (":::{aside} T\n:class: x\n\nText.\n:::\n", "lesson.md:6", "unknown option 'class'"),
        (":::{visual} film\n:cell: 1-c1\n\nText.\n:::\n", "lesson.md:5", "unknown visual 'film'"),
        (":::{visual} graph\nText.\n:::\n", "lesson.md:5", "names its cell"),
        (":::{hint} 1-e1\nText.\n:::\n", "lesson.md:5", "{hint} does not stand by itself"),
        ("::::{aside} T\n:::{aside} U\nText.\n:::\n::::\n", "lesson.md:6", "does not stand inside {aside}"),
        ("- item\n\n  :::{aside} T\n  Text.\n  :::\n", "lesson.md:7", "directives stand at the left margin"),
    ],
)
def test_what_is_not_the_format_is_refused_with_its_line(body: str, place: str, message: str) -> None:
    said = error(body)
    assert said.startswith(f"{place}: ")
    assert message in said


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("", "does not begin with front matter"),
        ("---\ntitle: A\n---\n", "lacks a text for 'summary'"),
        ("---\ntitle: 3\nsummary: B\n---\n", "lacks a text for 'title'"),
        ("---\n- a\n---\n", "not a mapping"),
        ("---\ntitle: A\nsummary: B\nauthor: C\n---\n", "unknown key 'author'"),
        ("---\ntitle: A: b\nsummary: B\n---\n", "lesson.md:2: front matter is not YAML"),
    ],
)
def test_front_matter_is_checked(front: str, message: str) -> None:
    assert message in error("Text.\n", front=front)


def test_folder_name_is_checked() -> None:
    assert "NN-lower-case-words" in error("", slug="autograd")
