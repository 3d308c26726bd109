"""tensor[...] and tensor[...] = value, and the functions that index by name: gather, scatter, index_select, …

Reading by ints, slices, None and ellipsis is a chain of views, each recorded as PyTorch records it. As soon as a
tensor, a list or a mask takes part, the elements are copied.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from engine import arrays, creation, dtypes, formula, inplace, messages
from engine.functions import METHODS, method
from engine.op import Op
from engine.ops import views
from engine.ops.conversion import copy_
from engine.ops.scatter import Index, IndexScatter, SelectScatter
from engine.tensor import Tensor, type_name, wrap

# -- what an index says -------------------------------------------------------------------------------------------


def index_items(index: Any) -> tuple[Any, ...]:
    """The parts of an index; a list of slices or tensors counts as a tuple of them, as in NumPy of old."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, (list, str)) and 0 < len(index) < 32 and any(map(is_part, index)):
        warnings.warn(
            "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch "
            "2.9; use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, "
            "x[torch.tensor(seq)], which will result either in an error or a different result (Triggered internally at "
            "/__w/pytorch/pytorch/torch/csrc/autograd/python_variable_indexing.cpp:349.)",
            UserWarning,
            stacklevel=2,
        )
        return tuple(index)
    return (index,)


def is_part(item: Any) -> bool:
    """Whether an element of a list makes the list an index of several parts."""
    return item is None or item is Ellipsis or isinstance(item, (Tensor, slice, list, tuple, str, range, np.ndarray))


def as_advanced(item: Any) -> Any:
    """The array of an index that copies (a tensor, list or array of ints or bools); None for any other index."""
    if isinstance(item, Tensor):
        if item._dtype.category > 1 or (item._dtype.category == 1 and item._dtype not in ALLOWED):
            raise IndexError(messages.index_dtype())
        if item._dtype is dtypes.uint8:
            return item._array.astype(bool)
        return item._array
    if isinstance(item, (bool, np.bool_)):
        return np.asarray(item)
    if isinstance(item, (str, bytes)) or (isinstance(item, list) and any(isinstance(each, str) for each in item)):
        raise TypeError(f"new(): invalid data type '{type_name(item if isinstance(item, bytes) else '')}'")
    if isinstance(item, (list, range, np.ndarray)):
        array = np.asarray(item) if not (isinstance(item, list) and not item) else np.empty(0, np.int64)
        if array.dtype.kind == "f":
            return array.astype(np.int64)  # a list goes into a tensor of int64
        if array.dtype.kind not in "iub":
            raise IndexError(messages.index_dtype())
        return array
    return None


def warn_byte_mask() -> None:
    """A mask of bytes is a thing of the past."""
    warnings.warn(
        "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead. (Triggered "
        "internally at /__w/pytorch/pytorch/aten/src/ATen/native/IndexingUtils.h:37.)",
        UserWarning,
        stacklevel=2,
    )


ALLOWED = (dtypes.int64, dtypes.int32, dtypes.uint8)


def is_int(item: Any) -> bool:
    """An index that selects one place."""
    if isinstance(item, (bool, np.bool_)):
        return False
    if isinstance(item, (int, np.integer)):
        return True
    return isinstance(item, Tensor) and not item._array.ndim and item._dtype.category == 1


def consumed(item: Any) -> int:
    """How many dimensions of the tensor an index uses up."""
    if item is None or item is Ellipsis or isinstance(item, (bool, np.bool_)):
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
        if not ndim and isinstance(index, slice):
            raise IndexError("slice() cannot be applied to a 0-dim tensor.")
        if not ndim and is_int(index) and not isinstance(index, Tensor):
            raise IndexError(messages.zero_dim_index())
        raise IndexError(messages.too_many_indices(ndim))
    spelled: list[Any] = []
    for place, item in enumerate(items):
        if item is Ellipsis:
            if Ellipsis not in [each for each in items[:place] if each is None or each is Ellipsis]:
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
    start, end, step = item.indices(length)
    if step < 0:
        raise ValueError("step must be greater than zero")
    return start, max(end, start), step


# -- reading ------------------------------------------------------------------------------------------------------


