"""The fork server: a process with one thread that has everything loaded and forks kernels on request.

The server starts it with `forkserver_command.bootstrap_command`, in a clean environment and a session of its own.
They talk in lines of JSON over one socket.

To the fork server: ``{"spawn": n}`` with the kernel's end of a socket pair attached. From it:
``{"up": true, "needs_folder": …}`` once, ``{"spawned": n, "pid": pid}`` with a pidfd attached where there are pidfds,
``{"exited": n, "status": wait status}``; and instead of the first ``{"half_a_root": why}``, when it could not build a
root of its own, which ends it. When the server hangs up it ends, and every kernel with it.
"""

from __future__ import annotations

import errno
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from app.kernels import confinement
from app.kernels.limits import Limits
from app.kernels.worker import Worker, reset_signals

_READ = 65536


def main(settings: dict[str, Any]) -> NoReturn:
    """Run a fork server until its server hangs up."""
    control = socket.socket(fileno=settings["descriptor"])
    control.set_inheritable(False)
    limits = Limits(**settings["limits"])
    worker = Worker(limits)
    try:
        worker.prepare()
    except BaseException:
        # By then printing may go where nobody listens.
        sys.stderr = sys.__stderr__
        raise
    readable = confinement.readable_paths([_engine_folder()])
    plan = confinement.Plan(
        limits=limits,
        readable=readable,
        folder=confinement.choose_folder(readable),
        skip=frozenset(settings["skip"]),
    )
    ForkServer(control, worker, plan, settings["folder"]).serve()


def _engine_folder() -> str:
    return str(Path(str(sys.modules["engine"].__file__)).parent)


class ForkServer:
    """Forks kernels and reports how each ends."""

    def __init__(self, control: socket.socket, worker: Worker, plan: confinement.Plan, folder: str) -> None:
        self._control = control
        self._worker = worker
        self._plan = plan
        self._folder = folder
        self._children: dict[int, int] = {}
        self._uids = confinement.spare_uids()
        self._statm = os.open("/proc/self/statm", os.O_RDONLY) if os.path.exists("/proc/self/statm") else -1
        self._null = os.open(os.devnull, os.O_RDWR)
        try:
            self._entered = confinement.enter_namespaces(plan)
        except OSError as error:
            self._report({"half_a_root": str(error)})
            os._exit(1)

    def serve(self) -> NoReturn:
        """Answer requests until the server hangs up."""
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # A Ctrl-C in the terminal is for the server, which then hangs up.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(wake_write)
        selector = selectors.DefaultSelector()
        selector.register(self._control, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        self._report({"up": True, "needs_folder": not self._entered.root})
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if wake_read in ready:
                os.read(wake_read, _READ)
                self._reap()
            if self._control in ready:
                data, descriptors, _, _ = socket.recv_fds(self._control, _READ, 16)
                if not data:
                    os._exit(0)
                for line, descriptor in zip(data.splitlines(), descriptors, strict=True):
                    self._spawn(json.loads(line)["spawn"], descriptor)

    def _spawn(self, number: int, descriptor: int) -> None:
        own_folder = os.path.join(self._folder, str(number))
        if not self._entered.root:
            os.mkdir(own_folder, 0o700)
        mapped = self._mapped()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(descriptor)
            self._report({"exited": number, "status": error.errno or errno.EAGAIN})
            return
        if pid == 0:
            self._become_kernel(number, descriptor, own_folder, mapped)
        os.close(descriptor)
        self._children[pid] = number
        pidfd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        self._report({"spawned": number, "pid": pid}, pidfd)

    def _become_kernel(self, number: int, descriptor: int, own_folder: str, mapped: int) -> NoReturn:
        """Turn this fresh fork into kernel `number`; never return."""
        status = 1
        try:
            reset_signals()
            os.setsid()
            for standard in (0, 1, 2):
                os.dup2(self._null, standard)
            if descriptor != 3:
                os.dup2(descriptor, 3)
            os.closerange(4, 1 << 16)
            uid = self._uids[number % len(self._uids)] if self._uids else 0
            report = confinement.confine(self._plan, self._entered, uid=uid, own_folder=own_folder, mapped=mapped)
            self._worker.start_thread()
            confinement.forbid_threads(report)
            self._worker.announce(3, report.as_dict())
            self._worker.serve(3)
            status = 0
        except BaseException:
            _tell(3, traceback.format_exc())
        finally:
            os._exit(status)

    def _reap(self) -> None:
        while self._children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            number = self._children.pop(pid)
            if not self._entered.root:
                shutil.rmtree(os.path.join(self._folder, str(number)), ignore_errors=True)
            self._report({"exited": number, "status": status})

    def _report(self, message: dict[str, Any], descriptor: int = -1) -> None:
        line = json.dumps(message).encode() + b"\n"
        try:
            if descriptor < 0:
                self._control.sendall(line)
            else:
                socket.send_fds(self._control, [line], [descriptor])
                os.close(descriptor)
        except BrokenPipeError:
            os._exit(0)

    def _mapped(self) -> int:
        """Measure this process's address space, which every fork starts with, in bytes; 0 where it cannot be known."""
        if self._statm < 0:
            return 0
        pages = int(os.pread(self._statm, 64, 0).split()[0])
        return pages * os.sysconf("SC_PAGE_SIZE")


def _tell(descriptor: int, text: str) -> None:
    """Tell the server why a kernel could not start or go on."""
    try:
        payload = json.dumps({"type": "failed", "reason": text[-4000:]}).encode()
        os.write(descriptor, len(payload).to_bytes(4, "big") + payload)
    except OSError:
        pass
