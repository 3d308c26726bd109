"""The `gradlens` command."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path

import app
from app.config import Settings, is_loopback
from app.resources import find_resources

#: Exit codes: something about this machine or the call must be changed first.
CANNOT_START = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gradlens", description="An interactive tutorial of tensors and autograd, served from this machine."
    )
    parser.add_argument("--version", action="version", version=f"gradlens {app.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="{serve,check,record}", required=True)

    serve = commands.add_parser("serve", help="start the site", description="Start the site and open it.")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument(
        "--port", type=_port, default=8000, help="port to listen on; 0 takes a free one (default: %(default)s)"
    )
    serve.add_argument("--no-browser", action="store_true", help="do not open a browser")
    serve.add_argument(
        "--origin",
        action="append",
        default=[],
        metavar="URL",
        help="a further origin the site is reached by, such as https://learn.example.org (repeatable)",
    )
    serve.set_defaults(command=_serve)

    check = commands.add_parser(
        "check",
        help="run every lesson's cells and compare with what PyTorch printed",
        description="Run every lesson's cells on the engine and compare with the recorded outputs.",
    )
    record = commands.add_parser(
        "record",
        help="record what PyTorch prints for every lesson's cells (needs torch)",
        description="Run every lesson's cells on real PyTorch, which must be installed, and write recorded.json.",
    )
    for command, action in ((check, _check), (record, _record)):
        command.add_argument("--root", type=Path, default=None, help="folder that holds lessons/ (default: the course)")
        command.set_defaults(command=action)
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is no port: it must lie between 0 and 65535")
    return port


def _check(options: argparse.Namespace) -> int:
    from app.lessons.check import check_lessons

    return check_lessons(options.root or find_resources().root, sys.stdout)


def _record(options: argparse.Namespace) -> int:
    from app.lessons.record import record_lessons

    return record_lessons(options.root or find_resources().root, sys.stdout)


def _serve(options: argparse.Namespace) -> int:
    # Imported here: --help and --version should not wait for the server's libraries.
    from app.lessons.errors import LessonError
    from app.main import ConfinementMissing, create_app
    from app.serving import listen, serve
    from app.sessions.errors import KernelsUnavailable
    from app.web.assets import BundleMissing

    try:
        settings = Settings(host=options.host, port=options.port, origins=tuple(options.origin))
        listener = listen(settings.host, settings.port)
        server_app = create_app(settings)
    except (ValueError, OSError, BundleMissing, LessonError) as error:
        return _fail(str(error))

    def announce() -> None:
        _announce(_address(settings.host, listener), browser=not options.no_browser)

    try:
        asyncio.run(serve(server_app, listener, announce))
    except KeyboardInterrupt:
        return 0
    except (ConfinementMissing, KernelsUnavailable) as error:
        return _fail(str(error))
    finally:
        listener.close()
    return 0


def _address(host: str, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    if not is_loopback(host):
        return f"http://127.0.0.1:{port}/"
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _announce(address: str, *, browser: bool) -> None:
    print(f"gradlens is ready: {address}   (Ctrl+C stops it)", flush=True)
    if browser and has_desktop():
        # In a thread: some launchers wait for the browser to close.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def has_desktop() -> bool:
    """Whether a browser can be opened for the person at this machine."""
    if sys.platform in ("win32", "darwin"):
        return True
    if os.environ.get("SSH_CONNECTION"):
        return False
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return CANNOT_START
