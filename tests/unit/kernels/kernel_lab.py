"""A pool of kernels on an event loop of its own, with a stand-in for the engine, for tests that run cells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from app.kernels.events import KernelEvent, Output, Status
from app.kernels.forkclient import server_path
from app.kernels.limits import DEFAULT_LIMITS, Limits
from app.kernels.pool import KernelPool
from app.kernels.process import KernelProcess

FAKE_ENGINE = str(Path(__file__).resolve().parent / "fake_engine")

T = TypeVar("T")


@dataclass
class Result:
    """What a run yielded."""

    outputs: list[dict[str, Any]]
    status: Status

    def stream(self, name: str = "stdout") -> str:
        """All that was printed to one stream."""
        return "".join(
            output["text"] for output in self.outputs if output["output_type"] == "stream" and output["name"] == name
        )

    @property
    def error(self) -> dict[str, Any]:
        """The one error."""
        (error,) = (output for output in self.outputs if output["output_type"] == "error")
        return error

    @property
    def value(self) -> str:
        """The text of the last expression's value."""
        (result,) = (output for output in self.outputs if output["output_type"] == "execute_result")
        return str(result["data"]["text/plain"])


class Lab:
    """A pool, ready to use, and the loop it lives on."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS, skip: frozenset[str] = frozenset()) -> None:
        self.runner = asyncio.Runner()
        self.pool = KernelPool(ready=1, limits=limits, skip=skip, sys_path=[FAKE_ENGINE, *server_path()])
        self.wait(self.pool.start())

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Do asynchronous work on the lab's loop."""
        return self.runner.run(work)

    def kernel(self) -> KernelProcess:
        """A kernel that nobody has used."""
        return self.wait(self.pool.acquire())

    def run(self, source: str, kernel: KernelProcess | None = None, **options: Any) -> Result:
        """Run one cell, in a kernel of its own unless one is given."""
        own = self.kernel() if kernel is None else kernel
        try:
            return self.wait(collect(own, source, **options))
        finally:
            if kernel is None:
                self.wait(own.kill())

    def close(self) -> None:
        """End everything."""
        self.wait(self.pool.close())
        self.runner.close()


async def collect(
    kernel: KernelProcess,
    source: str,
    *,
    cell: str = "c1",
    silent: bool = False,
    on_event: Callable[[KernelEvent], Awaitable[None]] | None = None,
) -> Result:
    """Run a cell to its end; `on_event` is awaited with each event as it comes."""
    found: list[dict[str, Any]] = []
    status = None
    async for event in kernel.run(cell=cell, source=source, silent=silent):
        if on_event is not None:
            await on_event(event)
        if isinstance(event, Output):
            found.append(event.output)
        else:
            assert status is None, "a status is the last event"
            status = event
    assert status is not None
    return Result(found, status)
