"""What a session's run yields; the same as a kernel's."""

from __future__ import annotations

from app.kernels.events import Output, RunStatus, Status

__all__ = ["Output", "RunStatus", "Status"]
