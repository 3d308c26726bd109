"""Shapes: the functions over the views of `views.py`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import arrays, creation, messages
from engine.functions import FUNCTIONS, METHODS, both, function, method, normal_dim, normal_dims, require_tensor
from engine.node import AccumulateGrad
from engine.ops import views
from engine.ops.conversion import Clone
from engine.size import Size
from engine.state import state
from engine.tensor import Tensor, type_name

# -- views --------------------------------------------------------------------------------------------------------


def lengths(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    """`view(2, 3)` or `view((2, 3))`."""
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = tuple(size[0])
    for position, length in enumerate(size):
        if not creation.is_length(length):
            raise TypeError(
                f"{name}(): argument 'size' (position {position + 1}) must be tuple of ints, not {type_name(length)}"
            )
    return tuple(int(length) for length in size)


def completed(shape: tuple[int, ...], count: int) -> tuple[int, ...]:
    """The shape with its one -1 worked out. Raises RuntimeError if it does not hold `count` elements."""
    if shape.count(-1) > 1:
        raise RuntimeError(messages.one_inferred())
    for place, length in enumerate(shape):
        if length < -1:
            raise RuntimeError(f"invalid shape dimension {length} at index {place} of shape {list(shape)}")
    known = 1
    for length in shape:
        if length != -1:
            known *= length
    if -1 in shape:
        if known == 0 and count == 0:
            raise RuntimeError(messages.ambiguous_shape(shape))
        if known == 0 or count % known:
            raise RuntimeError(messages.invalid_shape(shape, count))
        return tuple(count // known if length == -1 else length for length in shape)
    if known != count:
        raise RuntimeError(messages.invalid_shape(shape, count))
    return shape


@method
def view(self: Tensor, *size: Any) -> Tensor:
    """The same memory in another shape; raises RuntimeError if strides do not allow it."""
    return views.View.apply(self, completed(lengths("view", size), self._array.size))


@method
def reshape(self: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape: a view where strides allow, else a copy."""
    return reshaped(self, lengths("reshape", shape))


def reshaped(tensor: Tensor, shape: tuple[int, ...]) -> Tensor:
    """`reshape` with the shape as one tuple."""
    target = completed(shape, tensor._array.size)
    try:
        np.reshape(tensor._array, target, copy=False)
    except ValueError:
        copied = Clone.apply(tensor)
        copied._array = arrays.contiguous(copied._array)
        return views.UnsafeView.apply(copied, target)
    return views.View.apply(tensor, target)


@function
def reshape_function(input: Any, shape: Any) -> Tensor:
    """The elements of `input` in another shape."""
    if not isinstance(shape, (tuple, list)):
        raise TypeError(f"reshape(): argument 'shape' (position 2) must be tuple of ints, not {type_name(shape)}")
    return reshaped(require_tensor("reshape", "input", 1, input), lengths("reshape", (shape,)))


FUNCTIONS["reshape"] = FUNCTIONS.pop("reshape_function")


@method
def view_as(self: Tensor, other: Tensor) -> Tensor:
    """A view in the shape of another tensor."""
    return view(self, other._array.shape)


@method
def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """Reshaped to the shape of another tensor."""
    return reshaped(self, other._array.shape)


@both
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim to end_dim merged into one."""
    array = require_tensor("flatten", "input", 1, input)._array
    start, end = normal_dim(start_dim, array.ndim), normal_dim(end_dim, array.ndim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if not array.ndim:
        return reshaped(input, (1,))
    if start == end:
        return input
    return reshaped(input, (*array.shape[:start], int(np.prod(array.shape[start : end + 1])), *array.shape[end + 1 :]))


@both
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One dimension split into several."""
    shape = input._array.shape
    dim = normal_dim(dim, len(shape))
    try:
        inner = completed(tuple(sizes), shape[dim])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[dim]}) in the "
            "input tensor"
        ) from None
    return view(input, (*shape[:dim], *inner, *shape[dim + 1 :]))


@both
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension."""
    return reshaped(input, (-1,)) if input._array.size else reshaped(input, (0,))


@method
def expand(self: Tensor, *size: Any) -> Tensor:
    """Dimensions of length 1 stretched to `size` without copying; -1 keeps a length."""
    return expanded(self, lengths("expand", size))


def expanded(tensor: Tensor, size: tuple[int, ...]) -> Tensor:
    """`expand` with the size as one tuple."""
    have = tensor._array.shape
    extra = len(size) - len(have)
    if extra < 0:
        raise RuntimeError(messages.expanded_rank(tensor._dtype.tensor_type, have, size))
    target = []
    for dim, length in enumerate(size):
        if length == -1:
            if dim < extra:
                raise RuntimeError(messages.expanded_leading(dim))
            length = have[dim - extra]
        elif dim >= extra and have[dim - extra] not in (1, length):
            raise RuntimeError(messages.expanded_size(size, have))
        target.append(length)
    return views.Expand.apply(tensor, tuple(target))


@both
def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """Stretched to `size` by the rules of broadcasting."""
    return expanded(input, tuple(size))


@method
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """Stretched to the shape of another tensor."""
    return expanded(self, other._array.shape)


@function
def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that tensors of these shapes broadcast to."""
    given = [(shape,) if isinstance(shape, int) else tuple(shape) for shape in shapes]
    try:
        return Size(np.broadcast_shapes(*given))
    except ValueError:
        raise RuntimeError(unbroadcastable(given)) from None


