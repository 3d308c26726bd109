"""The command that starts a fork server.

It stands apart, because the server must not import what the fork server does.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from app.kernels.limits import Limits

_BOOT = (
    "import json, sys; settings = json.loads(sys.argv[1]); sys.path[:] = settings['sys_path']; "
    "from app.kernels.forkserver import main; main(settings)"
)


def bootstrap_command(
    descriptor: int, *, folder: str, limits: Limits, skip: frozenset[str], sys_path: list[str]
) -> list[str]:
    """Return the command that starts a fork server talking over the inherited `descriptor`.

    `folder` is an existing folder for the kernels' own ones, `skip` names layers of confinement to leave out, and
    `sys_path` is where to import from.
    """
    settings = {
        "descriptor": descriptor,
        "folder": folder,
        "limits": asdict(limits),
        "skip": sorted(skip),
        "sys_path": sys_path,
    }
    return [sys.executable, "-I", "-X", "utf8", "-c", _BOOT, json.dumps(settings)]
