"""The app over a store that remembers what was asked of it, so that the web layer is tested alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httpx
import pytest

from app.config import Settings
from app.main import create_app
from app.resources import Resources, find_resources
from app.sessions.errors import TooManySessions, UnknownSession
from app.sessions.events import Output, Status
from app.sessions.replay import HistoryCell

ORIGIN = "http://127.0.0.1:8000"
STATUS = Status(status="ok", reason=None, elapsed_ms=1, execution_count=1)


class FakeSession:
    """Answers with prepared events and writes down every call."""

    def __init__(self, session_id: str) -> None:
        self.id = session_id
        self.calls: list[tuple[str, Any]] = []
        self.events: list[Output | Status | Exception] = [Output({"output_type": "stream"}), STATUS]

    async def run(
        self, *, cell: str, source: str, lesson: str | None, history: Sequence[HistoryCell]
    ) -> AsyncIterator[Output | Status]:
        self.calls.append(("run", (cell, source, lesson, [(item.cell, item.source) for item in history])))
        for event in self.events:
            if isinstance(event, Exception):
                raise event
            yield event

    async def interrupt(self) -> None:
        self.calls.append(("interrupt", None))

    async def restart(self) -> None:
        self.calls.append(("restart", None))

    async def complete(self, source: str, cursor: int) -> dict[str, Any]:
        return {"matches": [{"text": source, "type": "name"}], "start": 0, "end": cursor}

    async def inspect(self, source: str, cursor: int) -> dict[str, Any]:
        return {"found": False, "data": {}}


class FakeStore:
    def __init__(self) -> None:
        self.sessions: dict[str, FakeSession] = {}
        self.full = False
        self.report: dict[str, Any] = {"full": True, "layers": {}}

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def confinement(self) -> dict[str, Any]:
        return self.report

    def __len__(self) -> int:
        return len(self.sessions)

    def create(self) -> FakeSession:
        if self.full:
            raise TooManySessions(60)
        session = FakeSession(f"s{len(self.sessions)}-{'x' * 20}")
        self.sessions[session.id] = session
        return session

    def get(self, session_id: str) -> FakeSession:
        if session_id not in self.sessions:
            raise UnknownSession
        return self.sessions[session_id]

    async def delete(self, session_id: str) -> None:
        del self.sessions[session_id]


class Web:
    """The app and its fake store; `request` sends one request as a program would, without cookies."""

    def __init__(self, settings: Settings, resources: Resources) -> None:
        self.store = FakeStore()
        self.app = create_app(settings, resources=resources, store=self.store)  # type: ignore[arg-type]

    def request(self, method: str, path: str, *, origin: str = ORIGIN, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=origin) as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def session(self) -> tuple[FakeSession, str, dict[str, str]]:
        """A session, its address, and the headers that prove it is ours."""
        session = self.store.create()
        return session, f"/api/sessions/{session.id}", {"Authorization": f"Bearer {session.id}"}


@pytest.fixture(scope="session")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """The project's templates and lessons with a bundle of three small files, so that no Node is needed."""
    real = find_resources()
    root = tmp_path_factory.mktemp("data")
    dist = root / "static" / "dist"
    dist.mkdir(parents=True)
    names = {"main.js": "main-AAAAAAAA.js", "theme.js": "theme-BBBBBBBB.js", "style.css": "style-CCCCCCCC.css"}
    for name in (*names.values(), "katex-DDDDDDDD.css", "icon-EEEEEEEE.svg"):
        (dist / name).write_text("/* text that repeats */\n" * 100)
    names |= {"katex.css": "katex-DDDDDDDD.css", "icon.svg": "icon-EEEEEEEE.svg"}
    (dist / "manifest.json").write_bytes(httpx.Response(200, json=names).content)
    for name in ("templates", "lessons", "docs"):
        (root / name).symlink_to(real.root / name)
    return Resources(root=root, packed=False)


@pytest.fixture
def make_web(resources: Resources) -> Callable[..., Web]:
    """Builds the app with given settings."""
    return lambda settings=None: Web(settings or Settings(), resources)


@pytest.fixture
def web(make_web: Callable[..., Web]) -> Web:
    """The app with default settings."""
    return make_web()