def unbroadcastable(shapes: list[tuple[int, ...]]) -> str:
    """The text for shapes of which one does not fit what the ones before it broadcast to."""
    common: list[int] = [1] * max(len(shape) for shape in shapes)
    for number, shape in enumerate(shapes):
        for place in range(-1, -len(shape) - 1, -1):
            if shape[place] in (1, common[place]):
                continue
            if common[place] != 1:
                return (
                    f"Attempting to broadcast a dimension of length {shape[place]} at {place}! Mismatching argument at "
                    f"index {number} had {shape}; but expected shape should be broadcastable to {common}"
                )
            common[place] = shape[place]
    raise ValueError(f"{shapes} broadcast")


@function
def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """All stretched to their common shape."""
    try:
        shape = np.broadcast_shapes(*[tensor._array.shape for tensor in tensors])
    except ValueError:
        raise RuntimeError(messages.broadcast(tensors[0]._array.shape, tensors[1]._array.shape)) from None
    return tuple(expanded(tensor, shape) for tensor in tensors)


@both
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions swapped."""
    ndim = require_tensor("transpose", "input", 1, input)._array.ndim
    first, second = normal_dim(dim0, ndim), normal_dim(dim1, ndim)
    return views.Transpose.apply(input, first, second)


for _name in ("swapaxes", "swapdims"):
    FUNCTIONS[_name] = METHODS[_name] = transpose


@both
def t(input: Tensor) -> Tensor:
    """A matrix turned over its diagonal; a vector as it is."""
    if input._array.ndim > 2:
        raise RuntimeError(messages.t_rank(input._array.ndim))
    return views.T.apply(input)


@both
def permute(input: Tensor, *dims: Any) -> Tensor:
    """Dimensions in another order."""
    order = tuple(dims[0]) if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    ndim = input._array.ndim
    if len(order) != ndim:
        raise RuntimeError(messages.permute_rank(ndim, len(order)))
    normal = tuple(normal_dim(dim, ndim) for dim in order)
    if len(set(normal)) != len(normal):
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return views.Permute.apply(input, normal)


@both
def movedim(input: Tensor, source: Any, destination: Any) -> Tensor:
    """Dimensions moved to other places, the rest in their order."""
    ndim = input._array.ndim
    given = [(dims,) if isinstance(dims, int) else tuple(dims) for dims in (source, destination)]
    if len(given[0]) != len(given[1]):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(given[0])} dims) should contain the same "
            f"number of dims as destination ({list(given[1])} dims)"
        )
    sources, targets = (tuple(normal_dim(dim, ndim) for dim in dims) for dims in given)
    for name, dims, told in (("source", sources, given[0]), ("destination", targets, given[1])):
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(told)})")
    rest = [dim for dim in range(ndim) if dim not in sources]
    order = [-1] * ndim
    for place, dim in zip(targets, sources, strict=True):
        order[place] = dim
    return views.Permute.apply(input, tuple(dim if dim >= 0 else rest.pop(0) for dim in order))


FUNCTIONS["moveaxis"] = METHODS["moveaxis"] = movedim


def _turned(self: Tensor) -> Tensor:
    if self._array.ndim != 2:
        warnings.warn(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will "
            "throw an error in a future release. Consider `x.mT` to transpose batches of matrices or "
            "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor. (Triggered "
            "internally at /__w/pytorch/pytorch/aten/src/ATen/native/TensorShape.cpp:4314.)",
            UserWarning,
            stacklevel=2,
        )
    return views.Permute.apply(self, tuple(range(self._array.ndim))[::-1])


def _matrix_turned(self: Tensor) -> Tensor:
    if self._array.ndim < 2:
        raise RuntimeError(
            f"tensor.mT is only supported on matrices or batches of matrices. Got {self._array.ndim}-D tensor."
        )
    return transpose(self, -2, -1)


METHODS["T"] = property(_turned, doc="All dimensions in reverse.")  # type: ignore[assignment]
METHODS["mT"] = property(_matrix_turned, doc="The last two dimensions swapped.")  # type: ignore[assignment]


@both
def squeeze(input: Tensor, dim: Any = None) -> Tensor:
    """Without dimensions of length 1: all, or those named by `dim`."""
    if dim is None:
        return views.Squeeze.apply(input)
    if isinstance(dim, int):
        return views.SqueezeDim.apply(input, (normal_dim(dim, input._array.ndim),) if input._array.ndim else ())
    return views.SqueezeDims.apply(input, normal_dims(dim, input._array.ndim))


@both
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a dimension of length 1 put in at `dim`."""
    return views.Unsqueeze.apply(input, normal_dim(dim, input._array.ndim + 1))


