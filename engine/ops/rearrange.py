"""Rearrangements that copy: repeat, flip, roll, triangles, diagonals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import arrays, dtypes, formula
from engine.elementwise import Unary
from engine.functions import (
    FUNCTIONS,
    METHODS,
    both,
    method,
    normal_dim,
    normal_dims,
    overwrite,
    register,
    require_tensor,
)
from engine.op import Op
from engine.ops.conversion import Clone
from engine.ops.gathering import IndexSelect
from engine.ops.shape import lengths, reshaped
from engine.ops.views import Unsqueeze
from engine.tensor import Tensor, wrap


class Repeat(Op):
    """The tensor laid side by side `repeats` times in every dimension"""

    def forward(self, repeats):
        return np.tile(self, repeats)

    def d_self(grad, self_shape, repeats):
        lead = len(repeats) - len(self_shape)
        split_shape: list[int] = list(repeats[:lead])
        for times, length in zip(repeats[lead:], self_shape, strict=True):
            split_shape += [times, length]
        dims = (*range(lead), *range(lead, lead + 2 * len(self_shape), 2))
        return formula.summed(formula.reshaped(grad, tuple(split_shape)), dims) if dims else grad


class Flip(Op):
    """Dimensions in reverse order"""

    def forward(self, dims):
        return np.flip(self, dims).copy()

    def d_self(grad, dims):
        return formula.flipped(grad, dims)


class Roll(Op):
    """Elements shifted along dimensions, those that fall off come in again"""

    def forward(self, shifts, dims):
        return np.roll(self, shifts, dims if dims else None)

    def d_self(grad, shifts, dims):
        return formula.rolled(grad, tuple(-shift for shift in shifts), dims)


class Rot90(Op):
    """A quarter turn, k times, in the plane of two dimensions"""

    def forward(self, k, dims):
        return np.rot90(self, k, dims).copy()

    def d_self(grad, k, dims):
        return formula.turned(grad, -k, dims)


class Tril(Unary):
    """The lower triangle; the rest is zero"""

    float_result = False

    def forward(self, diagonal):
        return np.tril(self, diagonal).astype(self.dtype, copy=False)

    def d_self(grad, diagonal):
        return grad.tril(diagonal) if isinstance(grad, Tensor) else np.tril(grad, diagonal)


class Triu(Unary):
    """The upper triangle; the rest is zero"""

    float_result = False

    def forward(self, diagonal):
        return np.triu(self, diagonal).astype(self.dtype, copy=False)

    def d_self(grad, diagonal):
        return grad.triu(diagonal) if isinstance(grad, Tensor) else np.triu(grad, diagonal)


class DiagonalCopy(Op):
    """The diagonal of a matrix, in memory of its own"""

    node_name = "DiagonalBackward0_copy"

    def forward(self, offset, dim1, dim2):
        return np.diagonal(self, offset, dim1, dim2).copy()

    def d_self(grad, self_shape, offset, dim1, dim2):
        return formula.diagonal_scattered(grad, self_shape, offset, dim1, dim2)


class DiagEmbed(Op):
    """A vector on the diagonal of a matrix of zeros"""

    def forward(self, offset, dim1, dim2):
        size = self.shape[-1] + abs(offset)
        whole = arrays.zeros((*self.shape[:-1], size, size), self.dtype, self)
        steps = arrays.arange(self.shape[-1], self)
        whole[..., steps + max(-offset, 0), steps + max(offset, 0)] = self
        return whole

    def d_self(grad, offset, dim1, dim2):
        if isinstance(grad, Tensor):
            return grad.diagonal(offset, dim1, dim2)
        return np.diagonal(grad, offset, dim1, dim2)


@method
def repeat(self: Tensor, *repeats: Any) -> Tensor:
    """Copies side by side: `repeats` for every dimension, leading ones added."""
    times = lengths("repeat", repeats)
    if len(times) < self._array.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    if min(times, default=0) < 0:
        shape = (1,) * (len(times) - self._array.ndim) + self._array.shape
        made = [count * length for count, length in zip(times, shape, strict=True)]
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(made)}: {made}")
    return Repeat.apply(self, times)


@both
def tile(input: Tensor, *dims: Any) -> Tensor:
    """Like `repeat`, with fewer repeats than dimensions allowed."""
    times = lengths("tile", dims)
    return Repeat.apply(input, (1,) * (input._array.ndim - len(times)) + times)


@both
def flip(input: Tensor, *order: Any, dims: Any = None) -> Tensor:
    """The given dimensions in reverse order; a copy."""
    if dims is not None:
        order = (dims,)
    if not order:
        raise TypeError("flip() needs the dimensions")
    order = tuple(order[0]) if len(order) == 1 and isinstance(order[0], tuple | list) else order
    return Flip.apply(input, normal_dims(order, input._array.ndim))


@both
def fliplr(input: Tensor) -> Tensor:
    """Columns in reverse order."""
    return Flip.apply(input, (1,))


@both
def flipud(input: Tensor) -> Tensor:
    """Rows in reverse order."""
    return Flip.apply(input, (0,))


@both
def roll(input: Tensor, shifts: Any, dims: Any = None) -> Tensor:
    """Elements shifted, along dimensions or over the flattened tensor."""
    by = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    given = () if dims is None else (dims,) if isinstance(dims, int) else tuple(dims)
    if not by:
        raise RuntimeError("`shifts` required")
    if len(given) != len(by) and not (len(by) == 1 and not given):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(by)}, dims:{len(given)}")
    along = tuple(normal_dim(dim, input._array.ndim) for dim in given)
    if along and not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return Roll.apply(input, by if along else by[:1], along)


@both
def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """A quarter turn, k times."""
    return Rot90.apply(input, k, tuple(dims))


def _triangle(cls: type[Unary], name: str) -> None:
    def call(input: Any, diagonal: int = 0, *, out: Any = None) -> Tensor:
        if require_tensor(name, "input", 1, input)._array.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return cls.apply(input, diagonal)

    def in_place(self: Tensor, diagonal: int = 0) -> Tensor:
        if self._array.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return overwrite(cls, self, diagonal)

    register(call, name, f"{cls.__doc__}. Of matrices, from the given diagonal on.", FUNCTIONS)
    METHODS[name] = call
    register(in_place, f"{name}_", f"`{name}`, written into the tensor itself.", METHODS)


_triangle(Tril, "tril")
_triangle(Triu, "triu")


@both
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Vectors on diagonals."""
    return DiagEmbed.apply(input, offset, dim1, dim2)


