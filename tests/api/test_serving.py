"""The `gradlens serve` command from start to stop."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.api.conftest import ENDLESS, Learner

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def process() -> Iterator[Any]:
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--no-browser"]
    started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watchdog = threading.Timer(120, started.kill)
    watchdog.start()
    yield started
    watchdog.cancel()
    started.kill()
    started.wait()
    started.stdout.close()  # type: ignore[union-attr]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are a matter of Unix")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_cells_server_and_kernels_in_order(process: Any, number: int) -> None:
    line = process.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert address, line + process.stdout.read()
    with httpx.Client(base_url=address[0], timeout=60) as client:
        learner = Learner(client)
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        with learner.running(ENDLESS) as stream:
            next(stream)
            process.send_signal(number)
            *_, (name, status) = stream
    assert (name, status["status"]) == ("status", "killed")
    rest = process.communicate()[0]
    assert process.returncode == 0, rest
    assert rest == ""
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
