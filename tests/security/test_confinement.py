"""What a learner's cell can reach: each layer of confinement alone, then all of them together.

On Linux these tests fail, never skip, when a layer that the system supports does not hold.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kernel_lab import Lab

from app.kernels import landlock

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layers are those of Linux")

CHECKOUT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

Only = Callable[..., Lab]


def attempt(lab: Lab, code: str, setup: str = "") -> str:
    """Run `code` in a kernel; give the name of the error it ends in, or "done"."""
    result = lab.run(f"{setup}\n{code}")
    if result.status.status == "ok":
        return "done"
    assert result.status.status == "error", result.status
    return str(result.error["ename"])


@pytest.fixture
def listener() -> Iterator[int]:
    """A port of this machine on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_without_any_layer_a_cell_may_do_all_this(only: Only, listener: int, tmp_path: Path) -> None:
    """Otherwise the tests below would prove nothing."""
    bare = only()
    assert attempt(bare, "open('/etc/passwd').read()") == "done"
    assert attempt(bare, f"import socket; socket.create_connection(('127.0.0.1', {listener}))") == "done"
    assert attempt(bare, f"open({str(tmp_path / 'x')!r}, 'w').write('x')") == "done"
    assert attempt(bare, f"import os; os.kill({os.getpid()}, 0)") == "done"
    assert attempt(bare, "import subprocess; subprocess.run(['true'], check=True)") == "done"


class TestLandlockAlone:
    LAYERS = ("no_new_privileges", "landlock")

    @pytest.fixture(autouse=True)
    def _supported(self) -> None:
        if not has_landlock():
            pytest.skip("this Linux has no Landlock")
        assert landlock.version() > 0

    @pytest.mark.parametrize(
        "path",
        ["/etc/passwd", "/proc/self/environ", "/proc/1/cmdline", str(CHECKOUT / "app" / "config.py"), __file__],
    )
    def test_reading(self, only: Only, path: str) -> None:
        assert attempt(only(*self.LAYERS), f"open({path!r}).read()") == "PermissionError"

    @pytest.mark.parametrize("folder", ["/", "/etc", "/proc", str(CHECKOUT), str(CHECKOUT / "app")])
    def test_listing(self, only: Only, folder: str) -> None:
        assert attempt(only(*self.LAYERS), f"import os; os.listdir({folder!r})") == "PermissionError"

    def test_writing_outside_the_private_folder(self, only: Only, tmp_path: Path) -> None:
        target = tmp_path / "x"
        target.write_text("kept")
        lab = only(*self.LAYERS)
        assert attempt(lab, f"open({str(target)!r}, 'w')") == "PermissionError"
        assert attempt(lab, f"import os; os.truncate({str(target)!r}, 0)") == "PermissionError"
        assert attempt(lab, f"import os; os.mkdir({str(tmp_path / 'd')!r})") == "PermissionError"
        assert attempt(lab, f"import os; os.unlink({str(target)!r})") == "PermissionError"
        assert attempt(lab, f"import os; os.symlink('/etc', {str(tmp_path / 'l')!r})") == "PermissionError"
        assert target.read_text() == "kept"

    def test_the_packages_and_the_private_folder_are_open(self, only: Only) -> None:
        lab = only(*self.LAYERS)
        assert attempt(lab, "import numpy, json; open(numpy.__file__).read()\nopen('mine', 'w').write('x')") == "done"

    def test_starting_programs(self, only: Only) -> None:
        assert attempt(only(*self.LAYERS), "import os; os.execv('/bin/true', ['true'])") == "PermissionError"

    def test_tcp(self, only: Only, listener: int) -> None:
        if landlock.version() >= 4:
            code = f"import socket; socket.create_connection(('127.0.0.1', {listener}))"
            assert attempt(only(*self.LAYERS), code) == "PermissionError"

    def test_signals_to_others(self, only: Only) -> None:
        if landlock.version() >= 6:
            assert attempt(only(*self.LAYERS), f"import os; os.kill({os.getpid()}, 0)") == "PermissionError"


