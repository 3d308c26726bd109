"""tensor[...] and tensor[...] = value, and the functions that index by name: gather, scatter, index_select, …

Reading by ints, slices, None and ellipsis is a chain of views, each recorded as PyTorch records it. As soon as a
tensor, a list or a mask takes part, the elements are copied.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import dtypes, formula, inplace, messages
from engine.functions import METHODS, both, method, normal_dim, require_tensor
from engine.op import Op
from engine.ops import views
from engine.ops.conversion import copy_, fill_
from engine.ops.scatter import Index, IndexScatter, SelectScatter
from engine.state import state
from engine.tensor import Tensor, rounded, wrap

# -- what an index says -------------------------------------------------------------------------------------------


def index_items(index: Any) -> tuple[Any, ...]:
    """The parts of an index; a list of slices or tensors counts as a tuple of them, as in NumPy of old."""
    if isinstance(index, tuple):
        return index
    return (index,)


def as_advanced(item: Any) -> Any:
    """The array of an index that copies (a tensor, list or array of ints or bools); None for any other index."""
    if isinstance(item, Tensor):
        if item._dtype.category > 1 or (item._dtype.category == 1 and item._dtype not in ALLOWED):
            raise IndexError(messages.index_dtype())
        if item._dtype is dtypes.uint8:
            warnings.warn(
                "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead. (Triggered "
                "internally at /__w/pytorch/pytorch/aten/src/ATen/native/IndexingUtils.h:37.)",
                UserWarning,
                stacklevel=2,
            )
            return item._array.astype(bool)
        return item._array
    if isinstance(item, bool | np.bool_):
        return np.asarray(item)
    if isinstance(item, list | range | np.ndarray):
        array = np.asarray(item) if not (isinstance(item, list) and not item) else np.empty(0, np.int64)
        if array.dtype.kind not in "iub":
            raise IndexError(messages.index_dtype())
        return array
    return None


ALLOWED = (dtypes.int64, dtypes.int32, dtypes.uint8)


def is_int(item: Any) -> bool:
    """An index that selects one place."""
    if isinstance(item, bool | np.bool_):
        return False
    if isinstance(item, int | np.integer):
        return True
    return isinstance(item, Tensor) and not item._array.ndim and item._dtype.category == 1


def consumed(item: Any) -> int:
    """How many dimensions of the tensor an index uses up."""
    if item is None or item is Ellipsis or isinstance(item, bool | np.bool_):
        return 0
    if isinstance(item, slice) or is_int(item):
        return 1
    array = as_advanced(item)
    if array is None:
        raise IndexError(messages.index_kind(item))
    return int(array.ndim) if array.dtype == bool else 1


def completed_items(tensor: Tensor, index: Any) -> list[Any]:
    """The parts of an index with the ellipsis spelled out; raises IndexError for too many."""
    items = index_items(index)
    used = sum(consumed(item) for item in items)
    ndim = tensor._array.ndim
    if used > ndim:
        if not ndim:
            raise IndexError(messages.zero_dim_index())
        raise IndexError(messages.too_many_indices(ndim))
    spelled: list[Any] = []
    for item in items:
        if item is Ellipsis:
            spelled.extend([slice(None)] * (ndim - used))
        else:
            spelled.append(item)
    return spelled


def checked_place(index: Any, dim: int, length: int) -> int:
    """A place in a dimension counted from the front; raises IndexError outside of it."""
    place = int(index)
    if not -length <= place < length:
        raise IndexError(messages.index_out_of_bounds(place, dim, length))
    return place + length if place < 0 else place


def checked_slice(item: slice, length: int) -> tuple[int, int, int]:
    """Start, end and step of a slice within a dimension."""
    step = 1 if item.step is None else int(item.step)
    if step <= 0:
        raise ValueError("step must be greater than zero")
    start, end, _ = slice(
        None if item.start is None else int(item.start), None if item.stop is None else int(item.stop), step
    ).indices(length)
    return start, max(end, start), step


# -- reading ------------------------------------------------------------------------------------------------------


def read(tensor: Tensor, index: Any) -> Tensor:
    """`tensor[index]`."""
    if is_int(index):
        if not tensor._array.ndim:
            raise IndexError(messages.zero_dim_index())
        return views.Select.apply(tensor, 0, checked_place(index, 0, tensor._array.shape[0]))
    if index is Ellipsis:
        return views.Alias.apply(tensor)
    if index is None:
        return views.Unsqueeze.apply(tensor, 0)
    if isinstance(index, slice):
        if not tensor._array.ndim:
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        return views.Slice.apply(tensor, 0, *checked_slice(index, tensor._array.shape[0]))
    cut, advanced = basic_part(tensor, completed_items(tensor, index))
    if not advanced:
        return cut if cut is not tensor else views.Alias.apply(tensor)
    return Index.apply(cut, checked_advanced(cut, advanced))


def basic_part(tensor: Tensor, items: list[Any]) -> tuple[Tensor, list[Any]]:
    """Apply the ints, slices and Nones as views; return the view and the index arrays that are left (or [])."""
    left: list[Any] = []
    dim = 0
    original = 0
    for item in items:
        if item is None:
            tensor = views.Unsqueeze.apply(tensor, dim)
            left.append(slice(None))
            dim += 1
        elif is_int(item) and not (isinstance(item, Tensor) and has_arrays(items)):
            tensor = views.Select.apply(tensor, dim, checked_place(item, original, tensor._array.shape[dim]))
            original += 1
        elif isinstance(item, slice):
            length = tensor._array.shape[dim]
            start, end, step = checked_slice(item, length)
            if (start, end, step) != (0, length, 1):
                tensor = views.Slice.apply(tensor, dim, start, end, step)
            left.append(slice(None))
            dim += 1
            original += 1
        elif isinstance(item, bool | np.bool_):
            tensor = views.Unsqueeze.apply(tensor, dim)
            left.append(np.asarray([bool(item)]))
            dim += 1
        else:
            array = as_advanced(item)
            left.append(array)
            used = int(array.ndim) if array.dtype == bool else 1
            dim += used
            original += used
    return tensor, left if any(isinstance(item, np.ndarray | np.generic) for item in left) else []


def has_arrays(items: list[Any]) -> bool:
    """Whether any part of an index copies."""
    return any(not is_int(item) and as_advanced(item) is not None for item in items)


def checked_advanced(tensor: Tensor, items: list[Any]) -> tuple[Any, ...]:
    """The index for NumPy, with PyTorch's errors for masks and places that do not fit."""
    shape = tensor._array.shape
    dim = 0
    checked: list[Any] = []
    for item in items:
        if isinstance(item, slice):
            checked.append(item)
            dim += 1
            continue
        if item.dtype == bool:
            for offset, length in enumerate(item.shape):
                if length != shape[dim + offset]:
                    raise IndexError(messages.mask_shape(item.shape, shape, dim + offset))
            checked.append(item)
            dim += item.ndim
            continue
        bad = np.asarray(item)[(np.asarray(item) < -shape[dim]) | (np.asarray(item) >= shape[dim])]
        if bad.size:
            raise IndexError(messages.index_out_of_bounds(int(bad.flat[0]), dim, shape[dim]))
        checked.append(np.asarray(item))
        dim += 1
    arrays = [np.nonzero(item)[0] if item.dtype == bool else item for item in checked if not isinstance(item, slice)]
    try:
        np.broadcast_shapes(*[array.shape for array in arrays])
    except ValueError:
        shapes = ", ".join(str(list(array.shape)) for array in arrays)
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None
    return tuple(checked)


