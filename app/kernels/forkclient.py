"""The server's end of the fork server: starts it, asks it for kernels, hears how each one ended."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.kernels.forkserver_command import bootstrap_command
from app.kernels.limits import Limits

#: How long the fork server may take to load everything, in seconds.
_START = 120.0
_READ = 65536


class KernelsUnavailable(Exception):
    """No kernel can be started; the message says why, in words for the learner's page."""


class HalfARoot(KernelsUnavailable):
    """The fork server could not build a root of its own and has ended; one without can be tried."""


@dataclass
class ChildProcess:
    """A kernel's process as the server holds it: a handle for signals, a socket, and how it ended."""

    pid: int
    pidfd: int
    connection: socket.socket
    #: The wait status, once it has ended; None when only the fork server's end is known.
    exited: asyncio.Future[int | None] = field(repr=False)

    def signal(self, number: int) -> None:
        """Send signal `number`; nothing happens when the process has gone."""
        with suppress(ProcessLookupError):
            if self.pidfd >= 0:
                signal.pidfd_send_signal(self.pidfd, number)
            elif not self.exited.done():
                os.kill(self.pid, number)

    def release(self) -> None:
        """Close the handle."""
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1


class ForkClient:
    """One fork server. When it dies, so do its kernels; make a new client then."""

    def __init__(self, limits: Limits, skip: frozenset[str], sys_path: list[str]) -> None:
        self._limits = limits
        self._skip = skip
        self._sys_path = sys_path
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._folder = ""
        self._buffer = b""
        self._descriptors: list[int] = []
        self._number = 0
        self._spawning: dict[int, asyncio.Future[tuple[int, int]]] = {}
        self._exits: dict[int, asyncio.Future[int | None]] = {}
        self._up: asyncio.Future[None] | None = None
        self.alive = False

    async def start(self) -> None:
        """Start the fork server and wait until it can fork.

        Raises:
            HalfARoot: the system lets the fork server begin a root of its own, but not finish it.
            KernelsUnavailable: this system cannot fork, or the fork server could not start.
        """
        if not hasattr(os, "fork"):
            raise KernelsUnavailable("Cells cannot run on this system: kernels need Linux or macOS.")
        loop = asyncio.get_running_loop()
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        self._folder = tempfile.mkdtemp(prefix="gradlens-")
        # Kernels with a user of their own pass through it to their own folder.
        os.chmod(self._folder, 0o711)  # noqa: S103
        command = bootstrap_command(
            theirs.fileno(), folder=self._folder, limits=self._limits, skip=self._skip, sys_path=self._sys_path
        )
        self._up = loop.create_future()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                env=_environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                cwd=self._folder,
            )
        self.alive = True
        loop.add_reader(self._control, self._receive)
        try:
            await asyncio.wait_for(asyncio.shield(self._up), _START)
        except HalfARoot:
            await self.close()
            raise
        except (TimeoutError, KernelsUnavailable):
            await self.close()
            raise KernelsUnavailable(
                "The process that starts kernels could not start; the server's log says why."
            ) from None

    async def spawn(self) -> ChildProcess:
        """Fork a kernel.

        Raises:
            KernelsUnavailable: the fork server has died or cannot fork.
        """
        if not self.alive or self._control is None:
            raise KernelsUnavailable("The process that starts kernels has ended.")
        loop = asyncio.get_running_loop()
        self._number += 1
        number = self._number
        spawned: asyncio.Future[tuple[int, int]] = loop.create_future()
        exited: asyncio.Future[int | None] = loop.create_future()
        self._spawning[number], self._exits[number] = spawned, exited
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            try:
                socket.send_fds(self._control, [json.dumps({"spawn": number}).encode() + b"\n"], [theirs.fileno()])
            except OSError as error:
                ours.close()
                self._lost()
                raise KernelsUnavailable("The process that starts kernels does not answer.") from error
        try:
            pid, pidfd = await spawned
        except BaseException:
            ours.close()
            raise
        return ChildProcess(pid, pidfd, ours, exited)

    async def close(self) -> None:
        """Hang up, which ends the fork server and every kernel, and remove what they left."""
        self._lost()
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None
        if self._folder:
            await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
            self._folder = ""

    def _receive(self) -> None:
        assert self._control is not None
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, _READ, 16)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        if not data:
            self._lost()
            return
        self._descriptors += descriptors
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._hear(json.loads(line))

    def _hear(self, message: dict[str, Any]) -> None:
        if "half_a_root" in message and self._up is not None and not self._up.done():
            self._up.set_exception(HalfARoot(message["half_a_root"]))
        elif "up" in message and self._up is not None and not self._up.done():
            if not message["needs_folder"]:
                # Removed now, nothing is left behind even when this server is killed.
                shutil.rmtree(self._folder, ignore_errors=True)
            self._up.set_result(None)
        elif "spawned" in message:
            pidfd = self._descriptors.pop(0) if self._descriptors else -1
            future = self._spawning.pop(message["spawned"], None)
            if future is not None and not future.done():
                future.set_result((message["pid"], pidfd))
            elif pidfd >= 0:
                os.close(pidfd)
        elif "exited" in message:
            failed = self._spawning.pop(message["exited"], None)
            if failed is not None and not failed.done():
                failed.set_exception(KernelsUnavailable("The system has no room for another kernel."))
            exited = self._exits.pop(message["exited"], None)
            if exited is not None and not exited.done():
                exited.set_result(message["status"])

    def _lost(self) -> None:
        """Note that the fork server has gone, and its kernels with it."""
        self.alive = False
        if self._control is not None:
            asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
        gone = KernelsUnavailable("The process that starts kernels has ended.")
        waiting: list[asyncio.Future[None] | asyncio.Future[tuple[int, int]]] = [*self._spawning.values()]
        if self._up is not None:
            waiting.append(self._up)
        for future in waiting:
            if not future.done():
                future.set_exception(gone)
        for exited in self._exits.values():
            if not exited.done():
                exited.set_result(None)
        self._spawning.clear()
        self._exits.clear()


def _environment() -> dict[str, str]:
    """Make the fork server's environment: nothing of the server's but where caches may lie."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    return {
        "LANG": "C.UTF-8",
        "PATH": os.defpath,
        # One thread each: learners share the machine, and a fork must find no other thread.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        # A second arena reserves so much address space that the limit on it would be hit early.
        "MALLOC_ARENA_MAX": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        # matplotlib takes seconds to list the fonts when it finds no list from the last time.
        "MPLCONFIGDIR": str(Path(cache) / "gradlens" / "matplotlib"),
    }


def server_path() -> list[str]:
    """List where the fork server imports from: where this server does, without relative entries."""
    package_parent = str(Path(__file__).resolve().parent.parent.parent)
    entries = [package_parent, *(entry for entry in sys.path if entry and os.path.isabs(entry))]
    return list(dict.fromkeys(entries))
