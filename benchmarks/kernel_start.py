"""How fast a confined kernel is ready, how fast it answers, and what it keeps for itself.

    python benchmarks/kernel_start.py [--kernels 40] [--json]

Prints milliseconds (p50, p95) of: a new kernel from request to ready, `1 + 1` from request to status; and MiB of an
idle kernel's own memory (USS) and its fair share (PSS), fresh and after its first cells. Needs Linux for the memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.kernels.events import Status
from app.kernels.pool import KernelPool
from app.kernels.process import KernelProcess

#: The bars of the house: ready in 30 ms at the median, at most 8 MiB of its own.
READY_MS = 30.0
OWN_MIB = 8.0

CELLS = ("import torch", "x = [i * i for i in range(1000)]\nsum(x)", "1 / 0")


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def memory_mib(pid: int) -> tuple[float, float] | None:
    """A process's own memory and its fair share of what it shares; None where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return None
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    own = sizes["Private_Clean"] + sizes["Private_Dirty"]
    return own / 1024, sizes["Pss"] / 1024


async def run(kernel: KernelProcess, source: str) -> float:
    """Run a cell; give the milliseconds until its status."""
    began = time.perf_counter()
    async for event in kernel.run(cell="benchmark", source=source):
        if isinstance(event, Status):
            return 1000 * (time.perf_counter() - began)
    raise AssertionError("no status")


async def measure(count: int) -> dict[str, object]:
    """Start `count` kernels one after the other, none of them kept ready before."""
    pool = KernelPool(ready=0)
    began = time.perf_counter()
    await pool.start()
    server_ms = 1000 * (time.perf_counter() - began)
    await (await pool.acquire()).kill()
    ready: list[float] = []
    kernels: list[KernelProcess] = []
    for _ in range(count):
        began = time.perf_counter()
        kernels.append(await pool.acquire())
        ready.append(1000 * (time.perf_counter() - began))
    fresh = [memory for kernel in kernels if (memory := memory_mib(kernel.pid))]
    first = [await run(kernel, "1 + 1") for kernel in kernels]
    second = [await run(kernel, "1 + 1") for kernel in kernels]
    for kernel in kernels:
        for source in CELLS:
            await run(kernel, source)
    used = [memory for kernel in kernels if (memory := memory_mib(kernel.pid))]
    confinement = pool.confinement()
    await pool.close()
    found: dict[str, object] = {
        "kernels": count,
        "fully_confined": confinement["full"],
        "fork_server_up_ms": round(server_ms, 1),
        "new_kernel_ready_ms": spread(ready),
        "first_cell_ms": spread(first),
        "next_cell_ms": spread(second),
    }
    if fresh and used:
        found["own_mib_fresh"] = spread([own for own, _ in fresh])
        found["own_mib_after_cells"] = spread([own for own, _ in used])
        found["share_mib_after_cells"] = spread([share for _, share in used])
    return found


def spread(values: list[float]) -> dict[str, float]:
    """The median and the 95th percentile, rounded."""
    return {"p50": round(percentile(values, 0.5), 2), "p95": round(percentile(values, 0.95), 2)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--kernels", type=int, default=40, help="how many kernels to start")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    found = asyncio.run(measure(options.kernels))
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:24} {value}")
    print(f"bars: new kernel ready p50 <= {READY_MS} ms; own memory of an idle learner <= {OWN_MIB} MiB")


if __name__ == "__main__":
    main()
