"""Putting tensors together: one after the other, side by side, as blocks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine import dtypes, formula, messages
from engine.arrays import UNFIT, refuse_mixed
from engine.functions import FUNCTIONS, function, method, normal_dim
from engine.op import Op, OpNode, mark_inference, new
from engine.state import sequence, state
from engine.tensor import Tensor, rounded, type_name, wrap


class ManyNode(OpNode):
    """The node of an operation on a list of tensors: one formula gives all gradients."""

    __slots__ = ()

    def run(self, grad: Any) -> Sequence[Any]:
        return self.shares(grad)

    def run_recorded(self, grad: Any) -> Sequence[Any]:
        return self.shares(grad)

    def shares(self, grad: Any) -> Sequence[Any]:
        """The part of the gradient that belongs to each tensor, in its own dtype."""
        parts = self.op.derivatives[0](grad, *self.attributes)  # type: ignore[misc]
        fix = self.fix
        if fix is None:
            return parts
        return [part if own is None else formula.restore(part, own) for part, own in zip(parts, fix, strict=True)]


class Many(Op, abstract=True):
    """An operation on a list of tensors: `forward(arrays, dim, …)`, `d_tensors(grad, dim, …)` returns all gradients."""

    tensors = ("tensors",)
    node_base = ManyNode

    @classmethod
    def apply(cls, tensors: Sequence[Tensor], *attributes: Any) -> Tensor:
        """The operation after promotion of all tensors to one dtype."""
        first = tensors[0]._dtype
        if all(tensor._dtype is first for tensor in tensors):
            dtype = first
        else:
            ranks = tuple((tensor._dtype, "dim" if tensor._array.ndim else "zero") for tensor in tensors)
            dtype = dtypes.result_type(*ranks)  # type: ignore[arg-type]
        arrays = [
            tensor._array if tensor._array.dtype == dtype.np else tensor._array.astype(dtype.np) for tensor in tensors
        ]
        try:
            result = cls.forward(arrays, *attributes)
        except UNFIT:
            refuse_mixed(arrays)
            raise
        out = wrap(rounded(result, dtype), dtype)
        node = None
        if state.grad_enabled and (dtype.is_floating_point or dtype.is_complex):
            edges = tuple([tensor._edge for tensor in tensors])
            if any(edges):
                node = new(cls.Node)
                node.next = edges
                node.sequence = next(sequence)
                node.hooks = None
                node.versions = None
                node.saved = None
                node.attributes = attributes
                casts = [None if tensor._dtype is dtype else (None, tensor._dtype) for tensor in tensors]
                node.fix = tuple(casts) if any(casts) else None
                out._edge = node
        if state.inference:
            mark_inference([out])
        if state.recorder is not None:
            state.recorder.operation(cls, node, tuple(tensors), attributes, [out])
        return out


class Cat(Many):
    """Tensors one after the other along a dimension"""

    latex = {"tensors": r"\text{each its part of }\bar{r}"}

    def forward(tensors, dim, sizes):
        return np.concatenate(tensors, dim)

    def d_tensors(grad, dim, sizes):
        return formula.cut(grad, dim, sizes)


class Stack(Many):
    """Tensors side by side along a new dimension"""

    latex = {"tensors": r"\text{each its place of }\bar{r}"}

    def forward(tensors, dim, count):
        return np.stack(tensors, dim)

    def d_tensors(grad, dim, count):
        return formula.taken_apart(grad, dim, count)


# -- names --------------------------------------------------------------------------------------------------------


def filled_list(name: str, tensors: Any) -> tuple[Tensor, ...]:
    """The tensors, of which there must be one at least."""
    pieces = checked_list(name, tensors)
    if not pieces:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return tuple(pieces)


def checked_list(name: str, tensors: Any) -> list[Tensor]:
    """The tensors as a list, or PyTorch's TypeError."""
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(messages.argument_type(name, "tensors", 1, "tuple of Tensors", tensors))
    for place, tensor in enumerate(tensors):
        if not isinstance(tensor, Tensor):
            raise TypeError(f"expected Tensor as element {place} in argument 0, but got {type_name(tensor)}")
    return list(tensors)


