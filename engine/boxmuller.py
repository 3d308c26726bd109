"""Normal numbers from uniform ones, in the very arithmetic of PyTorch's CPU kernels.

For float32 PyTorch uses short polynomials (Cephes) with fused multiply-add on vectors of eight; here the same
polynomials run on NumPy arrays. For float64 it calls the C library, which Python's `math` also calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["fma32", "fma64", "log1p64", "normal_pairs32", "normal_pairs64"]

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

_LOG_COEFFICIENTS = (
    -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
    -1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
)  # fmt: skip
# pi/4 in three parts, so that a multiple of it can be subtracted without loss.
_MINUS_QUARTER_PI = (-0.78515625, -2.4187564849853515625e-4, -3.77489497744594108e-8)


def fma32(a: Any, b: Any, c: Any) -> Float32:
    """`a * b + c` of float32 values with one rounding (the product is exact in float64)."""
    return np.asarray(np.asarray(a, np.float64) * np.asarray(b, np.float64) + c, np.float64).astype(np.float32)


def fma64(a: Any, b: Any, c: Any) -> Float64:
    """`a * b + c` of float64 values with one rounding, by error-free sums and products."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    product_error = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    total = product + c
    shift = total - product
    total_error = (product - (total - shift)) + (c - shift)
    fused = np.asarray(total + (total_error + product_error))
    # Infinities, and numbers too large to be split, have no error to correct.
    return fused if np.isfinite(fused).all() else np.where(np.isfinite(fused), fused, total)


def _split(value: Any) -> tuple[Any, Any]:
    """A float64 as the sum of two of 26 bits (Veltkamp)."""
    scaled = value * 134217729.0  # 2**27 + 1
    high = scaled - (scaled - value)
    return high, value - high


def _elementwise(function: Callable[[float], float], values: Float64) -> Float64:
    """A function of the C library on every element; NumPy's own differ in the last bit on some machines."""
    flat = np.fromiter(map(function, values.ravel().tolist()), np.float64, values.size)
    return flat.reshape(values.shape)


def log1p64(values: Float64) -> Float64:
    """`log(1 + x)` as the C library computes it."""
    return _elementwise(math.log1p, values)


def _log32(x: Float32) -> Float32:
    """Natural logarithm of positive normal numbers."""
    bits = x.view(np.uint32)
    exponent = ((bits >> np.uint32(23)).astype(np.int32) - 0x7E).astype(np.float32)
    mantissa = ((bits & np.uint32(0x807FFFFF)) | np.uint32(0x3F000000)).view(np.float32)
    low = mantissa < np.float32(0.707106781186547524)
    exponent -= low.astype(np.float32)
    x = (mantissa - np.float32(1)) + np.where(low, mantissa, np.float32(0))
    square = x * x
    y = np.full_like(x, 7.0376836292e-2)
    for coefficient in _LOG_COEFFICIENTS:
        y = fma32(y, x, np.float32(coefficient))
    y = fma32(y * x, square, exponent * np.float32(-2.12194440e-4))
    y = fma32(square, np.float32(-0.5), y)
    return fma32(exponent, np.float32(0.693359375), x + y)


def _sin_cos32(x: Float32) -> tuple[Float32, Float32]:
    """Sine and cosine of angles from 0 to 2 pi."""
    octant = ((x * np.float32(1.27323954473516)).astype(np.int32) + 1) & ~1
    turns = octant.astype(np.float32)
    for part in _MINUS_QUARTER_PI:
        x = fma32(turns, np.float32(part), x)
    square = x * x
    cosine = fma32(np.float32(2.443315711809948e-5), square, np.float32(-1.388731625493765e-3))
    cosine = fma32(cosine, square, np.float32(4.166664568298827e-2))
    cosine = fma32(cosine * square, square, -(square * np.float32(0.5))) + np.float32(1)
    sine = fma32(np.float32(-1.9515295891e-4), square, np.float32(8.3321608736e-3))
    sine = fma32(sine, square, np.float32(-1.6666654611e-1)) * square
    sine = fma32(sine, x, x)
    swapped = (octant & 2) != 0
    sine, cosine = np.where(swapped, cosine, sine), np.where(swapped, sine, cosine)
    return np.where(octant & 4, -sine, sine), np.where((octant - 2) & 4, cosine, -cosine)


def normal_pairs32(uniform: Float32) -> Float32:
    """Standard normal numbers from uniform ones in [0, 1); both of shape (blocks, 2, 8)."""
    radius = np.sqrt(np.float32(-2) * _log32(np.float32(1) - uniform[:, 0]))
    sine, cosine = _sin_cos32(np.float32(2 * math.pi) * uniform[:, 1])
    return np.stack([radius * cosine, radius * sine], axis=1)


def normal_pairs64(uniform: Float64) -> Float64:
    """Standard normal numbers from uniform ones in [0, 1); both of shape (blocks, 2, 8)."""
    radius = np.sqrt(-2.0 * _elementwise(math.log, 1.0 - uniform[:, 0]))
    angle = 2.0 * math.pi * uniform[:, 1]
    cosine, sine = _elementwise(math.cos, angle), _elementwise(math.sin, angle)
    return np.stack([radius * cosine, radius * sine], axis=1)
