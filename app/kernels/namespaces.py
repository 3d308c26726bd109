"""A file system view and a network of the kernels' own, made once by the fork server and shared by its kernels.

`enter` moves the fork server into fresh namespaces: no network but a loopback that is down, and a root that holds
nothing but read-only views of the folders Python needs. Each kernel then gets a mount namespace of its own, for a
private temporary folder that is a small file system of its own, and so has a bound.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from app.kernels import linux

_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
_OLD = "/.old"


@dataclass(frozen=True)
class Entered:
    """Which namespaces were entered. `why_not` tells what the system said where one was refused."""

    network: bool = False
    mounts: bool = False
    root: bool = False
    why_not: str = ""


def enter(readable: Iterable[str], folder: str, skip: frozenset[str]) -> Entered:
    """Enter what the system grants; the process must have one thread.

    With a root of its own, the process sees `readable`, a few devices and the empty `folder`, all at their usual
    paths.

    Raises:
        OSError: the root could not be built. The process may see half of it, and must end.
    """
    flags = linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
    flags |= 0 if "network" in skip else linux.CLONE_NEWNET
    flags |= 0 if "root" in skip else linux.CLONE_NEWNS
    try:
        _unshare(flags)
    except OSError as error:
        return Entered(why_not=str(error))
    network, mounts = bool(flags & linux.CLONE_NEWNET), bool(flags & linux.CLONE_NEWNS)
    if not mounts:
        return Entered(network=network)
    _change_root(list(readable), folder)
    return Entered(network=network, mounts=mounts, root=True)


def mount_private_folder(folder: str, nbytes: int, owner: int) -> None:
    """Put an empty file system of at most `nbytes` at `folder`, for this process alone. Raises OSError."""
    linux.unshare(linux.CLONE_NEWNS)
    options = f"size={nbytes},nr_inodes=4096,mode=0700,uid={owner},gid={owner}"
    linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC, options)


def _unshare(flags: int) -> None:
    if os.geteuid() == 0:
        linux.unshare(flags)
        return
    uid, gid = os.geteuid(), os.getegid()
    linux.unshare(flags | linux.CLONE_NEWUSER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{uid} {uid} 1")
    _write("/proc/self/gid_map", f"{gid} {gid} 1")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _change_root(readable: list[str], folder: str) -> None:
    """Build a root in memory and move into it, in the way bubblewrap does.

    Everything that needs the old paths (links above all) is resolved first. The new root hides a folder of the old
    one only until the roots have changed places.
    """
    sources = {path: os.path.realpath(path) for path in (*readable, *_DEVICES) if os.path.exists(path)}
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    base = os.path.realpath("/tmp" if os.path.isdir("/tmp") else "/mnt")
    linux.mount("tmpfs", base, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "size=1m,mode=0755")
    os.chdir(base)
    os.mkdir("." + _OLD)
    linux.pivot_root(".", "." + _OLD)
    os.chdir("/")
    # Parents first: a folder inside one already shown is there, and need not (and cannot) be made.
    for path in sorted(sources, key=len):
        if not os.path.exists(path):
            with suppress(PermissionError):  # what this process cannot reach, no kernel could
                _show(_OLD + sources[path], path)
    os.makedirs(folder, exist_ok=True)
    linux.unmount(_OLD)
    os.rmdir(_OLD)
    linux.mount(None, "/", None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV)


def _show(source: str, path: str) -> None:
    """Make `source` appear at `path`, read-only."""
    if os.path.isdir(source):
        os.makedirs(path)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb"):
            pass
    linux.mount(source, path, None, linux.MS_BIND | linux.MS_REC)
    # In a user namespace a remount must keep the flags that the mount already has.
    kept = os.statvfs(path).f_flag & (linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    device = path in _DEVICES
    flags = linux.MS_REMOUNT | linux.MS_BIND | linux.MS_NOSUID | kept
    flags |= 0 if device else linux.MS_RDONLY | linux.MS_NODEV
    # Where it is refused, the file system stays as it is: user, modes and Landlock still forbid writing.
    with suppress(OSError):
        linux.mount(None, path, None, flags)
