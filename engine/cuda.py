"""`torch.cuda` on a machine without a GPU: the questions are answered, the rest fails as PyTorch does."""

from __future__ import annotations

from typing import Any

__all__ = [
    "current_device", "device_count", "empty_cache", "get_device_name", "is_available", "is_initialized",
    "manual_seed", "manual_seed_all", "memory_allocated", "synchronize",
]  # fmt: skip


def _missing() -> AssertionError:
    return AssertionError("Torch not compiled with CUDA enabled")


def is_available() -> bool:
    """Whether there is a GPU: no."""
    return False


def is_initialized() -> bool:
    """Whether a GPU is in use: no."""
    return False


def device_count() -> int:
    """How many GPUs there are: 0."""
    return 0


def manual_seed(seed: int) -> None:
    """Seed the GPU's generator, if there were one."""


def manual_seed_all(seed: int) -> None:
    """Seed every GPU's generator, if there were any."""


def empty_cache() -> None:
    """Give back the GPU's unused memory, if there were any."""


def memory_allocated(device: Any = None) -> int:
    """Bytes of GPU memory in use: 0."""
    return 0


def current_device() -> int:
    """Always fails: there is no GPU."""
    raise _missing()


def get_device_name(device: Any = None) -> str:
    """Always fails: there is no GPU."""
    raise _missing()


def synchronize(device: Any = None) -> None:
    """Always fails: there is no GPU."""
    raise _missing()
