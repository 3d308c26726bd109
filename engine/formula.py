"""The vocabulary of derivatives: functions that take arrays in an ordinary pass and tensors in a recorded one.

`grad * cos(self)` in a derivative calls `cos` from here: NumPy's on an array, the recorded operation on a tensor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import analysis, arrays
from engine.dtypes import DType, bool_
from engine.tensor import Tensor, wrap

#: An array (or NumPy scalar) or a Tensor; the result is of the same kind.
AnyValue = Any

#: Python's own numbers.
NUMBERS = frozenset((bool, int, float, complex))


def _both(name: str, on_array: Callable[..., Any]) -> Callable[..., Any]:
    def function(value: AnyValue, *args: Any) -> AnyValue:
        if isinstance(value, Tensor):
            return getattr(value, name)(*args)
        return on_array(value, *args)

    function.__name__ = name
    function.__doc__ = f"`{name}` of an array or of a tensor, elementwise."
    return function


exp = _both("exp", np.exp)
log = _both("log", np.log)
sqrt = _both("sqrt", np.sqrt)
sin = _both("sin", np.sin)
cos = _both("cos", np.cos)
tanh = _both("tanh", np.tanh)
cosh = _both("cosh", np.cosh)
sinh = _both("sinh", np.sinh)
sign = _both("sign", np.sign)
square = _both("square", np.square)
absolute = _both("abs", np.abs)
isfinite = _both("isfinite", np.isfinite)
reciprocal = _both("reciprocal", np.reciprocal)
sigmoid = _both("sigmoid", lambda value: 1 / (1 + np.exp(-value)))
erfinv = _both("erfinv", lambda value: analysis.erfinv(value).astype(value.dtype))
digamma = _both("digamma", lambda value: analysis.polygamma(0, value).astype(value.dtype))
polygamma = _both("_polygamma", lambda value, n: analysis.polygamma(n, value).astype(value.dtype))


def scale(value: AnyValue, factor: complex) -> AnyValue:
    """value times a Python number; recorded as MulBackward1, the node of a product with a true scalar."""
    return value._scaled(factor) if isinstance(value, Tensor) else value * factor


def where(condition: AnyValue, yes: AnyValue, no: AnyValue) -> AnyValue:
    """Elementwise choice; `condition` is boolean."""
    if isinstance(condition, Tensor):
        return condition._choose(yes, no)
    if isinstance(yes, Tensor) or isinstance(no, Tensor):
        raise TypeError("where: the condition must be a tensor when a choice is one")
    return np.where(condition, yes, no)


def power(value: AnyValue, exponent: AnyValue) -> AnyValue:
    """value ** exponent, with the shortcuts for small whole exponents."""
    if isinstance(value, Tensor):
        return value.pow(exponent)
    return pow_array(value, exponent) if type(exponent) in NUMBERS else value**exponent


def pow_array(value: Any, exponent: Any) -> Any:
    """Power of an array; whole exponents up to 3 by multiplication, which is PyTorch's result to the bit."""
    if exponent == 2:
        return value * value
    if exponent == 1:
        return value * 1
    if exponent == 3:
        return value * value * value
    if exponent == 0.5:
        return np.sqrt(value)
    if exponent == -1:
        return 1 / value
    if exponent == -2:
        return 1 / (value * value)
    return value**exponent


def matmul(left: AnyValue, right: AnyValue) -> AnyValue:
    """Matrix product; for arrays `dot` where it means the same, because it is quicker on small ones."""
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        return left.matmul(right)
    return left.dot(right) if right.ndim <= 2 else np.matmul(left, right)


def crossed(left: AnyValue, right: AnyValue, dim: int) -> AnyValue:
    """The cross product along a dimension of length 3, counted from the end."""
    if isinstance(left, Tensor):
        return left.cross(right, dim)
    return arrays.contiguous(np.cross(left, right, axis=dim))


def transposed(value: AnyValue, dim0: int = -2, dim1: int = -1) -> AnyValue:
    """Two dimensions swapped."""
    if isinstance(value, Tensor):
        return value.transpose(dim0, dim1)
    return value.swapaxes(dim0, dim1)


def permuted(value: AnyValue, dims: tuple[int, ...]) -> AnyValue:
    """Dimensions in another order."""
    return value.permute(dims) if isinstance(value, Tensor) else value.transpose(dims)


