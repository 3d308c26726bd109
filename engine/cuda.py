"""`torch.cuda`: questions about a GPU. Where there is none they are answered, and the rest fails as PyTorch does."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from engine import device_random, devices
from engine.arrays import Device
from engine.naming import missing_from

__all__ = [
    "current_device", "device_count", "empty_cache", "get_device_name", "is_available", "is_initialized",
    "manual_seed", "manual_seed_all", "memory_allocated", "synchronize",
]  # fmt: skip


def _module(place: Any = None) -> Any:
    """CuPy. Raises PyTorch's error where it or the GPU is missing, or `place` names another one than the first."""
    devices.on_cuda("cuda" if place is None else f"cuda:{place}" if isinstance(place, int) else place)
    return Device.module


def is_available() -> bool:
    """Whether there is a GPU, and CuPy to use it."""
    return devices.available()


def is_initialized() -> bool:
    """Whether the GPU is in use."""
    return Device.module is not None


def device_count() -> int:
    """How many GPUs can be used: 1 (gradlens uses the first) or 0."""
    return int(devices.available())


def manual_seed(seed: int) -> None:
    """Start the GPU's random numbers from a seed; without a GPU nothing happens."""
    device_random.manual_seed(seed)


manual_seed_all = manual_seed


def empty_cache() -> None:
    """Give back GPU memory that no tensor uses any more."""
    with suppress(AttributeError):  # there is no GPU, or a module without a memory pool
        Device.module.get_default_memory_pool().free_all_blocks()


def memory_allocated(device: Any = None) -> int:
    """Bytes of GPU memory in use."""
    try:
        return int(Device.module.get_default_memory_pool().used_bytes())
    except AttributeError:
        return 0


def current_device() -> int:
    """The number of the GPU in use: 0."""
    _module()
    return 0


def get_device_name(device: Any = None) -> str:
    """What the GPU calls itself."""
    name = _module(device).cuda.runtime.getDeviceProperties(0)["name"]
    return name.decode() if isinstance(name, bytes) else str(name)


def synchronize(device: Any = None) -> None:
    """Wait until the GPU has done everything it was told."""
    _module(device).cuda.Device(0).synchronize()


__getattr__ = missing_from("torch.cuda")
