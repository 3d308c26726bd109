from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from app.config import Limits, Settings
from app.web.security import SAFE_METHODS

ELSEWHERE = "http://127.0.0.1:9999"


def all_routes(routes: Iterable[Any]) -> Iterator[Any]:
    """Every route below `routes`, those of included routers too."""
    for route in routes:
        inner = getattr(route, "original_router", None) or getattr(route, "app", None)
        if hasattr(inner, "routes"):
            yield from all_routes(inner.routes)
        else:
            yield route


def changing_calls(app: Any) -> list[tuple[str, str]]:
    return [
        (method, route.path.replace("{session}", "s"))
        for route in all_routes(app.routes)
        for method in sorted((getattr(route, "methods", None) or set()) - SAFE_METHODS)
    ]


def test_every_changing_route_refuses_other_sites(web: Any) -> None:
    calls = changing_calls(web.app)
    assert len(calls) >= 8
    for method, path in calls:
        for headers in ({"Origin": ELSEWHERE}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
            answer = web.request(method, path, headers=headers)
            assert (answer.status_code, answer.json()["type"]) == (403, "/docs#foreign-origin"), (method, path, headers)
        answer = web.request(method, path, headers={"Host": "rebound.example"})
        assert answer.status_code == 421, (method, path)


def test_every_changing_route_of_a_session_refuses_strangers(web: Any) -> None:
    session, _, _ = web.session()
    for method, path in changing_calls(web.app):
        if "/sessions/s" not in path:
            continue
        path = path.replace("/sessions/s", f"/sessions/{session.id}")
        for headers in ({}, {"Authorization": "Bearer other"}, {"Cookie": "gradlens_session=other"}):
            answer = web.request(method, path, headers={"Content-Type": "application/json", **headers}, content="{}")
            assert (answer.status_code, answer.json()["type"]) == (403, "/docs#foreign-session"), (method, path)
    assert session.calls == []


def test_no_route_speaks_websocket(web: Any) -> None:
    assert all(hasattr(route, "methods") for route in all_routes(web.app.routes))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1:8000"},
        {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"},
        {"Host": "localhost:8000", "Origin": "http://localhost:8000"},
        {"Host": "[::1]:8000", "Origin": "http://[::1]:8000"},
        {"Host": "LOCALHOST:8000"},
    ],
)
def test_own_pages_and_programs_may_call(web: Any, headers: dict[str, str]) -> None:
    assert web.post("/api/sessions", headers=headers).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:8000"},
        {"Origin": "https://127.0.0.1:8000"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://127.0.0.1:8000.evil.example"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_near_misses_may_not(web: Any, headers: dict[str, str]) -> None:
    assert web.post("/api/sessions", headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:9000", "localhost.evil.example:8000", ""])
def test_foreign_hosts_get_nothing_even_to_read(web: Any, host: str) -> None:
    answer = web.get("/healthz", headers={"Host": host})
    assert answer.status_code == 421
    assert "--origin" in answer.json()["detail"]


def test_configured_origins(make_web: Callable[..., Any]) -> None:
    web = make_web(Settings(origins=("https://learn.example.org",)))
    host = {"Host": "learn.example.org"}
    opened = web.post("/api/sessions", headers={**host, "Origin": "https://learn.example.org"})
    assert opened.status_code == 201
    assert "; Secure" in opened.headers["set-cookie"]
    assert web.post("/api/sessions", headers={**host, "Origin": "http://learn.example.org"}).status_code == 403
    assert web.post("/api/sessions", headers={"Origin": "https://learn.example.org"}).status_code == 403


@pytest.mark.parametrize("origin", ["learn.example.org", "https://learn.example.org/", "ftp://x", "https://u@x"])
def test_malformed_origins_are_refused_at_once(origin: str) -> None:
    with pytest.raises(ValueError, match="no origin"):
        Settings(origins=(origin,))


@pytest.mark.parametrize(
    "path", ["/en/", "/api/lessons", "/static/main-AAAAAAAA.js", "/nothing", "/docs", "/api/nothing"]
)
def test_every_answer_carries_the_policy(web: Any, path: str) -> None:
    headers = web.get(path, headers={"Accept": "text/html"}).headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_a_failure_carries_the_policy_and_no_traceback(web: Any) -> None:
    def fail() -> None:
        raise RuntimeError("secret")

    web.store.create = fail
    answer = web.post("/api/sessions")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/docs#internal"
    assert "secret" not in answer.text
    assert "content-security-policy" in answer.headers


def test_bodies_are_bounded_with_and_without_a_declared_length(make_web: Callable[..., Any]) -> None:
    web = make_web(Settings(limits=Limits(body=1024)))
    session, address, headers = web.session()
    headers["Content-Type"] = "application/json"
    declared = web.post(f"{address}/run", headers=headers, content=b" " * 2000)
    assert declared.status_code == 413

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 100

    chunked = web.post(f"{address}/run", headers=headers, content=chunks())
    assert (chunked.status_code, chunked.json()["type"]) == (413, "/docs#too-large")
    assert session.calls == []


def test_headers_are_bounded(make_web: Callable[..., Any]) -> None:
    web = make_web(Settings(limits=Limits(headers=1024)))
    assert web.get("/healthz", headers={"X-Filler": "x" * 2000}).status_code == 431


def test_addresses_and_sessions_have_rates(make_web: Callable[..., Any]) -> None:
    web = make_web(Settings(limits=Limits(address_rate=0.001, address_burst=5, session_rate=0.001, session_burst=2)))
    _, address, headers = web.session()
    statuses = [web.post(f"{address}/restart", headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in statuses] == [202, 202, 429]
    assert int(statuses[2].headers["retry-after"]) >= 1
    # Stop must work for a page that has been too busy.
    assert web.post(f"{address}/interrupt", headers=headers).status_code == 202
    assert web.post("/api/sessions").status_code == 201
    refused = web.post("/api/sessions")
    assert (refused.status_code, refused.json()["type"]) == (429, "/docs#too-many-requests")
    assert web.get("/healthz").status_code == 200


def test_one_address_cannot_take_all_places(make_web: Callable[..., Any]) -> None:
    web = make_web(Settings(limits=Limits(opening_rate=0.5, opening_burst=2)))
    answers = [web.post("/api/sessions") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert answers[2].headers["retry-after"] == "2"
    assert len(web.store) == 2


def test_websockets_are_closed(web: Any) -> None:
    sent: list[Any] = []

    async def connect() -> None:
        async def receive() -> Any:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        await web.app({"type": "websocket", "path": "/", "headers": [], "app": web.app}, receive, send)

    asyncio.run(connect())
    assert sent == [{"type": "websocket.close", "code": 1008}]