class TestSeccompAlone:
    LAYERS = ("no_new_privileges", "seccomp")

    @pytest.mark.parametrize(
        "code",
        [
            "import socket; socket.socket()",
            "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
            "import socket; socket.socket(socket.AF_UNIX)",
            "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
            "import socket; socket.create_connection(('127.0.0.1', 9))",
            "import os; os.fork()",
            "import os; os.execv('/bin/true', ['true'])",
            "import subprocess; subprocess.run(['/bin/true'])",
            "import os; os.kill(1, 0)",
            "import os; os.kill(-1, 0)",
            "import os, signal; signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 0)",
            "import os; open('f', 'w'); os.chmod('f', 0o777)",
            "import os; os.utime('.')",
            "import os; os.setpriority(os.PRIO_PROCESS, 0, 5)",
            "import os; os.memfd_create('x')",
            "import os; os.symlink('/etc', 'link')",
            "import os; os.mkfifo('fifo')",
            "import os; os.sched_setaffinity(0, {0})",
            "import fcntl, os; fcntl.ioctl(0, 0x5412, b'x')",
        ],
    )
    def test_the_call_is_refused(self, only: Only, code: str) -> None:
        assert attempt(only(*self.LAYERS), code) in ("PermissionError", "OSError")

    @pytest.mark.parametrize(
        ("name", "number"),
        [
            ("ptrace", 101),
            ("process_vm_readv", 310),
            ("shmget", 29),
            ("mount", 165),
            ("unshare", 272),
            ("setns", 308),
            ("keyctl", 250),
            ("bpf", 321),
            ("perf_event_open", 298),
            ("io_uring_setup", 425),
            ("userfaultfd", 323),
            ("open_by_handle_at", 304),
            ("personality", 135),
            ("sendmsg", 46),
            ("recvmsg", 47),
            ("pidfd_getfd", 438),
            ("x32 getpid", 0x40000000 + 39),
        ],
    )
    def test_the_raw_call_is_refused(self, only: Only, name: str, number: int) -> None:
        if os.uname().machine != "x86_64":
            return
        code = (
            "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            f"result = libc.syscall({number}, 0, 0, 0, 0, 0)\n(result, ctypes.get_errno())"
        )
        assert only(*self.LAYERS).run(code).value == "(-1, 1)", name

    def test_limits_cannot_be_raised_and_can_be_read(self, only: Only) -> None:
        lab = only(*self.LAYERS)
        assert attempt(lab, "import resource; resource.getrlimit(resource.RLIMIT_AS)") == "done"
        code = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8))"
        assert attempt(lab, code) in ("PermissionError", "ValueError")

    def test_what_cells_need_is_allowed(self, only: Only) -> None:
        code = (
            "import asyncio, numpy, tempfile, time, threading, shutil, os, signal\n"
            "asyncio.run(asyncio.sleep(0)); time.sleep(0); numpy.linalg.svd(numpy.eye(50))\n"
            "with tempfile.TemporaryDirectory() as d:\n"
            "    open(d + '/x', 'w').write('x'); shutil.copyfile(d + '/x', d + '/y')\n"
            "signal.raise_signal(signal.SIGCONT); os.getpid(), os.cpu_count(), time.time()"
        )
        assert attempt(only(*self.LAYERS), code) == "done"

    def test_threads_need_a_user_whose_threads_are_counted(self, only: Only) -> None:
        code = "import threading; threading.Thread(target=int).start()"
        assert attempt(only(*self.LAYERS), code) == "RuntimeError"
        if IS_ROOT:
            assert attempt(only("user", "limits", *self.LAYERS), code) == "done"


