from __future__ import annotations

import shutil
from typing import Any

import pytest

from app.lessons.lint import lint_lessons


def problems(course: Any) -> list[str]:
    return [str(problem) for problem in lint_lessons(course.root)]


def one_problem(course: Any) -> str:
    (found,) = problems(course)
    return found


def test_a_sound_course_has_none(course: Any) -> None:
    assert problems(course) == []


def test_no_lesson_at_all_is_a_problem(tmp_path: Any) -> None:
    assert [problem.message for problem in lint_lessons(tmp_path)] == ["there is no lesson"]


def test_a_file_that_cannot_be_read_is_reported_and_the_rest_still_checked(course: Any) -> None:
    course.replace("(s1-1)=\n", "", "zh")
    course.replace("(#s1-1)", "(#s9)", "en")
    assert problems(course) == [
        "lessons/01-one/en.md:32: there is no heading #s9 on this page",
        "lessons/01-one/zh.md:20: a ## heading has its anchor on the line above, such as (s3-1)=",
    ]


def test_folder_names(course: Any) -> None:
    shutil.copytree(course.folder, course.folder.with_name("extra"))
    assert one_problem(course) == "lessons/extra: the folder is not named NN-lower-case-words"


class TestParity:
    def test_code(self, course: Any) -> None:
        course.replace("2.0)", "3.0)", "en")
        course.record()
        there = "lessons/01-one/zh.md:26"
        assert one_problem(course) == (
            f"lessons/01-one/en.md:26: cell 1.1-c1 differs from {there} in more than comments and strings"
        )

    def test_cell_ids(self, course: Any) -> None:
        course.replace(":id: 1.1-c2", ":id: 1.1-c3", "en")
        course.record()
        assert one_problem(course) == (
            "lessons/01-one/en.md:39: here stands cell 1.1-c3 raises-exception, "
            "in lessons/01-one/zh.md cell 1.1-c2 raises-exception"
        )

    def test_anchors(self, course: Any) -> None:
        course.replace("s1-1)", "s1-2)", "zh")
        assert "here stands heading ## s1-1, in lessons/01-one/zh.md heading ## s1-2" in one_problem(course)

    def test_directives(self, course: Any) -> None:
        course.replace(":::{aside} About `x`\nSee [above](#s1-1).\n:::\n\n", "", "en")
        assert "here stands cell 1.1-c2 raises-exception, in lessons/01-one/zh.md directive aside" in one_problem(
            course
        )

    def test_what_one_language_has_beyond_the_other(self, course: Any) -> None:
        path = course.folder / "en.md"
        path.write_text(path.read_text(encoding="utf-8") + "\n### More\n", encoding="utf-8")
        assert one_problem(course) == (
            "lessons/01-one/en.md:51: heading ### s1-1-1 is missing from lessons/01-one/zh.md"
        )


class TestIds:
    def test_cells_and_quizzes_are_unique_in_the_course(self, course: Any) -> None:
        shutil.copytree(course.folder, course.folder.with_name("02-two"))
        found = problems(course)
        assert "lessons/02-two/zh.md:26: the id 1.1-c1 is already used at lessons/01-one/zh.md:26" in found
        assert any("the id s1-1-q1 is already used" in problem for problem in found)

    def test_numbers_are_unique(self, course: Any) -> None:
        shutil.copytree(course.folder, course.folder.with_name("01-two"))
        assert "lessons/01-two/en.md: its number is that of lessons/01-one/en.md" in problems(course)

    def test_a_visual_shows_a_cell_of_its_page(self, course: Any) -> None:
        course.replace(":::{aside} ", ":::{visual} graph\n:cell: 9-c9\n\nText.\n:::\n\n:::{aside} ")
        assert "the visual's cell 9-c9 is not on this page" in problems(course)[0]


