"""Pooling: the largest number or the mean of every window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import arrays, dtypes
from engine.nn.functional.space import Lengths, batched, per_dimension
from engine.nn.ops import pooling as ops
from engine.nn.ops.convolution import Geometry
from engine.nn.ops.resampling import AdaptiveAvgPool, AdaptiveAvgPool3D, mean_matrix
from engine.state import state
from engine.tensor import Tensor, wrap


def _places(
    lengths: Sequence[int], kernel: tuple[int, ...], geometry: Geometry, ceil_mode: bool
) -> tuple[list[int], tuple[int, ...]]:
    """How many windows there are along each dimension, and what margin more they need at the far ends."""
    places, extra = [], []
    for length, size, step, pad, gap in zip(lengths, kernel, *geometry[:3], strict=True):
        reach = gap * (size - 1) + 1
        room = length + 2 * pad - reach
        count = (-(-room // step) if ceil_mode else room // step) + 1
        if ceil_mode and (count - 1) * step >= length + pad:  # no window may begin beyond the edge
            count -= 1
        places.append(count)
        extra.append(max(0, (count - 1) * step + reach - length - 2 * pad))
    return places, tuple(extra)


def _divisor(
    lengths: Sequence[int], places: Sequence[int], kernel: tuple[int, ...], geometry: Geometry, with_margin: bool
) -> Any:
    """How many elements each window has: the margin counts or not, what is beyond it never does."""
    counts = np.ones(())
    for length, count, size, step, pad in zip(lengths, places, kernel, *geometry[:2], strict=True):
        begin = np.arange(count) * step - pad
        end = np.minimum(begin + size, length + pad)
        along = end - begin if with_margin else np.minimum(end, length) - np.maximum(begin, 0)
        counts = counts[..., None] * along
    return counts


def _pool(
    name: str,
    space: int,
    input: Tensor,
    kernel_size: Lengths,
    stride: Lengths | None,
    padding: Lengths,
    dilation: Lengths = 1,
    ceil_mode: bool = False,
    mean: tuple[bool, int | None] | None = None,
    indices: bool = False,
) -> Any:
    """mean: for means, whether the margin counts and another divisor; None takes the largest element."""
    kernel = per_dimension(kernel_size, space)
    steps = kernel if stride is None or stride in ([], ()) else per_dimension(stride, space)
    margins, spread = per_dimension(padding, space), per_dimension(dilation, space)
    for margin, size, gap in zip(margins, kernel, spread, strict=True):
        if margin < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {margin}")
        if margin > ((size - 1) * gap + 1) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={margin}, kernel_size={size} and "
                f"dilation={gap}"
            )
    if space == 1 and input._array.ndim in (2, 3) and (mean is not None or indices or recorded(input)):
        image = _flattened(input)
        made = _pool(name, 2, image, (1, *kernel), (1, *steps), (0, *margins), (1, *spread), ceil_mode, mean, indices)
        return tuple(each.squeeze(-2) for each in made) if indices else made.squeeze(-2)
    geometry: Geometry = (steps, margins, spread, 1)

    def run(batch: Any) -> Tensor:
        channels, lengths = batch._array.shape[1], batch._array.shape[2:]
        places, extra = _places(lengths, kernel, geometry, ceil_mode)
        if any(place < 1 for place in places):
            got = "x".join(map(str, (channels, *lengths)))
            gives = "x".join(map(str, (channels, *(max(place, 0) for place in places))))
            raise RuntimeError(
                f"Given input size: ({got}). Calculated output size: ({gives}). Output size is too small"
            )
        if mean is not None:
            with_margin, override = mean
            divisor = _divisor(lengths, places, kernel, geometry, with_margin)
            divisor = divisor if override is None else np.full((), override)
            made: Tensor = (ops.AvgPool if space < 3 else ops.AvgPool3D).apply(batch, kernel, geometry, extra, divisor)
            return made
        largest: Tensor = (ops.MaxPool if space < 3 else ops.MaxPool3D).apply(batch, kernel, geometry, extra)
        return largest

    values = batched(name, input, space, run)
    if not indices:
        return values
    array = arrays.asarray(input._array)
    _, extra = _places(array.shape[array.ndim - space :], kernel, geometry, ceil_mode)
    single = array.ndim == space + 1
    at = ops.largest_at(array[None] if single else array, kernel, geometry, extra)
    return values, _flat(at, array.shape, space, single)


def recorded(input: Tensor) -> bool:
    """Whether what is computed from the tensor goes into the graph: PyTorch then pools a sequence as an image."""
    return input._edge is not None and state.grad_enabled


def _flat(at: tuple[Any, ...], shape: tuple[int, ...], space: int, single: bool) -> Tensor:
    """Places of elements as single numbers within their channel."""
    flat = np.ravel_multi_index(at[-space:], shape[-space:])
    return wrap(flat[0] if single else flat, dtypes.int64)


def _flattened(input: Any) -> Any:
    """A sequence as an image of one row."""
    return input.unsqueeze(-2)


def max_pool1d(
    input: Tensor,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    dilation: Lengths = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of every window of a sequence."""
    return _pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation, ceil_mode, indices=return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    dilation: Lengths = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of every window of an image."""
    return _pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode, indices=return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    dilation: Lengths = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of every window of a volume."""
    return _pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode, indices=return_indices)


