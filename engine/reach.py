"""What a backward pass will reach, found out before it starts: only where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from engine.node import AccumulateGrad, Node
from engine.tensor import Tensor


def leading_to(targets: Sequence[Node | None], roots: Sequence[Tensor]) -> set[Node]:
    """The nodes that lie on a path from a root to a target, targets included: only they have to run."""
    wanted = {node for node in targets if node is not None}
    leads: dict[Node, bool] = {}
    stack: list[tuple[Node, bool]] = [(root._edge, False) for root in roots if root._edge is not None]
    while stack:
        node, visited = stack.pop()
        if visited:
            leads[node] = node in wanted or any(leads[edge] for edge in node.next if edge is not None)
        elif node not in leads:
            leads[node] = False
            stack.append((node, True))
            stack.extend((edge, False) for edge in node.next if edge is not None and edge not in leads)
    return {node for node, does in leads.items() if does}


def count_dependencies(roots: Sequence[Tensor], needed: set[Node] | None) -> dict[Node, int]:
    """How many edges lead into each leaf's node from nodes that will run."""
    counts: dict[Node, int] = {}
    seen: set[Node] = set()
    stack = [root._edge for root in roots if root._edge is not None]
    for edge in stack:
        if type(edge) is AccumulateGrad:
            counts[edge] = counts.get(edge, 0) + 1
    while stack:
        node = stack.pop()
        if node in seen or (needed is not None and node not in needed):
            continue
        seen.add(node)
        for below in node.next:
            if type(below) is AccumulateGrad:
                counts[below] = counts.get(below, 0) + 1
            elif below is not None:
                stack.append(below)
    return counts
