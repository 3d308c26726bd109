"""Order: sorting, the k largest, distinct values, places in sorted sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine import arrays, dtypes, formula, messages, return_types
from engine.functions import both, function, normal_dim, require_tensor
from engine.op import Op
from engine.ops.extremes import Choosing, check_filled, chosen
from engine.ops.reduce import reduction
from engine.tensor import Tensor, wrap


class Sort(Op):
    """Ascending or descending order along a dimension"""

    outputs = ("values", "indices")
    latex = {"self": r"\bar{r}\text{ at }\mathit{indices}"}

    def forward(self, dim, descending):
        if not self.ndim:
            return self, np.int64(0)
        index = order(self, dim, descending)
        return np.take_along_axis(self, index, dim), index

    def d_self(grad, self_shape, dim, indices):
        return formula.spread(grad, self_shape, dim, indices)


class SortStable(Sort):
    """Order along a dimension, asked for by `stable=`; sorting is always stable here"""

    node_name = "SortBackward1"


def order(array: Any, dim: int, descending: bool) -> Any:
    """The index that sorts along a dimension; equal elements keep their order, nan counts as the largest."""
    if not descending:
        return np.argsort(array, dim, kind="stable")
    # Descending and stable: sort the reversed dimension upwards and read the result backwards.
    length = array.shape[dim]
    return length - 1 - np.flip(np.argsort(np.flip(array, dim), dim, kind="stable"), dim)


class Topk(Op):
    """The k largest (or smallest) along a dimension"""

    outputs = ("values", "indices")
    latex = {"self": r"\bar{r}\text{ at }\mathit{indices}"}

    def forward(self, k, dim, largest):
        if not self.ndim:
            return self, np.int64(0)
        index = arrays.contiguous(order(self, dim, largest)[(slice(None),) * dim + (slice(k),)])
        return np.take_along_axis(self, index, dim), index

    def d_self(grad, self_shape, dim, indices):
        return formula.spread(grad, self_shape, dim, indices)


class Kthvalue(Choosing):
    """The k-th smallest along a dimension"""

    def forward(self, k, dim, keepdim):
        if not self.ndim:
            return self, np.int64(0)
        return chosen(self, np.argsort(self, dim, kind="stable").take([k - 1], dim), dim, keepdim)


@reduction
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool | None = None) -> Any:
    """The elements in order along `dim`, and where each was."""
    cls = Sort if stable is None else SortStable
    return return_types.sort(cls.apply(input, normal_dim(dim, input._array.ndim), descending))


@reduction
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """The index that brings `dim` into order."""
    return sort(input.detach(), dim, descending)[1]


@both
def msort(input: Tensor) -> Tensor:
    """The elements in ascending order along the first dimension."""
    return sort(input, 0)[0]


@reduction
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The k largest (or smallest) along `dim` in order, and where each was."""
    place = normal_dim(dim, input._array.ndim)
    length = input._array.shape[place] if input._array.ndim else 1
    if not 0 <= k <= length:
        raise RuntimeError("selected index k out of range")
    if not input._dtype.category:
        raise RuntimeError("topk does not support bool dtypes on CPU")
    return return_types.topk(Topk.apply(input, k, place, largest))


@reduction
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """The k-th smallest along `dim`, and where it was."""
    place = normal_dim(dim, input._array.ndim)
    length = input._array.shape[place] if input._array.ndim else 1
    check_filled("kthvalue", input, place)
    if not input._dtype.category and input._array.ndim:
        raise NotImplementedError(messages.not_implemented("kthvalue_cpu", input._dtype))
    if not 1 <= k <= length:
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {place}")
    return return_types.kthvalue(Kthvalue.apply(input, k, place, keepdim))


# -- distinct values ----------------------------------------------------------------------------------------------


def answered(parts: list[tuple[Any, Any]], wanted: list[bool]) -> Any:
    """The wanted ones of (array, dtype) as tensors: one alone, several as a tuple."""
    tensors = [wrap(array, dtype) for (array, dtype), want in zip(parts, wanted, strict=True) if want]
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


@both
def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements (or places of `dim`) in order; where each element is among them; how often each occurs."""
    require_tensor("_unique2", "input", 1, input)
    array = input._array
    place = None if dim is None else normal_dim(dim, array.ndim)
    values, inverse, counts = np.unique(array, return_inverse=True, return_counts=True, axis=place)
    inverse = inverse.reshape(array.shape if place is None else -1)
    parts = [(values, input._dtype), (inverse.astype(np.int64), dtypes.int64), (counts.astype(np.int64), dtypes.int64)]
    return answered(parts, [True, return_inverse, return_counts])


@both
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements (or places of `dim`) without those that repeat their predecessor."""
    array = input._array.reshape(-1)
    if dim is not None:
        array = np.moveaxis(input._array, normal_dim(dim, input._array.ndim), 0)
    changes = (array[1:] != array[:-1]).any(tuple(range(1, array.ndim)))
    starts = np.concatenate(([True] * min(len(array), 1), changes)).astype(bool)
    values = array[starts]
    if dim is not None:
        values = arrays.contiguous(np.moveaxis(values, 0, dim))
    inverse = np.cumsum(starts) - 1
    counts = np.diff(np.append(np.flatnonzero(starts), len(array)))
    inverse = inverse.reshape(input._array.shape) if dim is None else inverse
    parts = [(values, input._dtype), (inverse.astype(np.int64), dtypes.int64), (counts.astype(np.int64), dtypes.int64)]
    return answered(parts, [True, return_inverse, return_counts])


# -- places in sorted sequences -----------------------------------------------------------------------------------


@function
def searchsorted(
    sorted_sequence: Tensor,
    input: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """For each value the place in a sorted sequence where it would be put in."""
    require_tensor("searchsorted", "sorted_sequence", 1, sorted_sequence)
    right = right or side == "right"
    rows = sorted_sequence._array
    if sorter is not None:
        rows = np.take_along_axis(rows, sorter._array, -1)
    values = arrays.asarray(input._array if isinstance(input, Tensor) else input)
    which = "right" if right else "left"
    if rows.ndim == 1:
        found = arrays.asarray(np.searchsorted(rows, arrays.beside(values, rows), which))
    else:
        if rows.shape[:-1] != values.shape[:-1]:
            raise RuntimeError(
                "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of "
                f"boundaries tensor and input value tensor must match, but we got boundaries tensor "
                f"{list(rows.shape)} and input value tensor {list(values.shape)}"
            )
        pairs = zip(rows.reshape(-1, rows.shape[-1]), values.reshape(-1, values.shape[-1]), strict=True)
        found = np.stack([np.searchsorted(row, wanted, which) for row, wanted in pairs]).reshape(values.shape)
    dtype = dtypes.int32 if out_int32 else dtypes.int64
    return wrap(found.astype(dtype.np)[()], dtype)


@function
def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """For each value the number of the interval between boundaries that it falls into."""
    if boundaries._array.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries._array.ndim})")
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)
