"""Indexing by name: gather, scatter, index_select, masked_select, take, nonzero."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import dtypes, formula, inplace, messages
from engine.functions import both, method, normal_dim, require_tensor
from engine.op import Op
from engine.tensor import Tensor, rounded, wrap


def along(index: NDArray[Any], dim: int) -> tuple[Any, ...]:
    """The NumPy index that takes, at every position, the place along `dim` that `index` names."""
    grid = list(np.ogrid[tuple(slice(length) for length in index.shape)])
    if grid:
        grid[dim] = index
    return tuple(grid)


class Gather(Op):
    """At every position the element that `index` names along a dimension"""

    def forward(self, dim, index):
        return self[along(index, dim)]

    def d_self(grad, self_shape, dim, index):
        return formula.index_scattered(grad, self_shape, along(index, dim))


class IndexSelect(Op):
    """Places of a dimension, in the order that `index` names"""

    def forward(self, dim, index):
        return np.take(self, index, dim)

    def d_self(grad, self_shape, dim, index):
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
        return np.take(self.reshape(-1), index)

    def d_self(grad, self_shape, index):
        count = int(np.prod(self_shape, dtype=np.int64))
        return formula.reshaped(formula.index_scattered(grad, (count,), (index,)), self_shape)


class Scatter(Op):
    """A copy with the elements of `src` at the places that `index` names"""

    tensors = ("self", "src")

    def forward(self, src, dim, index):
        whole = self.copy()
        whole[along(index, dim)] = src if np.ndim(src) == 0 else src[tuple(slice(n) for n in index.shape)]
        return whole

    def d_self(grad, dim, index):
        return formula.overwritten(grad, along(index, dim))

    def d_src(grad, src_shape, dim, index):
        part = formula.indexed(grad, along(index, dim))
        if index.shape == src_shape:
            return part
        return formula.scattered(part, src_shape, tuple(slice(n) for n in index.shape))


class ScatterAdd(Op):
    """A copy with the elements of `src` added at the places that `index` names"""

    tensors = ("self", "src")

    def forward(self, src, dim, index):
        whole = self.copy()
        np.add.at(whole, along(index, dim), src[tuple(slice(n) for n in index.shape)])
        return whole

    def d_self(grad):
        return grad

    def d_src(grad, src_shape, dim, index):
        part = formula.indexed(grad, along(index, dim))
        if index.shape == src_shape:
            return part
        return formula.scattered(part, src_shape, tuple(slice(n) for n in index.shape))


class IndexAdd(Op):
    """A copy with the slices of `source` added at places of a dimension"""

    tensors = ("self", "source")

    def forward(self, source, dim, index, alpha):
        whole = self.copy()
        np.add.at(whole, (slice(None),) * dim + (index,), source * alpha if alpha != 1 else source)
        return whole

    def d_self(grad):
        return grad

    def d_source(grad, dim, index, alpha):
        part = formula.indexed(grad, (slice(None),) * dim + (index,))
        return part if alpha == 1 else formula.scale(part, alpha)


def index_array(name: str, argument: str, position: int, index: Any) -> NDArray[Any]:
    """An index argument's array; raises for what is no int64 tensor."""
    require_tensor(name, argument, position, index)
    if index._dtype is not dtypes.int64 and index._dtype is not dtypes.int32:
        raise RuntimeError(f"{name}(): Expected dtype int64 for index")
    return np.asarray(index._array)


def check_range(index: NDArray[Any], dim: int, length: int) -> None:
    """Raise RuntimeError if an index names a place outside of the dimension."""
    bad = index[(index < -length) | (index >= length)] if index.size else index
    if bad.size:
        raise RuntimeError(messages.index_out_of_bounds(int(bad.flat[0]), dim, length))


@both
def gather(input: Tensor, dim: int, index: Any, *, sparse_grad: bool = False) -> Tensor:
    """At every position the element that `index` names along `dim`. Shape of `index`."""
    places = index_array("gather", "index", 3, index)
    dim = normal_dim(dim, input._array.ndim)
    if places.ndim != input._array.ndim:
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor")
    check_range(places, dim, input._array.shape[dim] if input._array.ndim else 1)
    return Gather.apply(input, dim, places)


@both
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """Like `gather`, with broadcasting; over the flattened tensor when `dim` is None."""
    if dim is None:
        return gather(input.reshape(-1), 0, indices.reshape(-1))
    dim = normal_dim(dim, input._array.ndim)
    shape = list(np.broadcast_shapes(
        tuple(1 if d == dim else n for d, n in enumerate(input._array.shape)),
        tuple(1 if d == dim else n for d, n in enumerate(indices._array.shape)),
    ))  # fmt: skip
    own, other = list(shape), list(shape)
    own[dim], other[dim] = input._array.shape[dim], indices._array.shape[dim]
    return gather(input.expand(own), dim, indices.expand(other))


