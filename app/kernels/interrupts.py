"""Signals that stop a cell, turned into exceptions where that is safe.

Outside a cell they do nothing; in the middle of writing a frame they wait until it is written, because half a frame
would cut the kernel off from its server.
"""

from __future__ import annotations

import signal
import threading
from time import process_time
from types import FrameType, TracebackType


class TimeLimitExceeded(BaseException):
    """A cell used up its computing time. Not an Exception, so that `except Exception` does not swallow it."""

    __module__ = "builtins"  # so that tracebacks show the bare name


class InterruptGate:
    """Raises in the main thread while a cell runs; a `with` block over it is never interrupted."""

    def __init__(self) -> None:
        self._compute = 0.0
        self._wall = 0.0
        self._computed_before = 0.0
        self._open = False
        self._shields = 0
        self._pending: BaseException | None = None

    def install(self) -> None:
        """Handle the server's two signals: SIGINT for the learner's Stop, SIGXCPU for the end of the time allowed."""
        signal.signal(signal.SIGINT, self._handle)
        signal.signal(signal.SIGXCPU, self._handle)

    def open(self, compute: float, wall: float) -> None:
        """Let signals through: a cell begins, which may compute for `compute` and last for `wall` seconds."""
        self._compute, self._wall = compute, wall
        self._computed_before = process_time()
        self._pending = None
        self._open = True

    def close(self) -> None:
        """Ignore signals: the cell is over."""
        self._open = False
        self._pending = None

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if not self._open:
            return
        stop: BaseException = KeyboardInterrupt()
        if number == signal.SIGXCPU:
            stop = TimeLimitExceeded(self._excess())
        if self._shields:
            self._pending = stop
        else:
            raise stop

    def _excess(self) -> str:
        # The server has measured; this only tells which of its two limits it was.
        if process_time() - self._computed_before > 0.8 * self._compute:
            return f"the cell has computed for {self._compute:g} s, the most a cell may"
        return f"the cell has run for {self._wall:g} s, the most a cell may"

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._shields += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._shields -= 1
        if self._pending is not None and not self._shields and self._open:
            stop, self._pending = self._pending, None
            raise stop
