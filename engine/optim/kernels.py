"""The arithmetic of parameter updates on arrays, rounded as PyTorch's CPU kernels round it.

Those kernels use fused multiply-add: a product and a sum with one rounding. float32 does it by way of float64, where
the product of two float32 numbers is exact; float64 by error-free sums. Two-byte types compute in float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import arrays
from engine.boxmuller import fma32, fma64
from engine.dtypes import DType, float64
from engine.storage import Storage
from engine.tensor import Tensor, rounded, wrap

#: Elements that are computed at a time where a wider copy of all would not stay in the cache.
BLOCK = 8192

Value = Any
"""A NumPy array or scalar of the parameter's storage type."""


def _fused(a: Value, b: Value, c: Value, dtype: DType) -> Value:
    """a * b + c with one rounding in the type that the dtype computes in."""
    if arrays.on_device(c):
        return a * b + c  # the device has its own way of rounding, whatever is asked here
    if dtype is float64:
        return fma64(a, b, c)
    return fma32(a, b, c)


def _scalar(value: float, dtype: DType) -> Any:
    """A Python number as the kernels take it: rounded to the computing type first."""
    return np.float64(value) if dtype is float64 else np.float32(value)


def _wide(value: Value, dtype: DType) -> Value:
    """float16 as float32; everything else as it is."""
    return value.astype(np.float32) if dtype.itemsize == 2 else value


def _narrow(value: Value, dtype: DType) -> Value:
    """A result in the type that stores it."""
    return rounded(value, dtype).astype(dtype.np, copy=False) if dtype.itemsize == 2 else value


def add_scaled(a: Value, b: Value, alpha: float, dtype: DType) -> Value:
    """a + alpha * b (`add_` with alpha). Two-byte types round alpha to their own precision first."""
    if dtype.itemsize == 2:
        alpha = float(_narrow(np.asarray(alpha, np.float32), dtype))
    return _narrow(_fused(_wide(b, dtype), _scalar(alpha, dtype), _wide(a, dtype), dtype), dtype)


def add_in_blocks(target: NDArray[Any], other: NDArray[Any], factor: Any) -> None:
    """target += factor * other for float32 arrays and a float64 factor, rounded once.

    Large contiguous arrays go through a small float64 buffer that stays in the cache.
    """
    if (
        target.size <= BLOCK
        or arrays.on_device(target)
        or not target.flags.c_contiguous
        or not other.flags.c_contiguous
    ):
        target += other * factor
        return
    into, source = target.reshape(-1), other.reshape(-1)
    buffer = np.empty(BLOCK)
    for start in range(0, into.size, BLOCK):
        part = into[start : start + BLOCK]
        wide = buffer[: part.size]
        np.multiply(source[start : start + BLOCK], factor, out=wide)
        np.add(wide, part, out=part, casting="same_kind")


def scaled(a: Value, factor: float, dtype: DType) -> Value:
    """a * factor (`mul_`)."""
    return _narrow(_wide(a, dtype) * _scalar(factor, dtype), dtype)


def lerp(a: Value, b: Value, weight: float, dtype: DType) -> Value:
    """From a towards b by `weight` (`lerp_`), starting from the nearer end."""
    a, b = _wide(a, dtype), _wide(b, dtype)
    share = _scalar(weight, dtype)
    if abs(share) < 0.5:
        return _narrow(_fused(b - a, share, a, dtype), dtype)
    return _narrow(_fused(a - b, type(share)(1) - share, b, dtype), dtype)


def add_product(a: Value, b: Value, c: Value, value: float, dtype: DType) -> Value:
    """a + value * b * c (`addcmul_`)."""
    a, b, c = _wide(a, dtype), _wide(b, dtype), _wide(c, dtype)
    return _narrow(_fused(_scalar(value, dtype) * b, c, a, dtype), dtype)


def add_quotient(a: Value, b: Value, c: Value, value: float, dtype: DType) -> Value:
    """a + value * b / c (`addcdiv_`)."""
    a, b, c = _wide(a, dtype), _wide(b, dtype), _wide(c, dtype)
    return _narrow(a + _scalar(value, dtype) * b / c, dtype)


def assign(tensor: Tensor, value: Value) -> None:
    """Write `value` into the tensor's memory and count the write; no history."""
    array = tensor._array
    if isinstance(array, np.generic):  # a 0-d value that nobody aliases
        tensor._array = array.dtype.type(value)
    else:
        array[...] = value
    storage = tensor._storage
    if storage is None:
        storage = tensor._storage = Storage(None)
    storage.version.count += 1


def like(tensor: Tensor, fill: float = 0.0) -> Tensor:
    """A new tensor of the same shape and type, filled with a number."""
    array = tensor._array
    return wrap(arrays.full(array.shape, fill, array.dtype, array), tensor._dtype)
