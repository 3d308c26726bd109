"""Reading at indices: gather, index_select, masked_select, take, nonzero."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import arrays, dtypes, formula, messages
from engine.functions import both, normal_dim, require_tensor
from engine.op import Op
from engine.tensor import Tensor, wrap


def along(index: NDArray[Any], dim: int) -> tuple[Any, ...]:
    """The NumPy index that takes, at every position, the place along `dim` that `index` names."""
    grid = list(np.ogrid[tuple(slice(length) for length in index.shape)])
    if grid:
        grid[dim] = index
    return tuple(grid)


class Gather(Op):
    """At every position the element that `index` names along a dimension"""

    def forward(self, dim, index):
        arrays.check_together(self, index)
        if not index.size:
            return arrays.empty(index.shape, self.dtype, self)
        return np.atleast_1d(self)[along(np.atleast_1d(index), dim)].reshape(index.shape)[()]

    def d_self(grad, self_shape, dim, index):
        if grad.shape == self_shape == ():
            return grad
        if not index.size:
            return formula.zeros(self_shape, grad)
        whole = formula.index_scattered(
            formula.reshaped(grad, index.shape or (1,)), self_shape or (1,), along(np.atleast_1d(index), dim)
        )
        return formula.reshaped(whole, self_shape) if not self_shape else whole


class IndexSelect(Op):
    """Places of a dimension, in the order that `index` names"""

    def forward(self, dim, index):
        arrays.check_together(self, index)
        return np.take(self, index, dim) if self.ndim else self

    def d_self(grad, self_shape, dim, index):
        if not self_shape:
            return grad
        return formula.index_scattered(grad, self_shape, (slice(None),) * dim + (index,))


class MaskedSelect(Op):
    """The elements where the mask holds, in one dimension"""

    def forward(self, mask):
        return np.broadcast_to(self, np.broadcast_shapes(self.shape, mask.shape))[
            np.broadcast_to(mask, np.broadcast_shapes(self.shape, mask.shape))
        ]

    def d_self(grad, self_shape, mask):
        shape = np.broadcast_shapes(self_shape, mask.shape)
        return formula.sum_to(formula.index_scattered(grad, shape, (np.broadcast_to(mask, shape),)), self_shape)


class Take(Op):
    """Elements by their place in the flattened tensor"""

    def forward(self, index):
        arrays.check_together(self, index)
        return np.take(self.reshape(-1), index)

    def d_self(grad, self_shape, index):
        count = int(np.prod(self_shape, dtype=np.int64))
        return formula.reshaped(formula.index_scattered(grad, (count,), (index,)), self_shape)


def index_array(name: str, argument: str, position: int, index: Any, kinds: str = "int32/int64") -> NDArray[Any]:
    """An index argument's array; raises for what is no tensor of whole numbers."""
    require_tensor(name, argument, position, index)
    if index._dtype is not dtypes.int64 and index._dtype is not dtypes.int32 and (index._array.size or name == "take"):
        if name == "take":
            raise RuntimeError(f"take(): Expected a long tensor for index, but got {index._dtype.type_name}")
        got = f" but got: {index._dtype.type_name}" if name == "index_add_" else ""
        raise RuntimeError(f"{name}(): Expected dtype {kinds} for index{got}")
    return arrays.asarray(index._array).astype(np.int64, copy=False)


def check_range(index: NDArray[Any], dim: int, length: int) -> None:
    """Raise RuntimeError if an index names a place outside of the dimension; here none counts from the end."""
    bad = index[(index < 0) | (index >= length)] if index.size else index
    if bad.size:
        raise RuntimeError(messages.index_out_of_bounds(int(bad.flat[0]), dim, length))


def fits_within(index: tuple[int, ...], whole: tuple[int, ...], dim: int | None = None) -> bool:
    """Whether an index's shape stays within another in every dimension (but `dim`)."""
    pairs = enumerate(zip(index or (1,), whole or (1,), strict=True))
    return all(d == dim or short <= long for d, (short, long) in pairs)


