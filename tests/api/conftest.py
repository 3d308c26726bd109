"""A learner who speaks HTTP to the real server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

#: A cell that says when it runs, and does not end by itself.
ENDLESS = "print('begun', flush=True)\nwhile True:\n    pass"


@dataclass
class Answer:
    """All events of a run."""

    outputs: list[dict[str, Any]] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What was printed."""
        return "".join(output["text"] for output in self.outputs if output["output_type"] == "stream")

    @property
    def result(self) -> str | None:
        """The text of the last expression."""
        found = [output for output in self.outputs if output["output_type"] == "execute_result"]
        return found[-1]["data"]["text/plain"] if found else None

    @property
    def error(self) -> dict[str, Any] | None:
        found = [output for output in self.outputs if output["output_type"] == "error"]
        return found[-1] if found else None


class Learner:
    """One session."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.id: str = client.post("/api/sessions").json()["session"]
        # The header alone is tested here; the jar of the client would send cookies as well.
        client.cookies.clear()
        self.headers = {"Authorization": f"Bearer {self.id}"}
        self.cells = 0

    def call(self, method: str, path: str = "", **options: Any) -> httpx.Response:
        return self.client.request(method, f"/api/sessions/{self.id}{path}", headers=self.headers, **options)

    def body(self, source: str, history: list[str]) -> dict[str, Any]:
        self.cells += 1
        past = [{"cell": f"past-{number}", "source": text} for number, text in enumerate(history)]
        return {"cell": f"cell-{self.cells}", "source": source, "history": past}

    @contextmanager
    def running(self, source: str, history: list[str] | None = None) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
        """The events of a run as they come; leaving the block hangs up."""
        body = self.body(source, history or [])
        url = f"/api/sessions/{self.id}/run"
        with self.client.stream("POST", url, json=body, headers=self.headers) as response:
            assert response.status_code == 200, response.read()
            yield events(response.iter_lines())

    def run(self, source: str, history: list[str] | None = None) -> Answer:
        """Run a cell to its end."""
        answer = Answer()
        with self.running(source, history) as stream:
            for name, data in stream:
                assert not answer.status, "an event came after the status"
                if name == "output":
                    answer.outputs.append(data)
                else:
                    assert name == "status"
                    answer.status = data
        assert answer.status, "the stream ended without a status"
        return answer


def events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Server-sent events out of lines."""
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


@pytest.fixture
def client(live_server: Any) -> Iterator[httpx.Client]:
    """A connection to the running server."""
    with httpx.Client(base_url=live_server.url, timeout=60) as client:
        yield client


@pytest.fixture
def new_learner(client: httpx.Client) -> Iterator[Callable[[], Learner]]:
    """Opens sessions, closed after the test."""
    learners: list[Learner] = []

    def make() -> Learner:
        learners.append(Learner(client))
        return learners[-1]

    yield make
    for learner in learners:
        learner.call("DELETE")


@pytest.fixture
def learner(new_learner: Callable[[], Learner]) -> Learner:
    """A session of one's own."""
    return new_learner()
