from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.config import Limits, Settings
from app.sessions.errors import KernelsUnavailable, SessionBusy, UnknownSession
from app.sessions.events import Output


def events(text: str) -> list[tuple[str, Any]]:
    """The events of an answer, as the page reads them."""
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_a_session_is_opened_with_a_cookie_for_its_own_addresses(web: Any) -> None:
    answer = web.post("/api/sessions")
    session = answer.json()["session"]
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"gradlens_session={session};")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
        "httponly",
        "samesite=strict",
        f"path=/api/sessions/{session}".lower(),
    }


def test_the_cookie_opens_the_session(web: Any) -> None:
    session, address, _ = web.session()
    answer = web.post(f"{address}/interrupt", headers={"Cookie": f"gradlens_session={session.id}"})
    assert answer.status_code == 202
    assert session.calls == [("interrupt", None)]


def test_the_bearer_header_counts_when_both_are_sent(web: Any) -> None:
    session, address, _ = web.session()
    headers = {"Cookie": f"gradlens_session={session.id}", "Authorization": "Bearer other"}
    assert web.post(f"{address}/interrupt", headers=headers).status_code == 403


def test_a_run_streams_outputs_and_ends_with_its_status(web: Any) -> None:
    session, address, headers = web.session()
    output = {"output_type": "stream", "name": "stdout", "text": "一\n\ndata: two\r"}
    session.events.insert(0, Output(output))
    body = {"cell": "c", "source": "x", "lesson": "03-l", "history": [{"cell": "b", "source": "y"}]}
    answer = web.post(f"{address}/run", headers=headers, json=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert events(answer.text) == [
        ("output", output),
        ("output", {"output_type": "stream"}),
        ("status", {"status": "ok", "reason": None, "elapsed_ms": 1, "execution_count": 1}),
    ]
    assert session.calls == [("run", ("c", "x", "03-l", [("b", "y")]))]


def test_a_run_that_breaks_off_still_ends_with_a_status(web: Any) -> None:
    session, address, headers = web.session()
    session.events = [Output({"output_type": "stream"}), RuntimeError("broken")]
    found = events(web.post(f"{address}/run", headers=headers, json={"cell": "c", "source": "x"}).text)
    assert [name for name, _ in found] == ["output", "status"]
    assert found[-1][1]["status"] == "killed"
    assert "broken" not in found[-1][1]["reason"]


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (SessionBusy(), 409, "busy"),
        (KernelsUnavailable("no"), 503, "unavailable"),
        (UnknownSession(), 404, "unknown-session"),
    ],
)
def test_a_run_that_cannot_begin_is_a_problem(web: Any, error: Exception, status: int, kind: str) -> None:
    session, address, headers = web.session()
    session.events = [error]
    answer = web.post(f"{address}/run", headers=headers, json={"cell": "c", "source": "x"})
    assert (answer.status_code, answer.json()["type"]) == (status, f"/docs#{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert status == 404 or int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"cell": "c"}, 422, "invalid"),
        ({"cell": "", "source": ""}, 422, "invalid"),
        ({"cell": "c", "source": 3}, 422, "invalid"),
        ({"cell": "c", "source": "", "more": 1}, 422, "invalid"),
        ({"cell": "c", "source": "", "history": [{"cell": "c"}]}, 422, "invalid"),
        ([], 422, "invalid"),
        ({"cell": "c", "source": "x" * 65537}, 413, "too-large"),
        ({"cell": "c", "source": "张" * 22000}, 413, "too-large"),
        ({"cell": "c", "source": "", "history": [{"cell": "c", "source": "x" * 65537}]}, 413, "too-large"),
        ({"cell": "c", "source": "", "history": [{"cell": "c", "source": "x" * 60000}] * 18}, 413, "too-large"),
        ({"cell": "c", "source": "", "history": [{"cell": "c", "source": ""}] * 501}, 413, "too-large"),
    ],
)
def test_bodies_out_of_bounds(web: Any, body: Any, status: int, kind: str) -> None:
    session, address, headers = web.session()
    answer = web.post(f"{address}/run", headers=headers, json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/docs#{kind}")
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) >= {"type", "title", "status", "detail"}
    assert session.calls == []