def read(tensor: Tensor, index: Any) -> Tensor:
    """`tensor[index]`."""
    if is_int(index):
        if not tensor._array.ndim:
            completed_items(tensor, index)  # raises
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
            original += 1
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
        elif isinstance(item, (bool, np.bool_)):
            tensor = views.Unsqueeze.apply(tensor, dim)
            left.append(np.asarray([bool(item)]))
            dim += 1
            original += 1
        else:
            array = as_advanced(item)
            if isinstance(item, Tensor) and item._dtype is dtypes.uint8:
                warn_byte_mask()
            left.append(array)
            used = int(array.ndim) if array.dtype == bool else 1
            dim += used
            original += used
    return tensor, left if any(not isinstance(item, slice) for item in left) else []


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
        if arrays.on_device(item) and not arrays.on_device(tensor._array):
            raise RuntimeError(messages.index_device())
        item = arrays.beside(item, tensor._array)
        if item.dtype == bool:
            for offset, length in enumerate(item.shape):
                if length != shape[dim + offset]:
                    raise IndexError(messages.mask_shape(item.shape, shape, dim + offset))
            checked.append(item)
            dim += item.ndim
            continue
        item = arrays.asarray(item)
        bad = item[(item < -shape[dim]) | (item >= shape[dim])]
        if bad.size:
            raise IndexError(messages.index_out_of_bounds(int(bad[0]), dim, shape[dim]))
        checked.append(item)
        dim += 1
    places = [np.flatnonzero(item) if item.dtype == bool else item for item in checked if not isinstance(item, slice)]
    try:
        np.broadcast_shapes(*[place.shape for place in places])
    except ValueError:
        shapes = ", ".join(str(list(place.shape)) for place in places)
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


class FillValue(Op):
    """One number written over every element: what was there before counts no more"""

    node_name = "FillBackward3"
    tensors = ("self", "value")

    def forward(self, value):
        return arrays.full(self.shape, value, self.dtype, self)

    def d_self(grad):
        return grad * 0

    def d_value(grad):
        return formula.summed(grad, None)


def assign(tensor: Tensor, index: Any, value: Any) -> None:
    """`tensor[index] = value`: written through a view, or by index arrays."""
    items = completed_items(tensor, index)
    if all(isinstance(item, slice) and item == slice(None) for item in items):
        write_over(tensor, value)
        return
    target, advanced = basic_part(tensor, items)
    if not advanced:
        write_over(target, value)
        return
    at = checked_advanced(target, advanced)
    if not isinstance(value, Tensor | bool | int | float | complex | np.generic):
        raise TypeError(f"can't assign a {type_name(value)} to a {target._dtype.tensor_type}")
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
    whole = arrays.asarray(target._array).copy()
    whole[at] = arrays.beside(source._array, whole)
    inplace.write(IndexPut, target, (source,), (at,), whole, target._dtype)


def leading_ones(shape: tuple[int, ...], ndim: int) -> int:
    """How many leading dimensions of length 1 are more than the target has."""
    extra = 0
    while len(shape) - extra > ndim and shape[extra] == 1:
        extra += 1
    return extra


def filled_like(target: Tensor, value: Any) -> Tensor:
    """A Python value as a tensor of the target's dtype."""
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
            if len(value._array.shape) > len(have):
                raise RuntimeError(messages.expanded_rank(value._dtype.tensor_type, value._array.shape, have))
            raise RuntimeError(messages.expanded_size(have, value._array.shape))
        copy_(target, value)
    elif isinstance(value, (bool, int, float, complex)):
        filling = creation.filled([value], (), target._dtype)
        array = arrays.full(target._array.shape, filling, target._dtype.np, target._array)
        inplace.write(FillValue, target, (value,), (), array, target._dtype)
    elif isinstance(value, np.generic):
        copy_(target, wrap(np.asarray(value), dtypes.from_numpy_dtype(np.asarray(value).dtype)))
    else:
        raise TypeError(f"can't assign a {type_name(value)} to a {target._dtype.tensor_type}")


METHODS["__setitem__"] = assign


@method
def __delitem__(self: Tensor, index: Any) -> None:
    raise TypeError("Tensor does not support deleting items")


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
