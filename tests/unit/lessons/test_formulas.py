from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.lessons import formulas


def test_both_kinds_are_found_and_their_white_space_evened_out() -> None:
    assert formulas.find("$a$ and $b  c$\n\n$$\nd\n  e\n$$\n") == ["display:d e", "inline:a", "inline:b c"]


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: $a$\n---\n",
        "```python\n$a$\n```\n",
        "````\n```\n$a$\n```\n````\n",
        "`$a$` and ``$b` $c$``",
        r"\$5 and \$6",
        "no formula",
    ],
)
def test_code_front_matter_and_escaped_dollars_are_left_out(text: str) -> None:
    assert formulas.find(text) == []
    assert not formulas.has_stray_dollar(text)


def test_text_after_a_fence_counts_again() -> None:
    assert formulas.find("```\n$a$\n```\n$b$\n") == ["inline:b"]


def test_stray_dollars_are_noticed() -> None:
    assert formulas.has_stray_dollar("it costs $5")
    assert formulas.has_stray_dollar("$a\nb$")
    assert not formulas.has_stray_dollar("$a$ $$b$$")


def test_command_prints_all_keys_of_a_course(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "01-one"
    folder.mkdir()
    (folder / "zh.md").write_text("$b$ $a$", encoding="utf-8")
    (folder / "en.md").write_text("$a$", encoding="utf-8")
    assert formulas.main([str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out) == ["inline:a", "inline:b"]
