"""What keeps a kernel from everything that is not its learner's: layers, each detected and each reported.

Order matters. The fork server calls `enter_namespaces` once; each kernel calls `confine` after the fork and before
it reads anything from its learner. No layer is assumed: what the system refuses is reported as not holding, with
what it said, and the layers after it are still tried.

Elsewhere than on Linux only the limits hold (macOS), or no kernel can be started at all (Windows).
"""

from __future__ import annotations

import os
import signal
import sys
import sysconfig
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from app.kernels import landlock, linux, namespaces, seccomp
from app.kernels.limits import DEFAULT_LIMITS, Limits

if sys.platform != "win32":
    import resource

#: The layers that must hold before a server may be reached from other machines. `network` counts as holding when
#: either the namespace or the filter keeps sockets closed.
NEEDED = ("no_new_privileges", "landlock", "seccomp", "network", "limits", "environment")

_SYSTEM_FOLDERS = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/fonts",
    "/usr/share/zoneinfo",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
)
_DEVICES = ("/dev/zero", "/dev/urandom", "/dev/random")

#: A range of user numbers that no system gives to anyone.
_FIRST_UID = 0x70000000
_UIDS = 1 << 20


@dataclass(frozen=True)
class Plan:
    """How kernels are confined. `skip` leaves layers out, so that a test can see what each does alone."""

    limits: Limits = DEFAULT_LIMITS
    readable: tuple[str, ...] = ()
    #: Where the private folder appears inside a kernel, when it has a root of its own.
    folder: str = "/tmp"
    skip: frozenset[str] = frozenset()


@dataclass
class Report:
    """Which layers hold, with what the system said about each."""

    layers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, holds: bool, detail: str) -> None:
        """Record layer `name`."""
        self.layers[name] = {"holds": holds, "detail": detail}

    def attempt(self, name: str, work: Callable[[], str], skip: frozenset[str]) -> bool:
        """Put layer `name` in place with `work`, which returns the detail to report; tell whether it holds."""
        if name in skip:
            self.add(name, False, "left out")
            return False
        try:
            self.add(name, True, work())
        except (OSError, ValueError) as error:
            self.add(name, False, str(error))
        return bool(self.layers[name]["holds"])

    def as_dict(self) -> dict[str, Any]:
        """Return the report as the health page shows it."""
        full = all(self.layers.get(name, {}).get("holds") for name in NEEDED)
        return {"platform": sys.platform, "full": full, "layers": self.layers}


