"""Run by test_confinement: becomes an ordinary user, starts kernels, tries what must fail, prints what happened.

Arguments: a port somebody listens on, and the layers to leave out, separated by commas.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent.parent
sys.path[:0] = [str(CHECKOUT), str(HERE.parent / "unit" / "kernels")]

from kernel_lab import FAKE_ENGINE, Lab  # noqa: E402

from app.kernels import linux  # noqa: E402

NOBODY = 65534


def become_ordinary() -> None:
    """Give up root, where this is root; first let the user reach Python, which root may keep where others cannot."""
    if os.geteuid() != 0:
        return
    needed = [sys.base_prefix, sys.prefix, str(CHECKOUT)]
    closed = {str(parent): path for path in needed for parent in Path(path).parents if not parent.stat().st_mode & 1}
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    for parent, path in sorted(closed.items(), key=lambda entry: len(entry[0]))[:1]:
        stage = tempfile.mkdtemp()
        linux.mount(path, stage, None, linux.MS_BIND | linux.MS_REC)
        linux.mount("tmpfs", parent, "tmpfs", 0, "mode=0755")
        Path(path).mkdir(parents=True)
        linux.mount(stage, path, None, linux.MS_BIND | linux.MS_REC)
    os.environ["HOME"] = tempfile.mkdtemp()
    os.chown(os.environ["HOME"], NOBODY, NOBODY)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def main() -> None:
    port, skip = int(sys.argv[1]), frozenset(filter(None, sys.argv[2].split(",")))
    become_ordinary()
    lab = Lab(skip=skip)
    cells = {
        "reading": "open('/etc/passwd').read()",
        "listing": f"import os; os.listdir({str(CHECKOUT / 'app')!r})",
        "writing": "open('/var/tmp/gradlens-test', 'w')",
        "connecting": f"import socket; socket.create_connection(('127.0.0.1', {port}))",
        "signalling": f"import os; os.kill({os.getpid()}, 0)",
        "starting": "import os; os.execv('/bin/true', ['true'])",
        "forking": "import os; os.fork()",
        "filling": "x = bytearray(600 << 20)",
        "engine": f"open({FAKE_ENGINE + '/engine/__init__.py'!r}, 'a')",
        "computing": "import numpy, json, sqlite3; open('mine', 'w').write('x'); numpy.eye(3) @ numpy.eye(3)",
    }
    attempts = {}
    for name, source in cells.items():
        result = lab.run(source)
        attempts[name] = "done" if result.status.status == "ok" else result.error["ename"]
    report = lab.pool.confinement()
    lab.close()
    sys.stdout.write(json.dumps({"uid": os.getuid(), "report": report, "attempts": attempts}) + "\n")


if __name__ == "__main__":
    main()