@both
def index_select(input: Tensor, dim: int, index: Any) -> Tensor:
    """Places of a dimension in the order of `index`; a copy."""
    places = index_array("index_select", "index", 3, index)
    dim = normal_dim(dim, input._array.ndim)
    length = input._array.shape[dim] if input._array.ndim else 1
    if places.size and (places.min() < 0 or places.max() >= length):
        raise IndexError("index out of range in self")
    return IndexSelect.apply(input, dim, places.reshape(-1))


@both
def masked_select(input: Tensor, mask: Any) -> Tensor:
    """The elements where the mask holds, in one dimension."""
    require_tensor("masked_select", "mask", 2, mask)
    if mask._dtype is not dtypes.bool_:
        raise RuntimeError("masked_select: expected BoolTensor for mask")
    return MaskedSelect.apply(input, np.asarray(mask._array))


@both
def take(input: Tensor, index: Tensor) -> Tensor:
    """Elements by their place in the flattened tensor. Shape of `index`."""
    return Take.apply(input, index_array("take", "index", 2, index))


def source_tensor(input: Tensor, src: Any) -> Tensor:
    """The source of a scatter: a tensor, or a number as one."""
    return src if isinstance(src, Tensor) else wrap(np.asarray(src).astype(input._dtype.np)[()], input._dtype)


@both
def scatter(
    input: Tensor, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """A copy of `input` with the elements of `src` written at the places that `index` names along `dim`."""
    places = index_array("scatter", "index", 3, index)
    dim = normal_dim(dim, input._array.ndim)
    check_range(places, dim, input._array.shape[dim])
    if reduce is not None:
        raise NotImplementedError("scatter with reduce= is not built yet; scatter_add adds")
    return Scatter.apply(input, source_tensor(input, value if src is None else src), dim, places)


@both
def scatter_add(input: Tensor, dim: int, index: Any, src: Tensor) -> Tensor:
    """A copy of `input` with the elements of `src` added at the places that `index` names along `dim`."""
    places = index_array("scatter_add", "index", 3, index)
    dim = normal_dim(dim, input._array.ndim)
    check_range(places, dim, input._array.shape[dim])
    return ScatterAdd.apply(input, src, dim, places)


@both
def index_add(input: Tensor, dim: int, index: Any, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """A copy of `input` with the slices of `source` added at places of a dimension."""
    return IndexAdd.apply(
        input, source, normal_dim(dim, input._array.ndim), index_array("index_add", "index", 3, index), alpha
    )


@method
def scatter_(self: Tensor, dim: int, index: Any, src: Any = None, *, value: Any = None) -> Tensor:
    """`scatter` written into the tensor itself."""
    places = index_array("scatter_", "index", 2, index)
    dim = normal_dim(dim, self._array.ndim)
    check_range(places, dim, self._array.shape[dim])
    source = source_tensor(self, value if src is None else src)
    array = Scatter.forward(np.asarray(self._array), source._array, dim, places)
    return inplace.write(Scatter, self, (source,), (dim, places), rounded(array, self._dtype), self._dtype)


@method
def scatter_add_(self: Tensor, dim: int, index: Any, src: Tensor) -> Tensor:
    """`scatter_add` written into the tensor itself."""
    places = index_array("scatter_add_", "index", 2, index)
    dim = normal_dim(dim, self._array.ndim)
    array = ScatterAdd.forward(np.asarray(self._array), src._array, dim, places)
    return inplace.write(ScatterAdd, self, (src,), (dim, places), rounded(array, self._dtype), self._dtype)


@method
def index_add_(self: Tensor, dim: int, index: Any, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """`index_add` written into the tensor itself."""
    places = index_array("index_add_", "index", 2, index)
    dim = normal_dim(dim, self._array.ndim)
    array = IndexAdd.forward(np.asarray(self._array), source._array, dim, places, alpha)
    return inplace.write(IndexAdd, self, (source,), (dim, places, alpha), array, self._dtype)


@both
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """The positions of the elements that are not zero: shape (count, dim), or one tensor for each dimension."""
    found = np.nonzero(np.atleast_1d(input._array)) if as_tuple or input._array.ndim else np.nonzero([input._array])
    if as_tuple:
        return tuple(wrap(places, dtypes.int64) for places in found)
    if not input._array.ndim:
        return wrap(np.zeros((len(found[0]), 0), np.int64), dtypes.int64)
    return wrap(np.stack(found, 1), dtypes.int64)


@both
def argwhere(input: Tensor) -> Tensor:
    """The positions of the elements that are not zero. Shape (count, dim)."""
    return nonzero(input)
