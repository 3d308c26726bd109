"""The store: ids, limits, culling."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from kernel_lab import FAKE_ENGINE, Lab

from app.kernels.forkclient import server_path
from app.kernels.pool import KernelPool
from app.sessions.errors import KernelsUnavailable, TooManySessions, UnknownSession
from app.sessions.events import Status
from app.sessions.session import Session
from app.sessions.store import SessionStore, StoreLimits

LIMITS = StoreLimits(sessions=3, kernels=2, kernel_idle=100, session_idle=1000, session_spare=50)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(lab: Lab, clock: Clock) -> Iterator[SessionStore]:
    made = SessionStore(lab.pool, LIMITS, clock)
    yield made
    for session in list(made._sessions.values()):
        lab.wait(session.close())


async def status_of(session: Session, source: str = "1") -> Status:
    async for event in session.run(cell="c", source=source):
        if isinstance(event, Status):
            return event
    raise AssertionError("no status")


def test_ids_are_long_and_all_different(store: SessionStore) -> None:
    ids = {store.create().id for _ in range(3)}
    assert len(ids) == 3
    assert all(len(session_id) >= 43 for session_id in ids)


def test_a_session_is_found_until_it_is_deleted(lab: Lab, store: SessionStore) -> None:
    session = store.create()
    assert store.get(session.id) is session
    assert len(store) == 1
    lab.wait(store.delete(session.id))
    with pytest.raises(UnknownSession):
        store.get(session.id)
    with pytest.raises(UnknownSession):
        lab.wait(store.delete(session.id))
    assert len(store) == 0


def test_a_full_store_refuses_newcomers_while_all_are_in_use(store: SessionStore) -> None:
    for _ in range(3):
        store.create()
    with pytest.raises(TooManySessions) as refused:
        store.create()
    assert refused.value.retry_after > 0


def test_a_full_store_gives_a_newcomer_the_place_of_the_idlest(lab: Lab, store: SessionStore, clock: Clock) -> None:
    async def scenario() -> None:
        oldest = store.create()
        await status_of(oldest)
        clock.now = 10
        others = [store.create(), store.create()]
        clock.now = 61
        store.create()
        assert len(store) == 3
        with pytest.raises(UnknownSession):
            store.get(oldest.id)
        assert all(store.get(other.id) is other for other in others)
        await store.cull()

    lab.wait(scenario())


def test_idle_kernels_are_culled_and_their_sessions_kept(lab: Lab, store: SessionStore, clock: Clock) -> None:
    async def scenario() -> None:
        idle, used = store.create(), store.create()
        await status_of(idle)
        await status_of(used)
        clock.now = 99
        await store.cull()
        assert idle.has_kernel
        await status_of(used)
        clock.now = 101
        await store.cull()
        assert not idle.has_kernel
        assert used.has_kernel
        assert store.get(idle.id) is idle
        assert (await status_of(idle)).status == "ok"

    lab.wait(scenario())


def test_sessions_that_nobody_uses_are_forgotten(lab: Lab, store: SessionStore, clock: Clock) -> None:
    session = store.create()
    clock.now = 1001
    lab.wait(store.cull())
    with pytest.raises(UnknownSession):
        store.get(session.id)


def test_when_kernels_run_out_the_idlest_gives_way(lab: Lab, store: SessionStore, clock: Clock) -> None:
    async def scenario() -> list[bool]:
        sessions = [store.create() for _ in range(3)]
        for session in sessions:
            clock.now += 1
            assert (await status_of(session)).status == "ok"
        return [session.has_kernel for session in sessions]

    assert lab.wait(scenario()) == [False, True, True]


def test_a_busy_kernel_is_never_taken_away(lab: Lab, store: SessionStore) -> None:
    async def scenario() -> tuple[Status, list[Status]]:
        busy = [store.create(), store.create()]
        streams = [session.run(cell="c", source="print('on', flush=True)\nwhile True: pass") for session in busy]
        for stream in streams:
            await anext(stream)
        refused = await status_of(store.create())
        for session in busy:
            await session.interrupt()
        ended = [event for stream in streams async for event in stream if isinstance(event, Status)]
        return refused, ended

    refused, ended = lab.wait(scenario())
    assert refused.status == "killed"
    assert "busy" in str(refused.reason)
    assert [status.status for status in ended] == ["interrupted", "interrupted"]


def test_a_store_starts_and_ends_its_own_kernels() -> None:
    async def scenario() -> None:
        store = SessionStore(KernelPool(ready=1, sys_path=[FAKE_ENGINE, *server_path()]))
        assert store.confinement() == {}
        await store.start()
        assert "layers" in store.confinement()
        session = store.create()
        assert (await status_of(session)).status == "ok"
        await store.close()
        assert len(store) == 0
        assert not session.has_kernel

    asyncio.run(scenario())


def test_a_store_that_was_not_started_says_so() -> None:
    async def scenario() -> Status:
        return await status_of(SessionStore().create())

    assert "not started" in str(asyncio.run(scenario()).reason)
    assert issubclass(KernelsUnavailable, Exception)
