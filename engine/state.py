"""What is switched on at the moment: gradient mode, inference mode, and who is watching.

One object, read by every operation; reading a slot is the cheapest test Python has. The engine is meant for one
learner in one process, so the switches are process-wide (in PyTorch they belong to a thread).
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.trace.recorder import Recorder


class State:
    """The switches. `modes.py` turns them, operations read them."""

    __slots__ = ("anomaly", "grad_enabled", "inference", "order_matters", "recorder")

    def __init__(self) -> None:
        self.grad_enabled: bool = True
        self.inference: bool = False
        self.anomaly: bool = False
        self.recorder: Recorder | None = None
        #: Set for good once something that can see *when* a leaf receives its gradient exists (a hook, a custom
        #: Function): from then on the backward pass counts dependencies to accumulate at PyTorch's exact moment.
        self.order_matters: bool = False


state = State()

#: Numbers the nodes in order of creation, downwards: a heap then gives the newest first, as PyTorch runs them.
sequence = count(-1, -1)
