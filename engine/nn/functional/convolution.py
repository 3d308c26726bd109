"""Convolutions of sequences, images and volumes, and their transposes."""

from __future__ import annotations

from typing import Any

from engine import messages
from engine.nn.functional.resampling import pad
from engine.nn.functional.space import Lengths, batched, per_dimension
from engine.nn.ops.convolution import Convolution, ConvolutionTransposed, Geometry
from engine.tensor import Tensor


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
    _check_arguments(input, weight, bias, groups)
    steps, spread = per_dimension(stride, space), per_dimension(dilation, space)
    kernel = tuple(weight._array.shape[2:])
    if isinstance(padding, str) and len(kernel) == space:
        if padding not in ("same", "valid"):
            raise RuntimeError("Invalid padding string: '" + padding + "'")
        if padding == "same" and any(step != 1 for step in steps):
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        margins = [d * (k - 1) if padding == "same" else 0 for k, d in zip(kernel, spread, strict=True)]
        if any(margin % 2 for margin in margins):  # the odd one goes to the end, as in PyTorch
            ends = [end for margin in reversed(margins) for end in (0, margin % 2)]
            input = pad(input, ends)
        padding = [margin // 2 for margin in margins]
    padding = 0 if isinstance(padding, str) else padding
    geometry: Geometry = (steps, per_dimension(padding, space), spread, groups)

    def run(batch: Any) -> Tensor:
        _check_convolution(batch, weight, bias, geometry)
        result: Tensor = Convolution.apply(batch, weight, bias, geometry)
        return result

    return batched(name, input, space, run)


def _check_arguments(input: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> None:
    """What PyTorch looks at before anything is computed from the geometry."""
    if bias is not None and bias._dtype is not input._dtype:
        names = [messages.c_name(tensor._dtype) for tensor in (input, bias)]
        raise RuntimeError(f"Input type ({names[0]}) and bias type ({names[1]}) should be the same")
    want = weight._array.shape
    if len(want) < 3:
        raise RuntimeError("weight should have at least three dimensions")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")


def _check_convolution(input: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> None:
    have, want = input._array.shape, weight._array.shape
    steps, margins, spread, groups = geometry
    if any(margin < 0 for margin in margins):
        raise RuntimeError("negative padding is not supported")
    if any(step <= 0 for step in steps):
        raise RuntimeError("non-positive stride is not supported")
    if any(gap < 0 for gap in spread):
        raise RuntimeError("dilation should be greater than zero")
    if len(want) != len(have):
        raise RuntimeError(
            f"Expected {len(want)}-dimensional input for {len(want)}-dimensional weight{list(want)}, but got "
            f"{len(have)}-dimensional input of size {list(have)} instead"
        )
    if want[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size "
            f"{list(want)} instead"
        )
    if want[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of "
            f"size [{list(want)}] instead"
        )
    if have[1] != want[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(want)}, expected input{list(have)} to have "
            f"{want[1] * groups} channels, but got {have[1]} channels instead"
        )
    if bias is not None and bias._array.shape != (want[0],):
        raise RuntimeError(
            f"Given weight of size {list(want)}, expected bias to be 1-dimensional with {want[0]} elements, but got "
            f"bias of size {list(bias._array.shape)} instead"
        )
    if any(gap == 0 for gap in spread):
        raise RuntimeError(f"dilation should be greater than zero, but got {list(spread)}")
    padded = [n + 2 * margin for n, margin in zip(have[2:], margins, strict=True)]
    reach = [d * (k - 1) + 1 for k, d in zip(want[2:], spread, strict=True)]
    if any(k > n for k, n in zip(reach, padded, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). Kernel size: "
            f"({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input size"
        )
    if input._dtype is not weight._dtype:
        raise RuntimeError(f"expected scalar type {input._dtype.type_name} but found {weight._dtype.type_name}")


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


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Lengths = 1,
    padding: Lengths | str = 0,
    dilation: Lengths = 1,
    groups: int = 1,
) -> Tensor:
    """Convolution of volumes. input: (N, C, D, H, W), weight: (O, C / groups, KD, KH, KW)."""
    return _convolution("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def _transposed(
    space: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Lengths,
    padding: Lengths,
    output_padding: Lengths,
    groups: int,
    dilation: Lengths,
) -> Tensor:
    steps, margins, spread = (per_dimension(each, space) for each in (stride, padding, dilation))
    more = per_dimension(output_padding, space)
    geometry: Geometry = (steps, margins, spread, groups)
    kernel = weight._array.shape[2:]

    def run(batch: Any) -> Tensor:
        have, want = batch._array.shape, weight._array.shape
        if have[1] != want[0]:
            raise RuntimeError(
                f"Given transposed=1, weight of size {list(want)}, expected input{list(have)} to have {want[0]} "
                f"channels, but got {have[1]} channels instead"
            )
        if any(extra >= max(step, gap) for extra, step, gap in zip(more, steps, spread, strict=True)):
            raise RuntimeError(
                "output padding must be smaller than either stride or dilation, but got "
                + " ".join(
                    f"output_padding_{name}: {extra}" for name, extra in zip(("height", "width"), more, strict=False)
                )
            )
        lengths = [
            (n - 1) * step - 2 * margin + gap * (size - 1) + extra + 1
            for n, step, margin, gap, size, extra in zip(have[2:], steps, margins, spread, kernel, more, strict=True)
        ]
        shape = (have[0], want[1] * groups, *lengths)
        result: Tensor = ConvolutionTransposed.apply(batch, weight, bias, shape, geometry)
        return result

    return batched(f"conv_transpose{space}d", input, space, run)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Lengths = 1,
    padding: Lengths = 0,
    output_padding: Lengths = 0,
    groups: int = 1,
    dilation: Lengths = 1,
) -> Tensor:
    """The transpose of conv1d: each number of (N, C, L) spread by its kernel. weight: (C, O / groups, K)."""
    return _transposed(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Lengths = 1,
    padding: Lengths = 0,
    output_padding: Lengths = 0,
    groups: int = 1,
    dilation: Lengths = 1,
) -> Tensor:
    """The transpose of conv2d: each number of (N, C, H, W) spread by its kernel. weight: (C, O / groups, KH, KW)."""
    return _transposed(2, input, weight, bias, stride, padding, output_padding, groups, dilation)
