"""Rebuilding a namespace: the cells that the page says have run, run again in a new kernel, in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.kernels.events import Status
from app.kernels.process import KernelProcess


@dataclass(frozen=True)
class HistoryCell:
    """A cell that has run before, as the page remembers it."""

    cell: str
    source: str


async def replay(kernel: KernelProcess, history: Sequence[HistoryCell]) -> Status | None:
    """Run `history` in `kernel`, oldest first and without output.

    Cells that fail are passed over: they failed the first time too, and what they did before failing is rebuilt. A
    cell that does not end by itself ends the replay: its status is returned, and None when all went well.
    """
    for past in history:
        async for event in kernel.run(cell=past.cell, source=past.source, silent=True):
            if isinstance(event, Status) and event.status not in ("ok", "error"):
                return event
    return None