def avg_pool1d(
    input: Tensor,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of every window of a sequence; the margin counts as zeros, or not at all."""
    means = (count_include_pad, None)
    result: Tensor = _pool("avg_pool1d", 1, input, kernel_size, stride, padding, 1, ceil_mode, means)
    return result


def avg_pool2d(
    input: Tensor,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of every window of an image; the margin counts as zeros, or not at all."""
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    means = (count_include_pad, divisor_override)
    result: Tensor = _pool("avg_pool2d", 2, input, kernel_size, stride, padding, 1, ceil_mode, means)
    return result


def avg_pool3d(
    input: Tensor,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of every window of a volume; the margin counts as zeros, or not at all."""
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    means = (count_include_pad, divisor_override)
    result: Tensor = _pool("avg_pool3d", 3, input, kernel_size, stride, padding, 1, ceil_mode, means)
    return result


def _wanted(input: Tensor, output_size: Any, space: int) -> tuple[int, ...]:
    """The size asked for, with the input's length where it says None."""
    sizes = (output_size,) * space if output_size is None or isinstance(output_size, int) else tuple(output_size)
    sizes = sizes * space if len(sizes) == 1 else sizes
    lengths = input._array.shape[input._array.ndim - space :]
    return tuple(old if new is None else new for old, new in zip(lengths, sizes, strict=True))


def _adaptive_mean(space: int, input: Tensor, output_size: Any) -> Tensor:
    wanted = _wanted(input, output_size, space)
    if wanted == (1,) * space and space > 1:
        return input.mean(tuple(range(-1, -1 - space, -1)), True)  # type: ignore[attr-defined,no-any-return]
    lengths = input._array.shape[input._array.ndim - space :]
    matrices = tuple(mean_matrix(old, new) for old, new in zip(lengths, wanted, strict=True))
    result: Tensor = (AdaptiveAvgPool if space < 3 else AdaptiveAvgPool3D).apply(input, matrices)
    return result


def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """The means of `output_size` parts of a sequence."""
    return _adaptive_mean(2, _flattened(input), (1, *_wanted(input, output_size, 1))).squeeze(-2)  # type: ignore[attr-defined,no-any-return]


def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """The means of parts of an image; they are of nearly the same size and may overlap."""
    if input._array.ndim < 3:
        raise ValueError("Input dimension should be at least 3")
    return _adaptive_mean(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """The means of parts of a volume."""
    return _adaptive_mean(3, input, output_size)


def _adaptive_largest(space: int, input: Tensor, output_size: Any, return_indices: bool) -> Any:
    wanted = _wanted(input, output_size, space)
    values: Tensor = ops.AdaptiveMaxPool.apply(input, wanted)
    if not return_indices:
        return values
    at = ops.largest_part_at(arrays.asarray(input._array), wanted)
    return values, _flat(at, input._array.shape, space, False)


def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest numbers of `output_size` parts of a sequence."""
    made = _adaptive_largest(2, _flattened(input), (1, *_wanted(input, output_size, 1)), return_indices)
    return tuple(each.squeeze(-2) for each in made) if return_indices else made.squeeze(-2)


def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """The largest numbers of parts of an image."""
    return _adaptive_largest(2, input, output_size, return_indices)


def _power_mean(averaged: Any, count: int, norm_type: float) -> Tensor:
    kept = averaged.sign() * averaged.abs().relu()
    return kept.mul(count).pow(1.0 / norm_type)  # type: ignore[no-any-return]


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: int, stride: Lengths | None = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of every window of a sequence."""
    return _power_mean(avg_pool1d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode), kernel_size, norm_type)  # type: ignore[attr-defined]


def lp_pool2d(
    input: Tensor, norm_type: float, kernel_size: Lengths, stride: Lengths | None = None, ceil_mode: bool = False
) -> Tensor:
    """The p-norm of every window of an image."""
    count = math.prod(per_dimension(kernel_size, 2))
    return _power_mean(avg_pool2d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode), count, norm_type)  # type: ignore[attr-defined]
