"""IPython's shell, with its displays, printing and tracebacks sent as nbformat outputs."""

from __future__ import annotations

import builtins
import hashlib
import linecache
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import modulesbyfile
from typing import Any, NoReturn

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Instance
from traitlets.config import Config

from app.kernels import wire
from app.kernels.limits import Limits, megabytes
from app.kernels.streams import OutputSender, shorten
from app.kernels.tracebacks import FrameFilter, failing_line

#: The longest traceback sent, in characters, and the longest message in it.
_TRACEBACK = 64 * 1024
_MESSAGE = 16 * 1024


class Compiler(CachingCompiler):
    """Names a cell's code by its number and source, so that the name is known before the cell runs."""

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:  # noqa: ARG002
        """Return the file name for a cell's code."""
        digest = hashlib.blake2s(raw_code.encode("utf-8", "backslashreplace"), digest_size=6).hexdigest()
        name = f"<cell {number} {digest}>"
        # Formatting a traceback asks which module a file belongs to, and for an unknown file `inspect` looks at every
        # module there is. That would make a kernel's own copy of megabytes it shares with the fork server.
        for known in (name, os.path.abspath(name)):
            modulesbyfile[known] = "__main__"
        return name


class ResultDisplay(DisplayHook):
    """Sends the value of a cell's last expression as an `execute_result`."""

    def write_output_prompt(self) -> None:
        """Write nothing: the page shows the number."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        """Send the value."""
        shell: Any = self.shell
        output = {
            "output_type": "execute_result",
            "execution_count": shell.execution_count - 1,
            "data": wire.clean(format_dict),
            "metadata": wire.clean(md_dict or {}),
        }
        shell.sender.display(output)

    def log_output(self, format_dict: dict[str, Any]) -> None:
        """Keep no copy."""

    def finish_displayhook(self) -> None:
        """Write no separator."""
        self._is_active = False


class Publisher(DisplayPublisher):
    """Sends what `display()` is given as `display_data`."""

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *_: object,
        **__: object,
    ) -> None:
        """Send `data`, a MIME bundle."""
        publisher: Any = self  # its base class carries no types
        publisher._validate_data(data, metadata)
        data, metadata = wire.clean(data), wire.clean(metadata or {})
        publisher.shell.sender.display({"output_type": "display_data", "data": data, "metadata": metadata})

    def clear_output(self, wait: bool = False) -> None:
        """Do nothing: outputs stay, as in a recorded notebook."""


class Shell(InteractiveShell):
    """A shell whose outputs leave through `sender`."""

    compiler_class = Compiler
    displayhook_class = ResultDisplay
    display_pub_class = Publisher
    sender = Instance(OutputSender)
    frames = Instance(FrameFilter)

    #: The name of the running cell's code, and how many errors the cell has shown.
    cell_filename = ""
    limits = Limits()

    @contextmanager
    def _tee(self, *_: object, **__: object) -> Iterator[None]:
        """Keep no copy of what is printed."""
        yield

    def _format_exception_for_storage(self, *_: object, **__: object) -> dict[str, Any]:
        """Keep no copy of a traceback: formatting one is the dearest part of an error."""
        return {"ename": "", "evalue": "", "traceback": []}

    def enable_gui(self, gui: object = None) -> None:
        """Do nothing: there is no screen."""

    def ask_exit(self) -> NoReturn:
        """End the cell, not the kernel, for `exit()` and `quit()`."""
        raise SystemExit("exit() only ends this cell; Restart starts afresh")

    def showtraceback(
        self,
        exc_tuple: Any = None,
        *_: object,
        **__: object,
    ) -> None:
        """Send the exception being handled, or `exc_tuple`, as an `error` output."""
        shell: Any = self  # IPython's own methods carry no types
        try:
            kind, error = shell._get_exc_info(exc_tuple)[:2]
        except ValueError:
            print("No traceback available to show.", file=sys.stderr)  # noqa: T201
            return
        line = failing_line(error, self.cell_filename)
        if issubclass(kind, UsageError):
            self._send_error(kind, error, f"UsageError: {error}", line)
            return
        self.frames.prune(error)
        sys.last_traceback = error.__traceback__
        self._send_error(kind, error, self._formatted(kind, error), line)

    def showsyntaxerror(self, *_: object, **__: object) -> None:
        """Send the syntax error being handled."""
        self.showtraceback()

    def _formatted(self, kind: type[BaseException], error: BaseException) -> str:
        syntax: Any = self.SyntaxTB
        other: Any = self.InteractiveTB
        try:
            if issubclass(kind, SystemExit):
                return f"SystemExit: {error}"
            if isinstance(error, SyntaxError):
                frames = traceback.extract_tb(error.__traceback__)
                return "".join(syntax.structured_traceback(kind, error, frames))
            if isinstance(error, BaseExceptionGroup):
                return "".join(traceback.format_exception(error))
            if error.__traceback__ is None:
                return "".join(other.get_exception_only(kind, error))
            return "\n".join(other.structured_traceback(kind, error, error.__traceback__, tb_offset=0))
        except Exception:  # an exception's own __str__ may fail, or what IPython makes of a strange one
            return "".join(traceback.format_exception(error))

    def _send_error(self, kind: type[BaseException], error: BaseException, formatted: str, line: int | None) -> None:
        try:
            message = error.msg if isinstance(error, SyntaxError) else str(error)
        except Exception as second:
            message = f"<{type(second).__name__} while making this message>"
        metadata: dict[str, Any] = {} if line is None else {"line": line}
        if isinstance(error, MemoryError):
            metadata["help"] = memory_help(self.limits)
        text = wire.clean_text(shorten("\n".join(self.frames.lines(formatted)), _TRACEBACK))
        output = {
            "output_type": "error",
            "ename": wire.clean_text(kind.__name__),
            "evalue": wire.clean_text(shorten(message, _MESSAGE)),
            "traceback": text.split("\n"),
            "metadata": metadata,
        }
        self.sender.error(output)


def memory_help(limits: Limits) -> str:
    """Say what a MemoryError means here."""
    return f"Your cell used more than {megabytes(limits.memory)} of memory, the most a page may have."


def make_shell(sender: OutputSender, frames: FrameFilter, limits: Limits, ipython_dir: str) -> Shell:
    """Make the one shell of this process. It writes nothing to disk."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.autocall = 0
    config.InteractiveShell.enable_tip = False
    config.InteractiveShell.logstart = False
    config.Completer.use_jedi = False
    config.IPCompleter.use_jedi = False
    shell = Shell.instance(config=config, ipython_dir=ipython_dir, sender=sender, frames=frames)
    shell.limits = limits
    builtins.input = _no_input
    # IPython's advice after SystemExit is for terminals.
    warnings.filterwarnings("ignore", message="To exit: use", module="IPython")
    warnings.formatwarning = _make_formatwarning(shell)
    return shell


def _no_input(*_: object) -> NoReturn:
    raise RuntimeError("input() is not available on this page: write the value into the cell instead")


def _make_formatwarning(shell: Shell) -> Any:
    def formatwarning(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
    ) -> str:
        """Format as Python does, with the cell's number in place of its internal name."""
        name = shell.compile.format_code_name(filename)
        shown = " ".join(name) if name else filename
        source = linecache.getline(filename, lineno).strip() if line is None else line.strip()
        text = f"{shown}:{lineno}: {category.__name__}: {message}\n"
        return f"{text}  {source}\n" if source else text

    return formatwarning