def _in_place_view(name: str, nodes: dict[str, str]) -> None:
    """`tensor.<name>_()`: the tensor itself gets the geometry. Its node has a number of its own, as in PyTorch."""
    made = METHODS[name]
    kinds: dict[type, type] = {}

    def call(self: Tensor, *args: Any, **options: Any) -> Tensor:
        if type(self._edge) is AccumulateGrad and state.grad_enabled:
            raise RuntimeError(messages.leaf_in_place())
        other = made(self, *args, **options)
        self._array = other._array
        node = other._edge
        if node is not None:
            plain = type(node)
            if plain not in kinds:
                kinds[plain] = type(nodes[plain.__name__], (plain,), {"__slots__": (), "__module__": plain.__module__})
            node.__class__ = kinds[plain]
            self._edge = node
        self._written()
        return self

    call.__name__ = call.__qualname__ = f"{name}_"
    call.__doc__ = f"`{name}` of the tensor itself."
    METHODS[f"{name}_"] = call


_in_place_view("squeeze", {f"SqueezeBackward{n}": f"SqueezeBackward{n + 3}" for n in range(3)})
_in_place_view("unsqueeze", {"UnsqueezeBackward0": "UnsqueezeBackward1"})
_in_place_view("transpose", {"TransposeBackward0": "TransposeBackward1"})
_in_place_view("t", {"TBackward0": "TBackward1"})


@both
def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One place of a dimension, which disappears."""
    shape = input._array.shape
    if not shape:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = normal_dim(dim, len(shape))
    if not -shape[dim] <= index < shape[dim]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(shape)} at dimension {dim}")
    return views.Select.apply(input, dim, index + shape[dim] if index < 0 else index)


@both
def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` places of a dimension from `start`."""
    if not input._array.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = normal_dim(dim, input._array.ndim)
    size = input._array.shape[dim]
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {start})")
    if start < 0:
        start += size
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return views.Slice.apply(input, dim, start, start + length, 1)


@both
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal of two dimensions, as a new last one."""
    ndim = input._array.ndim
    first, second = normal_dim(dim1, ndim), normal_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return views.Diagonal.apply(input, offset, first, second)


@both
def as_strided(input: Tensor, size: Sequence[int], stride: Sequence[int], storage_offset: int | None = None) -> Tensor:
    """Any geometry on the tensor's memory. Raises RuntimeError for one that reaches beyond it."""
    root = input._shared().root
    offset = input.storage_offset() if storage_offset is None else storage_offset
    last = offset + 1 + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    width = input._dtype.itemsize
    if root is not None and 0 not in size and last * width > root.nbytes:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize {width} "
            f"requiring a storage size of {last * width} are out of bounds for storage of size {root.nbytes}"
        )
    return views.AsStrided.apply(input, tuple(size), tuple(stride), storage_offset or 0)


@method
def unfold(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Windows of `size` every `step` places of a dimension, as a new last dimension."""
    dim = normal_dim(dimension, self._array.ndim)
    if size > self._array.shape[dim]:
        raise RuntimeError(f"maximum size for tensor at dimension {dim} is {self._array.shape[dim]} but size is {size}")
    return views.Unfold.apply(self, dim, size, step)


def _at_least(name: str, ndim: int) -> None:
    def call(*tensors: Any) -> Any:
        given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
        made = []
        for tensor in given:
            have = tensor._array.ndim
            if have == 0:
                tensor = reshaped(tensor, (1,) * ndim)
            elif have == 1 and ndim > 1:
                tensor = unsqueeze(tensor, 0)
                if ndim == 3:
                    tensor = unsqueeze(tensor, -1)
            elif have == 2 and ndim == 3:
                tensor = unsqueeze(tensor, -1)
            made.append(tensor)
        return made[0] if len(tensors) == 1 and isinstance(tensors[0], Tensor) else tuple(made)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"With at least {ndim} dimensions."
    FUNCTIONS[name] = call


for _ndim in (1, 2, 3):
    _at_least(f"atleast_{_ndim}d", _ndim)


@method
def resize_(self: Tensor, *sizes: Any, memory_format: Any = None) -> Tensor:
    """Another shape for the same memory; longer memory when more elements are asked for."""
    shape = lengths("resize_", sizes)
    if self._edge is not None:
        raise RuntimeError("cannot resize variables that require grad")
    count = int(np.prod(shape, dtype=np.int64))
    flat = self._memory().copy().reshape(-1)
    filled = np.resize(flat, count) if flat.size else arrays.zeros((count,), self._dtype.np, flat)
    self._array = filled.reshape(shape)
    self._storage = None
    return self


@both
def numel(input: Tensor) -> int:
    """Number of elements."""
    return int(input._array.size)


METHODS.pop("numel")