class TestOtherLayersAlone:
    def test_the_network_namespace(self, only: Only, listener: int) -> None:
        lab = only("network")
        if not namespaces_allowed(lab):
            return
        assert attempt(lab, f"import socket; socket.create_connection(('127.0.0.1', {listener}))") == "OSError"
        assert attempt(lab, "import socket; socket.socket(2, 2).sendto(b'x', ('192.0.2.1', 9))") == "OSError"

    def test_the_root(self, only: Only) -> None:
        lab = only("root")
        if not namespaces_allowed(lab):
            return
        for path in ("/etc/passwd", "/proc/self", str(CHECKOUT / "app"), "/home", "/.old"):
            assert attempt(lab, f"import os; os.stat({path!r})") == "FileNotFoundError"
        assert attempt(lab, "import os, sqlite3, email.mime.text; os.listdir('/')") == "done"

    def test_the_folder(self, only: Only) -> None:
        lab = only("root", "folder")
        if not namespaces_allowed(lab):
            return
        code = "for i in range(40): open(f'f{i}', 'wb').write(bytes(1 << 20))"
        assert lab.run(code).error["evalue"].startswith("[Errno 28]")
        kernel = lab.kernel()
        assert lab.run("open('left', 'w').write('x')", kernel).status.status == "ok"
        assert lab.run("import os; os.listdir()").value == "[]"

    @pytest.mark.skipif(not IS_ROOT, reason="only root can give kernels users of their own")
    def test_the_user(self, only: Only, tmp_path: Path) -> None:
        private = tmp_path / "private"
        private.write_text("x")
        private.chmod(0o600)
        lab = only("user")
        assert attempt(lab, f"open({str(private)!r})") == "PermissionError"
        assert attempt(lab, f"import os; os.kill({os.getpid()}, 0)") == "PermissionError"
        assert attempt(lab, "import os; os.setuid(0)") == "PermissionError"
        users = {lab.run("import os; os.getuid(), os.getgid(), os.getgroups()").value for _ in range(3)}
        assert len(users) == 3
        assert all("[]" in user for user in users)

    def test_the_limits(self, only: Only) -> None:
        lab = only("limits")
        assert attempt(lab, "bytearray(600 << 20)") == "MemoryError"
        assert attempt(lab, "bytearray(300 << 20)") == "done"
        assert attempt(lab, "open('f', 'wb').write(bytes(20 << 20))") == "OSError"
        assert attempt(lab, "files = [open('/dev/null') for _ in range(100)]") == "OSError"
        assert lab.run("import resource; resource.getrlimit(resource.RLIMIT_CORE)").value == "(0, 0)"

    def test_the_environment(self, full: Lab) -> None:
        value = full.run("import os; sorted(os.environ)").value
        assert value == "['HOME', 'LANG', 'PATH', 'TMPDIR']"


