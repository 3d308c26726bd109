"""Fixtures for the whole suite: a running server, and a browser that complains."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


def find_chromium() -> str | None:
    """A Chromium of this machine: the one that CHROMIUM names, else one on the path."""
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in _CHROMIUMS if (found := shutil.which(name))), None)


@dataclass(frozen=True)
class LiveServer:
    """A server that really listens."""

    url: str
    app: Any


@pytest.fixture(scope="session")
def live_server() -> Iterator[LiveServer]:
    """The real app, with real kernels, on a free port of this machine."""
    import uvicorn

    from app.config import Limits, Settings
    from app.main import create_app
    from app.serving import listen

    # The tests of one run are one address that never rests.
    limits = Limits(address_rate=10_000.0, address_burst=100_000, opening_rate=1000.0, opening_burst=10_000)
    app = create_app(Settings(port=0, limits=limits))
    with listen("127.0.0.1", 0) as listener:
        config = uvicorn.Config(app, log_level="warning", lifespan="on", timeout_graceful_shutdown=3)
        server = uvicorn.Server(config)
        started = threading.Event()
        failure: list[BaseException] = []

        async def startup(sockets: list[socket.socket] | None = None) -> None:
            await uvicorn.Server.startup(server, sockets)
            started.set()

        def run() -> None:
            try:
                server.run(sockets=[listener])
            except BaseException as error:
                failure.append(error)
            finally:
                started.set()

        server.startup = startup  # type: ignore[method-assign]
        thread = threading.Thread(target=run, name="live-server")
        thread.start()
        try:
            if not started.wait(60) or not server.started:
                raise RuntimeError("the server did not start; its log says why") from (failure or [None])[0]
            yield LiveServer(f"http://127.0.0.1:{listener.getsockname()[1]}", app)
        finally:
            server.should_exit = True
            thread.join(30)
    assert not thread.is_alive()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last: Playwright leaves an event loop running in which no other test could start its own."""
    playwright = {"page", "browser", "browser_type", "context"}
    items.sort(key=lambda item: bool(playwright & set(getattr(item, "fixturenames", ()))))


@pytest.fixture(scope="session")
def base_url(live_server: LiveServer) -> str:
    """Lets browser tests say `page.goto("/zh/")`."""
    return live_server.url


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Chromium of the machine, quiet: no updates, no metrics, nothing that calls home."""
    chromium = find_chromium()
    if chromium is None:
        message = "no Chromium found: install chromium, or name one in the environment variable CHROMIUM"
        if CI:
            pytest.fail(message)
        pytest.skip(message)
    flags = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Chromium refuses to use its own sandbox as root; the pages it opens here are ours.
        flags.append("--no-sandbox")
    return {**browser_type_launch_args, "executable_path": chromium, "args": flags}


class Complaints:
    """What went wrong in a browser context while a test ran. A test that provokes something lists it in `expected`."""

    def __init__(self, own: str) -> None:
        self._own = urlsplit(own).netloc
        self._found: list[str] = []
        #: Pieces of text; a complaint that contains one of them is part of the test.
        self.expected: list[str] = []

    def watch(self, context: Any) -> None:
        context.on("weberror", lambda error: self._found.append(f"page error: {error.error}"))
        context.on("console", self._on_console)
        context.on("request", self._on_request)

    def _on_console(self, message: Any) -> None:
        if message.type == "error":
            where = message.location.get("url", "") if message.location else ""
            self._found.append(f"console error: {message.text} ({where})")

    def _on_request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self._own:
            self._found.append(f"request to another host: {request.url}")

    @property
    def unexpected(self) -> list[str]:
        return [text for text in self._found if not any(piece in text for piece in self.expected)]


@pytest.fixture
def complaints(base_url: str) -> Complaints:
    """The complaints of this test's browser; see `Complaints.expected`."""
    return Complaints(base_url)


@pytest.fixture
def context(context: Any, complaints: Complaints) -> Iterator[Any]:
    """pytest-playwright's context, failing the test on page errors, console errors and requests to other hosts."""
    complaints.watch(context)
    yield context
    assert complaints.unexpected == []
