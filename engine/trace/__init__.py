"""Watches the engine and writes the graph document: what was computed where, and the film of what happened."""

from __future__ import annotations

from engine.trace.recorder import Recorder

__all__ = ["Recorder"]
