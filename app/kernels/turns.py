"""Long cells take turns, so that they leave the machine to the short ones.

A cell that has run for a while joins the ring. While more cells are in it than may run at once, all but those are
stopped, and every tenth of a second the turn passes on. This needs no privileges, only SIGSTOP and SIGCONT.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

#: How long a cell runs before it must share, and how long a turn is, in seconds.
JOIN_AFTER = 0.3
TURN = 0.1


@dataclass(eq=False)
class Member:
    """A long cell: how to let it run and how to stop it, and how many seconds it has waited for its turns."""

    resume: Callable[[], None]
    pause: Callable[[], None]
    waited: float = 0.0


class TurnRing:
    """Lets `slots` of its members run at once, in turns."""

    def __init__(self, slots: int | None = None) -> None:
        self._slots = slots or max(1, (os.cpu_count() or 2) // 2)
        self._waiting: deque[Member] = deque()
        self._running: deque[Member] = deque()
        self._task: asyncio.Task[None] | None = None

    def join(self, member: Member) -> None:
        """Let `member`, which is running, share from now on."""
        self._running.append(member)
        if len(self._running) > self._slots:
            self._pause(self._running[0])
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._pass_turns())

    def leave(self, member: Member) -> None:
        """Let `member` go, running: its cell is over or is to be stopped."""
        if member in self._waiting:
            self._waiting.remove(member)
            member.resume()
        elif member in self._running:
            self._running.remove(member)
            self._fill()

    async def close(self) -> None:
        """Stop passing turns."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _pause(self, member: Member) -> None:
        self._running.remove(member)
        member.pause()
        self._waiting.append(member)

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self._slots:
            member = self._waiting.popleft()
            member.resume()
            self._running.append(member)

    async def _pass_turns(self) -> None:
        while self._running or self._waiting:
            await asyncio.sleep(TURN)
            for member in self._waiting:
                member.waited += TURN
            for _ in range(min(len(self._waiting), len(self._running))):
                self._pause(self._running[0])
            self._fill()
        self._task = None
