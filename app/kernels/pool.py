"""The kernels of a server: a few always ready, more on request, from a fork server that is started anew if it dies."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from typing import Any

from app.kernels.forkclient import ForkClient, HalfARoot, KernelsUnavailable, server_path
from app.kernels.limits import DEFAULT_LIMITS, Limits
from app.kernels.process import KernelProcess
from app.kernels.turns import TurnRing

_log = logging.getLogger(__name__)


class KernelPool:
    """Hands out confined kernels.

    `ready` is how many wait for a learner, `limits` what each may use, `skip` names layers of confinement to leave
    out (for tests of a single layer), and `sys_path` is where kernels import from (by default, where the server does).
    """

    def __init__(
        self,
        *,
        ready: int = 2,
        limits: Limits = DEFAULT_LIMITS,
        skip: frozenset[str] = frozenset(),
        sys_path: list[str] | None = None,
    ) -> None:
        self.limits = limits
        self._target = ready
        self._skip = skip
        self._sys_path = server_path() if sys_path is None else sys_path
        self._client: ForkClient | None = None
        self._starting = asyncio.Lock()
        self._ring = TurnRing()
        self._ready: deque[KernelProcess] = deque()
        self._kernels: set[KernelProcess] = set()
        self._filling: asyncio.Task[None] | None = None
        self._report: dict[str, Any] = {}
        self._closed = False

    async def start(self) -> None:
        """Start the fork server and wait for the first kernel, which tells which layers of confinement hold.

        Raises:
            KernelsUnavailable: cells cannot run on this machine; the message says why.
        """
        kernel = await self._make()
        self._ready.append(kernel)
        self._refill()

    async def acquire(self) -> KernelProcess:
        """Hand out a kernel that nobody has used. Its user kills it.

        Raises:
            KernelsUnavailable: no kernel can be started now.
        """
        while self._ready:
            kernel = self._ready.popleft()
            if kernel.alive:
                self._refill()
                return kernel
        kernel = await self._make()
        self._refill()
        return kernel

    def confinement(self) -> dict[str, Any]:
        """Tell which layers of confinement hold: `platform`, `full`, and `layers` by name."""
        return dict(self._report)

    @property
    def count(self) -> int:
        """How many kernels live, those that wait for a learner included."""
        self._kernels = {kernel for kernel in self._kernels if kernel.alive}
        return len(self._kernels)

    async def close(self) -> None:
        """End every kernel and the fork server."""
        self._closed = True
        if self._filling is not None:
            self._filling.cancel()
            with suppress(asyncio.CancelledError):
                await self._filling
        await self._ring.close()
        await asyncio.gather(*(kernel.kill() for kernel in self._kernels if kernel.alive))
        self._ready.clear()
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _make(self) -> KernelProcess:
        client = await self._running_client()
        kernel = KernelProcess(await client.spawn(), self.limits, self._ring)
        await kernel.open()
        self._kernels = {known for known in self._kernels if known.alive}
        self._kernels.add(kernel)
        self._report = kernel.confinement
        return kernel

    async def _running_client(self) -> ForkClient:
        async with self._starting:
            if self._closed:
                raise KernelsUnavailable("The server is shutting down.")
            if self._client is None or not self._client.alive:
                if self._client is not None:
                    _log.warning("the fork server has ended; starting another")
                    await self._client.close()
                self._client = await self._start_client()
            return self._client

    async def _start_client(self) -> ForkClient:
        client = ForkClient(self.limits, self._skip, self._sys_path)
        try:
            await client.start()
        except HalfARoot as error:
            # The one layer that can fail half-way; the report will say that it is missing.
            _log.warning("kernels get no root of their own: %s", error)
            self._skip |= {"root"}
            client = ForkClient(self.limits, self._skip, self._sys_path)
            await client.start()
        return client

    def _refill(self) -> None:
        if self._filling is None or self._filling.done():
            self._filling = asyncio.get_running_loop().create_task(self._fill())

    async def _fill(self) -> None:
        while len(self._ready) < self._target and not self._closed:
            try:
                self._ready.append(await self._make())
            except KernelsUnavailable as error:
                _log.warning("no kernel could be made ready: %s", error)
                return
