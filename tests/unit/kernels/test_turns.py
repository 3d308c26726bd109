from __future__ import annotations

import asyncio

from app.kernels.turns import Member, TurnRing


class Cell:
    """A long cell that notes whether it runs."""

    def __init__(self) -> None:
        self.running = True
        self.resumed = asyncio.Event()
        self.member = Member(resume=self.resume, pause=self.pause)

    def resume(self) -> None:
        self.running = True
        self.resumed.set()

    def pause(self) -> None:
        self.running = False


def test_one_cell_alone_is_never_stopped() -> None:
    async def scenario() -> None:
        ring = TurnRing(slots=1)
        cell = Cell()
        ring.join(cell.member)
        assert cell.running
        ring.leave(cell.member)
        await ring.close()

    asyncio.run(scenario())


def test_no_more_run_than_there_are_slots_and_every_one_gets_its_turn() -> None:
    async def scenario() -> None:
        ring = TurnRing(slots=2)
        cells = [Cell() for _ in range(5)]
        for cell in cells:
            ring.join(cell.member)
        assert sum(cell.running for cell in cells) == 2
        for cell in cells:
            # Clear first: an earlier turn does not count.
            cell.resumed.clear()
        for cell in cells:
            await cell.resumed.wait()
            assert sum(each.running for each in cells) == 2
        assert all(cell.member.waited > 0 for cell in cells)
        await ring.close()

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_a_cell_that_leaves_runs_and_gives_its_slot_to_the_next() -> None:
    async def scenario() -> None:
        ring = TurnRing(slots=1)
        first, second = Cell(), Cell()
        ring.join(first.member)
        ring.join(second.member)
        assert (first.running, second.running) == (False, True)
        ring.leave(second.member)
        assert first.running
        ring.join(second.member)
        assert not first.running
        ring.leave(first.member)
        assert first.running
        assert second.running
        await ring.close()

    asyncio.run(scenario())
