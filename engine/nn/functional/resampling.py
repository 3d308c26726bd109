"""Grids with a margin, at another size, cut into patches or put together again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.nn.functional import pooling
from engine.nn.functional.space import Lengths, per_dimension
from engine.nn.ops import resampling as ops
from engine.nn.ops.convolution import out_lengths
from engine.nn.ops.layers import ConstantPadNd
from engine.nn.ops.patches import Col2Im, Im2Col
from engine.op import Op
from engine.tensor import Tensor

_PADS: dict[str, tuple[type[Op], ...]] = {
    "reflect": (ops.ReflectionPad1D, ops.ReflectionPad2D, ops.ReflectionPad3D),
    "replicate": (ops.ReplicationPad1D, ops.ReplicationPad2D, ops.ReplicationPad3D),
    "circular": (ops.CircularPad,) * 3,
}


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """A margin around the last dimensions; pad: (left, right, top, bottom, …), negative ones cut off.

    mode: 'constant' repeats one number, 'reflect' mirrors, 'replicate' repeats the edge, 'circular' goes round.
    """
    ndim = input._array.ndim
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) // 2 > ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {ndim}"
        )
    if mode == "constant":
        result: Tensor = ConstantPadNd.apply(input, tuple(pad), 0 if value is None else value)
        return result
    if mode not in _PADS:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if value is not None and value != 0:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    count = len(pad) // 2
    if ndim not in (count + 1, count + 2) or count > 3:
        raise NotImplementedError(
            f"Padding size {len(pad)} is not supported for {ndim}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    at: list[Any] = []
    for place in range(count):
        low, high = pad[2 * place], pad[2 * place + 1]
        length = input._array.shape[-1 - place]
        at.insert(0, _margin(mode, input, ndim - 1 - place, length, low, high))
    padded: Tensor = _PADS[mode][count - 1].apply(input, tuple(at))
    return padded


def _margin(mode: str, input: Tensor, dim: int, length: int, low: int, high: int) -> Any:
    """The places along one dimension that the padded one shows."""
    steps = np.arange(-low, length + high)
    if mode == "reflect":
        if low >= length or high >= length:
            raise RuntimeError(
                "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
                f"({low}, {high}) at dimension {dim} of input {list(input._array.shape)}"
            )
        steps = np.abs(steps)
        return np.where(steps >= length, 2 * (length - 1) - steps, steps)
    if mode == "circular":
        if low > length or high > length:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        left = length + min(low, 0) + min(high, 0)  # what a negative margin cuts off is gone before it goes round
        return max(-low, 0) + np.arange(-max(low, 0), left + max(high, 0)) % left
    return steps.clip(0, length - 1)


_NEAREST: dict[str, tuple[type[Op], ...]] = {
    "nearest": (ops.UpsampleNearest1D, ops.UpsampleNearest2D, ops.UpsampleNearest3D),
    "nearest-exact": (ops.UpsampleNearestExact1D, ops.UpsampleNearestExact2D, ops.UpsampleNearestExact3D),
}
_STRAIGHT: dict[str, tuple[int, type[Op]]] = {
    "linear": (1, ops.UpsampleLinear1D),
    "bilinear": (2, ops.UpsampleBilinear2D),
    "trilinear": (3, ops.UpsampleTrilinear3D),
    "bicubic": (2, ops.UpsampleBicubic2D),
}


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """A grid at another size. mode: 'nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'trilinear', 'area'.

    input: (N, C, *space). size: the new space, or scale_factor: how much larger it is.
    """
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | "
                "trilinear"
            )
    if antialias:
        raise NotImplementedError("interpolate with antialias=True is not available here")
    lengths = input._array.shape[2:]
    new, ratios = _new_lengths(lengths, size, scale_factor, bool(recompute_scale_factor) or mode == "area")
    space = len(lengths)
    if mode in ("nearest", "nearest-exact") and 1 <= space <= 3:
        at = tuple(
            ops.nearest_places(old, length, ratio, mode == "nearest-exact")
            for old, length, ratio in zip(lengths, new, ratios, strict=True)
        )
        chosen: Tensor = _NEAREST[mode][space - 1].apply(input, at)
        return chosen
    if mode == "area":
        function = (pooling.adaptive_avg_pool1d, pooling.adaptive_avg_pool2d, pooling.adaptive_avg_pool3d)[space - 1]
        return function(input, tuple(new))
    if mode not in _STRAIGHT or _STRAIGHT[mode][0] != space:
        dims = {"linear": 3, "bilinear": 4, "trilinear": 5}
        if mode in dims and space in (1, 2, 3):
            raise NotImplementedError(f"Got {space + 2}D input, but {mode} mode needs {dims[mode]}D input")
        raise NotImplementedError(
            "Input Error: Only 3D, 4D and 5D input Tensors supported "
            f"(got {space + 2}D) for the modes: nearest | linear | bilinear | bicubic | lanczos | trilinear | area | "
            f"nearest-exact (got {mode})"
        )
    matrix = ops.cubic_matrix if mode == "bicubic" else ops.linear_matrix
    matrices = tuple(
        matrix(old, length, ratio, bool(align_corners)) for old, length, ratio in zip(lengths, new, ratios, strict=True)
    )
    result: Tensor = _STRAIGHT[mode][1].apply(input, matrices)
    return result


def _new_lengths(
    lengths: tuple[int, ...], size: Any, scale_factor: Any, recompute: bool
) -> tuple[list[int], list[float | None]]:
    """The lengths asked for, and how many old places go for a new one where a factor says so."""
    space = len(lengths)
    if (size is None) == (scale_factor is None):
        wrong = "only one of size or scale_factor should be defined" if size is not None else None
        raise ValueError(wrong or "either size or scale_factor should be defined")
    if size is not None:
        if isinstance(size, list | tuple) and len(size) != space:
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input with spatial "
                f"dimensions of {list(lengths)} and output size of {size}. Please provide input tensor in (N, C, d1, "
                "d2, ...,dK) format and output size in (o1, o2, ...,oK) format."
            )
        return (list(size) if isinstance(size, list | tuple) else [size] * space), [None] * space
    if isinstance(scale_factor, list | tuple) and len(scale_factor) != space:
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial "
            f"dimensions of {list(lengths)} and scale_factor of shape {scale_factor}. Please provide input tensor in "
            "(N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format."
        )
    factors = list(scale_factor) if isinstance(scale_factor, list | tuple) else [scale_factor] * space
    new = [math.floor(length * factor) for length, factor in zip(lengths, factors, strict=True)]
    return new, [None if recompute else 1 / factor for factor in factors]


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: Any = None
) -> Tensor:
    """The old name of `interpolate`."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def unfold(
    input: Tensor, kernel_size: Lengths, dilation: Lengths = 1, padding: Lengths = 0, stride: Lengths = 1
) -> Tensor:
    """Every patch of (N, C, H, W) as a column: (N, C * kernel, places)."""
    geometry = tuple(per_dimension(each, 2) for each in (stride, padding, dilation))
    single = input._array.ndim == 3
    batch: Any = input.unsqueeze(0) if single else input  # type: ignore[attr-defined]
    result: Any = Im2Col.apply(batch, per_dimension(kernel_size, 2), geometry)
    return result.squeeze(0) if single else result  # type: ignore[no-any-return]