@function
def cat(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Any = None) -> Tensor:
    """Tensors one after the other along `dim`; their other dimensions must agree."""
    pieces = checked_list("cat", tensors)
    if not pieces:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    dim = dim if axis is None else axis
    for place, piece in enumerate(pieces):
        if not piece._array.ndim:
            raise RuntimeError(messages.cat_zero_dim(place))
    # Empty vectors fit anywhere: a habit from before tensors could have lengths of 0.
    solid = [piece for piece in pieces if piece._array.shape != (0,)] or pieces
    shape = solid[0]._array.shape
    dim = normal_dim(dim, len(shape))
    for place, piece in enumerate(pieces):
        other = piece._array.shape
        if other == (0,):
            continue
        if len(other) != len(shape):
            raise RuntimeError(messages.cat_rank(len(shape), len(other)))
        for d, (expected, got) in enumerate(zip(shape, other, strict=True)):
            if d != dim and expected != got:
                raise RuntimeError(messages.cat_size(dim, expected, got, place))
    return Cat.apply(solid, dim, tuple([piece._array.shape[dim] for piece in solid]))


FUNCTIONS["concat"] = FUNCTIONS["concatenate"] = cat


@function
def stack(tensors: Any, dim: int = 0, *, axis: int | None = None, out: Any = None) -> Tensor:
    """Tensors of one shape side by side along a new dimension `dim`."""
    pieces = filled_list("stack", tensors)
    dim = dim if axis is None else axis
    shape = pieces[0]._array.shape
    dim = normal_dim(dim, len(shape) + 1)
    for place, piece in enumerate(pieces):
        if piece._array.shape != shape:
            raise RuntimeError(messages.stack_size(shape, piece._array.shape, place))
    return Stack.apply(pieces, dim, len(pieces))


@function
def hstack(tensors: Any, *, out: Any = None) -> Tensor:
    """Side by side: along the second dimension, vectors along their only one."""
    pieces = FUNCTIONS["atleast_1d"](filled_list("hstack", tensors))
    return cat(pieces, 0 if pieces[0]._array.ndim == 1 else 1)


@function
def vstack(tensors: Any, *, out: Any = None) -> Tensor:
    """One below the other; vectors become rows."""
    return cat(FUNCTIONS["atleast_2d"](filled_list("vstack", tensors)), 0)


FUNCTIONS["row_stack"] = vstack


@function
def dstack(tensors: Any, *, out: Any = None) -> Tensor:
    """One behind the other, along the third dimension."""
    return cat(FUNCTIONS["atleast_3d"](filled_list("dstack", tensors)), 2)


@function
def column_stack(tensors: Any, *, out: Any = None) -> Tensor:
    """Side by side; vectors become columns."""
    pieces = [
        piece.reshape(piece._array.size, 1) if piece._array.ndim <= 1 else piece
        for piece in filled_list("column_stack", tensors)
    ]
    return cat(pieces, 1)


@function
def block_diag(*tensors: Tensor) -> Tensor:
    """Matrices along the diagonal of a larger one, zeros elsewhere."""
    blocks = FUNCTIONS["atleast_2d"](tensors)
    width = sum(block._array.shape[1] for block in blocks)
    rows: list[Tensor] = []
    left = 0
    for block in blocks:
        height, own = block._array.shape
        pieces = [block.new_zeros(height, left), block, block.new_zeros(height, width - left - own)]
        rows.append(cat(pieces, 1))
        left += own
    return cat(rows, 0)


@function
def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of one element from each vector. Shape (combinations, vectors)."""
    if len(tensors) == 1:
        return tensors[0]
    grids = FUNCTIONS["meshgrid"](*tensors, indexing="ij")
    return stack([grid.flatten() for grid in grids], 1)


@function
def combinations(input: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """All ways to pick r elements of a vector. Shape (ways, r)."""
    ways = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    index = np.array(list(ways(range(input._array.shape[0]), r)), np.int64).reshape(-1, r)
    return input._indexed((index,))


@method
def _stacked(self: Tensor, pieces: Sequence[Tensor], dim: int) -> Tensor:
    """`stack`, as formulas use it in a recorded pass."""
    return stack(list(pieces), dim)


@method
def _joined(self: Tensor, pieces: Sequence[Tensor], dim: int) -> Tensor:
    """`cat`, as formulas use it in a recorded pass."""
    return cat(list(pieces), dim)
