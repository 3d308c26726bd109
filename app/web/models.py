"""The bodies that the API takes and answers, as pydantic models: they validate, and they are the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _encodable(text: str) -> str:
    # JSON can spell half a surrogate pair, which is no text and could not be sent on.
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a surrogate pair, which is no character") from None
    return text


Text = Annotated[str, AfterValidator(_encodable)]
CellId = Annotated[Text, Field(min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class HistoryItem(_Body):
    """A cell that ran earlier."""

    cell: CellId
    source: Text


class RunBody(_Body):
    """A cell to run, and what ran before it, so that a lost namespace can be rebuilt."""

    cell: CellId
    source: Text
    lesson: Annotated[Text, Field(max_length=200)] | None = None
    history: list[HistoryItem] = []


class CursorBody(_Body):
    """Source and the place in it, in code points from 0, that completion or documentation is wanted for."""

    source: Text
    cursor: Annotated[int, Field(ge=0)]


class CheckBody(_Body):
    """An exercise's answer to be checked."""

    exercise: CellId
    source: Text


class SessionAnswer(BaseModel):
    """A new session. The id is a secret."""

    session: str


class LessonInLanguage(BaseModel):
    """A lesson as one language has it."""

    title: str
    summary: str
    url: str
    notebook: str
    script: str
    cells: list[str]


class LessonEntry(BaseModel):
    """A lesson of the catalogue."""

    slug: str
    number: int
    languages: dict[Literal["zh", "en"], LessonInLanguage]


class LessonsAnswer(BaseModel):
    """The catalogue in course order."""

    lessons: list[LessonEntry]


class ProblemDocument(BaseModel):
    """RFC 9457: what went wrong, and in `detail` what to do."""

    type: str
    title: str
    status: int
    detail: str