METHODS["__getitem__"] = read


# -- writing ------------------------------------------------------------------------------------------------------


class IndexPut(Op):
    """Values written at an index: what was there before counts no more"""

    tensors = ("self", "values")

    def forward(self, values, indices):
        whole = self.copy()
        whole[indices] = values
        return whole

    def d_self(grad, indices):
        return formula.overwritten(grad, indices)

    def d_values(grad, values_shape, indices):
        return formula.sum_to(formula.indexed(grad, indices), values_shape)


def assign(tensor: Tensor, index: Any, value: Any) -> None:
    """`tensor[index] = value`: written through a view, or by index arrays."""
    records = state.grad_enabled and (tensor._edge is not None or getattr(value, "_edge", None) is not None)
    inplace.check_writable(tensor, records)
    items = completed_items(tensor, index)
    target, advanced = basic_part(tensor, items)
    if target is tensor and not advanced:
        target = views.Alias.apply(tensor)
    if not advanced:
        write_over(target, value)
        return
    at = checked_advanced(target, advanced)
    source = value if isinstance(value, Tensor) else filled_like(target, value)
    place = target._array[at].shape
    given = source._array.shape
    trimmed = tuple(given[extra:]) if (extra := leading_ones(given, len(place))) else given
    try:
        fits = np.broadcast_shapes(trimmed, place) == place
    except ValueError:
        fits = False
    if not fits:
        raise RuntimeError(messages.assigned_shape(given, place))
    if source._dtype is not target._dtype:
        if source._array.ndim and isinstance(value, Tensor):
            raise RuntimeError(
                "Index put requires the source and destination dtypes match, got "
                f"{target._dtype.type_name} for the destination and {source._dtype.type_name} for the source."
            )
        source = source.to(target._dtype)
    if trimmed != given:
        source = source.reshape(trimmed)
    whole = target._array.copy()
    whole[at] = source._array
    inplace.write(IndexPut, target, (source,), (at,), whole, target._dtype)


