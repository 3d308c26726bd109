"""Landlock: the kernel process may read a few folders, write one, and reach no other process.

Rights that this kernel's Landlock does not know are left out, so an older Linux confines less, and the report says
which version of the interface was there.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

from app.kernels import linux

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

EXECUTE = 1 << 0
WRITE_FILE = 1 << 1
READ_FILE = 1 << 2
READ_DIR = 1 << 3
TRUNCATE = 1 << 14
IOCTL_DEV = 1 << 15

#: How many file-system rights each version of the interface knows.
_RIGHTS_BY_VERSION = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
_NET_ALL = 0b11  # bind and connect, TCP
_SCOPE_ALL = 0b11  # abstract UNIX sockets and signals


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Return the version of the Landlock interface of the running system; 0 where there is none."""
    try:
        return linux.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(readable: Iterable[str], writable: Iterable[str]) -> int:
    """Confine this thread, and all it starts, to reading below `readable` and writing below `writable`.

    Paths that do not exist are skipped. no_new_privs must be set. Returns the version of the interface.

    Raises:
        OSError: Landlock is missing or refused.
    """
    known = version()
    if known < 1:
        raise OSError("this system has no Landlock")
    handled = (1 << _RIGHTS_BY_VERSION[min(known, max(_RIGHTS_BY_VERSION))]) - 1
    attributes = _RulesetAttributes(handled, _NET_ALL if known >= 4 else 0, _SCOPE_ALL if known >= 6 else 0)
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    ruleset = linux.syscall(_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    try:
        for path in readable:
            _allow(ruleset, path, READ_FILE | READ_DIR)
        for path in writable:
            _allow(ruleset, path, handled & ~(EXECUTE | IOCTL_DEV))
        linux.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return known


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            rights &= _ON_FILES
        linux.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(_PathBeneath(rights, parent)), 0)
    finally:
        os.close(parent)
