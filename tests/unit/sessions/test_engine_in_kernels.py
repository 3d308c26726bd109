"""The real engine inside real kernels: the seam between them, and nothing of its mathematics."""

from __future__ import annotations

import asyncio
from typing import Any

from app.kernels.limits import GRAPH_MIME
from app.kernels.pool import KernelPool
from app.sessions.events import Output
from app.sessions.store import SessionStore

CELLS = (
    "import torch\nx = torch.tensor(2., requires_grad=True)",
    "y = x ** 2 + 3 * x\ny.backward()\nprint(x.grad)\nx",
    "y.backward()",
)


async def run_all() -> list[list[dict[str, Any]]]:
    store = SessionStore(KernelPool(ready=1))
    await store.start()
    try:
        session = store.create()
        return [
            [event.output async for event in session.run(cell=f"c{number}", source=source) if isinstance(event, Output)]
            for number, source in enumerate(CELLS)
        ]
    finally:
        await store.close()


def test_a_graph_is_built_run_shown_and_described() -> None:
    _, second, third = asyncio.run(run_all())
    assert [output["output_type"] for output in second] == ["stream", "execute_result", "display_data"]
    assert second[0]["text"] == "tensor(7.)\n"
    assert second[1]["data"]["text/plain"] == "tensor(2., requires_grad=True)"
    document = second[2]["data"][GRAPH_MIME]
    leaf = next(node for node in document["nodes"] if node["kind"] == "tensor" and node["name"] == "x")
    assert (leaf["cell"], leaf["line"], leaf["role"]) == ("c0", 2, "leaf")
    assert {node["op"] for node in document["nodes"] if node["kind"] == "function"} == {"pow", "mul", "add"}
    error = third[0]
    assert error["output_type"] == "error"
    assert error["evalue"].startswith("Trying to backward through the graph a second time")
    assert error["metadata"]["line"] == 1
    assert not any("engine/" in line for line in error["traceback"])