@both
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A vector as a diagonal matrix, or a matrix's diagonal as a vector."""
    if input._array.ndim == 1:
        return DiagEmbed.apply(input, diagonal, -2, -1)
    if input._array.ndim == 2:
        return DiagonalCopy.apply(input, diagonal, 0, 1)
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input._array.ndim}D")


@both
def repeat_interleave(
    input: Tensor, repeats: Any = None, dim: int | None = None, *, output_size: int | None = None
) -> Tensor:
    """Every element (or place of a dimension) repeated in turn; of counts alone, each place as often as it says."""
    if repeats is None:
        places = arrays.arange(input._array.size, input._array)
        return wrap(np.repeat(places, input._array.tolist()), dtypes.int64)
    if dim is None:
        input, dim = reshaped(input, (-1,)), 0
    dim = normal_dim(dim, input._array.ndim)
    if not isinstance(repeats, Tensor):
        # The same number everywhere: stretched along a new dimension, copied, and the two made one.
        shape = input._array.shape
        wide = Unsqueeze.apply(input, dim + 1).expand(*shape[: dim + 1], repeats, *shape[dim + 1 :])
        made = Clone.apply(wide)
        made._array = arrays.contiguous(made._array)
        return made.flatten(dim, dim + 1)
    times = repeats._array
    if times.ndim and times.size not in (1, input._array.shape[dim]):
        raise RuntimeError(
            f"repeats must have the same size as input along dim, but got repeats.size(0) = {times.size} and "
            f"input.size({dim}) = {input._array.shape[dim]}"
        )
    if not input._array.ndim:
        input = reshaped(input, (1,))
    places = np.repeat(arrays.arange(input._array.shape[dim], input._array), times.tolist())
    return IndexSelect.apply(input, dim, places)
