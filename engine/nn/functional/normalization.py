"""Normalization functions of `torch.nn.functional`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.nn.ops.normalization import FixedBatchNorm, NativeBatchNorm, NativeLayerNorm
from engine.optim.kernels import assign
from engine.tensor import Tensor


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
    result: Tensor = NativeLayerNorm.apply(input, weight, bias, dims, eps)
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
            kind = running._array.dtype.type
            moved = kind(1 - momentum) * running._array + kind(momentum) * statistic(input._array, dims)
            assign(running, moved)
    result: Tensor = NativeBatchNorm.apply(input, weight, bias, dims, eps)
    return result


def _unbiased(values: np.ndarray, dims: tuple[int, ...]) -> np.ndarray:
    return np.asarray(np.var(values, dims, ddof=1))
