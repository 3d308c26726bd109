"""Margins, other sizes, patches and shuffled pixels, as modules."""

from __future__ import annotations

from typing import Any, ClassVar

from engine.nn import functional
from engine.nn.functional.space import Lengths
from engine.nn.module import Module
from engine.tensor import Tensor


class _Pad(Module):
    space: ClassVar[int]
    mode: ClassVar[str]

    def __init__(self, padding: Lengths) -> None:
        super().__init__()
        self.padding: Any = (padding,) * (2 * self.space) if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        """The input with a margin."""
        if self.mode == "circular" and input.dim() not in (self.space + 1, self.space + 2):
            raise ValueError(f"expected {self.space + 1}D or {self.space + 2}D input (got {input.dim()}D input)")
        return functional.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        """The widths of the margin."""
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: Lengths, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """The input with a margin of one number."""
        return functional.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        """The widths of the margin and its number."""
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """A margin of one number around sequences."""

    space = 1


class ConstantPad2d(_ConstantPad):
    """A margin of one number around images."""

    space = 2


class ConstantPad3d(_ConstantPad):
    """A margin of one number around volumes."""

    space = 3


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Lengths) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        """The widths of the margin."""
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad):
    """A margin of zeros around sequences."""

    space = 1


class ZeroPad2d(_ZeroPad):
    """A margin of zeros around images."""

    space = 2


class ReflectionPad1d(_Pad):
    """A margin that mirrors the sequence inside."""

    space, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """A margin that mirrors the image inside."""

    space, mode = 2, "reflect"


class ReplicationPad1d(_Pad):
    """A margin that repeats the ends of the sequence."""

    space, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """A margin that repeats the edges of the image."""

    space, mode = 2, "replicate"


class CircularPad1d(_Pad):
    """A margin that goes on at the other end of the sequence."""

    space, mode = 1, "circular"


class CircularPad2d(_Pad):
    """A margin that goes on at the other side of the image."""

    space, mode = 2, "circular"


class Upsample(Module):
    """A grid at another size: see `functional.interpolate`."""

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.size = size
        if isinstance(scale_factor, tuple):
            self.scale_factor: Any = tuple(float(factor) for factor in scale_factor)
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode, self.align_corners, self.recompute_scale_factor = mode, align_corners, recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """input: (N, C, *space)."""
        return functional.interpolate(
            input, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )

    def extra_repr(self) -> str:
        """The size or the factor, and the mode."""
        shown = f"scale_factor={self.scale_factor!r}" if self.scale_factor is not None else f"size={self.size!r}"
        return f"{shown}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """An image at another size, each place the nearest of the old ones."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "nearest")


class UpsamplingBilinear2d(Upsample):
    """An image at another size, straight lines between its points, corners on corners."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "bilinear", True)


class Unfold(Module):
    """Every patch of (N, C, H, W) as a column."""

    def __init__(self, kernel_size: Lengths, dilation: Lengths = 1, padding: Lengths = 0, stride: Lengths = 1) -> None:
        super().__init__()
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """The patches: (N, C * kernel, places)."""
        return functional.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """The geometry."""
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Module):
    """Columns put back as patches of an image; where they overlap they add up."""

    def __init__(
        self,
        output_size: Lengths,
        kernel_size: Lengths,
        dilation: Lengths = 1,
        padding: Lengths = 0,
        stride: Lengths = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """The image: (N, C, *output_size)."""
        return functional.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        """The geometry."""
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class PixelShuffle(Module):
    """(N, C r², H, W) as (N, C, H r, W r)."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """The larger image."""
        return functional.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        """The factor."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(N, C, H r, W r) as (N, C r², H, W)."""

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """The smaller image with more channels."""
        return functional.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        """The factor."""
        return f"downscale_factor={self.downscale_factor}"
