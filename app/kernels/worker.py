"""The inside of a kernel: runs cells in IPython's shell, with `torch` being the engine.

`prepare` runs once in the fork server and loads everything a cell may want, so that a fork is ready at once and a
confined kernel need read no file; `serve` runs in each kernel. This is the only module of `app` that imports the
engine, by name, through `torch_alias`.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import pkgutil
import random
import signal
import sys
import tempfile
from pathlib import Path
from time import process_time
from types import ModuleType
from typing import Any

from app.kernels import linux, torch_alias, wire
from app.kernels.answers import complete, inspect
from app.kernels.interrupts import InterruptGate, TimeLimitExceeded
from app.kernels.limits import Limits
from app.kernels.shell import make_shell, memory_help
from app.kernels.streams import Channel, OutputSender, TextStream
from app.kernels.tracebacks import FrameFilter

#: A cell that computed for longer than this many seconds is tidied up after.
_TIDY_AFTER = 0.005

#: Modules of the standard library that cells import; loaded once for all kernels.
_COMMON = (
    *("asyncio", "collections", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal", "enum"),
    *("fractions", "functools", "glob", "heapq", "io", "itertools", "json", "logging", "math", "numbers"),
    *("operator", "pathlib", "pickle", "pprint", "queue", "random", "re", "secrets", "shutil", "statistics"),
    *("string", "struct", "tempfile", "textwrap", "threading", "time", "timeit", "traceback", "types", "typing"),
    *("uuid", "warnings", "weakref", "zipfile"),
)

#: The engine reads the source of an operation when it is first drawn: these are the ones of the course.
_OPERATIONS = (
    *("x + 1", "x - 1", "1 - x", "x * x", "x / x", "1 / x", "x ** 2", "2 ** x", "-x", "x @ x", "x[0]", "x.T"),
    *("x.exp()", "x.log()", "x.sin()", "x.cos()", "x.tanh()", "x.sigmoid()", "x.relu()", "x.abs()", "x.sqrt()"),
    *("x.sum()", "x.mean()", "x.max()", "x.view(2, 1)", "x.reshape(1, 2)", "x.unsqueeze(0)", "x.clone()"),
    *("torch.stack([x, x])", "torch.cat([x, x])", "torch.nn.Linear(2, 1)(x)"),
)

#: Run once before the first fork, so that what they load and cache is there for every kernel. Those that fail are
#: meant to: a traceback loads the most.
_WARM_UP = (
    "import torch, warnings\nwarnings.warn('x')\n'x'",
    "def f(): return 1 / 0\nf()",
    "def",
    "x = torch.tensor([1., 2.], requires_grad=True)\n(x * x + 1).sum().backward()\nprint(x.grad)\nx",
    *(f"x = torch.tensor([1., 2.], requires_grad=True)\n({operation}).sum().backward()" for operation in _OPERATIONS),
    "x + torch.ones(3)",
)


class Worker:
    """One kernel's state: before the fork a template, after it the kernel itself."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._gate = InterruptGate()
        self._channel: Channel | None = None
        self._sender = OutputSender(self._send, self._gate, limits)
        #: IPython's shell; Any, because IPython's methods carry no types.
        self._shell: Any = None
        self._recorder: Any = None

    def prepare(self) -> None:
        """Load the engine, IPython and their friends; install `torch`; make the shell."""
        for name in _COMMON:
            importlib.import_module(name)
        importlib.import_module("numpy.random")
        engine = importlib.import_module(torch_alias.TARGET)
        _import_submodules(engine)
        torch_alias.install()
        hidden = [str(Path(module.__file__).parent) for module in (engine, sys.modules["IPython"]) if module.__file__]
        frames = FrameFilter([*hidden, str(Path(__file__).parent)])
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
        sys.argv = [""]
        with tempfile.TemporaryDirectory() as folder:
            self._shell = make_shell(self._sender, frames, self._limits, folder)
            sys.stdout, sys.stderr = TextStream("stdout", self._sender), TextStream("stderr", self._sender)
            if importlib.util.find_spec("matplotlib") and importlib.util.find_spec("matplotlib_inline"):
                self._shell.enable_matplotlib("inline")
            self._warm_up(self._shell)
        gc.collect()
        gc.freeze()

    def serve(self, descriptor: int) -> None:
        """Answer the server until it hangs up."""
        shell = self._shell
        assert shell is not None, "prepare comes first"
        self._channel = Channel(descriptor, self._gate)
        self._gate.install()
        sys.path[:] = ["", *(path for path in sys.path if path and os.access(path, os.R_OK))]
        _reseed()
        self._recorder = _new_recorder()
        while True:
            try:
                message = self._channel.receive()
            except EOFError:
                return
            self._answer(shell, message)

    def announce(self, descriptor: int, confinement: dict[str, Any]) -> None:
        """Tell the server that the kernel is ready, and how it is confined."""
        Channel(descriptor, self._gate).send({"type": "ready", "confinement": confinement})

    def start_thread(self) -> None:
        """Start the helper thread; after the confinement, which holds for one thread and those it starts."""
        self._sender.start_thread()

    def _send(self, message: dict[str, Any]) -> None:
        if self._channel is not None:
            self._channel.send(message)

    def _answer(self, shell: Any, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "run":
            self._run(shell, message)
            return
        data: dict[str, Any] = {}
        self._gate.open(self._limits.answer, self._limits.answer)
        try:
            answer = complete if kind == "complete" else inspect
            data = wire.clean(answer(shell, message["source"], message["cursor"]))
        except (Exception, KeyboardInterrupt, TimeLimitExceeded):
            # A learner's own __dir__ or __repr__ may do anything; an empty answer is the honest one.
            data = {}
        finally:
            self._gate.close()
        self._send({"type": "reply", "request": message["request"], "data": data})

    def _run(self, shell: Any, message: dict[str, Any]) -> None:
        run, source, silent = message["run"], message["source"], message["silent"]
        began = process_time()
        count = shell.execution_count
        shell.cell_filename = shell.compile.get_code_name(source, source, count)
        self._sender.begin(run, silent=silent)
        status, reason = "ok", None
        try:
            self._gate.open(self._limits.compute, self._limits.wall)
            try:
                error = self._execute(shell, message["cell"], source, silent=silent)
            finally:
                self._gate.close()
            status, reason = self._verdict(error)
        except (KeyboardInterrupt, TimeLimitExceeded) as error:
            # Between the cell's own code and here: the cell is over, so there is nothing to show.
            status, reason = self._verdict(error)
        self._sender.end()
        done = {"type": "done", "run": run, "status": status, "reason": reason, "execution_count": count}
        self._send(done)
        if process_time() - began > _TIDY_AFTER:
            gc.collect()
            linux.trim_memory()
        self._send({"type": "idle", "run": run})

    def _execute(self, shell: Any, cell: str, source: str, *, silent: bool) -> BaseException | None:
        """Run the cell, recorded; return the error that ended it."""
        recording = self._recorder.recording(
            cell=cell, source=source, filename=shell.cell_filename, namespace=shell.user_ns
        )
        with recording:
            result = shell.run_cell(source, store_history=True)
        if not silent:
            self._send_document()
        stopped: BaseException | None = result.error_before_exec or result.error_in_exec
        return stopped

    def _send_document(self) -> None:
        try:
            document = self._recorder.document()
            if document is not None:
                self._sender.document(document)
        except Exception as error:
            # Whatever is wrong with the picture, the cell itself has run and its outputs stand.
            self._sender.stream("stderr", f"[The graph of this cell cannot be shown: {error!r}]\n")

    def _verdict(self, error: BaseException | None) -> tuple[str, str | None]:
        if error is None:
            return "ok", None
        if isinstance(error, TimeLimitExceeded):
            text = str(error)
            return "timeout", f"{text[:1].upper()}{text[1:]}."
        if isinstance(error, KeyboardInterrupt):
            return "interrupted", "Stopped."
        if isinstance(error, MemoryError):
            return "error", memory_help(self._limits)
        return "error", None

    def _warm_up(self, shell: Any) -> None:
        self._recorder = _new_recorder()
        for source in _WARM_UP:
            shell.cell_filename = shell.compile.get_code_name(source, source, shell.execution_count)
            self._execute(shell, "warm-up", source, silent=False)
        self._recorder = None
        complete(shell, "torch.t", 7)
        inspect(shell, "torch.tensor", 7)
        shell.reset(new_session=True)
        for name in ("last_type", "last_value", "last_traceback", "last_exc"):
            sys.__dict__.pop(name, None)


def _new_recorder() -> Any:
    return importlib.import_module(f"{torch_alias.TARGET}.trace").Recorder()


def _import_submodules(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _reseed() -> None:
    """Give this kernel random numbers of its own: generators made before the fork are the same in every kernel."""
    random.seed()
    # With a number: gathering entropy itself would make NumPy touch far more of the memory that kernels share.
    sys.modules["numpy.random"].seed(int.from_bytes(os.urandom(4), "little"))
    engine_seed = getattr(sys.modules[torch_alias.TARGET], "seed", None)
    if engine_seed is not None:
        engine_seed()


def reset_signals() -> None:
    """Undo the fork server's signal handling, in a fresh fork."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
