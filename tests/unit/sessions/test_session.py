"""One learner's page: its namespace, its queue of cells, its kernel that comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest
from kernel_lab import Lab

from app.kernels.forkclient import KernelsUnavailable
from app.kernels.process import KernelProcess
from app.sessions.errors import SessionBusy
from app.sessions.events import Output, Status
from app.sessions.session import QUEUE, Session
from app.sessions.store import HistoryCell


async def run(
    session: Session, source: str, history: Sequence[HistoryCell] = (), cell: str = "c"
) -> tuple[str, Status]:
    """Run a cell; give all its text and its status."""
    text = ""
    status = None
    async for event in session.run(cell=cell, source=source, lesson="3-autograd", history=history):
        if isinstance(event, Output):
            output = event.output
            text += output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue", "")
        else:
            status = event
    assert status is not None
    return text, status


@pytest.fixture
def session(lab: Lab) -> Iterator[Session]:
    made = Session("id", lab.pool.acquire, lambda: 0.0)
    yield made
    lab.wait(made.close())


def test_cells_share_a_namespace(lab: Lab, session: Session) -> None:
    assert lab.wait(run(session, "x = 1"))[1].execution_count == 1
    text, status = lab.wait(run(session, "x + 1"))
    assert (text, status.status, status.execution_count) == ("2", "ok", 2)


def test_history_is_run_in_silence_when_the_kernel_is_new(lab: Lab, session: Session) -> None:
    history = [
        HistoryCell("a", "x = 1\nprint('loud')"),
        HistoryCell("b", "x += 1; 1 / 0"),
        HistoryCell("c", "y = x * 10"),
    ]
    text, status = lab.wait(run(session, "y", history))
    assert text == "20"
    assert status.execution_count == 4


def test_history_is_not_run_again_while_the_kernel_lives(lab: Lab, session: Session) -> None:
    history = [HistoryCell("a", "x = 1")]
    lab.wait(run(session, "x += 1", history))
    assert lab.wait(run(session, "x", history))[0] == "2"


def test_a_killed_kernel_is_rebuilt_from_history(lab: Lab, session: Session) -> None:
    lab.wait(run(session, "x = 7"))
    _text, status = lab.wait(run(session, "import os; os._exit(1)"))
    assert status.status == "killed"
    assert not session.has_kernel
    assert lab.wait(run(session, "x", [HistoryCell("a", "x = 7")]))[0] == "7"


def test_a_history_that_does_not_end_says_so_and_leaves_no_half_namespace(lab: Lab, session: Session) -> None:
    history = [HistoryCell("a", "x = 1"), HistoryCell("b", "import os; os._exit(1)")]
    _text, status = lab.wait(run(session, "x", history))
    assert status.status == "killed"
    assert "earlier cell" in str(status.reason)
    assert lab.wait(run(session, "'x' in dir()"))[0] == "False"


def test_restart_gives_an_empty_namespace(lab: Lab, session: Session) -> None:
    lab.wait(run(session, "x = 1"))
    lab.wait(session.restart())
    text, status = lab.wait(run(session, "x"))
    assert "not defined" in text
    assert status.execution_count == 1


def test_runs_of_one_session_wait_for_one_another(lab: Lab, session: Session) -> None:
    async def scenario() -> list[str]:
        results = await asyncio.gather(
            run(session, "import time; time.sleep(0.05); x = 'first'; x"), run(session, "x += ' second'; x")
        )
        return [text for text, _ in results]

    assert lab.wait(scenario()) == ["'first'", "'first second'"]


def test_stop_stops_the_running_cell_and_those_behind_it(lab: Lab, session: Session) -> None:
    async def scenario() -> list[Status]:
        behind: asyncio.Task[tuple[str, Status]] | None = None
        statuses = []
        async for event in session.run(cell="c", source="print('on', flush=True)\nwhile True: pass", lesson=None):
            if isinstance(event, Status):
                statuses.append(event)
            elif behind is None:
                behind = asyncio.create_task(run(session, "1"))
                while not session.waiting:  # noqa: ASYNC110 - until it has joined the queue
                    await asyncio.sleep(0)
                await session.interrupt()
        assert behind is not None
        statuses.append((await behind)[1])
        statuses.append((await run(session, "1"))[1])
        return statuses

    assert [status.status for status in lab.wait(scenario())] == ["interrupted", "interrupted", "ok"]


def test_the_queue_has_an_end(lab: Lab, session: Session) -> None:
    async def scenario() -> None:
        tasks = [asyncio.create_task(run(session, "import time; time.sleep(0.001)")) for _ in range(QUEUE + 1)]
        while session.waiting < QUEUE:  # noqa: ASYNC110
            await asyncio.sleep(0)
        with pytest.raises(SessionBusy):
            session.run(cell="c", source="1")
        await asyncio.gather(*tasks)
        assert (await run(session, "1"))[1].status == "ok"

    lab.wait(scenario())


def test_closing_ends_the_running_cell(lab: Lab) -> None:
    session = Session("id", lab.pool.acquire, lambda: 0.0)

    async def scenario() -> Status:
        async for event in session.run(cell="c", source="print('on', flush=True)\nwhile True: pass"):
            if isinstance(event, Status):
                return event
            closing = asyncio.create_task(session.close())
        await closing
        raise AssertionError("no status")

    assert lab.wait(scenario()).status == "killed"


def test_who_leaves_the_stream_stops_the_cell_and_the_next_run_is_served(lab: Lab, session: Session) -> None:
    async def scenario() -> str:
        events = session.run(cell="c", source="kept = 1\nprint('on', flush=True)\nwhile True: pass")
        await anext(events)
        await events.aclose()  # type: ignore[attr-defined]
        return (await run(session, "kept"))[0]

    assert lab.wait(scenario()) == "1"


def test_completion_works_before_anything_has_run_and_does_not_eat_the_history(lab: Lab, session: Session) -> None:
    found = lab.wait(session.complete("torch.te", 8))
    assert found == {"matches": [{"text": "tensor", "type": "attribute"}], "start": 6, "end": 8}
    assert lab.wait(session.inspect("torch.tensor", 9))["found"] is True
    assert lab.wait(run(session, "x", [HistoryCell("a", "x = 7")]))[0] == "7"


def test_without_kernels_a_run_says_why(lab: Lab) -> None:
    async def refuse() -> KernelProcess:
        raise KernelsUnavailable("No room.")

    session = Session("id", refuse, lambda: 0.0)
    text, status = lab.wait(run(session, "1"))
    assert (text, status.status, status.reason, status.execution_count) == ("", "killed", "No room.", None)
    assert lab.wait(session.complete("a", 1)) == {"matches": [], "start": 1, "end": 1}
    assert lab.wait(session.inspect("a", 1)) == {"found": False, "data": {}}
