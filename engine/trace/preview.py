"""Values as the page shows them: exact while small, first numbers and statistics when large."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine import dtypes, printing
from engine.arrays import to_host
from engine.dtypes import DType, from_numpy_dtype
from engine.tensor import Tensor

#: How many numbers of a value are kept while recording.
KEPT = 256


class Snapshot:
    """A value as it was at one moment, before anything overwrites it."""

    __slots__ = ("dtype", "first", "size", "shape", "statistics")

    def __init__(self, array: Any, dtype: DType) -> None:
        array = to_host(array)
        self.dtype = dtype
        self.shape: tuple[int, ...] = array.shape
        self.size: int = array.size
        self.statistics: tuple[Any, Any, Any] | None = None
        if self.size <= KEPT:
            self.first = array.copy() if isinstance(array, np.ndarray) else array
        else:
            self.first = array.flat[:KEPT].copy()
            self.statistics = statistics(array)

    def document(self, limit: int) -> dict[str, Any]:
        """The preview for the graph document, with at most `limit` numbers."""
        flat = np.asarray(self.first).reshape(-1)
        numbers = [number(value) for value in flat[:limit].tolist()]
        low, high, mean = self.statistics if self.statistics is not None else statistics(flat)
        return {
            "shape": list(self.shape),
            "dtype": repr(self.dtype),
            "text": self.text(),
            "numbers": numbers,
            "complete": len(numbers) == self.size,
            "min": low,
            "max": high,
            "mean": mean,
        }

    def text(self) -> str:
        """What PyTorch prints between the brackets of `tensor(…)`, in one line of at most 80 characters."""
        if self.statistics is not None:
            return f"{'×'.join(str(length) for length in self.shape)} {self.dtype.name}"
        printed = printing.tensor_str(np.asarray(self.first).reshape(self.shape), self.dtype)
        inside = printed[len("tensor(") : -1]
        for suffix in (f", dtype={self.dtype!r}",):
            inside = inside.removesuffix(suffix)
        line = " ".join(inside.split()).replace("[ ", "[")
        return line if len(line) <= 80 else line[:77] + "…"


def statistics(array: Any) -> tuple[Any, Any, Any]:
    """Smallest, largest and mean value; None where there is none (no elements, complex numbers)."""
    if not array.size or array.dtype.kind == "c":
        return None, None, None
    return number(array.min().item()), number(array.max().item()), number(float(array.mean(dtype=np.float64)))


def number(value: Any) -> Any:
    """A number as JSON can carry it: NaN, infinities and complex numbers as text."""
    if isinstance(value, complex):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return value


def number_snapshot(value: Any) -> Snapshot | None:
    """A Python number that a node keeps, as a value."""
    if not isinstance(value, (bool, int, float, complex)):
        return None
    dtype = dtypes.scalar_dtype(value)
    return Snapshot(np.asarray(value).astype(dtype.np)[()], dtype)


def snapshot(value: Any, dtype: Any = None) -> Any:
    """A gradient as a value: an array, a NumPy scalar or a Tensor; None stays None."""
    if value is None:
        return None
    if isinstance(value, Tensor):
        return Snapshot(value._array, value._dtype)
    return Snapshot(value, dtype if dtype is not None else from_numpy_dtype(value.dtype))


def summed(fixed: Any, gradient: Any, result: Any) -> tuple[tuple[int, ...], list[int]] | None:
    """What broadcasting had stretched: the shape before the sum and the dimensions that went."""
    if fixed is None or fixed[0] is None or result is None or isinstance(gradient, dict):
        return None
    wide = tuple(gradient._array.shape if isinstance(gradient, Tensor) else gradient.shape)
    small = fixed[0]
    lead = len(wide) - len(small)
    dims = [dim for dim in range(len(wide)) if dim < lead or (small[dim - lead] == 1 and wide[dim] != 1)]
    return (wide, dims) if dims else None
