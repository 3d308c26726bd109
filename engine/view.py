"""What a view knows about its base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from engine.tensor import Tensor

#: What an in-place write through the view may do: "ordinary" rewrites the base's history; a view made under `no_grad`
#: or by an operation with several outputs must not be written to while gradients are recorded.
Origin = Literal["ordinary", "no_grad", "several"]


class View:
    """The base whose memory a tensor is cut out of (the geometry is in the tensor's own array)."""

    __slots__ = ("base", "origin")

    def __init__(self, base: Tensor, origin: Origin) -> None:
        self.base = base
        self.origin = origin
