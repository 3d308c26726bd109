"""What a cell prints and displays, on its way out of the kernel: joined, bounded, in order.

Printing is joined for some milliseconds, so that a loop that prints does not send a frame a line; a helper thread
sends what waits while the cell computes or sleeps. The first three quarters of the allowance are sent as they come;
of what is printed after that, the last quarter is kept and sent at the end, with a note of what was left out.
"""

from __future__ import annotations

import io
import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

from app.kernels import wire
from app.kernels.interrupts import InterruptGate
from app.kernels.limits import GRAPH_MIME, Limits, megabytes

#: How long printing is joined before it is sent, in seconds, and how much of it at most, in characters.
_JOIN_SECONDS = 0.02
_JOIN_SIZE = 16 * 1024


class Channel:
    """The kernel's end of the socket: whole frames only, from any thread."""

    def __init__(self, descriptor: int, gate: InterruptGate) -> None:
        self._descriptor = descriptor
        self._gate = gate
        self._lock = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message. Raises WireError when it is too large, OSError when the server has gone."""
        left = memoryview(wire.encode(message))
        with self._gate, self._lock:
            while left:
                left = left[os.write(self._descriptor, left) :]

    def receive(self) -> dict[str, Any]:
        """Wait for the server's next message. Raises EOFError when the server has gone."""
        return wire.read_frame_blocking(self._descriptor)


