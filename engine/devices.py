"""torch.device and torch.strided: there is one device here, the CPU, and one memory layout."""

from __future__ import annotations

KNOWN = ("cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla",
         "lazy", "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone")  # fmt: skip


class device:
    """Where a tensor's memory is: `device('cpu')`, `device('cuda', 0)`, `device('cuda:0')`."""

    __slots__ = ("index", "type")

    def __init__(self, type: str | int | device, index: int | None = None) -> None:
        if isinstance(type, device):
            self.type: str = type.type
            self.index: int | None = type.index
            return
        if isinstance(type, int):
            index, type = type, "cuda"
        kind, _, number = type.partition(":")
        if kind not in KNOWN:
            expected = ", ".join(KNOWN)
            raise RuntimeError(f"Expected one of {expected} device type at start of device string: {kind}")
        if number and not number.isdigit():
            raise RuntimeError(f"Invalid device string: '{type}'")
        self.type = kind
        self.index = int(number) if number else index

    def __repr__(self) -> str:
        place = "" if self.index is None else f", index={self.index}"
        return f"device(type='{self.type}'{place})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and self.type == other.type and self.index == other.index

    def __hash__(self) -> int:
        return hash((self.type, self.index))


class layout:
    """How elements are laid out in memory."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"torch.{self._name}"


CPU = device("cpu")
strided = layout("strided")


def check(place: object) -> None:
    """Raise PyTorch's error if `place` names a device that this machine does not offer; None means the CPU."""
    if place is None:
        return
    wanted = place if isinstance(place, device) else device(place)  # type: ignore[arg-type]
    if wanted.type == "cuda":
        raise AssertionError("Torch not compiled with CUDA enabled")
    if wanted.type != "cpu":
        raise NotImplementedError(f"gradlens computes on the CPU only; there is no {wanted.type!r} device here")