def reshaped(value: AnyValue, shape: tuple[int, ...]) -> AnyValue:
    """The same elements in another shape."""
    return value.reshape(shape)


def expanded(value: AnyValue, shape: tuple[int, ...]) -> AnyValue:
    """Stretched to `shape` by the rules of broadcasting; arrays come as read-only views."""
    if isinstance(value, Tensor):
        return value.expand(shape)
    if value.ndim:
        return np.broadcast_to(value, shape)
    # The same for one number, in a fifth of the time.
    try:
        view = np.ndarray(shape, value.dtype, value, 0, (0,) * len(shape))
    except TypeError:  # it is on the device
        return np.broadcast_to(value, shape)
    view.flags.writeable = False
    return view


def unsqueezed(value: AnyValue, dims: tuple[int, ...]) -> AnyValue:
    """With dimensions of length 1 put in at `dims`, positions in the result, ascending."""
    if isinstance(value, Tensor):
        for dim in dims:
            value = value.unsqueeze(dim)
        return value
    return np.expand_dims(value, dims) if dims else value


def summed(value: AnyValue, dims: tuple[int, ...] | None, keepdim: bool = False) -> AnyValue:
    """Sum over dimensions; None means all."""
    if isinstance(value, Tensor):
        return value.sum(dims, keepdim) if dims is not None else value.sum()
    return np.add.reduce(value, axis=dims, keepdims=keepdim)


def unreduced(grad: AnyValue, shape: tuple[int, ...], dims: tuple[int, ...] | None, keepdim: bool) -> AnyValue:
    """A reduction's gradient (or result) stretched over what was reduced: `dims` of `shape`, None for all."""
    if dims is not None and not keepdim:
        grad = unsqueezed(grad, dims)
    elif dims is None and keepdim:
        grad = reshaped(grad, ())
    return expanded(grad, shape)


def kept(value: AnyValue, dims: tuple[int, ...] | None, keepdim: bool) -> AnyValue:
    """A reduction's gradient or result with the reduced dimensions as dimensions of length 1."""
    return value if keepdim or dims is None else unsqueezed(value, dims)


def counted(mask: AnyValue, dims: tuple[int, ...] | None, like: AnyValue) -> AnyValue:
    """How many places of a mask hold, over dimensions that stay with length 1, in the dtype of `like`."""
    if isinstance(mask, Tensor):
        return mask.sum(dims, True).to(like.dtype) if dims is not None else mask.sum().to(like.dtype)
    return np.add.reduce(mask, axis=dims, keepdims=dims is not None, dtype=like.dtype)


def carried(value: AnyValue, cuda: bool) -> AnyValue:
    """A copy on the GPU or on the CPU."""
    if isinstance(value, Tensor):
        return value.cuda() if cuda else value.cpu()
    return arrays.to_device(value) if cuda else arrays.to_host(value)


def is_true(value: AnyValue) -> bool:
    """One truth value as Python's; decides between two forms of a formula."""
    return bool(value)


def others_one(value: AnyValue, dim: int) -> AnyValue:
    """For each place i of a dimension a copy of it with 1 at i: shape (…, i, length), the dimension moved last."""
    moved = moved_last(value, dim)
    length = moved.shape[-1]
    own = arrays.eye(length, None, bool, array_of(value))
    if isinstance(value, Tensor):
        return moved.unsqueeze(-2).masked_fill(wrap(own, bool_), 1)
    return np.where(own, value.dtype.type(1), moved[..., None, :])


def products_of_others(value: AnyValue, dim: int) -> AnyValue:
    """For each element the product of all others along a dimension; right also where some are 0."""
    parts = others_one(value, dim)
    products = parts.prod(-1) if isinstance(parts, Tensor) else np.multiply.reduce(parts, axis=-1)
    return moved_to(products, dim)


def moved_last(value: AnyValue, dim: int) -> AnyValue:
    """A dimension moved to the end."""
    ndim = len(value.shape)
    return permuted(value, (*[d for d in range(ndim) if d != dim], dim))


def summed_from_end(value: AnyValue, dim: int) -> AnyValue:
    """Running sums along a dimension that start at its end: the derivative of running sums."""
    if isinstance(value, Tensor):
        return value.flip(dim).cumsum(dim).flip(dim) if value.ndim else value
    return np.flip(np.add.accumulate(np.flip(value, dim), dim), dim) if value.ndim else value