class OutputSender:
    """Sends the outputs of one run after another, each within its allowance."""

    def __init__(self, send: Callable[[dict[str, Any]], None], gate: InterruptGate, limits: Limits) -> None:
        self._send = send
        self._gate = gate
        self._limits = limits
        self._head_limit = limits.output * 3 // 4
        self._tail_limit = limits.output // 4
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._run = 0
        self._silent = True
        self._reset()

    def _reset(self) -> None:
        self._waiting: list[str] = []
        self._waiting_name = "stdout"
        self._waiting_size = 0
        self._flushed = 0.0
        self._used = 0
        self._tail: deque[tuple[str, str]] = deque()
        self._tail_size = 0
        self._tail_open = False
        self._tail_released = False
        self._characters_cut = 0
        self._displays_cut = 0
        self._errors = 0

    def start_thread(self) -> None:
        """Start the thread that sends what waits while a cell is busy."""
        # Signals are for the main thread: one that this thread took would not wake a sleeping cell.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            threading.Thread(target=self._keep_sending, name="output", daemon=True).start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def begin(self, run: int, *, silent: bool) -> None:
        """Begin the outputs of `run`; with `silent` nothing is sent."""
        with self._gate, self._lock:
            self._run, self._silent = run, silent
            self._reset()

    def end(self) -> None:
        """Send what waits, and say what was left out."""
        with self._gate, self._lock:
            self._release_tail()
            self._flush()
            if self._displays_cut:
                self._send_stream("stderr", f"[{self._displays_cut} displayed outputs left out: {self._rule()}]\n")
            self._silent = True

    def stream(self, name: str, text: str) -> None:
        """Print `text` to stream `name`."""
        if not text:
            return
        with self._gate, self._lock:
            if self._silent:
                return
            text = wire.clean_text(text)
            room = self._head_limit - self._used
            size = _size(text)
            if size > room and not self._tail_open:
                # Characters are at least a byte each: what is cut here is never too long.
                head, text = text[: max(0, room) // 4], text[max(0, room) // 4 :]
                self._append(name, head)
                self._tail_open = True
            if self._tail_open:
                self._keep_tail(name, text)
                return
            self._used += size
            self._append(name, text)

    def display(self, output: dict[str, Any]) -> None:
        """Send `output`, an `execute_result` or `display_data`."""
        with self._gate, self._lock:
            if self._silent:
                return
            data = output["data"]
            if isinstance(data.get("text/plain"), str):
                data["text/plain"] = shorten(data["text/plain"], self._limits.output // 8)
            size = sum(_size(str(value)) for value in data.values())
            if self._used + size > self._limits.output or self._tail_open:
                self._displays_cut += 1
                return
            self._used += size
            self._flush()
            self._send({"type": "output", "run": self._run, "output": output})

    def error(self, output: dict[str, Any]) -> None:
        """Send `output`, an `error`; the allowance never keeps back the first one."""
        with self._gate, self._lock:
            if self._silent:
                return
            if self._errors and self._tail_released:
                return
            self._errors += 1
            self._release_tail()
            self._flush()
            self._send({"type": "output", "run": self._run, "output": output})

    def document(self, document: dict[str, Any]) -> None:
        """Send a graph document, which has an allowance of its own; one that is too large is said to be so."""
        with self._gate, self._lock:
            if self._silent:
                return
            self._flush()
            output = {"output_type": "display_data", "data": {GRAPH_MIME: document}, "metadata": {}}
            self._send({"type": "output", "run": self._run, "output": output})

    def flush(self) -> None:
        """Send the printing that waits."""
        with self._gate, self._lock:
            self._flush()

    def _append(self, name: str, text: str) -> None:
        if name != self._waiting_name or self._waiting_size + len(text) > _JOIN_SIZE:
            self._flush()
        self._waiting_name = name
        self._waiting.append(text)
        self._waiting_size += len(text)
        # A line after a silence goes out at once: C code that holds the interpreter may follow, and keep the helper
        # thread from sending it.
        quiet = monotonic() - self._flushed > _JOIN_SECONDS
        if self._waiting_size >= _JOIN_SIZE or (quiet and text.endswith("\n")):
            self._flush()
        elif len(self._waiting) == 1:
            self._wake.set()

    def _flush(self) -> None:
        if self._waiting:
            text = "".join(self._waiting)
            self._waiting.clear()
            self._waiting_size = 0
            self._flushed = monotonic()
            self._send_stream(self._waiting_name, text)

    def _keep_tail(self, name: str, text: str) -> None:
        if self._tail_released:
            self._characters_cut += len(text)
            return
        kept = text[-self._tail_limit // 4 :]
        self._characters_cut += len(text) - len(kept)
        self._tail.append((name, kept))
        self._tail_size += len(kept)
        while self._tail_size - len(self._tail[0][1]) >= self._tail_limit // 4:
            _, dropped = self._tail.popleft()
            self._tail_size -= len(dropped)
            self._characters_cut += len(dropped)

    def _release_tail(self) -> None:
        if not self._tail_open or self._tail_released:
            return
        self._flush()
        self._tail_released = True
        if self._characters_cut:
            self._send_stream("stderr", f"\n[… {self._characters_cut:,} characters left out: {self._rule()} …]\n")
        for name, text in self._tail:
            self._append(name, text)
        self._tail.clear()

    def _rule(self) -> str:
        return f"a cell may print and display {megabytes(self._limits.output)}"

    def _send_stream(self, name: str, text: str) -> None:
        if self._silent:
            return
        for start in range(0, len(text), _JOIN_SIZE):
            output = {"output_type": "stream", "name": name, "text": text[start : start + _JOIN_SIZE]}
            self._send({"type": "output", "run": self._run, "output": output})

    def _keep_sending(self) -> None:
        while True:
            self._wake.wait()
            sleep(_JOIN_SECONDS)
            self._wake.clear()
            self.flush()


class TextStream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of a kernel."""

    def __init__(self, name: str, sender: OutputSender) -> None:
        self._name = name
        self._sender = sender

    @property
    def name(self) -> str:
        """`<stdout>` or `<stderr>`, as Python names them."""
        return f"<{self._name}>"

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """UTF-8, always."""
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """Lone surrogates are escaped."""
        return "backslashreplace"

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str, /) -> int:
        """Print `text`; return its length. Raises TypeError when it is no text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._sender.stream(self._name, text)
        return len(text)

    def flush(self) -> None:
        """Send at once what was printed."""
        self._sender.flush()


def shorten(text: str, limit: int) -> str:
    """Return `text` with its middle left out, and that said, when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "backslashreplace"))
