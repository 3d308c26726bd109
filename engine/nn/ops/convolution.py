"""Convolution and the two maps that are its derivatives: each of the three is differentiated by the other two.

All take batches: input (N, C, *space), weight (O, C / groups, *kernel), for one or more dimensions of space.
`geometry` is (stride, padding, dilation, groups), the first three with one number for each dimension of space.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import arrays, formula
from engine.op import Op
from engine.tensor import Tensor

Geometry = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], int]


def out_lengths(space: tuple[int, ...], kernel: tuple[int, ...], geometry: Geometry) -> tuple[int, ...]:
    """How many places the kernel has along each dimension of space."""
    stride, padding, dilation, _ = geometry
    return tuple(
        (length + 2 * pad - dil * (size - 1) - 1) // step + 1
        for length, size, step, pad, dil in zip(space, kernel, stride, padding, dilation, strict=True)
    )


def windows(
    padded: NDArray[Any],
    kernel: tuple[int, ...],
    places: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
) -> NDArray[Any]:
    """A view of shape (N, C, *places, *kernel): what the kernel sees at each place."""
    steps = padded.strides[2:]
    return arrays.as_strided(
        padded,
        (*padded.shape[:2], *places, *kernel),
        (
            *padded.strides[:2],
            *[step * s for step, s in zip(steps, stride, strict=True)],
            *[step * d for step, d in zip(steps, dilation, strict=True)],
        ),
    )


def padded_with(input: NDArray[Any], padding: tuple[int, ...], value: float = 0) -> NDArray[Any]:
    """The input with a margin around its space."""
    if not any(padding):
        return arrays.contiguous(input)
    return np.pad(input, ((0, 0), (0, 0), *((pad, pad) for pad in padding)), constant_values=value)


def _columns(
    input: NDArray[Any], kernel: tuple[int, ...], geometry: Geometry, places: tuple[int, ...] | None = None
) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Windows as a matrix for each group, (groups, N * places, C / groups * kernel), and the places."""
    stride, padding, dilation, groups = geometry
    places = places or out_lengths(input.shape[2:], kernel, geometry)
    seen = windows(padded_with(input, padding), kernel, places, stride, dilation)
    batch, channels = input.shape[:2]
    space = len(kernel)
    split = seen.reshape(batch, groups, channels // groups, *places, *kernel)
    order = (1, 0, *range(3, 3 + space), 2, *range(3 + space, 3 + 2 * space))
    return split.transpose(order).reshape(groups, batch * math.prod(places), -1), places


def _rows(grad: NDArray[Any], groups: int) -> NDArray[Any]:
    """A result (N, O, *places) as a matrix for each group, (groups, N * places, O / groups)."""
    batch, channels = grad.shape[:2]
    split = grad.reshape(batch, groups, channels // groups, -1)
    return split.transpose(1, 0, 3, 2).reshape(groups, -1, channels // groups)


def convolved(input: NDArray[Any], weight: NDArray[Any], geometry: Geometry) -> NDArray[Any]:
    """The convolution of arrays."""
    groups = geometry[3]
    columns, places = _columns(input, weight.shape[2:], geometry)
    kernels = weight.reshape(groups, weight.shape[0] // groups, -1)
    result = np.matmul(columns, kernels.transpose(0, 2, 1))
    batch = input.shape[0]
    split = result.reshape(groups, batch, math.prod(places), -1).transpose(1, 0, 3, 2)
    return arrays.contiguous(split).reshape(batch, weight.shape[0], *places)


def to_input(grad: NDArray[Any], weight: NDArray[Any], shape: tuple[int, ...], geometry: Geometry) -> NDArray[Any]:
    """The transpose of the convolution with respect to its input, which has the given shape."""
    stride, padding, dilation, groups = geometry
    kernel, places = weight.shape[2:], grad.shape[2:]
    kernels = weight.reshape(groups, weight.shape[0] // groups, -1)
    columns = np.matmul(_rows(grad, groups), kernels)
    batch, channels = shape[:2]
    split = columns.reshape(groups, batch, *places, channels // groups, *kernel)
    space = len(kernel)
    order = (1, 0, 2 + space, *range(2, 2 + space), *range(3 + space, 3 + 2 * space))
    split = split.transpose(order).reshape(batch, channels, *places, *kernel)
    margins = [n + 2 * pad for n, pad in zip(shape[2:], padding, strict=True)]
    wide = arrays.zeros((batch, channels, *margins), grad.dtype, grad)
    for offset in product(*map(range, kernel)):
        spots = tuple(
            slice(at * dil, at * dil + step * (count - 1) + 1, step)
            for at, dil, step, count in zip(offset, dilation, stride, places, strict=True)
        )
        wide[(..., *spots)] += split[(..., *offset)]
    inner = tuple(slice(pad, pad + n) for pad, n in zip(padding, shape[2:], strict=True))
    return arrays.contiguous(wide[(..., *inner)])


def to_weight(grad: NDArray[Any], input: NDArray[Any], shape: tuple[int, ...], geometry: Geometry) -> NDArray[Any]:
    """The transpose of the convolution with respect to its weight, which has the given shape."""
    groups = geometry[3]
    columns, _ = _columns(input, shape[2:], geometry, grad.shape[2:])  # the input's last rows may not be reached
    return np.matmul(_rows(grad, groups).transpose(0, 2, 1), columns).reshape(shape)


class Convolution(Op):
    """The weight's products with every window of the input, plus a bias for each channel"""

    tensors = ("input", "weight", "bias")
    symbol = "∗"
    latex = {"bias": r"\textstyle\sum \bar{r}"}

    def forward(input, weight, bias, geometry):
        result = convolved(input, weight, geometry)
        if bias is not None:
            result += bias.reshape(-1, *[1] * (result.ndim - 2))
        return result

    def d_input(grad, weight, geometry, input_shape):
        if isinstance(grad, Tensor):
            return ConvolutionInput.apply(grad, weight, input_shape, geometry)
        return to_input(grad, weight, input_shape, geometry)

    def d_weight(grad, input, geometry, weight_shape):
        if isinstance(grad, Tensor):
            return ConvolutionWeight.apply(grad, input, weight_shape, geometry)
        return to_weight(grad, input, weight_shape, geometry)

    def d_bias(grad):
        return formula.summed(grad, (0, *range(2, grad.ndim)))


class ConvolutionTransposed(Op):
    """Every number spread over a window by the weight, plus a bias for each channel"""

    node_name = "ConvolutionBackward0"
    tensors = ("input", "weight", "bias")
    symbol = "∗ᵀ"

    def forward(input, weight, bias, shape, geometry):
        result = to_input(input, weight, shape, geometry)
        if bias is not None:
            result += bias.reshape(-1, *[1] * (result.ndim - 2))
        return result

    def d_input(grad, weight, geometry, input_shape):
        whole = _both(grad, weight, geometry)
        if whole.shape == input_shape:
            return whole
        # An output margin longer than a stride has room for more places than the input had.
        return formula.indexed(whole, (..., *[slice(length) for length in input_shape[2:]]))

    def d_weight(grad, input, geometry, weight_shape):
        if isinstance(grad, Tensor):
            return ConvolutionWeight.apply(input, grad, weight_shape, geometry)
        return to_weight(input, grad, weight_shape, geometry)

    def d_bias(grad):
        return formula.summed(grad, (0, *range(2, grad.ndim)))


class ConvolutionInput(Op):
    """The convolution backwards: spreads every result over the window it came from"""

    tensors = ("grad_output", "weight")
    symbol = "∗ᵀ"

    def forward(grad_output, weight, shape, geometry):
        return to_input(grad_output, weight, shape, geometry)

    def d_grad_output(grad, weight, geometry):
        return _both(grad, weight, geometry)

    def d_weight(grad, grad_output, geometry, weight_shape):
        if isinstance(grad, Tensor):
            return ConvolutionWeight.apply(grad_output, grad, weight_shape, geometry)
        return to_weight(grad_output, grad, weight_shape, geometry)


class ConvolutionWeight(Op):
    """What each number of the weight met, summed over all windows"""

    tensors = ("grad_output", "input")
    symbol = "∗ᵀ"

    def forward(grad_output, input, shape, geometry):
        return to_weight(grad_output, input, shape, geometry)

    def d_grad_output(grad, input, geometry):
        return _both(input, grad, geometry)

    def d_input(grad, grad_output, geometry, input_shape):
        if isinstance(grad, Tensor):
            return ConvolutionInput.apply(grad_output, grad, input_shape, geometry)
        return to_input(grad_output, grad, input_shape, geometry)


def _both(input: Any, weight: Any, geometry: Geometry) -> Any:
    """The convolution of arrays or of tensors, without a bias."""
    if isinstance(input, Tensor):
        return Convolution.apply(input, weight, None, geometry)
    return convolved(input, weight, geometry)
