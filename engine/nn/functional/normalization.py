"""Normalization functions of `torch.nn.functional`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import arrays
from engine.nn.functional.pooling import avg_pool3d
from engine.nn.functional.resampling import pad
from engine.nn.ops.normalization import FixedBatchNorm, NativeBatchNorm, NativeGroupNorm, NativeLayerNorm
from engine.optim.kernels import assign
from engine.tensor import Tensor, rounded


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Each sample with mean 0 and variance 1 over its last dimensions, then scaled and shifted."""
    if isinstance(normalized_shape, int):
        raise TypeError("layer_norm(): argument 'normalized_shape' (position 2) must be tuple of ints, not int")
    shape = tuple(normalized_shape)
    have = input._array.shape
    if have[len(have) - len(shape) :] != shape:
        stars = ", ".join(["*", *map(str, shape)])
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [{stars}], but got input of size"
            f"{list(have)}"
        )
    dims = tuple(range(len(have) - len(shape), len(have)))
    result: Tensor = NativeLayerNorm.apply(input, weight, bias, dims, eps)[0]
    if not result._dtype.fast:  # an operation with several results leaves rounding to its caller
        result._array = rounded(result._array, result._dtype)
    return result


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel with mean 0 and variance 1 over the batch, then scaled and shifted.

    While training, the running statistics move by `momentum` towards the batch's; otherwise they are used instead.
    """
    shape = input._array.shape
    dims = (0, *range(2, len(shape)))
    channels = shape[1]
    for name, value in (("running_mean", running_mean), ("running_var", running_var), ("weight", weight)):
        if value is not None and value._array.size != channels:
            raise RuntimeError(f"{name} should contain {channels} elements not {value._array.size}")
    if not training:
        if running_mean is None or running_var is None:
            raise RuntimeError("running_mean must be defined in evaluation mode")
        fixed: Tensor = FixedBatchNorm.apply(input, weight, bias, running_mean._array, running_var._array, eps)
        return fixed
    count = input._array.size // channels if channels else 0
    if count <= 1:
        raise ValueError(
            f"Expected more than 1 value per channel when training, got input size torch.Size({list(shape)})"
        )
    for running, statistic in ((running_mean, np.mean), (running_var, _unbiased)):
        if running is not None:
            arrays.check_together(input._array, running._array)
            kind = running._array.dtype.type
            moved = kind(1 - momentum) * running._array + kind(momentum) * statistic(input._array, dims)
            assign(running, moved)
    result: Tensor = NativeBatchNorm.apply(input, weight, bias, dims, eps)
    return result


def _unbiased(values: np.ndarray, dims: tuple[int, ...]) -> np.ndarray:
    return arrays.asarray(np.var(values, dims, ddof=1))


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Each of `num_groups` groups of channels of each sample with mean 0 and variance 1, then scaled and shifted."""
    shape = input._array.shape
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    sizes = [shape[0] * shape[1] // num_groups, num_groups, *shape[2:]]
    if sizes[0] * math.prod(sizes[2:]) == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {sizes}")
    if shape[1] % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(shape)} and num_groups={num_groups}"
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != (shape[1],):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of "
                f"shape {list(value.shape)} and input of shape {list(shape)}"
            )
    result: Tensor = NativeGroupNorm.apply(input, weight, bias, num_groups, eps)
    return result


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each sample with mean 0 and variance 1, then scaled and shifted."""
    shape = tuple(input._array.shape)
    if use_input_stats and math.prod(shape[2:]) == 1:
        raise ValueError(
            f"Expected more than 1 spatial element when training, got input size torch.Size({list(shape)})"
        )
    batch = shape[0]
    # Batch normalization of one sample that has every channel of the batch as a channel of its own.
    merged: Any = input.view(1, batch * shape[1], *shape[2:])  # type: ignore[attr-defined]
    tracked = [None if each is None else each.repeat(batch) for each in (running_mean, running_var, weight, bias)]  # type: ignore[attr-defined]
    mean, var, scale, shift = tracked
    result: Any = batch_norm(merged, mean, var, scale, shift, use_input_stats, momentum, eps)
    if use_input_stats:
        for running, moved in zip((running_mean, running_var), tracked[:2], strict=True):
            if running is not None and moved is not None:
                assign(running, moved._array.reshape(batch, -1).mean(0))
    return result.view(shape)  # type: ignore[no-any-return]


def rms_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None, eps: float | None = None
) -> Tensor:
    """input divided by the root of its mean square over the last dimensions, then scaled."""
    shape = tuple(normalized_shape)
    have = tuple(input._array.shape)
    if have[len(have) - len(shape) :] != shape:
        stars = ", ".join(["*", *map(str, shape)])
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape [{stars}], but got input of size"
            f"{list(have)}"
        )
    least = float(np.finfo(input._dtype.np).eps) if eps is None else eps
    dims = tuple(range(len(have) - len(shape), len(have)))
    mean: Any = input.pow(2).mean(dims, True)  # type: ignore[attr-defined]
    result: Any = input * (mean + least).rsqrt()
    return result if weight is None else result * weight  # type: ignore[no-any-return]


def local_response_norm(input: Any, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """input divided by a power of the mean square over neighbouring channels."""
    if input.dim() < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.dim()} dimensions)")
    squares = (input * input).unsqueeze(1)
    shape = tuple(input.shape)
    flat = pad(squares.reshape(shape[0], 1, shape[1], -1, 1), (0, 0, 0, 0, size // 2, (size - 1) // 2))
    mean: Any = avg_pool3d(flat, (size, 1, 1), stride=1)
    mean = mean.squeeze(1).reshape(shape)
    return input / mean.mul(alpha).add(k).pow(beta)  # type: ignore[no-any-return]
