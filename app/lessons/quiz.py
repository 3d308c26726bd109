"""A quiz: commit to an answer first, then unfold the explanation. Works without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from markdown_it.token import Token

from app.lessons.errors import LessonError
from app.lessons.markdown import Markdown
from app.lessons.model import Lang

QUIZ_ID = re.compile(r"\As[a-z0-9-]+-q\d+\Z")
_MARK = re.compile(r"\A\[(?P<mark>[ x])\] ")
_ANSWER: dict[Lang, str] = {"zh": "看答案", "en": "Show the answer"}


def quiz_html(markdown: Markdown, content: str, *, identity: str, path: str, line: int) -> str:
    """HTML of a quiz's content: the question, its options as radio buttons, the explanation folded away.

    Raises `LessonError` unless there is a question, a list of at least two options of one line each with exactly one
    marked `[x]`, and an explanation.
    """
    if not QUIZ_ID.match(identity):
        raise LessonError(path, line, f"the quiz's id {identity!r} is not like s3-1-q1")
    tokens = markdown.parse(content)
    bounds = [
        index
        for index, token in enumerate(tokens)
        if token.level == 0 and token.type in ("bullet_list_open", "bullet_list_close")
    ]
    if len(bounds) < 2:
        raise LessonError(path, line, "a quiz needs a list of options: - [ ] … and one - [x] …")
    first, last = bounds[0], bounds[1]
    question, answer = tokens[:first], tokens[last + 1 :]
    if not question or not answer:
        raise LessonError(path, line, "a quiz has a question before its options and an explanation after them")
    options = _options(tokens[first : last + 1], path, line)
    rows = "".join(
        f'<label class="quiz-option" data-correct="{str(right).lower()}">'
        f'<input type="radio" name="{escape(identity)}" value="{number}"> '
        f"<span>{markdown.html([inline])}</span></label>\n"
        for number, (right, inline) in enumerate(options, start=1)
    )
    correct = "".join(markdown.html([inline]) for right, inline in options if right)
    return (
        f'<div class="quiz-question" id="{identity}-question">\n{markdown.html(question)}</div>\n'
        f'<div class="quiz-options" role="radiogroup" aria-labelledby="{identity}-question">\n{rows}</div>\n'
        f'<details class="quiz-answer"><summary>{_ANSWER[markdown.lang]}</summary>\n'
        f'<p class="quiz-correct">{correct}</p>\n{markdown.html(answer)}</details>\n'
    )


def _options(tokens: Sequence[Token], path: str, line: int) -> list[tuple[bool, Token]]:
    options: list[tuple[bool, Token]] = []
    items = sum(token.type == "list_item_open" for token in tokens)
    for token in tokens:
        if token.type != "inline":
            continue
        mark = _MARK.match(token.content)
        if mark is None or not token.children:
            raise LessonError(path, line, f"a quiz's option is one paragraph, - [ ] or - [x], not {token.content!r}")
        token.children[0].content = _MARK.sub("", token.children[0].content)
        options.append((mark["mark"] == "x", token))
    if len(options) != items or items < 2 or sum(right for right, _ in options) != 1:
        raise LessonError(path, line, "a quiz has at least two options, exactly one of them marked - [x]")
    return options
