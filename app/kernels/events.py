"""What a run yields: outputs as they come, and one status as the last event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

RunStatus = Literal["ok", "error", "interrupted", "timeout", "killed"]


@dataclass(frozen=True)
class Output:
    """An nbformat 4.5 output: `stream`, `execute_result`, `display_data` or `error`."""

    output: dict[str, Any]


@dataclass(frozen=True)
class Status:
    """How a run ended; the last event of every run.

    `reason` says in plain words what stopped the cell, where something did. `elapsed_ms` is time on the clock.
    `execution_count` is the number in `In[n]`, or None when the cell never started.
    """

    status: RunStatus
    reason: str | None
    elapsed_ms: int
    execution_count: int | None


KernelEvent = Output | Status