def readable_paths(extra: Iterable[str] = ()) -> tuple[str, ...]:
    """List what a kernel must be able to read: Python, its packages, the system's libraries and fonts, `extra`."""
    paths = sysconfig.get_paths()
    found = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    found += [path for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages")]
    found += [path for path in sys.path if path.endswith("lib-dynload")]
    if sys.base_prefix != "/usr":
        found.append(os.path.join(sys.base_prefix, "lib"))
    found += [*_SYSTEM_FOLDERS, *extra]
    return tuple(dict.fromkeys(path for path in found if os.path.exists(path)))


def choose_folder(readable: Iterable[str]) -> str:
    """Choose where a kernel's private folder appears: a place that hides none of `readable`."""
    candidates = ("/tmp", "/scratch", "/private-scratch")
    taken = tuple(readable)
    return next(place for place in candidates if not any(path.startswith(place + "/") for path in taken))


def enter_namespaces(plan: Plan) -> namespaces.Entered:
    """Move the fork server into namespaces of its own; call once, before the first kernel."""
    if not linux.AVAILABLE:
        return namespaces.Entered(why_not="this needs Linux")
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        # When memory runs out, a kernel goes before the server does.
        file.write("500")
    return namespaces.enter(plan.readable, plan.folder, plan.skip)


def spare_uids() -> range:
    """Find user numbers that nobody has and that this process may take; empty where it is not root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return range(0)
    try:
        with open("/proc/self/uid_map", encoding="ascii") as file:
            ranges = [tuple(map(int, line.split())) for line in file]
    except OSError:
        ranges = [(0, 0, 1 << 32)]
    if any(first <= _FIRST_UID and first + count >= _FIRST_UID + _UIDS for first, _, count in ranges):
        return range(_FIRST_UID, _FIRST_UID + _UIDS)
    # A container that maps few numbers: the upper half of the largest range.
    first, _, count = max(ranges, key=lambda entry: entry[2])
    return range(first + count - count // 2, first + count)


def confine(plan: Plan, entered: namespaces.Entered, *, uid: int, own_folder: str, mapped: int) -> Report:
    """Confine this process for good.

    `uid` is the user to become where root, `own_folder` this kernel's folder where it cannot have a file system of
    its own, `mapped` the bytes of address space that the fork server has mapped. The process must have one thread.
    """
    report = Report()
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    folder = own_folder

    def private_folder() -> str:
        nonlocal folder
        if not entered.mounts:
            raise OSError(f"no file system of its own: {entered.why_not or 'left out'}")
        place = plan.folder if entered.root else own_folder
        namespaces.mount_private_folder(place, plan.limits.folder, uid if is_root else os.geteuid())
        folder = place
        return f"at most {plan.limits.folder} bytes"

    report.attempt("folder", private_folder, plan.skip)
    if is_root and folder == own_folder and "user" not in plan.skip:
        with suppress(OSError):
            os.chown(own_folder, uid, uid)
    with suppress(OSError):
        os.chdir(folder)
    report.attempt("environment", lambda: _empty_environment(folder), plan.skip)
    own_user = is_root and report.attempt("user", lambda: _become(uid), plan.skip)
    if not is_root:
        report.add("user", False, "the server does not run as root")
    report.attempt("limits", lambda: _limit(plan.limits, mapped, own_user), plan.skip)
    report.add("root", entered.root, entered.why_not or "only what Python needs is in sight")
    if linux.AVAILABLE:
        _confine_linux(plan, report, folder)
    sockets_closed = bool(report.layers.get("seccomp", {}).get("holds"))
    detail = "namespace" if entered.network else f"no namespace: {entered.why_not or 'left out'}"
    report.add("network", entered.network or sockets_closed, detail + (", filter" if sockets_closed else ""))
    return report


def forbid_threads(report: Report) -> None:
    """Let no thread be started any more, where no limit counts this kernel's threads by its own user."""
    if report.layers["user"]["holds"] or not report.layers.get("seccomp", {}).get("holds"):
        return
    with suppress(OSError):
        seccomp.forbid_threads()


def _confine_linux(plan: Plan, report: Report, folder: str) -> None:
    def no_new_privileges() -> str:
        linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
        return "set"

    def capabilities() -> str:
        linux.drop_capabilities()
        return "none left"

    def landlock_rules() -> str:
        known = landlock.restrict((*plan.readable, *_DEVICES), (folder, "/dev/null"))
        return f"version {known}"

    def system_calls() -> str:
        seccomp.restrict()
        return "only the calls on its list"

    report.attempt("no_new_privileges", no_new_privileges, plan.skip)
    report.attempt("capabilities", capabilities, plan.skip)
    with suppress(OSError):
        # Cleared by the change of user, so set here: a kernel never outlives its fork server.
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        linux.prctl(linux.PR_SET_DUMPABLE, 0)
    report.attempt("landlock", landlock_rules, plan.skip)
    report.attempt("seccomp", system_calls, plan.skip)


def _become(uid: int) -> str:
    if uid == 0:
        raise OSError("this system has no user numbers to spare")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    return f"user {uid}"


def _empty_environment(folder: str) -> str:
    # matplotlib reads its folder when it is imported, long before; HOME is what expanduser and pathlib ask for.
    os.environ.clear()
    os.environ.update({"HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", "PATH": ""})
    import tempfile

    tempfile.tempdir = None
    return "empty"


def _limit(limits: Limits, mapped: int, own_user: bool) -> str:
    bounds = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": limits.file,
        "RLIMIT_NOFILE": limits.files,
        "RLIMIT_CPU": 3600,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
    }
    if own_user:
        # The kernel counts by user: without one of its own, a learner's limit would be everyone's.
        bounds["RLIMIT_NPROC"] = limits.threads
    if linux.AVAILABLE and mapped:
        bounds["RLIMIT_AS"] = mapped + limits.memory
    for name, bound in bounds.items():
        number = getattr(resource, name, None)
        if number is not None:
            resource.setrlimit(number, (bound, bound))
    return f"{limits.memory} bytes of memory, {limits.files} open files, {limits.file} bytes a file"
