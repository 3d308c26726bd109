from __future__ import annotations

import pytest

from app.lessons.errors import LessonError
from app.lessons.markdown import Markdown
from app.lessons.quiz import quiz_html

QUIZ = "Which *one*?\n\n- [ ] `a`\n- [x] b\n\nBecause.\n"


def html(content: str, identity: str = "s1-q1") -> str:
    return quiz_html(Markdown("en", {}), content, identity=identity, path="p", line=4)


def test_options_are_radio_buttons_and_the_answer_is_folded_away() -> None:
    shown = html(QUIZ)
    assert shown.count('type="radio" name="s1-q1"') == 2
    assert '<label class="quiz-option" data-correct="false"><input type="radio" name="s1-q1" value="1"> ' in shown
    assert "<span><code>a</code></span>" in shown
    assert 'data-correct="true"><input type="radio" name="s1-q1" value="2"> <span>b</span>' in shown
    question, answer = shown.split("<details")
    assert "Which <em>one</em>?" in question
    assert "Because." not in question
    assert '<p class="quiz-correct">b</p>' in answer
    assert "Because." in answer
    assert "[x]" not in shown


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("Which?\n\nBecause.\n", "needs a list of options"),
        ("- [ ] a\n- [x] b\n\nBecause.\n", "a question before"),
        ("Which?\n\n- [ ] a\n- [x] b\n", "an explanation after"),
        ("Which?\n\n- [ ] a\n- [ ] b\n\nBecause.\n", "exactly one"),
        ("Which?\n\n- [x] a\n- [x] b\n\nBecause.\n", "exactly one"),
        ("Which?\n\n- [x] a\n\nBecause.\n", "at least two"),
        ("Which?\n\n- a\n- [x] b\n\nBecause.\n", "one paragraph"),
        ("Which?\n\n- [ ] a\n\n  more\n- [x] b\n\nBecause.\n", "one paragraph"),
    ],
)
def test_what_is_no_quiz_is_refused(content: str, message: str) -> None:
    with pytest.raises(LessonError, match=message) as caught:
        html(content)
    assert caught.value.problem.line == 4


def test_its_id_is_checked() -> None:
    with pytest.raises(LessonError, match="not like s3-1-q1"):
        html(QUIZ, identity="3.1")