def cumulated_product(value: AnyValue) -> AnyValue:
    """Running products along the last dimension."""
    return value.cumprod(-1) if isinstance(value, Tensor) else np.multiply.accumulate(value, -1)


def array_of(value: AnyValue) -> Any:
    """The array of a tensor; an array as it is."""
    return value._array if isinstance(value, Tensor) else value


def masked(value: AnyValue, mask: Any) -> AnyValue:
    """Zero outside a constant boolean array that broadcasts."""
    mask = arrays.beside(mask, array_of(value))
    return value * wrap(mask, bool_) if isinstance(value, Tensor) else value * mask


def largest(value: AnyValue) -> float:
    """The largest element as a Python number, a constant for autograd."""
    array = value._array if isinstance(value, Tensor) else value
    return float(array.max()) if array.size else 0.0


def spread(grad: AnyValue, shape: tuple[int, ...], dim: int, index: AnyValue) -> AnyValue:
    """Zeros of `shape` with `grad` added along a dimension where `index` says: the derivative of choosing elements."""
    if not shape:
        return grad
    if isinstance(grad, Tensor):
        return grad.new_zeros(shape).scatter_add(dim, index, grad)
    whole = arrays.zeros(shape, grad.dtype, grad)
    places: list[Any] = [
        arrays.arange(length, grad).reshape([-1 if d == other else 1 for d in range(grad.ndim)])
        for other, length in enumerate(grad.shape)
    ]
    places[dim] = index
    arrays.add_at(whole, tuple(places), grad)
    return whole


def sum_to(value: AnyValue, shape: tuple[int, ...]) -> AnyValue:
    """Undo broadcasting: add up the copies that `expand` made, so that the result has `shape`."""
    have = value._array.shape if isinstance(value, Tensor) else value.shape
    if have == shape:
        return value
    lead = len(have) - len(shape)
    if lead:
        value = summed(value, tuple(range(lead)))
        if have[lead:] == shape:
            return value
    stretched = tuple(
        dim for dim, (length, now) in enumerate(zip(shape, have[lead:], strict=True)) if length == 1 and now != 1
    )
    return summed(value, stretched, True) if stretched else value


def conjugated(value: AnyValue) -> AnyValue:
    """The conjugate of complex numbers; real ones as they are."""
    if isinstance(value, Tensor):
        return value.conj()
    return np.conjugate(value) if value.dtype.kind == "c" else value


def cast(value: AnyValue, dtype: Any) -> AnyValue:
    """In another dtype (a DType); the same object when it has it already."""
    if isinstance(value, Tensor):
        return (value.real if value._dtype.is_complex and not dtype.is_complex else value).to(dtype)
    if value.dtype == dtype.np:
        return value
    if value.dtype.kind == "c" and not dtype.is_complex:
        value = value.real  # what a real operand's gradient is
    return value.astype(dtype.np)


def restore(value: AnyValue, fix: Any) -> AnyValue:
    """Bring a gradient back to its operand's shape and dtype: `fix` is (shape or None, DType or OnHost or None)."""
    shape, target = fix
    if shape is not None:
        value = sum_to(value, shape)
    if target is None:
        return value
    return cast(value, target) if type(target) is DType else target.bring(value)


class OnHost:
    """The place of `fix` where a dtype stands, for a 0-d operand on the CPU that met tensors on the device."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: DType) -> None:
        self.dtype = dtype

    def bring(self, value: AnyValue) -> AnyValue:
        """The gradient on the CPU, in the operand's dtype."""
        value = carried(value, False)
        return cast(value if isinstance(value, Tensor) else value[()], self.dtype)


def zeros(shape: tuple[int, ...], like: AnyValue) -> AnyValue:
    """Zeros of the kind and dtype of `like`."""
    if isinstance(like, Tensor):
        return like.new_zeros(shape)
    return arrays.zeros(shape, like.dtype, like)


# -- shapes, undone ----------------------------------------------------------------------------------------------
#
# On arrays these write into fresh zeros; on tensors they are recorded operations of their own (`ops/scatter.py`).


def t(value: AnyValue) -> AnyValue:
    """A matrix turned over; a vector as it is."""
    return value.t() if isinstance(value, Tensor) else value.T


