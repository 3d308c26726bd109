from __future__ import annotations

import json
import re
from typing import Any

import nbformat
import pytest

from app.web.i18n import STRINGS

PAGE = {"Accept": "text/html"}


@pytest.mark.parametrize(
    ("header", "target"),
    [
        (None, "/en/"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "/zh/"),
        ("en-US,en;q=0.9,zh;q=0.8", "/en/"),
        ("fr,zh;q=0.3", "/zh/"),
        ("fr", "/en/"),
        ("zh;q=0", "/en/"),
        ("zh;q=nonsense,en;q=0.1", "/en/"),
    ],
)
def test_the_root_leads_to_the_readers_language(web: Any, header: str | None, target: str) -> None:
    answer = web.get("/", headers={"Accept-Language": header} if header else {})
    assert (answer.status_code, answer.headers["location"]) == (302, target)
    assert answer.headers["vary"] == "Accept-Language"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_contents_and_every_lesson_in_both_languages(web: Any, lang: str) -> None:
    entries = web.get("/api/lessons").json()["lessons"]
    assert [entry["number"] for entry in entries] == sorted(entry["number"] for entry in entries)
    assert entries
    contents = web.get(f"/{lang}/")
    assert contents.status_code == 200
    assert f'lang="{STRINGS[lang]["lang_tag"]}"' in contents.text  # type: ignore[index]
    assert contents.headers["cache-control"] == "no-cache"
    assert contents.headers["content-language"] == STRINGS[lang]["lang_tag"]  # type: ignore[index]
    for entry in entries:
        here = entry["languages"][lang]
        assert here["url"] in contents.text
        page = web.get(here["url"])
        assert page.status_code == 200
        assert all(cell in page.text for cell in here["cells"])
        assert entry["languages"]["en" if lang == "zh" else "zh"]["url"] in page.text


def test_pages_run_no_inline_script_and_load_nothing_from_elsewhere(web: Any) -> None:
    for entry in web.get("/api/lessons").json()["lessons"]:
        page = web.get(entry["languages"]["en"]["url"]).text
        assert not re.search(r"\son\w+=", re.sub(r"<pre.*?</pre>|<textarea.*?</textarea>", "", page, flags=re.S))
        assert "javascript:" not in page
        for script in re.findall(r"<script[^>]*>.*?</script>", page, re.S):
            assert re.fullmatch(r'<script[^>]* src="/static/[^"]+"[^>]*>\s*</script>', script), script
        for address in re.findall(r'(?:src|<link[^>]* href)="([^"]*)"', page):
            assert address.startswith(("/", "data:")), address


def test_exports(web: Any) -> None:
    entry = web.get("/api/lessons").json()["lessons"][0]["languages"]["zh"]
    answer = web.get(entry["notebook"])
    assert answer.headers["content-type"] == "application/x-ipynb+json"
    assert answer.headers["content-disposition"].endswith('.zh.ipynb"')
    nbformat.validate(nbformat.from_dict(answer.json()))
    script = web.get(entry["script"])
    assert script.headers["content-type"].startswith("text/x-python")
    compile(script.text, "lesson.py", "exec")


@pytest.mark.parametrize(
    "path", ["/fr/", "/en/lessons/99-none", "/en/lessons/NONE", "/en/lessons/99-none.ipynb", "/fr/lessons/x.py", "/en"]
)
def test_what_is_not_there_is_a_page_for_browsers_and_a_problem_for_programs(web: Any, path: str) -> None:
    page = web.get(path, headers=PAGE)
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    problem = web.get(path)
    assert problem.status_code == 404
    assert problem.json()["type"] == "/docs#not-found"


def test_error_pages_speak_the_language_of_the_address_else_of_the_browser(web: Any) -> None:
    title = {lang: STRINGS[lang]["error_not_found_title"] for lang in STRINGS}
    english = {**PAGE, "Accept-Language": "en"}
    assert title["zh"] in web.get("/zh/lessons/99-none", headers=english).text
    assert title["en"] in web.get("/nothing", headers=english).text
    assert title["zh"] in web.get("/nothing", headers={**PAGE, "Accept-Language": "zh"}).text


def test_a_failing_page_is_an_error_page(web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import app.web.pages

    monkeypatch.setattr(app.web.pages, "_catalog", lambda request: 1 / 0)
    answer = web.get("/zh/", headers=PAGE)
    assert answer.status_code == 500
    assert STRINGS["zh"]["error_internal_title"] in answer.text


def test_pages_and_files_answer_head(web: Any) -> None:
    for path in ("/en/", "/static/main-AAAAAAAA.js"):
        assert web.request("HEAD", path).status_code == 200


def test_static_files(web: Any) -> None:
    plain = web.get("/static/main-AAAAAAAA.js", headers={"Accept-Encoding": "identity"})
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "content-encoding" not in plain.headers
    packed = web.get("/static/main-AAAAAAAA.js", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.content == plain.content
    again = web.get("/static/main-AAAAAAAA.js", headers={"If-None-Match": f'"x", {plain.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    manifest = web.get("/static/manifest.json")
    assert manifest.headers["cache-control"] == "no-cache"
    assert json.loads(manifest.content)["main.js"] == "main-AAAAAAAA.js"


def test_pages_are_compressed_and_not_sent_twice(web: Any) -> None:
    first = web.get("/en/", headers={"Accept-Encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip"
    assert web.get("/en/", headers={"Accept-Encoding": "gzip;q=0"}).headers.get("content-encoding") is None
    again = web.get("/en/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    missing = web.get("/en/none", headers=PAGE)
    assert web.get("/en/none", headers={**PAGE, "If-None-Match": missing.headers["etag"]}).status_code == 404


@pytest.mark.parametrize("path", ["none.js", "", "../templates/base.html", "%2e%2e/%2e%2e/lessons", "/etc/passwd"])
def test_nothing_else_is_served_as_static(web: Any, path: str) -> None:
    assert web.get(f"/static/{path}").status_code == 404
