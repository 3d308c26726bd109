"""Writing at indices: scatter, scatter_add, index_add."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import arrays, formula, inplace
from engine.functions import both, method, normal_dim, require_tensor
from engine.op import Op
from engine.ops.gathering import along, check_range, fits_within, index_array
from engine.tensor import Tensor, rounded, wrap


def first_part(index: NDArray[Any]) -> tuple[slice, ...]:
    """The part of a source that an index of this shape uses."""
    return tuple(slice(n) for n in index.shape)


class Scatter(Op):
    """A copy with the elements of `src` at the places that `index` names"""

    tensors = ("self", "src")

    def forward(self, src, dim, index):
        whole = arrays.fresh(self)
        index = np.atleast_1d(index)
        whole[along(index, dim)] = np.atleast_1d(src)[first_part(index)]
        return whole.reshape(self.shape)[()]

    def d_self(grad, dim, index):
        if not grad.shape:
            return grad * 0
        return formula.overwritten(grad, along(index, dim))

    def d_src(grad, src_shape, dim, index):
        if not grad.shape:
            return formula.reshaped(grad, src_shape)
        part = formula.indexed(grad, along(index, dim))
        return part if index.shape == src_shape else formula.scattered(part, src_shape, first_part(index))


class ScatterNumber(Op):
    """A copy with one number at the places that `index` names"""

    node_name = "ScatterBackward1"

    def forward(self, value, dim, index):
        whole = arrays.fresh(self)
        whole[along(np.atleast_1d(index), dim)] = value
        return whole.reshape(self.shape)[()]

    def d_self(grad, dim, index):
        return formula.overwritten(grad, along(index, dim)) if grad.shape else grad * 0


class ScatterAdd(Op):
    """A copy with the elements of `src` added at the places that `index` names"""

    tensors = ("self", "src")

    def forward(self, src, dim, index):
        whole = arrays.fresh(self)
        index = np.atleast_1d(index)
        arrays.add_at(whole, along(index, dim), np.atleast_1d(src)[first_part(index)])
        return whole.reshape(self.shape)[()]

    def d_self(grad):
        return grad

    def d_src(grad, src_shape, dim, index):
        if not grad.shape:
            return formula.reshaped(grad, src_shape)
        part = formula.indexed(grad, along(index, dim))
        return part if index.shape == src_shape else formula.scattered(part, src_shape, first_part(index))


class IndexAdd(Op):
    """A copy with the slices of `source` added at places of a dimension"""

    tensors = ("self", "source")

    def forward(self, source, dim, index, alpha):
        whole = arrays.fresh(self)
        part = source * self.dtype.type(alpha) if alpha != 1 else source
        arrays.add_at(whole, (slice(None),) * dim + (index,), part)
        return whole.reshape(self.shape)[()]

    def d_self(grad):
        return grad

    def d_source(grad, source_shape, dim, index, alpha):
        if grad.shape:
            part = formula.indexed(grad, (slice(None),) * dim + (index,))
        else:
            part = formula.reshaped(grad, source_shape)
        return part if alpha == 1 else formula.scale(part, alpha)


# -- scatter ------------------------------------------------------------------------------------------------------


def scattering(name: str, self: Tensor, dim: int, index: Any, src: Tensor | None) -> tuple[int, NDArray[Any]]:
    """The dimension and the index's array, after PyTorch's checks."""
    places = index_array("scatter" if name.startswith("scatter") else name, "index", 3, index)
    arrays.check_together(self._array, places)
    have = self._array.shape
    dim = normal_dim(dim, len(have))
    if not places.size:
        return dim, places
    if src is not None and src._dtype is not self._dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if max(places.ndim, 1) != max(len(have), 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    if src is not None and max(src._array.ndim, 1) != max(places.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    fits = fits_within(places.shape, have, dim)
    if not fits or (src is not None and not fits_within(places.shape, src._array.shape)):
        size = f" and to be no larger size than src {list(src._array.shape)}" if src is not None else ""
        raise RuntimeError(
            f"Expected index {list(places.shape)} to be no larger than self {list(have)} apart from dimension {dim}"
            f"{size}"
        )
    check_range(places, dim, have[dim] if have else 1)
    return dim, places


def reduced(self: Tensor, dim: int, places: NDArray[Any], source: Any, reduce: str) -> NDArray[Any]:
    """`scatter` that adds to what is there, or multiplies it. Not differentiable."""
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if isinstance(source, Tensor):
        warnings.warn(
            "The reduce argument of torch.scatter with Tensor src is deprecated and will be removed in a future "
            "PyTorch release. Use torch.scatter_reduce instead for more reduction options. (Triggered internally at "
            "/__w/pytorch/pytorch/aten/src/ATen/native/TensorAdvancedIndexing.cpp:225.)",
            UserWarning,
            stacklevel=3,
        )
        source = np.atleast_1d(source._array)[first_part(np.atleast_1d(places))]
    whole = arrays.fresh(self._array)
    combine = np.add if reduce == "add" else np.multiply
    combine.at(whole, along(np.atleast_1d(places), dim), source)
    return whole.reshape(self._array.shape)


def given_source(name: str, src: Any, value: Any) -> Any:
    """What is to be written: a tensor, or a Python number."""
    source = value if src is None else src
    if not isinstance(source, Tensor | bool | int | float | complex):
        require_tensor(name, "src", 4, source)
    return source


@both
def scatter(
    input: Tensor,
    dim: int,
    index: Any,
    src: Any = None,
    *,
    value: Any = None,
    reduce: str | None = None,
    out: Any = None,
) -> Tensor:
    """A copy of `input` with the elements of `src` (or one number) at the places that `index` names along `dim`."""
    source = given_source("scatter", src, value)
    tensor = source if isinstance(source, Tensor) else None
    dim, places = scattering("scatter", input, dim, index, tensor)
    if reduce is not None:
        return wrap(reduced(input, dim, places, source, reduce), input._dtype)
    if not places.size:
        return input.clone()
    if tensor is not None:
        return Scatter.apply(input, tensor, dim, places)
    return ScatterNumber.apply(input, source, dim, places)


@both
def scatter_add(input: Tensor, dim: int, index: Any, src: Any, *, out: Any = None) -> Tensor:
    """A copy of `input` with the elements of `src` added at the places that `index` names along `dim`."""
    require_tensor("scatter_add", "src", 3, src)
    dim, places = scattering("scatter_add", input, dim, index, src)
    return ScatterAdd.apply(input, src, dim, places) if places.size else input.clone()


@method
def scatter_(
    self: Tensor, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """`scatter` written into the tensor itself."""
    source = given_source("scatter_", src, value)
    tensor = source if isinstance(source, Tensor) else None
    dim, places = scattering("scatter_", self, dim, index, tensor)
    array = arrays.asarray(self._array)
    if reduce is not None:
        return inplace.write(
            ScatterNumber, self, (), (0, dim, places), reduced(self, dim, places, source, reduce), self._dtype
        )
    if not places.size:
        return self
    if tensor is not None:
        result = Scatter.forward(array, tensor._array, dim, places)
        return inplace.write(Scatter, self, (tensor,), (dim, places), rounded(result, self._dtype), self._dtype)
    result = ScatterNumber.forward(array, source, dim, places)
    return inplace.write(ScatterNumber, self, (), (source, dim, places), rounded(result, self._dtype), self._dtype)


@method
def scatter_add_(self: Tensor, dim: int, index: Any, src: Any) -> Tensor:
    """`scatter_add` written into the tensor itself."""
    require_tensor("scatter_add_", "src", 3, src)
    dim, places = scattering("scatter_add_", self, dim, index, src)
    if not places.size:
        return self
    array = ScatterAdd.forward(arrays.asarray(self._array), src._array, dim, places)
    return inplace.write(ScatterAdd, self, (src,), (dim, places), rounded(array, self._dtype), self._dtype)


# -- index_add ----------------------------------------------------------------------------------------------------


def adding(self: Tensor, dim: int, index: Any, source: Tensor) -> tuple[int, NDArray[Any]]:
    """The dimension and the index's array, after PyTorch's checks."""
    dim = normal_dim(dim, self._array.ndim)
    if index._array.ndim > 1:
        raise IndexError(
            f"index_add_(): Index is supposed to be a vector, but got dim: {index._array.ndim} with type: "
            f"{index._dtype.type_name} and size: {list(index._array.shape)}"
        )
    places = index_array("index_add_", "index", 3, index).reshape(-1)
    arrays.check_together(self._array, places)
    have, given = self._array.shape, source._array.shape
    if source._dtype is not self._dtype:
        raise RuntimeError(
            f"index_add_(): self ({self._dtype.type_name}) and source ({source._dtype.type_name}) must have the same "
            "scalar type"
        )
    count = given[dim] if dim < len(given) else 1
    if (
        have
        and given
        and (
            len(have) != len(given)
            or any(d != dim and a != b for d, (a, b) in enumerate(zip(have, given, strict=True)))
        )
    ):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(have)} source.shape = {list(given)}"
        )
    if places.size != count:
        raise RuntimeError(
            f"index_add_(): Number of indices ({places.size}) should be equal to source.size(dim): ({count}), for dim: "
            f"{dim}"
        )
    check_range(places, dim, have[dim] if have else 1)
    return dim, places


@both
def index_add(input: Tensor, dim: int, index: Any, source: Tensor, *, alpha: Any = 1, out: Any = None) -> Tensor:
    """A copy of `input` with the slices of `source` added at places of a dimension."""
    dim, places = adding(input, dim, index, source)
    return IndexAdd.apply(input, source, dim, places, alpha)


@method
def index_add_(self: Tensor, dim: int, index: Any, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """`index_add` written into the tensor itself."""
    dim, places = adding(self, dim, index, source)
    array = IndexAdd.forward(arrays.asarray(self._array), source._array, dim, places, alpha)
    return inplace.write(IndexAdd, self, (source,), (dim, places, alpha), rounded(array, self._dtype), self._dtype)
