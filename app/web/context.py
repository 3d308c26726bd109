"""What each template is given. A template sees the fields of its context as top-level names, and nothing else.

So `lesson.html` says `{{ strings.contents }}`, `{{ lesson.title }}` and `{{ assets.url("main.js") }}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from app.lessons.model import Lang, Lesson
from app.web.assets import Assets


@dataclass(frozen=True)
class IndexContext:
    """`index.html`: the contents of the course in one language."""

    lang: Lang
    #: Texts of the user interface in `lang`.
    strings: Mapping[str, str]
    #: All lessons in course order.
    lessons: tuple[Lesson, ...]
    assets: Assets
    #: The same page in the other language.
    alternate_url: str


@dataclass(frozen=True)
class LessonContext:
    """`lesson.html`: one lesson."""

    lang: Lang
    strings: Mapping[str, str]
    lesson: Lesson
    #: The neighbours in course order; None at either end.
    previous: Lesson | None
    next: Lesson | None
    #: All lessons, for the table of contents.
    lessons: tuple[Lesson, ...]
    assets: Assets
    #: The same lesson in the other language, or that language's contents when it is not translated.
    alternate_url: str


@dataclass(frozen=True)
class ErrorContext:
    """`error.html`: an error, in the language of the page that was asked for."""

    lang: Lang
    strings: Mapping[str, str]
    #: The HTTP status code.
    status: int
    title: str
    #: What the reader can do.
    detail: str
    assets: Assets
    #: The other language's contents.
    alternate_url: str


@dataclass(frozen=True)
class DocumentContext:
    """`document.html`: the description of the HTTP API. It is English only, so there is no `alternate_url`."""

    lang: Lang
    strings: Mapping[str, str]
    title: str
    #: Safe HTML.
    html: str
    assets: Assets


Context = IndexContext | LessonContext | ErrorContext | DocumentContext


def as_names(context: Context) -> dict[str, Any]:
    """The names a template sees: the context's fields, one level deep."""
    return {field.name: getattr(context, field.name) for field in fields(context)}