def test_a_source_of_exactly_the_bound_runs(web: Any) -> None:
    _, address, headers = web.session()
    answer = web.post(f"{address}/run", headers=headers, json={"cell": "c", "source": "x" * 65536})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("content", "media_type", "status", "kind"),
    [
        (b"{", "application/json", 400, "bad-request"),
        (b'{"cell": "c", "source": "\\ud800"}', "application/json", 422, "invalid"),
        (b"\xff\xfe", "application/json", 400, "bad-request"),
        (b'{"cell": "c", "source": ""}', "text/plain", 415, "not-json"),
        (b"cell=c&source=", "application/x-www-form-urlencoded", 415, "not-json"),
    ],
)
def test_bodies_that_are_no_json(web: Any, content: bytes, media_type: str, status: int, kind: str) -> None:
    session, address, headers = web.session()
    answer = web.post(f"{address}/run", headers={**headers, "Content-Type": media_type}, content=content)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/docs#{kind}")
    assert session.calls == []


def test_what_is_wrong_with_a_body_is_said(web: Any) -> None:
    _, address, headers = web.session()
    answer = web.post(f"{address}/run", headers=headers, json={"cell": "c"}).json()
    assert answer["errors"] == [{"where": "source", "what": "Field required"}]
    assert "source" in answer["detail"]


def test_a_session_that_is_gone_is_404_for_its_owner_only(web: Any) -> None:
    session, address, headers = web.session()
    assert web.request("DELETE", address, headers=headers).status_code == 204
    gone = web.post(f"{address}/interrupt", headers=headers)
    assert (gone.status_code, gone.json()["type"]) == (404, "/docs#unknown-session")
    assert "history" in gone.json()["detail"]
    assert web.post(f"{address}/interrupt").status_code == 403
    assert session.id not in web.store.sessions


def test_restart_complete_inspect(web: Any) -> None:
    session, address, headers = web.session()
    assert web.post(f"{address}/restart", headers=headers).status_code == 202
    assert session.calls == [("restart", None)]
    found = web.post(f"{address}/complete", headers=headers, json={"source": "torch.ar", "cursor": 8})
    assert found.json() == {"matches": [{"text": "torch.ar", "type": "name"}], "start": 0, "end": 8}
    assert web.post(f"{address}/inspect", headers=headers, json={"source": "x", "cursor": 1}).json()["found"] is False
    for cursor in (-1, 9):
        bad = web.post(f"{address}/complete", headers=headers, json={"source": "torch.ar", "cursor": cursor})
        assert bad.status_code == 422


def test_exercises_are_not_there_yet(web: Any) -> None:
    _, address, headers = web.session()
    answer = web.post(f"{address}/check", headers=headers, json={"exercise": "e1", "source": ""})
    assert (answer.status_code, answer.json()["type"]) == (404, "/docs#unknown-exercise")
    assert "e1" in answer.json()["detail"]


def test_a_full_server_says_when_to_come_back(web: Any) -> None:
    web.store.full = True
    answer = web.post("/api/sessions")
    assert (answer.status_code, answer.json()["type"]) == (429, "/docs#too-many-sessions")
    assert int(answer.headers["retry-after"]) >= 1


def test_unknown_addresses_and_methods(web: Any) -> None:
    assert web.get("/api/nothing").json()["type"] == "/docs#not-found"
    answer = web.get("/api/sessions")
    assert (answer.status_code, answer.json()["type"]) == (405, "/docs#method-not-allowed")
    assert answer.headers["allow"] == "POST"


def test_metrics_count_under_route_templates(web: Any) -> None:
    session, address, headers = web.session()
    web.post(f"{address}/run", headers=headers, json={"cell": "c", "source": "x"})
    text = web.get("/metrics").text
    labels = 'method="POST",route="/api/sessions/{session}/run",status="200"'
    assert f"gradlens_http_requests_total{{{labels}}} 1.0" in text
    assert 'gradlens_runs_total{status="ok"} 1.0' in text
    assert "gradlens_sessions 1.0" in text
    assert session.id not in text


def test_health_reports_confinement(web: Any) -> None:
    answer = web.get("/healthz").json()
    assert answer["status"] == "ok"
    assert answer["confinement"] == web.store.report


def test_limits_can_be_set(make_web: Callable[..., Any]) -> None:
    web = make_web(Settings(limits=Limits(source=10)))
    _, address, headers = web.session()
    assert web.post(f"{address}/run", headers=headers, json={"cell": "c", "source": "x" * 11}).status_code == 413
