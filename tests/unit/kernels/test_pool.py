"""The pool and its fork server."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kernel_lab import FAKE_ENGINE, Lab, collect

from app.kernels import confinement
from app.kernels.forkclient import ForkClient, HalfARoot, KernelsUnavailable, server_path
from app.kernels.pool import KernelPool
from app.kernels.process import describe_end

PATH = [FAKE_ENGINE, *server_path()]


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_every_kernel_is_a_process_of_its_own(lab: Lab) -> None:
    first, second = lab.kernel(), lab.kernel()
    assert first.pid != second.pid
    lab.run("x = 1", first)
    assert lab.run("x", second).error["ename"] == "NameError"


def test_kernels_do_not_wait_for_one_another(lab: Lab) -> None:
    async def scenario() -> str:
        busy, free = await lab.pool.acquire(), await lab.pool.acquire()
        endless = asyncio.create_task(collect(busy, "while True: pass"))
        result = await collect(free, "1 + 1")
        await busy.kill()
        await endless
        return result.value

    assert lab.wait(scenario()) == "2"


@pytest.mark.skipif(sys.platform != "linux", reason="finds the fork server through /proc")
def test_a_dead_fork_server_takes_its_kernels_along_and_is_replaced() -> None:
    lab = Lab()
    try:
        kernel = lab.kernel()
        server = parent_of(kernel.pid)

        async def scenario() -> str:
            running = asyncio.create_task(collect(kernel, "while True: pass"))
            os.kill(server, signal.SIGKILL)
            return (await running).status.status

        assert lab.wait(scenario()) == "killed"
        assert not kernel.alive
        assert lab.run("1 + 1").value == "2"
    finally:
        lab.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_closing_leaves_no_process_and_no_folder() -> None:
    lab = Lab(skip=frozenset({"root"}))
    kernel = lab.kernel()
    pids = [kernel.pid, parent_of(kernel.pid)]
    folder = Path(lab.pool._client._folder)  # type: ignore[union-attr]
    assert folder.is_dir()
    assert all(exists(pid) for pid in pids)
    lab.close()
    assert not any(exists(pid) for pid in pids)
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_killed_server_leaves_no_process(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\n"
        f"sys.path[:0] = {[str(Path(__file__).parent), str(Path(__file__).parents[3])]!r}\n"
        "from kernel_lab import Lab, collect\n"
        "lab = Lab()\n"
        "kernel = lab.kernel()\n"
        "print(kernel.pid, flush=True)\n"
        "lab.wait(collect(kernel, 'while True: pass'))\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        kernel = int(server.stdout.readline())
        pids = [kernel, parent_of(kernel)]
        server.kill()
    deadline = time.monotonic() + 30
    while any(exists(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not any(exists(pid) for pid in pids)


def test_a_closed_pool_says_so() -> None:
    lab = Lab()
    lab.wait(lab.pool.close())
    with pytest.raises(KernelsUnavailable, match="shutting down"):
        lab.wait(lab.pool.acquire())
    lab.runner.close()


def test_a_fork_server_that_cannot_start_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "engine"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise SystemExit(1)")

    async def scenario() -> None:
        pool = KernelPool(sys_path=[str(tmp_path), *server_path()])
        with pytest.raises(KernelsUnavailable, match="could not start"):
            await pool.start()
        await pool.close()

    asyncio.run(scenario())


def test_a_root_that_cannot_be_finished_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[frozenset[str]] = []

    async def start(self: ForkClient) -> None:
        tried.append(self._skip)
        if "root" not in self._skip:
            raise HalfARoot("mount: refused")

    monkeypatch.setattr(ForkClient, "start", start)
    pool = KernelPool(sys_path=PATH)
    asyncio.run(pool._start_client())
    assert tried == [frozenset(), frozenset({"root"})]


@pytest.mark.skipif(sys.platform != "linux", reason="mounts")
def test_a_fork_server_that_cannot_finish_its_root_tells(tmp_path: Path) -> None:
    """The mount of the new root fails in a fork server for which mount(2) is made to fail."""
    broken = tmp_path / "breakage.py"
    broken.write_text(
        "from app.kernels import namespaces\n"
        "def fail(*_): raise OSError('mount: refused')\n"
        "namespaces._change_root = fail\n"
    )
    engine = tmp_path / "engine"
    engine.mkdir()
    (engine / "__init__.py").write_text(f"__path__.append({FAKE_ENGINE + '/engine'!r})\nimport breakage\n")

    async def scenario() -> tuple[bool, str]:
        pool = KernelPool(sys_path=[str(tmp_path), *server_path()])
        await pool.start()
        result = await collect(await pool.acquire(), "1 + 1")
        layer = pool.confinement()["layers"]["root"]
        await pool.close()
        return layer["holds"], result.value

    assert asyncio.run(scenario()) == (False, "2")


def test_where_processes_cannot_fork_the_message_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")

    async def scenario() -> None:
        with pytest.raises(KernelsUnavailable, match="Linux or macOS"):
            await KernelPool(sys_path=PATH).start()

    asyncio.run(scenario())


def test_the_pool_counts_its_living_kernels() -> None:
    lab = Lab()
    try:
        kernel = lab.kernel()
        # The one that is kept ready is made in the background.
        other = lab.kernel()
        before = lab.pool.count
        lab.wait(kernel.kill())
        assert before >= 2
        assert lab.pool.count <= before
        assert not kernel.alive
        assert other.alive
    finally:
        lab.close()


def test_the_end_of_a_kernel_in_words() -> None:
    assert "process that starts kernels" in describe_end(None)
    assert "exit code 3" in describe_end(3 << 8)
    assert "memory" in describe_end(signal.SIGKILL)
    assert "SIGSEGV" in describe_end(signal.SIGSEGV)


def test_the_private_folder_never_hides_what_python_needs() -> None:
    assert confinement.choose_folder(["/usr/lib"]) == "/tmp"
    assert confinement.choose_folder(["/tmp/clone/.venv/lib"]) == "/scratch"
    assert confinement.choose_folder(["/tmpfiles"]) == "/tmp"


def test_the_report_is_full_only_when_every_needed_layer_holds() -> None:
    report = confinement.Report()
    for name in confinement.NEEDED:
        assert report.as_dict()["full"] is False
        report.add(name, True, "")
    assert report.as_dict()["full"] is True
    report.add("seccomp", False, "refused")
    assert report.as_dict()["full"] is False


def test_a_layer_that_fails_is_reported_with_what_the_system_said() -> None:
    report = confinement.Report()

    def refuse() -> str:
        raise PermissionError(1, "not for you")

    assert report.attempt("landlock", refuse, frozenset()) is False
    assert "not for you" in report.layers["landlock"]["detail"]
    assert report.attempt("seccomp", lambda: "on", frozenset({"seccomp"})) is False
    assert report.layers["seccomp"] == {"holds": False, "detail": "left out"}
