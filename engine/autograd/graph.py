"""torch.autograd.graph: the nodes of the backward graph."""

from __future__ import annotations

from engine.node import Node

__all__ = ["Node"]