class TestLinks:
    @pytest.mark.parametrize(
        ("address", "message"),
        [
            ("#s9", "there is no heading #s9 on this page"),
            ("../02-two/en.md", "there is no lesson 02-two"),
            ("../01-one/en.md#s9", "lesson 01-one has no heading #s9"),
            ("../01-one/zh.md", "leads to the other language"),
            ("http://example.org/", "neither https:"),
            ("other.md", "neither https:"),
        ],
    )
    def test_that_lead_nowhere(self, course: Any, address: str, message: str) -> None:
        course.replace("(#s1-1)", f"({address})", "en")
        assert message in one_problem(course)
        assert one_problem(course).startswith("lessons/01-one/en.md:32: ")

    @pytest.mark.parametrize("address", ["https://pytorch.org/", "../01-one/en.md", "../01-one/en.md#s1-1"])
    def test_that_lead_somewhere(self, course: Any, address: str) -> None:
        course.replace("(#s1-1)", f"({address})", "en")
        assert problems(course) == []

    def test_pictures(self, course: Any) -> None:
        course.replace("See ", "![](/static/a.svg) See ", "en")
        assert "no text alternative" in one_problem(course)
        course.replace("![](/static/a.svg)", "![a](https://example.org/a.svg)", "en")
        assert "pictures lie under /static/" in one_problem(course)


class TestProse:
    @pytest.mark.parametrize(
        ("prose", "message"),
        [
            ("**要点：**后文", "does not read '**'"),
            ("<b>bold</b>", "does not read '<b'"),
            ("it costs $5", "belongs to no formula"),
            ("$ a $", "belongs to no formula"),
            ("2$a$", "the formula 'a' is not found by the rule of the build"),
            ("$\\frac{a}{b$", "do not match"),
            ("$\\left( a$", "do not match"),
            ("$\\begin{aligned} a \\end{cases}$", "do not match"),
            ("$50 % a$", "no % and no backtick"),
        ],
    )
    def test_that_markdown_would_get_wrong(self, course: Any, prose: str, message: str) -> None:
        course.replace("See ", f"{prose} See ", "en")
        assert message in "\n".join(problems(course))

    @pytest.mark.parametrize("prose", ["**要点**：后文", "\\$5", "$\\{a\\}$", "`<b>` and `**`", "$50\\%$", "a < b"])
    def test_that_it_gets_right(self, course: Any, prose: str) -> None:
        course.replace("See ", f"{prose} See ", "en")
        assert problems(course) == []


class TestRecordings:
    def test_missing_file(self, course: Any) -> None:
        (course.folder / "recorded.json").unlink()
        assert one_problem(course) == "lessons/01-one/recorded.json: the file is missing; write it with gradlens record"

    def test_broken_file(self, course: Any) -> None:
        (course.folder / "recorded.json").write_text("{}", encoding="utf-8")
        assert "lessons/01-one/recorded.json: not a recording" in one_problem(course)

    def test_older_than_its_cell(self, course: Any) -> None:
        course.replace("# a number", "# one number", "en")
        assert one_problem(course) == "lessons/01-one/en.md:26: cell 1.1-c1 has changed since it was recorded"

    def test_cell_not_recorded_and_recording_without_cell(self, course: Any) -> None:
        course.replace(":id: 1.1-c1", ":id: 1.1-c7")
        found = problems(course)
        assert "lessons/01-one/zh.md:26: cell 1.1-c7 has not been recorded" in found
        assert "lessons/01-one/recorded.json: holds cell 1.1-c1, which lessons/01-one/zh.md has not" in found

    def test_error_that_nobody_expected(self, course: Any) -> None:
        course.replace(":tags: [raises-exception]\n", "")
        assert "lessons/01-one/zh.md:38: cell 1.1-c2 fails but has no tag raises-exception" in problems(course)

    def test_error_that_did_not_come(self, course: Any) -> None:
        path = course.folder / "recorded.json"
        path.write_text(path.read_text(encoding="utf-8").replace('"error"', '"display_data"'), encoding="utf-8")
        assert "cell 1.1-c2 has the tag raises-exception but does not fail" in problems(course)[0]
