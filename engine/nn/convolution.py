"""Convolutions and their transposes as modules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from engine import creation
from engine.nn import functional, init
from engine.nn.functional.space import Lengths, per_dimension
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.tensor import Tensor

_MODES = {"zeros", "reflect", "replicate", "circular"}


class _Convolution(Module):
    """What all convolutions share: their options, their weights and how they show themselves."""

    space: ClassVar[int]
    function: ClassVar[Any]
    transposed: ClassVar[bool] = False
    output_padding: Any = 0

    def _prepare(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths,
        padding: Lengths | str,
        dilation: Lengths,
        groups: int,
        bias: bool,
        padding_mode: str,
        kind: dict[str, Any],
    ) -> None:
        """Check the options, keep them and make the parameters."""
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'same', 'valid'}}")
            if padding == "same" and any(step != 1 for step in per_dimension(stride, self.space)):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _MODES:
            raise ValueError(f"padding_mode must be one of {_MODES}, but got padding_mode='{padding_mode}'")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_dimension(kernel_size, self.space)
        self.stride = per_dimension(stride, self.space)
        self.padding = padding if isinstance(padding, str) else per_dimension(padding, self.space)
        self.dilation = per_dimension(dilation, self.space)
        self.padding_mode = padding_mode
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(creation.empty((first, second // groups, *self.kernel_size), **kind))
        self.register_parameter("bias", Parameter(creation.empty(out_channels, **kind)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """New random weights, uniform within ±1/sqrt of the number of inputs of each output."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight._array.shape[1:])
            bound = 1 / math.sqrt(fan_in) if fan_in else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """The sizes, and the options that are not the usual ones."""
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding != (0,) * self.space:
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * self.space:
            parts.append(f"dilation={self.dilation}")
        if self.transposed and self.output_padding != (0,) * self.space:
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class _Forward(_Convolution):
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths = 1,
        padding: Lengths | str = 0,
        dilation: Lengths = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        kind = {"device": device, "dtype": dtype}
        self._prepare(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, kind
        )

    def forward(self, input: Tensor) -> Tensor:
        """input: (N, C, *space) or (C, *space)."""
        padding = self.padding
        if self.padding_mode != "zeros":
            input = functional.pad(input, self._margins(), self.padding_mode)
            padding = (0,) * self.space
        result: Tensor = type(self).function(
            input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups
        )
        return result

    def _margins(self) -> list[int]:
        """The padding as `functional.pad` takes it: both ends of the last dimension first."""
        margins: list[int] = []
        for place in reversed(range(self.space)):
            if isinstance(self.padding, str):
                total = self.dilation[place] * (self.kernel_size[place] - 1) if self.padding == "same" else 0
                margins += [total // 2, total - total // 2]
            else:
                margins += [self.padding[place]] * 2
        return margins


class Conv1d(_Forward):
    """Convolution of sequences (N, C, L)."""

    space = 1
    function = staticmethod(functional.conv1d)


class Conv2d(_Forward):
    """Convolution of images (N, C, H, W)."""

    space = 2
    function = staticmethod(functional.conv2d)


class Conv3d(_Forward):
    """Convolution of volumes (N, C, D, H, W)."""

    space = 3
    function = staticmethod(functional.conv3d)


class _Transposed(_Convolution):
    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Lengths,
        stride: Lengths = 1,
        padding: Lengths = 0,
        output_padding: Lengths = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Lengths = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__()
        self.output_padding = per_dimension(output_padding, self.space)
        kind = {"device": device, "dtype": dtype}
        self._prepare(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, kind
        )

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """input: (N, C, *space). output_size: which of the sizes that the stride leaves open the result has."""
        more = self.output_padding if output_size is None else self._missing(input, output_size)
        result: Tensor = type(self).function(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups, self.dilation
        )
        return result

    def _missing(self, input: Tensor, wanted: Sequence[int]) -> tuple[int, ...]:
        """How much longer than the least the result has to be."""
        space, lead = self.space, input.dim() - self.space
        if len(wanted) == input.dim():
            wanted = wanted[lead:]
        if len(wanted) != space:
            raise ValueError(
                f"ConvTranspose{space}D: for {input.dim()}D input, output_size must have {space} or {lead + space} "
                f"elements (got {len(wanted)})"
            )
        least = [
            (n - 1) * step - 2 * int(pad) + gap * (size - 1) + 1
            for n, step, pad, gap, size in zip(
                input._array.shape[lead:], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
            )
        ]
        most = [low + step - 1 for low, step in zip(least, self.stride, strict=True)]
        if any(not low <= size <= high for low, size, high in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to {most} (for an input of "
                f"{input.shape[2:]})"
            )
        return tuple(size - low for size, low in zip(wanted, least, strict=True))


class ConvTranspose1d(_Transposed):
    """The transpose of Conv1d: each number of (N, C, L) spread by its kernel."""

    space = 1
    function = staticmethod(functional.conv_transpose1d)


class ConvTranspose2d(_Transposed):
    """The transpose of Conv2d: each number of (N, C, H, W) spread by its kernel."""

    space = 2
    function = staticmethod(functional.conv_transpose2d)
