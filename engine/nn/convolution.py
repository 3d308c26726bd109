"""Convolutions and pooling as modules."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from engine import creation
from engine.nn import functional, init
from engine.nn.functional.vision import Lengths, per_dimension
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.tensor import Tensor


class _Convolution(Module):
    space: ClassVar[int]
    function: ClassVar[Any]

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
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups:
            raise ValueError("out_channels must be divisible by groups")
        if padding_mode != "zeros":
            raise NotImplementedError(f"padding_mode={padding_mode!r} is not available here; only 'zeros' is")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_dimension(kernel_size, self.space)
        self.stride = per_dimension(stride, self.space)
        self.padding = padding if isinstance(padding, str) else per_dimension(padding, self.space)
        self.dilation = per_dimension(dilation, self.space)
        self.padding_mode = padding_mode
        self.weight = Parameter(creation.empty((out_channels, in_channels // groups, *self.kernel_size)))
        if bias:
            self.bias = Parameter(creation.empty(out_channels))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """New random weights, uniform within ±1/sqrt of the number of inputs of each output."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight._array.shape[1:])
            bound = 1 / math.sqrt(fan_in) if fan_in else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """input: (N, C, *space) or (C, *space)."""
        result: Tensor = type(self).function(
            input, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups
        )
        return result

    def extra_repr(self) -> str:
        """The sizes, and the options that are not the usual ones."""
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding != (0,) * self.space:
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * self.space:
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)


class Conv1d(_Convolution):
    """Convolution of sequences (N, C, L)."""

    space = 1
    function = staticmethod(functional.conv1d)


class Conv2d(_Convolution):
    """Convolution of images (N, C, H, W)."""

    space = 2
    function = staticmethod(functional.conv2d)


class _MaxPool(Module):
    function: ClassVar[Any]

    def __init__(
        self,
        kernel_size: Lengths,
        stride: Lengths | None = None,
        padding: Lengths = 0,
        dilation: Lengths = 1,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """The largest number of every window."""
        result: Tensor = type(self).function(
            input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode
        )
        return result

    def extra_repr(self) -> str:
        """The window and how it moves."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest number of every window of a sequence."""

    function = staticmethod(functional.max_pool1d)


class MaxPool2d(_MaxPool):
    """The largest number of every window of an image."""

    function = staticmethod(functional.max_pool2d)


class _AvgPool(Module):
    function: ClassVar[Any]

    def __init__(
        self, kernel_size: Lengths, stride: Lengths | None = None, padding: Lengths = 0, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.kernel_size: Any = kernel_size
        self.stride: Any = kernel_size if stride is None else stride
        self.padding: Any = padding
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        """The mean of every window."""
        result: Tensor = type(self).function(input, self.kernel_size, self.stride, self.padding, self.ceil_mode)
        return result

    def extra_repr(self) -> str:
        """The window and how it moves."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPool):
    """The mean of every window of a sequence."""

    function = staticmethod(functional.avg_pool1d)

    def __init__(
        self, kernel_size: Lengths, stride: Lengths | None = None, padding: Lengths = 0, ceil_mode: bool = False
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.kernel_size, self.stride, self.padding = (
            per_dimension(value, 1) for value in (self.kernel_size, self.stride, self.padding)
        )


class AvgPool2d(_AvgPool):
    """The mean of every window of an image."""

    function = staticmethod(functional.avg_pool2d)


class AdaptiveAvgPool2d(Module):
    """The means of windows that divide an image into the wanted number of places."""

    def __init__(self, output_size: Lengths) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        """input: (N, C, H, W); the result has output_size as its space."""
        return functional.adaptive_avg_pool2d(input, self.output_size)

    def extra_repr(self) -> str:
        """The size of the result."""
        return f"output_size={self.output_size}"
