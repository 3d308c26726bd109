"""Products by name: outer, inner, tensordot, kron, cross, trace, chains of matrices."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import formula, messages
from engine.functions import FUNCTIONS, both, function, normal_dim, require_tensor
from engine.op import Op
from engine.ops.matmul import dot, matmul, mm
from engine.ops.reduce import Reduction
from engine.ops.shape import permute, reshaped
from engine.ops.views import View
from engine.tensor import Tensor


class LinalgCross(Op):
    """The vector at right angles to two others"""

    symbol = "×"
    tensors = ("self", "other")
    latex = {"self": r"\mathit{other}\times\bar{r}", "other": r"\bar{r}\times\mathit{self}"}

    def forward(self, other, dim):
        return formula.crossed(self, other, dim)

    def d_self(grad, other, dim, self_shape):
        return formula.sum_to(formula.crossed(other, grad, dim), self_shape)

    def d_other(grad, self, dim, other_shape):
        return formula.sum_to(formula.crossed(grad, self, dim), other_shape)


class Trace(Reduction):
    """The sum of a matrix's diagonal"""

    symbol = "tr"
    latex = {"self": r"\bar{r}\cdot I"}

    def forward(self):
        total = np.trace(self)
        return total if self.dtype.kind in "fc" else np.int64(total)

    def d_self(grad, self_shape):
        return formula.masked(formula.expanded(grad, self_shape), np.eye(*self_shape, dtype=bool))


@both
def outer(input: Tensor, vec2: Any, *, out: Any = None) -> Tensor:
    """The products of all pairs of two vectors. Shape (n, m)."""
    require_tensor("outer", "vec2", 2, vec2)
    for name, tensor in (("self", input), ("vec2", vec2)):
        if tensor._array.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {tensor._array.ndim}-D")
    return View.apply(input, (input._array.size, 1)) * vec2


FUNCTIONS["ger"] = outer


@both
def inner(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """Products summed over the last dimension of both."""
    if not input._array.ndim or not other._array.ndim:
        return input * other
    if input._array.shape[-1] != other._array.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input._array.shape)} and {list(other._array.shape)}"
        )
    if input._array.ndim == other._array.ndim == 1:
        return dot(input, other)
    return tensordot(input, other, ([-1], [-1]))


@function
def tensordot(a: Tensor, b: Tensor, dims: Any = 2, *, out: Any = None) -> Tensor:
    """Products summed over pairs of dimensions: the last `dims` of a with the first of b, or two lists of them."""
    left, right = a._array.shape, b._array.shape
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(len(left), len(right)):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        first, second = list(range(len(left) - dims, len(left))), list(range(dims))
        shown = [place - len(left) for place in first], second
    else:
        first = [normal_dim(place, len(left)) for place in _places(dims[0])]
        second = [normal_dim(place, len(right)) for place in _places(dims[1])]
        shown = first, second
    for place, (x, y) in enumerate(zip(first, second, strict=True)):
        if left[x] != right[y]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {left[x]} in dim {shown[0][place]} and "
                f"second has size {right[y]} in dim {shown[1][place]}"
            )
    free_a = [place for place in range(len(left)) if place not in first]
    free_b = [place for place in range(len(right)) if place not in second]
    inner_size = math.prod(left[place] for place in first)
    if not a._dtype.category and not free_a and not free_b:
        raise NotImplementedError(messages.not_implemented("dot", a._dtype))
    rows = reshaped(permute(a, *free_a, *first), (math.prod(left[place] for place in free_a), inner_size))
    columns = reshaped(permute(b, *second, *free_b), (inner_size, math.prod(right[place] for place in free_b)))
    return reshaped(mm(rows, columns), (*[left[place] for place in free_a], *[right[place] for place in free_b]))


def _places(dims: Any) -> Sequence[int]:
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    return [dims] if isinstance(dims, int) else list(dims)


@both
def kron(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """Every element of the first times the whole second, as blocks."""
    ndim = max(input._array.ndim, other._array.ndim)
    x = (1,) * (ndim - input._array.ndim) + input._array.shape
    y = (1,) * (ndim - other._array.ndim) + other._array.shape
    spread = [length for pair in zip(x, (1,) * ndim, strict=True) for length in pair]
    blocks = [length for pair in zip((1,) * ndim, y, strict=True) for length in pair]
    parts = reshaped(input, tuple(spread)) * reshaped(other, tuple(blocks))
    return reshaped(parts, tuple(a * b for a, b in zip(x, y, strict=True)))


def linalg_cross(input: Tensor, other: Tensor, dim: int = -1) -> Tensor:
    """The cross product along a dimension of length 3."""
    if not input._array.ndim:
        raise IndexError(messages.no_dimensions(dim))
    place = normal_dim(dim, input._array.ndim)
    if input._array.shape[place] != 3 or other._array.shape[normal_dim(dim, other._array.ndim)] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input._array.shape[place]} and "
            f"{other._array.shape[place]}"
        )
    if not input._dtype.category:
        raise NotImplementedError(messages.not_implemented("cross", input._dtype))
    return LinalgCross.apply(input, other, place - max(input._array.ndim, other._array.ndim))


@both
def cross(input: Tensor, other: Tensor, dim: int | None = None, *, out: Any = None) -> Tensor:
    """The cross product along `dim`, by default the first dimension of length 3."""
    if dim is None:
        if 3 not in input._array.shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = input._array.shape.index(3)
    return linalg_cross(input, other, dim)


@both
def trace(input: Tensor) -> Tensor:
    """The sum of a matrix's diagonal."""
    if not input._dtype.category:
        raise NotImplementedError(messages.not_implemented("trace", input._dtype))
    if input._array.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input._array.ndim}")
    return Trace.apply(input)


@function
def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of several matrices."""
    return functools.reduce(matmul, matrices)