def scattered(part: AnyValue, shape: tuple[int, ...], at: tuple[Any, ...]) -> AnyValue:
    """Zeros of `shape` with `part` at a basic index: the derivative of `select` and `slice`."""
    if isinstance(part, Tensor):
        return part._scattered(shape, at)
    whole = arrays.zeros(shape, part.dtype, part)
    whole[at] = part
    return whole


def index_scattered(part: AnyValue, shape: tuple[int, ...], at: tuple[Any, ...]) -> AnyValue:
    """Zeros of `shape` with `part` added at an index that may name a place twice: the derivative of indexing."""
    if isinstance(part, Tensor):
        return part._index_scattered(shape, at)
    whole = arrays.zeros(shape, part.dtype, part)
    arrays.add_at(whole, at, part)
    return whole


def indexed(value: AnyValue, at: tuple[Any, ...]) -> AnyValue:
    """The elements at an index, copied."""
    return value._indexed(at) if isinstance(value, Tensor) else value[at]


def strided_index(size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Any:
    """For each element of a strided view its position in memory. Shape `size`, int64."""
    index = np.full(size, offset, np.int64)
    for dim, (length, step) in enumerate(zip(size, stride, strict=True)):
        index += (np.arange(length) * step).reshape([-1 if d == dim else 1 for d in range(len(size))])
    return index


def strided_scattered(
    part: AnyValue, shape: tuple[int, ...], size: tuple[int, ...], stride: tuple[int, ...], offset: int
) -> AnyValue:
    """Zeros of `shape` with `part` added at a geometry: the derivative of `as_strided` on contiguous memory."""
    index = strided_index(size, stride, offset)
    if isinstance(part, Tensor):
        count = int(np.prod(shape, dtype=np.int64))
        return part._index_scattered((count,), (index,)).reshape(shape)
    whole = arrays.zeros(shape, part.dtype, part)
    arrays.add_at(whole.reshape(-1), arrays.beside(index, part), part)
    return whole


def diagonal_scattered(part: AnyValue, shape: tuple[int, ...], offset: int, dim1: int, dim2: int) -> AnyValue:
    """Zeros of `shape` with `part` on a diagonal."""
    index: list[Any] = [slice(None)] * len(shape)
    length = part.shape[-1]
    steps = np.arange(length)
    index[dim1] = steps + max(-offset, 0)
    index[dim2] = steps + max(offset, 0)
    moved = part
    # Two index arrays that stand side by side keep their place; with dimensions between them they come first.
    if abs(dim1 - dim2) != 1:
        moved = moved_to_front(part)
    elif min(dim1, dim2) != len(shape) - 2:
        moved = moved_to(part, min(dim1, dim2))
    return index_scattered(moved, shape, tuple(index))


def moved_to_front(value: AnyValue) -> AnyValue:
    """The last dimension as the first."""
    return moved_to(value, 0)


def moved_to(value: AnyValue, place: int) -> AnyValue:
    """The last dimension put in at `place`."""
    ndim = len(value.shape)
    order = list(range(ndim - 1))
    order.insert(place, ndim - 1)
    return permuted(value, tuple(order))


def unfold_scattered(part: AnyValue, shape: tuple[int, ...], dim: int, size: int, step: int) -> AnyValue:
    """Zeros of `shape` with overlapping windows added up: the derivative of `unfold`."""
    positions = (np.arange(part.shape[dim]) * step)[:, None] + np.arange(size)
    index = (slice(None),) * dim + (positions,)
    return index_scattered(moved_to(part, dim + 1), shape, index)


def stacked(parts: tuple[AnyValue | None, ...], shape: tuple[int, ...], dim: int) -> AnyValue:
    """Parts put side by side along a new dimension; None counts as zeros. The derivative of `unbind`."""
    known = next(part for part in parts if part is not None)
    small = shape[:dim] + shape[dim + 1 :]
    pieces = [zeros(small, known) if part is None else part for part in parts]
    if isinstance(known, Tensor):
        return known._stacked(pieces, dim)
    return np.stack(pieces, dim)


def joined(parts: tuple[AnyValue | None, ...], shape: tuple[int, ...], dim: int, sizes: tuple[int, ...]) -> AnyValue:
    """Parts put one after the other along a dimension; None counts as zeros. The derivative of `split`."""
    known = next(part for part in parts if part is not None)
    pieces = [
        zeros((*shape[:dim], size, *shape[dim + 1 :]), known) if part is None else part
        for part, size in zip(parts, sizes, strict=True)
    ]
    if isinstance(known, Tensor):
        return known._joined(pieces, dim)
    return np.concatenate(pieces, dim)


def cut(value: AnyValue, dim: int, sizes: tuple[int, ...]) -> list[AnyValue]:
    """Consecutive parts of a dimension: the derivative of `cat`."""
    if isinstance(value, Tensor):
        return list(value.split(list(sizes), dim))
    parts, start = [], 0
    for size in sizes:
        parts.append(value[(slice(None),) * dim + (slice(start, start + size),)])
        start += size
    return parts


def taken_apart(value: AnyValue, dim: int, count: int) -> list[AnyValue]:
    """The places of a dimension one by one: the derivative of `stack`."""
    if isinstance(value, Tensor):
        return list(value.unbind(dim))
    return [value[(slice(None),) * dim + (place,)] for place in range(count)]


def truncated(value: AnyValue) -> AnyValue:
    """Rounded towards zero."""
    return value.trunc() if isinstance(value, Tensor) else np.trunc(value)


def flipped(value: AnyValue, dims: tuple[int, ...]) -> AnyValue:
    """Dimensions in reverse order."""
    return value.flip(dims) if isinstance(value, Tensor) else np.flip(value, dims)


def rolled(value: AnyValue, shifts: tuple[int, ...], dims: tuple[int, ...]) -> AnyValue:
    """Elements shifted along dimensions; no dimensions means over the flattened value."""
    if isinstance(value, Tensor):
        return value.roll(shifts, dims or None)
    return np.roll(value, shifts, dims or None)


def turned(value: AnyValue, times: int, dims: tuple[int, int]) -> AnyValue:
    """Quarter turns in the plane of two dimensions."""
    return value.rot90(times, dims) if isinstance(value, Tensor) else np.rot90(value, times, dims)


def overwritten(value: AnyValue, at: tuple[Any, ...]) -> AnyValue:
    """The value with zeros at an index: the gradient of what a write has covered."""
    if isinstance(value, Tensor):
        mask = arrays.full(value._array.shape, 1, value._dtype.np, value._array)
        mask[at] = 0
        return value * wrap(mask, value._dtype)
    left = value.copy()
    left[at] = 0
    return left


# -- matrices -----------------------------------------------------------------------------------------------------


def lower(value: AnyValue, diagonal: int) -> AnyValue:
    """The lower triangle of matrices."""
    return value.tril(diagonal) if isinstance(value, Tensor) else np.tril(value, diagonal)


def diagonal_of(value: AnyValue) -> AnyValue:
    """The diagonals of matrices."""
    return value.diagonal(0, -2, -1) if isinstance(value, Tensor) else np.diagonal(value, 0, -2, -1)


def diagonal_matrix(value: AnyValue) -> AnyValue:
    """Vectors as diagonal matrices."""
    if isinstance(value, Tensor):
        return value.diag_embed()
    return value[..., None] * arrays.eye(value.shape[-1], None, value.dtype, value)


def identity(like: AnyValue) -> AnyValue:
    """The identity matrix of the size and dtype of square matrices."""
    if isinstance(like, Tensor):
        return wrap(identity(like._array), like._dtype)
    return arrays.eye(like.shape[-1], None, like.dtype, like)


def inverse_of(value: AnyValue) -> AnyValue:
    """The inverse of matrices."""
    return value.inverse() if isinstance(value, Tensor) else np.linalg.inv(value)


def determinant(value: AnyValue) -> AnyValue:
    """The determinant of matrices."""
    return value.det() if isinstance(value, Tensor) else arrays.asarray(np.linalg.det(value))


def singular(value: AnyValue) -> tuple[AnyValue, AnyValue, AnyValue]:
    """The singular value decomposition U, S, Vh."""
    if isinstance(value, Tensor):
        u, s, v = value.svd()
        return u, s, transposed(v)
    u, s, vh = np.linalg.svd(value)
    return u, s, vh


def solution_of(left: AnyValue, right: AnyValue) -> AnyValue:
    """The X with left X = right, for matrices."""
    return left._solved(right) if isinstance(left, Tensor) else np.linalg.solve(left, right)
