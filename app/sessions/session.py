"""One learner's page: one namespace, one cell at a time, a kernel when it needs one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from app.kernels.events import Output, Status
from app.kernels.forkclient import KernelsUnavailable
from app.kernels.process import KernelProcess
from app.sessions.errors import SessionBusy
from app.sessions.replay import HistoryCell, replay

#: How many runs may wait behind the running one; "Run all" sends a page's cells one by one, people click twice.
QUEUE = 16

Acquire = Callable[[], Awaitable[KernelProcess]]


class Session:
    """A learner's session; its kernel comes and goes, the page's history rebuilds what it held."""

    def __init__(self, session_id: str, acquire: Acquire, clock: Callable[[], float]) -> None:
        self.id = session_id
        self._acquire = acquire
        self._clock = clock
        self._kernel: KernelProcess | None = None
        #: Whether the kernel holds nothing yet, so that history is to be run in it.
        self._fresh = True
        self._turn = asyncio.Lock()
        self._entered = 0
        self._stops = 0
        self._closed = False
        self.last_used = clock()

    @property
    def has_kernel(self) -> bool:
        """Whether a kernel holds this session's namespace now."""
        return self._kernel is not None and self._kernel.alive

    @property
    def busy(self) -> bool:
        """Whether a cell runs or waits."""
        return self._entered > 0

    @property
    def waiting(self) -> int:
        """How many runs wait behind the running one."""
        return max(0, self._entered - 1)

    def run(
        self,
        *,
        cell: str,
        source: str,
        lesson: str | None = None,  # noqa: ARG002 - for logs and counts of runs by page, which come later
        history: Sequence[HistoryCell] = (),
    ) -> AsyncIterator[Output | Status]:
        """Run `source` as cell `cell`; yield its outputs as they come and a `Status` as the last event.

        Runs of one session wait for one another. When the kernel is new, `history` is run first, in silence.
        `lesson` names the page, for those who log or count runs. Whoever stops listening stops the cell.

        Raises:
            SessionBusy: too many runs wait already (raised at once, before the first event).
        """
        if self.waiting >= QUEUE:
            raise SessionBusy
        return self._run(cell, source, history, self._stops)

    async def _run(
        self, cell: str, source: str, history: Sequence[HistoryCell], stops: int
    ) -> AsyncIterator[Output | Status]:
        self._entered += 1
        try:
            async with self._turn:
                status = await self._prepared(history, stops)
                if status is None and self._kernel is not None:
                    self._fresh = False
                    async with aclosing(self._kernel.run(cell=cell, source=source)) as events:
                        async for event in events:
                            if isinstance(event, Status):
                                status = event
                            else:
                                yield event
        finally:
            self._entered -= 1
            self.last_used = self._clock()
        # The turn is over before the last event goes out: a slow reader holds nobody up.
        assert status is not None, "a run ends with its status"
        yield status

    async def interrupt(self) -> None:
        """Stop the running cell and those that wait behind it; returns at once."""
        self._stops += 1
        if self._kernel is not None:
            await self._kernel.interrupt()

    async def restart(self) -> None:
        """Drop the namespace: the next run has a new kernel. A running cell ends as killed."""
        self._stops += 1
        await self.drop_kernel("The kernel was restarted.")

    async def complete(self, source: str, cursor: int) -> dict[str, Any]:
        """Complete at `cursor` (in code points): `matches`, each with `text` and `type`, `start` and `end`."""
        kernel = await self._idle_kernel()
        if kernel is None:
            return {"matches": [], "start": cursor, "end": cursor}
        return await kernel.complete(source, cursor)

    async def inspect(self, source: str, cursor: int) -> dict[str, Any]:
        """Find the documentation of the name at `cursor` (in code points): `found`, and `data`, a MIME bundle."""
        kernel = await self._idle_kernel()
        if kernel is None:
            return {"found": False, "data": {}}
        return await kernel.inspect(source, cursor)

    async def drop_kernel(self, reason: str = "The kernel was ended, because nobody used it.") -> None:
        """End the kernel; the session stays. A cell that runs in it ends as killed, with `reason`."""
        kernel, self._kernel = self._kernel, None
        if kernel is not None:
            await kernel.kill(reason)

    async def close(self) -> None:
        """End the session and its kernel."""
        self._closed = True
        self._stops += 1
        await self.drop_kernel("The page was closed.")

    async def _prepared(self, history: Sequence[HistoryCell], stops: int) -> Status | None:
        """Get a kernel with the namespace in it; give the status that says why there is none."""
        if self._stops != stops:
            # Stop was asked for while this run waited behind another: it was meant for both.
            return Status("interrupted", "Stopped before it began.", 0, None)
        self.last_used = self._clock()
        try:
            kernel = await self._living_kernel()
        except KernelsUnavailable as error:
            return Status("killed", str(error), 0, None)
        failed = await replay(kernel, history) if self._fresh else None
        if self._stops == stops and failed is None:
            return None
        # Half a namespace would mislead: the next run builds it again.
        await self.drop_kernel()
        if failed is None or failed.status == "interrupted":
            return Status("interrupted", "Stopped while the earlier cells were being run again.", 0, None)
        reason = f"An earlier cell could not be run again: {failed.reason or failed.status}"
        return Status(failed.status, reason, failed.elapsed_ms, None)

    async def _living_kernel(self) -> KernelProcess:
        if self._kernel is None or not self._kernel.alive:
            await self.drop_kernel()
            kernel = await self._acquire()
            if self._closed:
                await kernel.kill()
                raise KernelsUnavailable("The session was closed.")
            self._kernel, self._fresh = kernel, True
        return self._kernel

    async def _idle_kernel(self) -> KernelProcess | None:
        """Give a kernel to ask, a new one where nothing has run yet; None while a cell runs or waits."""
        if self.busy or self._closed:
            return None
        async with self._turn:
            self.last_used = self._clock()
            try:
                return await self._living_kernel()
            except KernelsUnavailable:
                return None
