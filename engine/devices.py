"""torch.device, torch.strided, and the two devices there are: the CPU and, where CuPy finds a GPU, 'cuda'.

CuPy is an optional extra. It is imported when a program first asks for 'cuda' or whether there is one, never before.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from engine import messages
from engine.arrays import Array, Device, to_device, to_host

KNOWN = ("cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla",
         "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone")  # fmt: skip


class device:
    """Where a tensor's memory is: `device('cpu')`, `device('cuda', 0)`, `device('cuda:0')`."""

    __slots__ = ("index", "type")

    def __init__(self, type: Any = None, index: int | None = None) -> None:
        if isinstance(type, device):
            self.type: str = type.type
            self.index: int | None = type.index
            return
        if isinstance(type, int) and not isinstance(type, bool):
            if not available():
                raise RuntimeError(messages.no_accelerator())
            index, type = type, "cuda"
        if not isinstance(type, str):
            raise TypeError(messages.device_arguments(type))
        if not type:
            raise RuntimeError("Device string must not be empty")
        kind, colon, number = type.partition(":")
        if kind not in KNOWN:
            expected = ", ".join(KNOWN)
            raise RuntimeError(f"Expected one of {expected} device type at start of device string: {kind}")
        if colon and not number.isdigit():
            raise RuntimeError(f"Invalid device string: '{type}'")
        if colon and index is not None:
            raise RuntimeError(f"type (string) must not include an index because index was passed explicitly: {type}")
        self.type = kind
        self.index = int(number) if colon else index

    def __repr__(self) -> str:
        place = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{place})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __enter__(self) -> device:
        # Within the block tensors are made here.
        _before.append(Default.place)
        set_default_device(self)
        return self

    def __exit__(self, *exception: object) -> None:
        Default.place = _before.pop()


device.__module__ = "torch"


class layout:
    """How elements are laid out in memory."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"torch.{self._name}"


CPU = device("cpu")
CUDA = device("cuda", 0)


class Default:
    """Where tensors are made when nobody says where; None for the CPU, where nothing has to be moved."""

    place: device | None = None


_before: list[device | None] = []


def set_default_device(device: Any) -> None:
    """Choose where tensors are made when nobody says where; None goes back to the CPU."""
    place = CPU if device is None else _as_device(device)
    Default.place = None if place.type == "cpu" else place


def get_default_device() -> device:
    """Where tensors are made when nobody says where. Raises PyTorch's errors for a device that is not there."""
    return CUDA if on_cuda(Default.place) else CPU


def _as_device(place: Any) -> device:
    return place if isinstance(place, device) else device(place)


strided = layout("strided")


# -- the array module behind 'cuda' -------------------------------------------------------------------------------

_probed = False


def use_array_module(module: Any, special: Any = None) -> None:
    """Compute tensors on 'cuda' with this module, which has NumPy's functions and a class `ndarray`; None: with none.

    `special` has the special functions under SciPy's names: `erf`, `erfc`, `erfinv`, `gammaln`, `digamma`, `polygamma`.

    The arrays must take part in NumPy's dispatch protocols and have CuPy's `get()` and `data.ptr`. This is how CuPy is
    put in place, and how tests put in a stand-in where there is no GPU.
    """
    global _probed
    _probed = module is not None
    Device.module, Device.special = module, special
    Device.array = () if module is None else module.ndarray


def available() -> bool:
    """Whether tensors can be on 'cuda'. The first call looks for CuPy and a GPU; without CuPy that is all it does."""
    global _probed
    if not _probed:
        _probed = True
        if find_spec("cupy") is not None:
            try:
                import cupy

                if cupy.cuda.runtime.getDeviceCount():
                    from cupyx.scipy import special

                    use_array_module(cupy, special)
            except Exception:
                Device.module, Device.array = None, ()
    return Device.module is not None


def on_cuda(place: object) -> bool:
    """Whether `place` (a device, its name or an index; None means the CPU) names the GPU.

    Raises PyTorch's errors if this machine does not offer that device.
    """
    if place is None:
        return False
    wanted = _as_device(place)
    if wanted.type == "cpu":
        return False
    if wanted.type != "cuda":
        raise NotImplementedError(f"gradlens computes on 'cpu' and 'cuda'; there is no {wanted.type!r} device here")
    if not available():
        raise AssertionError("Torch not compiled with CUDA enabled")
    if wanted.index:
        raise RuntimeError("CUDA error: invalid device ordinal")
    return True


def placed(array: Array, place: object) -> Array:
    """The array on the device that `place` names; None leaves it where it is."""
    if place is None:
        return array
    return to_device(array) if on_cuda(place) else to_host(array)


def of(array: Array) -> device:
    """The device that an array is on."""
    return CUDA if isinstance(array, Device.array) else CPU
