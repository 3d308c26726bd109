"""Cells that do not end, or take too much: whatever they do, the server has the last word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel_lab import Lab, Result, collect

from app.kernels.events import KernelEvent
from app.kernels.limits import GRAPH_MIME, Limits
from app.kernels.process import KernelProcess

#: Says that it runs, so that a test can stop it then and not before.
READY = "print('running', flush=True)\n"

#: The same from within one call of C code that never ends: no byte code runs after the frame was written.
IN_C = """
import itertools, json, os
output = {"output_type": "stream", "name": "stdout", "text": "running"}
data = json.dumps({"type": "output", "run": 1, "output": output}).encode()
frame = len(data).to_bytes(4, "big") + data
sum(itertools.chain(map(os.write, [3], [frame]), itertools.repeat(0)))
"""


@pytest.fixture(scope="session")
def strict() -> Iterator[Lab]:
    made = Lab(Limits(compute=0.4))
    yield made
    made.close()


def stop_when_running(lab: Lab, source: str) -> tuple[Result, float, KernelProcess]:
    """Run `source` and interrupt it as soon as it prints; give the result and how long stopping took."""
    kernel = lab.kernel()
    asked = 0.0

    async def stop(event: KernelEvent) -> None:
        nonlocal asked
        if not asked:
            asked = time.monotonic()
            await kernel.interrupt()

    result = lab.wait(collect(kernel, source, on_event=stop))
    return result, time.monotonic() - asked, kernel


def test_stop_ends_an_endless_loop_and_keeps_the_names(lab: Lab) -> None:
    result, _, kernel = stop_when_running(lab, f"kept = 3\n{READY}while True:\n    pass")
    assert result.error["ename"] == "KeyboardInterrupt"
    assert result.error["metadata"]["line"] in (2, 3, 4)
    assert result.status.status == "interrupted"
    assert kernel.alive
    assert lab.run("kept", kernel).value == "3"


def test_stop_ends_a_sleeping_cell(lab: Lab) -> None:
    result, _, kernel = stop_when_running(lab, f"import time\n{READY}time.sleep(1000)")
    assert result.status.status == "interrupted"
    assert kernel.alive


@pytest.mark.parametrize(
    "source",
    [
        f"import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n{READY}while True: pass",
        f"while True:\n    try:\n        {READY}        while True: pass\n    except BaseException: pass",
        IN_C,
    ],
    ids=["ignored", "caught", "in C"],
)
def test_stop_ends_a_cell_that_does_not_want_to(lab: Lab, source: str) -> None:
    """The bar is 1.5 s from the click: a second of grace, then SIGKILL, and room for a busy machine."""
    result, seconds, kernel = stop_when_running(lab, source)
    assert result.status.status == "killed"
    assert "did not stop" in str(result.status.reason)
    assert not kernel.alive
    assert lab.pool.limits.grace <= seconds


def test_the_grace_leaves_room_under_the_bar() -> None:
    assert Limits().grace <= 1.0


def test_a_stop_when_nothing_runs_does_nothing(lab: Lab) -> None:
    kernel = lab.kernel()
    lab.wait(kernel.interrupt())
    assert lab.run("1 + 1", kernel).value == "2"


def test_who_stops_listening_stops_the_cell(lab: Lab) -> None:
    kernel = lab.kernel()

    async def leave() -> None:
        events = kernel.run(cell="c", source=READY + "while True: pass")
        async for _ in events:
            break
        await events.aclose()

    lab.wait(leave())
    assert lab.run("1 + 1", kernel).value == "2"


def test_computing_too_long_ends_the_cell_with_a_reason(strict: Lab) -> None:
    kernel = strict.kernel()
    result = strict.run("kept = 1\nwhile True: pass", kernel)
    assert result.status.status == "timeout"
    assert "0.4 s" in str(result.status.reason)
    assert "0.4 s" in result.error["evalue"]
    assert strict.run("kept", kernel).value == "1"


def test_catching_exceptions_does_not_prolong_a_cell(strict: Lab) -> None:
    result = strict.run("while True:\n    try:\n        while True: pass\n    except Exception: pass")
    assert result.status.status == "timeout"


def test_ignoring_the_end_of_the_time_ends_the_kernel(strict: Lab) -> None:
    kernel = strict.kernel()
    result = strict.run("import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass", kernel)
    assert result.status.status == "timeout"
    assert "ended" in str(result.status.reason)
    assert not kernel.alive


def test_sleeping_too_long_ends_the_cell() -> None:
    lab = Lab(Limits(wall=0.5))
    try:
        result = lab.run("import time\ntime.sleep(1000)")
    finally:
        lab.close()
    assert result.status.status == "timeout"
    assert "0.5 s" in str(result.status.reason)
    assert "0.5 s" in result.error["evalue"]


def test_a_dead_kernel_says_that_it_is_dead(lab: Lab) -> None:
    kernel = lab.kernel()
    lab.run("import os; os._exit(3)", kernel)
    result = lab.run("1 + 1", kernel)
    assert (result.status.status, result.outputs) == ("killed", [])
    assert "exit code 3" in str(result.status.reason)
    assert lab.wait(kernel.complete("x", 1))["matches"] == []


def test_time_is_counted_by_cell(strict: Lab) -> None:
    kernel = strict.kernel()
    source = "import time\nend = time.process_time() + 0.25\nwhile time.process_time() < end: pass"
    assert [strict.run(source, kernel).status.status for _ in range(3)] == ["ok", "ok", "ok"]


def test_long_cells_take_turns_and_all_end(strict: Lab) -> None:
    async def scenario() -> list[str]:
        kernels = [await strict.pool.acquire() for _ in range(4)]
        results = await asyncio.gather(*(collect(kernel, "while True: pass") for kernel in kernels))
        await asyncio.gather(*(kernel.kill() for kernel in kernels))
        return [result.status.status for result in results]

    assert strict.wait(scenario()) == ["timeout"] * 4


def test_memory_has_a_limit_that_is_explained(lab: Lab) -> None:
    kernel = lab.kernel()
    result = lab.run("import numpy\nbig = numpy.ones((1000, 1000, 100))", kernel)
    assert result.error["ename"] == "MemoryError"
    assert "512 MiB" in result.error["metadata"]["help"]
    assert "512 MiB" in str(result.status.reason)
    assert lab.run("numpy.ones((1000, 1000, 10)).sum()", kernel).value == "np.float64(10000000.0)"


def test_a_memory_bomb_hurts_only_its_own_cell(lab: Lab) -> None:
    kernel = lab.kernel()
    bomb = "hoard = []\nwhile True: hoard.append(bytearray(10_000_000))"
    assert lab.run(bomb, kernel).error["ename"] == "MemoryError"
    assert lab.run("n = len(hoard); del hoard; 30 < n < 60", kernel).value == "True"


def test_a_flood_of_output_is_bounded_and_said(lab: Lab) -> None:
    result = lab.run("for i in range(200_000): print('line', i)")
    text = result.stream()
    assert text.startswith("line 0\n")
    assert text.endswith("line 199999\n")
    assert len(text) <= lab.pool.limits.output
    assert "left out" in result.stream("stderr")
    assert result.status.status == "ok"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("import os; os._exit(3)", "exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "signal 15"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
    ],
)
def test_a_kernel_that_ends_says_how(lab: Lab, source: str, says: str) -> None:
    kernel = lab.kernel()
    result = lab.run(f"print('before')\n{source}", kernel)
    assert result.status.status == "killed"
    assert says in str(result.status.reason)
    assert not kernel.alive


def test_the_server_can_end_a_kernel_at_any_time(lab: Lab) -> None:
    kernel = lab.kernel()

    async def kill(_: KernelEvent) -> None:
        if kernel.alive:
            asyncio.get_running_loop().create_task(kernel.kill())

    result = lab.wait(collect(kernel, READY + "while True: pass", on_event=kill))
    assert result.status.status == "killed"
    assert not kernel.alive


def state_of(kernel: KernelProcess) -> str:
    return Path(f"/proc/{kernel.pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_an_idle_kernel_is_stopped_and_goes_on_when_used(lab: Lab) -> None:
    kernel = lab.kernel()
    source = "import threading, itertools\nticks = itertools.count()\ndef work():\n    while True: next(ticks)\n"
    lab.run(source + "threading.Thread(target=work, daemon=True).start()", kernel)

    async def state() -> str:
        # The kernel tidies up after its answer and is stopped then: wait for that, however long it takes.
        while (found := state_of(kernel)) != "T":  # noqa: ASYNC110 - no event tells of a signal's effect
            await asyncio.sleep(0.005)
        return found

    assert lab.wait(asyncio.wait_for(state(), 30)) == "T"
    assert lab.run("1 + 1", kernel).value == "2"


def test_a_completion_that_hangs_is_given_up(lab: Lab) -> None:
    kernel = lab.kernel()
    lab.run("class Slow:\n    def __dir__(self):\n        while True: pass\nslow = Slow()", kernel)
    assert lab.wait(kernel.complete("slow.", 5))["matches"] == []
    assert lab.run("'free'", kernel).value == "'free'"


FORGE = (
    "import json, os\n"
    "def send(message):\n"
    "    data = message if isinstance(message, bytes) else json.dumps(message).encode()\n"
    "    os.write(3, len(data).to_bytes(4, 'big') + data)\n"
)


@pytest.mark.parametrize(
    "frame",
    [
        "{'type': 'exec', 'code': 'x'}",
        "{'type': 'output', 'run': 1, 'output': {'output_type': 'stream', 'name': 'x', 'text': 'y'}}",
        "{'type': 'output', 'run': 1, 'output': {'output_type': 'error', 'ename': 1}}",
        "{'type': 'done', 'run': 1, 'status': 'passed', 'execution_count': 1}",
        "b'not json'",
        "b'[' * 100000",
        "b'\\x80\\x04\\x95'",
    ],
)
def test_a_forged_frame_ends_the_kernel(lab: Lab, frame: str) -> None:
    kernel = lab.kernel()
    result = lab.run(FORGE + f"send({frame})\nwhile True: pass", kernel)
    assert result.status.status == "killed"
    assert "what no cell may send" in str(result.status.reason)
    assert not kernel.alive


def test_a_huge_frame_is_never_read(lab: Lab) -> None:
    kernel = lab.kernel()
    result = lab.run("import os\nos.write(3, b'\\x7f\\xff\\xff\\xff' + b'x' * 1000)\nwhile True: pass", kernel)
    assert result.status.status == "killed"


def test_frames_of_another_run_are_ignored(lab: Lab) -> None:
    kernel = lab.kernel()
    forged = "{'type': 'output', 'run': 99, 'output': {'output_type': 'stream', 'name': 'stdout', 'text': 'ghost'}}"
    result = lab.run(
        FORGE + f"send({forged})\nsend({{'type': 'done', 'run': 99, 'status': 'ok', 'execution_count': 5}})\n1", kernel
    )
    assert result.value == "1"
    assert result.stream() == ""
    assert result.status.status == "ok"


def test_more_output_than_the_kernel_may_send_ends_it(lab: Lab) -> None:
    flood = "{'type': 'output', 'run': 1, 'output': {'output_type': 'stream', 'name': 'stdout', 'text': 'x' * 100000}}"
    result = lab.run(FORGE + f"while True: send({flood})")
    assert result.status.status == "killed"
    assert len(result.stream()) <= 2 * (lab.pool.limits.output + lab.pool.limits.document)


@pytest.mark.parametrize(
    "message",
    [
        "{'type': 'idle', 'run': 99}",
        "{'type': 'output', 'run': 1, 'output': {'output_type': 'stream', 'name': 'stdout', 'text': ''}}",
        "{'type': 'reply', 'request': 1, 'data': {}}",
    ],
)
def test_a_flood_of_small_messages_ends_the_kernel(lab: Lab, message: str) -> None:
    result = lab.run(FORGE + f"while True: send({message})")
    assert result.status.status == "killed"
    assert "what no cell may send" in str(result.status.reason)


def test_a_flood_of_graph_documents_ends_the_kernel(lab: Lab) -> None:
    document = (
        "{'version': 1, 'sources': {'a': 'x' * 400000}, 'nodes': [], 'edges': [], 'events': [], 'truncated': None}"
    )
    output = f"{{'output_type': 'display_data', 'data': {{{GRAPH_MIME!r}: {document}}}, 'metadata': {{}}}}"
    result = lab.run(FORGE + f"while True: send({{'type': 'output', 'run': 1, 'output': {output}}})")
    assert result.status.status == "killed"
    assert len(result.outputs) <= 8