def leading_ones(shape: tuple[int, ...], ndim: int) -> int:
    """How many leading dimensions of length 1 are more than the target has."""
    extra = 0
    while len(shape) - extra > ndim and shape[extra] == 1:
        extra += 1
    return extra


def filled_like(target: Tensor, value: Any) -> Tensor:
    """A Python value as a tensor of the target's dtype."""
    from engine import creation

    array, dtype = creation.from_data(value, target._dtype)
    return wrap(array, dtype)


def write_over(target: Tensor, value: Any) -> None:
    """Write a number, a tensor or nested lists over a view."""
    if isinstance(value, Tensor):
        given, have = value._array.shape, target._array.shape
        extra = leading_ones(given, len(have))
        if extra:
            value = value.reshape(given[extra:])
        try:
            fits = np.broadcast_shapes(value._array.shape, have) == have
        except ValueError:
            fits = False
        if not fits:
            raise RuntimeError(messages.expanded_size(have, value._array.shape))
        copy_(target, value)
    elif isinstance(value, bool | int | float | complex):
        fill_(target, value)
    elif isinstance(value, np.ndarray | np.generic):
        copy_(target, wrap(np.asarray(value), dtypes.from_numpy_dtype(np.asarray(value).dtype)))
    else:
        raise TypeError(f"can't assign a {type(value).__name__} to a {target._dtype.tensor_type}")


METHODS["__setitem__"] = assign


# -- for formulas -------------------------------------------------------------------------------------------------


@method
def _indexed(self: Tensor, at: tuple[Any, ...]) -> Tensor:
    """The elements at an index, as a recorded copy."""
    return Index.apply(self, at)


@method
def _scattered(self: Tensor, shape: tuple[int, ...], at: tuple[Any, ...]) -> Tensor:
    """Zeros with the tensor at a basic index."""
    return SelectScatter.apply(self, shape, at)


@method
def _index_scattered(self: Tensor, shape: tuple[int, ...], at: tuple[Any, ...]) -> Tensor:
    """Zeros with the tensor added at an index."""
    return IndexScatter.apply(self, shape, at)


# -- by name ------------------------------------------------------------------------------------------------------


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
        return np.broadcast_to(self, np.broadcast_shapes(self.shape, mask.shape))[np.broadcast_to(mask, np.broadcast_shapes(self.shape, mask.shape))]  # noqa: E501

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
def scatter(input: Tensor, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:  # noqa: E501
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


