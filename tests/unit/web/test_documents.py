"""What is documented is what there is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.resources import find_resources
from app.web.i18n import STRINGS
from app.web.problems import KINDS, Problem

TEXT = find_resources().api_document.read_text(encoding="utf-8")
HEADINGS = re.findall(r"^### (.*)$", TEXT, re.M)


def test_every_call_is_documented(web: Any) -> None:
    calls = {
        f"{method.upper()} {path}"
        for path, methods in web.get("/openapi.json").json()["paths"].items()
        for method in methods
    }
    documented = {call for heading in HEADINGS for call in re.findall(r"`([A-Z]+ /[^`]*)`", heading)}
    assert calls - documented == set()
    assert len(calls) >= 11


def test_every_problem_is_documented_with_its_status() -> None:
    described = dict(re.findall(r"^### ([a-z-]+)\n\n(\d{3})\. ", TEXT, re.M))
    assert described == {kind: str(status) for kind, (status, _) in KINDS.items()}


def test_every_problem_is_raised_somewhere() -> None:
    web = find_resources().root / "app" / "web"
    source = "".join(path.read_text(encoding="utf-8") for path in web.glob("*.py") if path.name != "problems.py")
    source += (web / "problems.py").read_text(encoding="utf-8").split("class Problem", 1)[1]
    assert [kind for kind in KINDS if f'"{kind}"' not in source] == []


def test_problem_types_lead_to_their_description(web: Any) -> None:
    page = web.get("/docs")
    assert page.status_code == 200
    for kind in KINDS:
        assert f'id="{kind}"' in page.text
    ids = re.findall(r'<h\d id="([^"]*)"', page.text)
    assert len(ids) == len(set(ids)) == len(re.findall(r"<h\d", page.text))


def test_a_problem_rounds_its_delay_up() -> None:
    assert Problem("busy", "", retry_after=0.2).headers == {"Retry-After": "1"}
    assert Problem("busy", "", retry_after=1.2).headers == {"Retry-After": "2"}
    assert Problem("busy", "").headers == {}


def test_both_languages_have_the_same_texts() -> None:
    assert STRINGS["zh"].keys() == STRINGS["en"].keys()
    for lang, texts in STRINGS.items():
        assert [key for key, text in texts.items() if not text.strip()] == [], lang


@pytest.mark.parametrize("key", sorted(STRINGS["zh"]))
def test_texts_take_the_same_arguments(key: str) -> None:
    arguments = [sorted(re.findall(r"\{(\w*)\}", STRINGS[lang][key])) for lang in ("zh", "en")]
    assert arguments[0] == arguments[1]
