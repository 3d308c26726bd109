"""Convolution, pooling, padding: functions on grids of numbers, (N, C, *space) or without the batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from engine.functions import require_tensor
from engine.nn.ops.convolution import Convolution, Geometry, out_lengths
from engine.nn.ops.layers import ConstantPadNd
from engine.nn.ops.pooling import AvgPool, MaxPool
from engine.tensor import Tensor

Lengths = int | Sequence[int]


def per_dimension(value: Lengths, space: int) -> tuple[int, ...]:
    """One number for each dimension of space."""
    numbers = (value,) * space if isinstance(value, int) else tuple(value)
    return numbers * space if len(numbers) == 1 else numbers


def _batched(name: str, input: Tensor, space: int, run: Callable[[Any], Tensor]) -> Tensor:
    """Run on a batch; a single sample becomes a batch of one meanwhile."""
    require_tensor(name, "input", 1, input)
    ndim = input._array.ndim
    if ndim == space + 1:
        return run(input.unsqueeze(0)).squeeze(0)  # type: ignore[attr-defined]
    if ndim != space + 2:
        raise RuntimeError(
            f"Expected {space + 1}D (unbatched) or {space + 2}D (batched) input to {name}, but got input of size: "
            f"{list(input._array.shape)}"
        )
    return run(input)


def _convolution(
    name: str,
    space: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Lengths,
    padding: Lengths | str,
    dilation: Lengths,
    groups: int,
) -> Tensor:
    steps, spread = per_dimension(stride, space), per_dimension(dilation, space)
    kernel = tuple(weight._array.shape[2:])
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeError("Invalid padding string: '" + padding + "'")
        if padding == "same" and any(step != 1 for step in steps):
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        margins = [d * (k - 1) if padding == "same" else 0 for k, d in zip(kernel, spread, strict=True)]
        if any(margin % 2 for margin in margins):  # the odd one goes to the end, as in PyTorch
            ends = [end for margin in reversed(margins) for end in (0, margin % 2)]
            input = pad(input, ends)
        padding = [margin // 2 for margin in margins]
    geometry: Geometry = (steps, per_dimension(padding, space), spread, groups)

    def run(batch: Any) -> Tensor:
        _check_convolution(batch, weight, geometry)
        result: Tensor = Convolution.apply(batch, weight, bias, geometry)
        return result

    return _batched(name, input, space, run)


def _check_convolution(input: Tensor, weight: Tensor, geometry: Geometry) -> None:
    have, want = input._array.shape, weight._array.shape
    groups = geometry[3]
    if have[1] != want[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(want)}, expected input{list(have)} to have "
            f"{want[1] * groups} channels, but got {have[1]} channels instead"
        )
    padded = [n + 2 * margin for n, margin in zip(have[2:], geometry[1], strict=True)]
    reach = [d * (k - 1) + 1 for k, d in zip(want[2:], geometry[2], strict=True)]
    if any(k > n for k, n in zip(reach, padded, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). Kernel size: "
            f"({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input size"
        )
    if input._dtype is not weight._dtype:
        raise RuntimeError(
            f"Input type ({input._dtype.tensor_type}) and weight type ({weight._dtype.tensor_type}) should be the same"
        )


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Lengths = 1,
    padding: Lengths | str = 0,
    dilation: Lengths = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution of sequences. input: (N, C, L), weight: (O, C / groups, K)."""
    return _convolution("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Lengths = 1,
    padding: Lengths | str = 0,
    dilation: Lengths = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution of images. input: (N, C, H, W), weight: (O, C / groups, KH, KW)."""
    return _convolution("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def _pool(
    op: Any, name: str, space: int, input: Tensor, kernel_size: Lengths, stride: Lengths | None, padding: Lengths,
    dilation: Lengths,
) -> Tensor:  # fmt: skip
    kernel = per_dimension(kernel_size, space)
    steps = kernel if stride is None or stride == [] else per_dimension(stride, space)
    margins, spread = per_dimension(padding, space), per_dimension(dilation, space)
    for margin, size, gap in zip(margins, kernel, spread, strict=True):
        if margin > ((size - 1) * gap + 1) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={margin}, kernel_size={size} and "
                f"dilation={gap}"
            )
    geometry: Geometry = (steps, margins, spread, 1)

    def run(batch: Any) -> Tensor:
        channels, lengths = batch._array.shape[1], batch._array.shape[2:]
        places = out_lengths(lengths, kernel, geometry)
        if any(place < 1 for place in places):
            got = "x".join(map(str, (channels, *lengths)))
            gives = "x".join(map(str, (channels, *(max(place, 0) for place in places))))
            raise RuntimeError(
                f"Given input size: ({got}). Calculated output size: ({gives}). Output size is too small"
            )
        result: Tensor = op.apply(batch, kernel, geometry)
        return result

    return _batched(name, input, space, run)


def _no_ceiling(ceil_mode: bool) -> None:
    if ceil_mode:
        raise NotImplementedError("pooling with ceil_mode=True is not available here; pad the input instead")


def max_pool1d(
    input: Tensor,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    dilation: Lengths = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest number of every window of a sequence."""
    _no_ceiling(ceil_mode)
    return _pool(MaxPool, "max_pool1d", 1, input, kernel_size, stride, padding, dilation)


def max_pool2d(
    input: Tensor,
    kernel_size: Lengths,
    stride: Lengths | None = None,
    padding: Lengths = 0,
    dilation: Lengths = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest number of every window of an image."""
    _no_ceiling(ceil_mode)
    return _pool(MaxPool, "max_pool2d", 2, input, kernel_size, stride, padding, dilation)


def avg_pool1d(
    input: Tensor, kernel_size: Lengths, stride: Lengths | None = None, padding: Lengths = 0, ceil_mode: bool = False
) -> Tensor:
    """The mean of every window of a sequence; the margin counts as zeros."""
    _no_ceiling(ceil_mode)
    return _pool(AvgPool, "avg_pool1d", 1, input, kernel_size, stride, padding, 1)


def avg_pool2d(
    input: Tensor, kernel_size: Lengths, stride: Lengths | None = None, padding: Lengths = 0, ceil_mode: bool = False
) -> Tensor:
    """The mean of every window of an image; the margin counts as zeros."""
    _no_ceiling(ceil_mode)
    return _pool(AvgPool, "avg_pool2d", 2, input, kernel_size, stride, padding, 1)


def adaptive_avg_pool2d(input: Tensor, output_size: Lengths) -> Tensor:
    """The means of windows that divide an image evenly into the wanted number of places."""
    wanted = per_dimension(output_size, 2)
    if wanted == (1, 1):
        return input.mean((-1, -2), True)  # type: ignore[attr-defined,no-any-return]
    lengths = input._array.shape[-2:]
    if any(length % places for length, places in zip(lengths, wanted, strict=True)):
        raise NotImplementedError(
            "adaptive_avg_pool2d is available here only where the output size divides the input size"
        )
    kernel = [length // places for length, places in zip(lengths, wanted, strict=True)]
    return _pool(AvgPool, "adaptive_avg_pool2d", 2, input, kernel, None, 0, 1)


def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """A margin of one number around the last dimensions; pad: (left, right, top, bottom, …), negative ones cut off."""
    if mode != "constant":
        raise NotImplementedError(f"padding with mode={mode!r} is not available here; only 'constant' is")
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) // 2 > input._array.ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {input._array.ndim}"
        )
    result: Tensor = ConstantPadNd.apply(input, tuple(pad), 0 if value is None else value)
    return result
