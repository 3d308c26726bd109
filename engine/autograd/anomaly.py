"""detect_anomaly: stop the backward pass at the first derivative that is not a number."""

from __future__ import annotations

import warnings
from types import TracebackType

from engine.state import state


class detect_anomaly:
    """While on, a backward pass that produces a NaN raises RuntimeError naming the node."""

    def __init__(self, check_nan: bool = True) -> None:
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            UserWarning,
            stacklevel=2,
        )
        self.before = state.anomaly

    def __enter__(self) -> None:
        self.before = state.anomaly
        state.anomaly = True

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        state.anomaly = self.before


class set_detect_anomaly:
    """Switch the detection at once; as a context manager, put it back at the end."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = state.anomaly
        state.anomaly = mode

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        state.anomaly = self.before
