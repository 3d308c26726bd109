"""One kernel as the server holds it: runs cells, watches their time, stops them, and says how it ended."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from app.kernels import graphs, outputs, wire
from app.kernels.cpu_time import cpu_seconds
from app.kernels.events import KernelEvent, Output, RunStatus, Status
from app.kernels.forkclient import ChildProcess, KernelsUnavailable
from app.kernels.limits import Limits
from app.kernels.turns import JOIN_AFTER, Member, TurnRing

_log = logging.getLogger(__name__)

#: How long to wait for the fork server's word on how a kernel ended, in seconds.
_LAST_WORD = 2.0
#: How long a kernel may take to be confined and ready, in seconds.
_READY = 30.0
#: Messages in one run; more are a flood, whatever their size. The kernel joins what it prints.
_MESSAGES = 20_000


@dataclass
class _Run:
    number: int
    silent: bool
    began: float
    cpu_began: float
    queue: asyncio.Queue[KernelEvent] = field(default_factory=asyncio.Queue)
    received: int = 0
    #: What asked it to stop, if anything did.
    stopping: Literal["interrupted", "timeout"] | None = None
    reason: str | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def finished(self) -> bool:
        """Whether its status is known."""
        return self.ended.is_set()


class KernelProcess:
    """One kernel. One run at a time; `alive` turns False for good when its process ends."""

    def __init__(self, child: ChildProcess, limits: Limits, ring: TurnRing) -> None:
        self._child = child
        self._limits = limits
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._run: _Run | None = None
        self._number = 0
        self._member: Member | None = None
        self._killer: asyncio.TimerHandle | None = None
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._death: str | None = None
        self._tidy = True
        #: Messages since the server last asked for something.
        self._messages = 0
        self.alive = True
        self.last_used = self._loop.time()
        #: Which layers confine it; filled by `open`.
        self.confinement: dict[str, Any] = {}

    @property
    def pid(self) -> int:
        """The process's number, for benchmarks and logs; signals go through a handle."""
        return self._child.pid

    async def open(self) -> None:
        """Wait until the kernel is confined and ready.

        Raises:
            KernelsUnavailable: it ended before it was.
        """
        self._reader, self._writer = await asyncio.open_unix_connection(sock=self._child.connection)
        self._reading = self._loop.create_task(self._read())
        try:
            self.confinement = await asyncio.wait_for(self._ready, _READY)
        except TimeoutError:
            await self.kill()
            raise KernelsUnavailable("A kernel did not become ready in time.") from None
        self._pause()

    async def run(self, *, cell: str, source: str, silent: bool = False) -> AsyncGenerator[KernelEvent, None]:
        """Run `source` as cell `cell`; yield its outputs as they come and a `Status` as the last event.

        With `silent` there are no outputs, but everything else happens: it rebuilds a namespace. Whoever stops
        listening before the end stops the cell.
        """
        if self._run is not None:
            raise RuntimeError("this kernel is running a cell")
        if not self.alive:
            yield Status("killed", self._death or "The kernel has ended.", 0, None)
            return
        self._number += 1
        run = _Run(self._number, silent, self._loop.time(), cpu_seconds(self.pid) or 0.0)
        self._run = run
        self._tidy = False
        self._send({"type": "run", "run": run.number, "cell": cell, "source": source, "silent": silent})
        watching = self._loop.create_task(self._watch(run))
        try:
            while True:
                event = await run.queue.get()
                yield event
                if isinstance(event, Status):
                    return
        finally:
            watching.cancel()
            if not run.finished:
                self._stop(run, "interrupted", signal.SIGINT)
                await run.ended.wait()

    async def interrupt(self) -> None:
        """Stop the running cell: SIGINT, and SIGKILL when it still runs after the grace."""
        if self._run is not None:
            self._stop(self._run, "interrupted", signal.SIGINT)

    async def complete(self, source: str, cursor: int) -> dict[str, Any]:
        """Complete at `cursor`, in code points; no matches while a cell runs. Bounded in time."""
        raw = await self._ask("complete", source, cursor)
        found = raw.get("matches")
        matches = [
            {"text": match["text"][:200], "type": match["type"][:40]}
            for match in (found if isinstance(found, list) else [])[:200]
            if isinstance(match, dict) and type(match.get("text")) is str and type(match.get("type")) is str
        ]
        start, end = raw.get("start"), raw.get("end")
        if type(start) is not int or type(end) is not int or not 0 <= start <= end <= len(source):
            return {"matches": [], "start": cursor, "end": cursor}
        return {"matches": matches, "start": start, "end": end}

    async def inspect(self, source: str, cursor: int) -> dict[str, Any]:
        """Find the documentation of the name at `cursor`; none while a cell runs. Bounded in time."""
        raw = await self._ask("inspect", source, cursor)
        data = raw.get("data")
        text = data.get("text/plain") if isinstance(data, dict) else None
        if raw.get("found") is not True or type(text) is not str:
            return {"found": False, "data": {}}
        return {"found": True, "data": {"text/plain": text[: 64 * 1024]}}

    async def kill(self, reason: str = "The kernel was ended by the server.") -> None:
        """End the process and wait until it has gone; a running cell ends as killed, with `reason`."""
        self._end(reason)
        if self._reading is not None:
            await asyncio.wait({self._reading})
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._child.exited), _LAST_WORD)
        self._child.release()

    def _send(self, message: dict[str, Any]) -> None:
        self.last_used = self._loop.time()
        self._messages = 0
        if self._writer is not None and self.alive:
            self._writer.write(wire.encode(message))
        self._child.signal(signal.SIGCONT)

    async def _ask(self, kind: str, source: str, cursor: int) -> dict[str, Any]:
        if self._run is not None or not self.alive:
            return {}
        self._number += 1
        number = self._number
        reply: asyncio.Future[dict[str, Any]] = self._loop.create_future()
        self._replies[number] = reply
        self._send({"type": kind, "request": number, "source": source, "cursor": cursor})
        try:
            return await asyncio.wait_for(reply, self._limits.answer)
        except TimeoutError:
            # A learner's own __dir__ hangs: ask it to stop, so that the next cell finds the kernel free.
            self._child.signal(signal.SIGINT)
            return {}
        finally:
            self._replies.pop(number, None)
            self._pause()

    async def _read(self) -> None:
        """Hear the kernel out until it has gone, then say how it ended."""
        assert self._reader is not None
        try:
            while True:
                self._hear(wire.check_message(await wire.read_frame(self._reader)))
                self._messages += 1
                if self._messages > _MESSAGES:
                    raise wire.WireError("more messages than a cell may send")
        except wire.WireError as error:
            _log.warning("kernel %s broke the protocol: %s", self.pid, error)
            self._end("The cell sent what no cell may send, so its kernel was ended.")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.alive = False
        self._death = reason = await self._last_word()
        if not self._ready.done():
            self._ready.set_exception(KernelsUnavailable(reason))
        for reply in self._replies.values():
            if not reply.done():
                reply.set_result({})
        if self._run is not None:
            run = self._run
            self._finish(run, "timeout" if run.stopping == "timeout" else "killed", run.reason or reason, None)
        if self._writer is not None:
            self._writer.close()
        self._child.release()

    def _hear(self, message: wire.Message) -> None:
        run = self._run
        if isinstance(message, wire.OutputMessage):
            if run is not None and message.run == run.number and not run.silent:
                self._take_output(run, message.output)
        elif isinstance(message, wire.Done):
            if run is not None and message.run == run.number:
                status: RunStatus = message.status
                # What the server measured goes before what the kernel says.
                reason = (run.reason if status == run.stopping else None) or message.reason
                self._finish(run, status, reason, message.execution_count)
        elif isinstance(message, wire.Idle):
            if message.run == self._number:
                self._tidy = True
                self._pause()
        elif isinstance(message, wire.Reply):
            reply = self._replies.get(message.request)
            if reply is not None and not reply.done():
                reply.set_result(message.data)
        elif isinstance(message, wire.Ready):
            if not self._ready.done():
                self._ready.set_result(message.confinement)
        else:
            _log.error("a kernel failed: %s", message.reason)

    def _take_output(self, run: _Run, raw: dict[str, Any]) -> None:
        output = outputs.check_output(raw, self._check_document)
        if output is None:
            return
        run.received += outputs.size_of(output)
        # The kernel keeps to its allowance by itself; one that sends twice as much is not ours any more.
        if run.received > 2 * (self._limits.output + self._limits.document):
            raise wire.WireError("more output than a cell may send")
        run.queue.put_nowait(Output(output))

    def _check_document(self, document: Any) -> str | None:
        return graphs.check_document(document, self._limits.document)

    def _finish(self, run: _Run, status: RunStatus, reason: str | None, count: int | None) -> None:
        """End `run` with its status, once."""
        if run.finished:
            return
        run.ended.set()
        self._run = None
        self.last_used = self._loop.time()
        if self._killer is not None:
            self._killer.cancel()
            self._killer = None
        self._leave_ring()
        elapsed = round(1000 * (self._loop.time() - run.began))
        run.queue.put_nowait(Status(status, reason, elapsed, count))

    async def _watch(self, run: _Run) -> None:
        """Let a long cell share the machine, and end it when its time is over."""
        await asyncio.sleep(JOIN_AFTER)
        if run.finished or run.stopping is not None:
            return
        member = Member(resume=self._resume, pause=lambda: self._child.signal(signal.SIGSTOP))
        self._member = member
        self._ring.join(member)
        while not run.finished:
            elapsed = self._loop.time() - run.began - member.waited
            used = cpu_seconds(self.pid)
            # Where the system does not tell, the clock stands in for the processor's time.
            used = elapsed if used is None else used - run.cpu_began
            if used >= self._limits.compute:
                run.reason = f"The cell has computed for {self._limits.compute:g} s, the most a cell may."
                self._stop(run, "timeout", signal.SIGXCPU)
                return
            if elapsed >= self._limits.wall:
                run.reason = f"The cell has run for {self._limits.wall:g} s, the most a cell may."
                self._stop(run, "timeout", signal.SIGXCPU)
                return
            left = min(self._limits.compute - used, self._limits.wall - elapsed)
            await asyncio.sleep(max(0.02, min(0.5, left)))

    def _stop(self, run: _Run, why: Literal["interrupted", "timeout"], number: int) -> None:
        """Ask `run` to stop with signal `number`; end the kernel when it has not after the grace."""
        if run.finished or run.stopping is not None:
            return
        run.stopping = why
        self._leave_ring()
        self._child.signal(signal.SIGCONT)
        self._child.signal(number)
        words = "The cell did not stop when it was asked to, so its kernel was ended."
        reason = words if run.reason is None else f"{run.reason} {words}"
        self._killer = self._loop.call_later(self._limits.grace, self._end_run, run, reason)

    def _end_run(self, run: _Run, reason: str) -> None:
        if not run.finished:
            run.reason = reason
            self._end(reason)

    def _end(self, reason: str) -> None:
        """Kill the process; what was waiting to be read from it is dropped."""
        self.alive = False
        if self._death is None:
            self._death = reason
        self._child.signal(signal.SIGKILL)
        if self._writer is not None:
            self._writer.transport.abort()

    async def _last_word(self) -> str:
        """Say in plain words how the process ended."""
        if self._death is not None:
            return self._death
        self._child.signal(signal.SIGKILL)
        try:
            status = await asyncio.wait_for(asyncio.shield(self._child.exited), _LAST_WORD)
        except TimeoutError:
            status = None
        return describe_end(status)

    def _pause(self) -> None:
        """Stop an idle kernel, so that nothing left running in it uses the machine."""
        if self._run is None and not self._replies and self._tidy and self.alive:
            self._child.signal(signal.SIGSTOP)

    def _resume(self) -> None:
        if self._run is not None:
            self._child.signal(signal.SIGCONT)

    def _leave_ring(self) -> None:
        if self._member is not None:
            member, self._member = self._member, None
            self._ring.leave(member)


def describe_end(status: int | None) -> str:
    """Say in plain words what the wait status of a kernel means."""
    if status is None:
        return "The kernel has gone, because the process that starts kernels has ended."
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGKILL:
            return "The system ended the kernel, most likely because memory ran out."
        if number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT):
            return f"The cell crashed the kernel ({signal.Signals(number).name})."
        return f"The cell ended its own kernel (signal {number})."
    return f"The cell ended its own kernel (exit code {os.WEXITSTATUS(status)})."
