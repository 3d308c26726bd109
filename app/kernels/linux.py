"""The system calls of Linux that Python 3.11 does not offer, with errors as OSError."""

from __future__ import annotations

import ctypes
import os
import platform
import sys

AVAILABLE = sys.platform == "linux"
MACHINE = platform.machine()

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NO_NEW_PRIVS = 38

_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAPSET = {"x86_64": 126, "aarch64": 91}

_libc: ctypes.CDLL | None = ctypes.CDLL(None, use_errno=True) if AVAILABLE else None


def _library() -> ctypes.CDLL:
    if _libc is None:
        raise OSError("this needs Linux")
    return _libc


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: object) -> int:
    """Make system call `number`; integers are passed as longs. Raises OSError."""
    prepared = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    return _checked(_library().syscall(ctypes.c_long(number), *prepared), f"system call {number}")


def prctl(option: int, value: int) -> None:
    """Set one of the process's own attributes. Raises OSError."""
    zero = ctypes.c_ulong(0)
    _checked(_library().prctl(option, ctypes.c_ulong(value), zero, zero, zero), f"prctl {option}")


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` name, for fresh ones. Raises OSError."""
    _checked(_library().unshare(flags), "unshare")


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mount `source` at `target`, as mount(2) does. Raises OSError."""
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    result = _library().mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3])
    _checked(result, f"mount {target}")


def unmount(target: str) -> None:
    """Detach the mount at `target`; it goes once nobody uses it. Raises OSError."""
    _checked(_library().umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root and put the present one at `old`. Raises OSError."""
    if MACHINE not in _PIVOT_ROOT:
        raise OSError(f"pivot_root is not known on {MACHINE}")
    syscall(_PIVOT_ROOT[MACHINE], os.fsencode(new), os.fsencode(old))


def drop_capabilities() -> None:
    """Give up every capability for good. Raises OSError."""
    if MACHINE not in _CAPSET:
        raise OSError(f"capset is not known on {MACHINE}")
    version_3 = 0x20080522
    header = (ctypes.c_uint32 * 2)(version_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    syscall(_CAPSET[MACHINE], ctypes.byref(header), ctypes.byref(nothing))


def trim_memory() -> None:
    """Give freed memory back to the system, where the C library can."""
    trim = getattr(_libc, "malloc_trim", None)
    if trim is not None:
        trim(0)
