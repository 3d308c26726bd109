"""Random numbers on 'cuda': the functions of `random.py`, drawn by the device's own generator.

`manual_seed` makes them repeatable, but they are CuPy's numbers and not those that PyTorch draws on a GPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import random
from engine.arrays import Array, Device, to_device, to_host
from engine.dtypes import DType, float64, int64
from engine.tensor import rounded

Shape = Sequence[int]


class _Source:
    """The seed, and the generator that is made from it when the first number is drawn."""

    seed: int | None = None
    generator: Any = None


def manual_seed(seed: int) -> None:
    """Start again from a seed."""
    _Source.seed, _Source.generator = seed, None


def _source(generator: Any) -> Any:
    if generator is not None:
        raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
    if _Source.generator is None:
        seed = random.initial_seed() if _Source.seed is None else _Source.seed
        _Source.generator = Device.module.random.RandomState(seed % 2**32)
    return _Source.generator


def _stored(values: Array, dtype: DType) -> Array:
    return rounded(values.astype(dtype.np), dtype)


def uniform(shape: Shape, dtype: DType, low: float = 0.0, high: float = 1.0, generator: Any = None) -> Array:
    """Numbers uniform in [low, high)."""
    values = _source(generator).random_sample(tuple(shape), dtype=np.float64 if dtype is float64 else np.float32)
    return _stored(values * (high - low) + low, dtype)


def normal(
    shape: Shape, dtype: DType, mean: float = 0.0, std: float = 1.0, generator: Any = None, contiguous: bool = True
) -> Array:
    """Normal numbers. Raises RuntimeError for a negative deviation."""
    if std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    values = _source(generator).standard_normal(tuple(shape), dtype=np.float64 if dtype is float64 else np.float32)
    return _stored(values * std + mean, dtype)


def randint(low: int, high: int, shape: Shape, dtype: DType, generator: Any = None) -> Array:
    """Integers from `low` to `high - 1`. Raises RuntimeError on a bad range."""
    random.check_bounds(low, high, dtype)
    return _stored(_source(generator).randint(low, high, tuple(shape), np.int64), dtype)


def random_full(shape: Shape, dtype: DType, generator: Any = None) -> Array:
    """Every value of an integer type up to 2^31, every integer that a floating type holds exactly up to there."""
    digits = {"bool": 1, "uint8": 8, "int8": 7, "int16": 15, "float16": 11, "bfloat16": 8, "float32": 24}
    return randint(0, 2 ** digits.get(dtype.name, 31) + dtype.is_floating_point, shape, dtype, generator)


def randperm(n: int, dtype: DType = int64, generator: Any = None) -> Array:
    """The numbers 0 … n-1 in random order. Raises RuntimeError when `n` is negative."""
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    return _stored(_source(generator).permutation(n), dtype)


def bernoulli(p: Any, shape: Shape, dtype: DType, generator: Any = None) -> Array:
    """Ones with probability `p` (a number or an array of them), else zeros."""
    if isinstance(p, float) and not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    drawn = _source(generator).random_sample(tuple(shape), dtype=np.float64)
    return _stored(drawn < p, dtype)


def exponential(shape: Shape, dtype: DType, rate: float = 1.0, generator: Any = None) -> Array:
    """Waiting times with the given rate. Raises RuntimeError unless rate > 0."""
    if not rate > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    return _stored(-np.log1p(-_source(generator).random_sample(tuple(shape), dtype=np.float64)) / rate, dtype)


def multinomial(
    weights: Array, dtype: DType, num_samples: int, replacement: bool = False, generator: Any = None
) -> Array:
    """Indices drawn in proportion to weights, of shape (categories,) or (rows, categories)."""
    seed = int(_source(generator).randint(0, 2**31, 1)[0])
    drawn = random.Generator().manual_seed(seed)
    return to_device(random.multinomial(to_host(weights), dtype, num_samples, replacement, drawn))
