from __future__ import annotations

import json
import os
from typing import Any

import pytest

from app.lessons.catalog import Catalog, UnknownLesson
from app.lessons.errors import LessonError
from app.lessons.model import Prose


def test_lessons_by_language_in_order(course: Any) -> None:
    second = course.folder.with_name("00-zero")
    second.mkdir()
    for lang in ("zh", "en"):
        text = (course.folder / f"{lang}.md").read_text(encoding="utf-8")
        (second / f"{lang}.md").write_text(text, encoding="utf-8")
    catalog = Catalog.load(course.root)
    assert [lesson.slug for lesson in catalog.lessons("zh")] == ["00-zero", "01-one"]
    assert catalog.get("en", "01-one").title == "One"


def test_unknown_lesson(course: Any) -> None:
    with pytest.raises(UnknownLesson):
        Catalog.load(course.root).get("en", "09-nine")


def test_recordings_are_in_the_cells(course: Any) -> None:
    plain, failing = Catalog.load(course.root).get("zh", "01-one").cells
    assert (plain.recorded, plain.recorded_with) == ((), "2.13.0")
    assert failing.recorded[0]["ename"] == "ValueError"


def test_a_lesson_without_a_recording_still_shows(course: Any) -> None:
    (course.folder / "recorded.json").unlink()
    assert Catalog.load(course.root).get("zh", "01-one").cells[0].recorded_with is None


def test_it_is_kept_until_a_file_changes(course: Any) -> None:
    catalog = Catalog.load(course.root)
    assert Catalog.load(course.root) is catalog
    course.replace("title: One", "title: Two", "en")
    path = course.folder / "en.md"
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))
    assert Catalog.load(course.root).get("en", "01-one").title == "Two"


def test_typeset_formulas_are_used_once_built(course: Any) -> None:
    dist = course.root / "static" / "dist"
    dist.mkdir(parents=True)
    (dist / "math.json").write_text(json.dumps({"inline:y = x^2": "<i>SET</i>"}), encoding="utf-8")
    block = Catalog.load(course.root).get("en", "01-one").blocks[0]
    assert isinstance(block, Prose)
    assert "<i>SET</i>" in block.html


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("en.md", "nothing", "lessons/01-one/en.md:1: "),
        ("en.md", None, "lessons/01-one/en.md: the file is missing"),
        ("recorded.json", "{", "recorded.json: not a recording"),
        ("recorded.json", '{"torch": "2", "cells": {"zh": {}}}', "recorded.json: not a recording"),
    ],
)
def test_errors_name_the_file(course: Any, name: str, content: str | None, place: str) -> None:
    path = course.folder / name
    path.unlink() if content is None else path.write_text(content, encoding="utf-8")
    with pytest.raises(LessonError) as caught:
        Catalog.load(course.root)
    assert place in str(caught.value)


def test_bytes_that_are_no_text_are_named(course: Any) -> None:
    (course.folder / "zh.md").write_bytes(b"\xff\xfe")
    with pytest.raises(LessonError, match="not UTF-8"):
        Catalog.load(course.root)