def fold(
    input: Tensor,
    output_size: Lengths,
    kernel_size: Lengths,
    dilation: Lengths = 1,
    padding: Lengths = 0,
    stride: Lengths = 1,
) -> Tensor:
    """Columns (N, C * kernel, places) put back as patches of (N, C, *output_size); where they overlap they add up."""
    kernel, space = per_dimension(kernel_size, 2), per_dimension(output_size, 2)
    geometry = (per_dimension(stride, 2), per_dimension(padding, 2), per_dimension(dilation, 2))
    single = input._array.ndim == 2
    batch: Any = input.unsqueeze(0) if single else input  # type: ignore[attr-defined]
    width, places = batch._array.shape[1:]
    if width % math.prod(kernel):
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={width} and kernel_size=({kernel[0]}, {kernel[1]})."
        )
    counts = out_lengths(space, kernel, (*geometry, 1))
    if math.prod(counts) != places:
        raise RuntimeError(
            f"Given output_size=({space[0]}, {space[1]}), kernel_size=({kernel[0]}, {kernel[1]}), "
            f"dilation=({geometry[2][0]}, {geometry[2][1]}), padding=({geometry[1][0]}, {geometry[1][1]}), "
            f"stride=({geometry[0][0]}, {geometry[0][1]}), expected size of input's dimension 2 to match the "
            f"calculated number of sliding blocks {counts[0]} * {counts[1]} = {math.prod(counts)}, but got "
            f"input.size(2)={places}."
        )
    result: Any = Col2Im.apply(batch, space, kernel, geometry)
    return result.squeeze(0) if single else result  # type: ignore[no-any-return]


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """(…, C r², H, W) as (…, C, H r, W r)."""
    *lead, channels, height, width = input._array.shape
    r = upscale_factor
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    split: Any = input.reshape(*lead, channels // (r * r), r, r, height, width)  # type: ignore[attr-defined]
    n = len(lead)
    order = (*range(n + 1), n + 3, n + 1, n + 4, n + 2)
    return split.permute(order).reshape(*lead, channels // (r * r), height * r, width * r)  # type: ignore[no-any-return]


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """(…, C, H r, W r) as (…, C r², H, W)."""
    *lead, channels, height, width = input._array.shape
    r = downscale_factor
    for name, length, place in (("height", height, -2), ("width", width, -1)):
        if length % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({place})="
                f"{length} is not divisible by {r}"
            )
    split: Any = input.reshape(*lead, channels, height // r, r, width // r, r)  # type: ignore[attr-defined]
    n = len(lead)
    order = (*range(n + 1), n + 2, n + 4, n + 1, n + 3)
    return split.permute(order).reshape(*lead, channels * r * r, height // r, width // r)  # type: ignore[no-any-return]