@both
def gather(input: Tensor, dim: int, index: Any, *, sparse_grad: bool = False, out: Any = None) -> Tensor:
    """At every position the element that `index` names along `dim`. Shape of `index`."""
    places = index_array("gather", "index", 3, index)
    dim = normal_dim(dim, input._array.ndim)
    have = input._array.shape
    if places.size:
        if max(places.ndim, 1) != max(len(have), 1):
            raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
        if not fits_within(places.shape, have, dim):
            bad = next(d for d, (a, b) in enumerate(zip(places.shape, have, strict=True)) if d != dim and a > b)
            raise RuntimeError(
                f"Size does not match at dimension {bad} expected index {list(places.shape)} to be no larger than self "
                f"{list(have)} apart from dimension {dim}"
            )
        check_range(places, dim, have[dim] if have else 1)
    return Gather.apply(input, dim, places)


@both
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None, *, out: Any = None) -> Tensor:
    """Like `gather`, with broadcasting; over the flattened tensor when `dim` is None."""
    if indices._dtype is not dtypes.int64:
        name = indices._dtype.type_name
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {name}")
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    ndim, other_ndim = input._array.ndim, indices._array.ndim
    if ndim != other_ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{ndim} dimensions for input, and {other_ndim} dimensions for indices"
        )
    dim = normal_dim(dim, ndim)
    rests = [tuple(1 if d == dim else n for d, n in enumerate(t._array.shape)) for t in (input, indices)]
    try:
        shape = list(np.broadcast_shapes(*rests))
    except ValueError:
        raise RuntimeError(messages.broadcast(*rests)) from None
    own, other = list(shape), list(shape)
    length = input._array.shape[dim]
    own[dim], other[dim] = length, indices._array.shape[dim]
    places = indices._array
    check_range(np.where(places < 0, places + length, places), dim, length)
    return gather(input.expand(own), dim, wrap(places % max(length, 1), dtypes.int64).expand(other))


@both
def index_select(input: Tensor, dim: int, index: Any, *, out: Any = None) -> Tensor:
    """Places of a dimension in the order of `index`; a copy."""
    require_tensor("index_select", "index", 3, index)
    dim = normal_dim(dim, input._array.ndim)
    if index._array.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if not input._array.ndim and index._array.size != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index._array.size} value(s)")
    places = index_array("index_select", "index", 3, index, "int32 or int64")
    length = input._array.shape[dim] if input._array.ndim else 1
    if places.size and (places.min() < 0 or places.max() >= length):
        raise IndexError("index out of range in self")
    return IndexSelect.apply(input, dim, places.reshape(-1))


@both
def masked_select(input: Tensor, mask: Any, *, out: Any = None) -> Tensor:
    """The elements where the mask holds, in one dimension."""
    require_tensor("masked_select", "mask", 2, mask)
    if mask._dtype is not dtypes.bool_:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    try:
        np.broadcast_shapes(input._array.shape, mask._array.shape)
    except ValueError:
        raise RuntimeError(messages.broadcast(mask._array.shape, input._array.shape)) from None
    return MaskedSelect.apply(input, arrays.asarray(mask._array))


@both
def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements by their place in the flattened tensor. Shape of `index`."""
    places = index_array("take", "index", 2, index)
    count = input._array.size
    if places.size:
        far = places[(places < -count) | (places >= count)]
        if far.size:
            raise IndexError(f"out of range: tried to access index {int(far.flat[0])} on a tensor of {count} elements.")
    return Take.apply(input, places)


@both
def nonzero(input: Tensor, *, as_tuple: bool = False, out: Any = None) -> Any:
    """The positions of the elements that are not zero: shape (count, dim), or one tensor for each dimension."""
    found = np.nonzero(np.atleast_1d(input._array))
    if input._array.ndim or as_tuple:
        places = np.stack(found, 0).T  # as in PyTorch, every column lies together in memory
    else:
        places = arrays.zeros((len(found[0]), 0), np.int64, input._array)
    table = wrap(places, dtypes.int64)
    return table.unbind(1) if as_tuple else table


@both
def argwhere(input: Tensor) -> Tensor:
    """The positions of the elements that are not zero. Shape (count, dim)."""
    return nonzero(input)