class TestAllTogether:
    def test_every_layer_that_this_system_has_holds(self, full: Lab) -> None:
        report = full.pool.confinement()
        layers = report["layers"]
        always = {"environment", "limits", "no_new_privileges", "capabilities", "network"}
        expected = always | ({"landlock"} if has_landlock() else set()) | ({"seccomp"} if has_seccomp() else set())
        expected |= {"user"} if IS_ROOT else set()
        expected |= {"root", "folder"} if namespaces_allowed(full) else set()
        assert {name for name in expected if not layers[name]["holds"]} == set()
        assert set(layers) == always | {"landlock", "seccomp", "user", "root", "folder"}
        assert report["full"] is (has_landlock() and has_seccomp())

    def test_the_secrets_of_the_server_are_nowhere(self, full: Lab) -> None:
        code = "import os, ctypes\nctypes.CDLL(None).getenv.restype = ctypes.c_char_p\nstr(dict(os.environ))"
        assert "a-secret" not in full.run(code).value
        getenv = "import ctypes; f = ctypes.CDLL(None).getenv; f.restype = ctypes.c_char_p; f(b'GRADLENS_TEST_SECRET')"
        assert full.run(getenv + " is None").value == "True"
        for path in ("/proc/self/environ", f"/proc/{os.getpid()}/environ", "/proc/1/environ"):
            assert attempt(full, f"open({path!r}, 'rb').read()") in ("PermissionError", "FileNotFoundError")

    def test_only_the_kernels_own_descriptors_are_open(self, full: Lab) -> None:
        code = (
            "import os\ndef is_open(n):\n    try: os.fstat(n); return True\n    except OSError: return False\n"
            "[n for n in range(1024) if is_open(n)]"
        )
        # The null device three times, the socket, and the null device again as sys.stdin.
        value = json.loads(full.run(code).value)
        assert value[:4] == [0, 1, 2, 3]
        assert len(value) <= 4

    def test_learners_cannot_reach_one_another(self, full: Lab) -> None:
        victim = full.kernel()
        full.run("open('mine', 'w').write('x'); secret = 7", victim)
        assert attempt(full, f"import os; os.kill({victim.pid}, 9)") == "PermissionError"
        assert attempt(full, f"open('/proc/{victim.pid}/mem', 'rb')") in ("PermissionError", "FileNotFoundError")
        assert full.run("import os; os.listdir()").value == "[]"
        assert full.run("secret", victim).value == "7"

    def test_the_engine_and_the_packages_cannot_be_written(self, full: Lab) -> None:
        for code in ("import engine as m", "import numpy as m", "import json as m"):
            result = full.run(f"{code}\nopen(m.__file__, 'a')")
            assert result.error["ename"] in ("PermissionError", "OSError", "FileNotFoundError")

    def test_the_private_folder_can_be_used(self, full: Lab) -> None:
        code = (
            "import numpy as np, os, tempfile, pathlib\n"
            "np.save('a.npy', np.eye(3))\nassert np.load('a.npy').sum() == 3\n"
            "with tempfile.NamedTemporaryFile('w') as f: f.write('x')\n"
            "os.mkdir('d'); os.rename('a.npy', 'd/a.npy'); pathlib.Path('~').expanduser() == pathlib.Path.cwd()"
        )
        assert full.run(code).value == "True"

    def test_a_thread_bomb_stays_in_its_kernel(self, full: Lab) -> None:
        code = (
            "import threading, time\nn = 0\ntry:\n    while True:\n"
            "        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start(); n += 1\n"
            "except RuntimeError: pass\nn"
        )
        assert int(full.run(code).value) < 64
        assert full.run("1 + 1").value == "2"


class TestAsAnOrdinaryUser:
    """The same server, started by somebody who is not root."""

    @pytest.mark.parametrize("skip", ["", "root,network"], ids=["with namespaces", "where namespaces are refused"])
    def test_confinement_holds(self, skip: str, listener: int) -> None:
        command = [sys.executable, str(HERE / "ordinary_user.py"), str(listener), skip]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert found["uid"] != 0
        layers = found["report"]["layers"]
        expected = {"environment", "limits", "no_new_privileges", "capabilities", "network"}
        expected |= ({"landlock"} if has_landlock() else set()) | ({"seccomp"} if has_seccomp() else set())
        assert {name for name in expected if not layers[name]["holds"]} == set()
        assert found["attempts"].pop("computing") == "done"
        assert set(found["attempts"].values()) <= {"PermissionError", "FileNotFoundError", "OSError", "MemoryError"}
        if skip:
            assert not layers["root"]["holds"]


def has_landlock() -> bool:
    """Whether the running system has Landlock: asked without the code under test."""
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.syscall(ctypes.c_long(444), None, ctypes.c_size_t(0), ctypes.c_uint32(1))) > 0


def has_seccomp() -> bool:
    return "Seccomp:" in Path("/proc/self/status").read_text() and os.uname().machine in ("x86_64", "aarch64")


def namespaces_allowed(lab: Lab) -> bool:
    """Whether this system lets the tests' user make namespaces: asked with the `unshare` program."""
    flags = ["--net", "--mount"] if IS_ROOT else ["--user", "--net", "--mount"]
    try:
        return subprocess.run(["unshare", *flags, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        layers = lab.pool.confinement()["layers"]
        return bool(layers["root"]["holds"] or layers["network"]["detail"][:9] == "namespace")
