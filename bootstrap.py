#!/usr/bin/env python3
"""The two commands of the README, for a machine with Python and nothing else.

    python3 bootstrap.py serve [--port N] …    set up, then start the site on this machine
    python3 bootstrap.py test [pytest's own …] set up, then run all tests

Both keep what they install in `.venv` beside this file and install again only when something has changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "gradlens-installed"

EXTRAS = {"serve": ["plot"], "test": ["plot", "test"]}


def main(arguments: list[str]) -> int:
    """Run one of the two commands; return its exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this very file is what an older Python would be given
        found = ".".join(map(str, sys.version_info[:2]))
        return _fail(f"gradlens needs Python 3.11 or newer; this is {found}. Try: python3.11 bootstrap.py serve")
    if not arguments or arguments[0] not in EXTRAS:
        print(__doc__)
        return 0 if arguments and arguments[0] in ("-h", "--help", "help") else 2
    command, rest = arguments[0], arguments[1:]
    try:
        _install(command)
    except subprocess.CalledProcessError as error:
        return _fail(f"Installing failed (exit code {error.returncode}); what pip said stands above.")
    except SetupError as error:
        return _fail(str(error))
    if command == "serve":
        return _become([str(PYTHON), "-m", "app", "serve", *rest])
    return _become([str(PYTHON), "-m", "pytest", *rest])


class SetupError(RuntimeError):
    """Setting up cannot go on; the message says what to do."""


def _install(command: str) -> None:
    wanted = EXTRAS[command]
    stamp = STAMP.read_text().split() if PYTHON.exists() and STAMP.exists() else []
    if not stamp or stamp[0] != _digest() or not set(wanted) <= set(stamp[1:]):
        # What an earlier command installed stays installed.
        extras = sorted(set(wanted) | set(stamp[1:]))
        _make_venv()
        print(f"Installing gradlens into {VENV} (the first time takes a minute or two) …", flush=True)
        _pip("install", "--quiet", "--editable", f"{ROOT}[{','.join(extras)}]")
        # Taken again: by now the bundle has been built.
        STAMP.write_text(" ".join([_digest(), *extras]) + "\n")
    if command == "test":
        _install_front_end_tools()


def _install_front_end_tools() -> None:
    # The accessibility checks of the browser tests come from npm.
    import bundle

    if bundle.system_node() is None:
        _pip("install", "--quiet", bundle.NODE_WHEEL)
    subprocess.run([str(PYTHON), str(ROOT / "bundle.py"), "--development"], check=True, cwd=ROOT)


def _make_venv() -> None:
    if PYTHON.exists() and subprocess.run([str(PYTHON), "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise SetupError(
            "This Python cannot create environments (its ensurepip module is missing).\n"
            f"On Debian and Ubuntu: sudo apt install {package}"
        ) from None
    shutil.rmtree(VENV, ignore_errors=True)
    venv.EnvBuilder(with_pip=True, symlinks=os.name != "nt").create(VENV)


def _pip(*arguments: str) -> None:
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1")
    subprocess.run([str(PYTHON), "-m", "pip", *arguments], check=True, cwd=ROOT, env=environment)


def _digest() -> str:
    """What an installation depends on: this folder, this Python, the project's declaration and the pages' sources."""
    import bundle

    total = hashlib.sha256(f"{ROOT}\n{sys.version}\n{bundle.digest(ROOT)}\n".encode())
    for name in ("pyproject.toml", "hatch_build.py", "bundle.py"):
        total.update((ROOT / name).read_bytes())
    if not bundle.is_current(ROOT):
        total.update(b"the bundle must be built")
    return total.hexdigest()


def _become(command: list[str]) -> int:
    environment = dict(os.environ)
    environment.pop("PYTHONHOME", None)
    sys.stdout.flush()
    os.chdir(ROOT)
    if os.name == "nt":
        return subprocess.run(command, env=environment).returncode
    os.execve(command[0], command, environment)


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        # While installing; the next call goes on from there.
        sys.exit(130)
