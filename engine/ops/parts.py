"""Tensors taken apart into several views, and grids put together from vectors: unbind, split, chunk, meshgrid."""

from __future__ import annotations

import warnings
from typing import Any

from engine.functions import both, function, normal_dim
from engine.node import OutputPort
from engine.op import Op, record
from engine.ops import views
from engine.ops.shape import expanded, reshaped
from engine.ops.views import alias
from engine.state import state
from engine.tensor import Tensor


def several(cls: type[Op], tensor: Tensor, *attributes: Any) -> tuple[Tensor, ...]:
    """The views that an operation returns together."""
    storage = tensor._shared()
    arrays = cls.forward(tensor._array, *attributes)
    outs = [alias(tensor, array, storage, "several") for array in arrays]
    node = None
    if tensor._edge is not None and state.grad_enabled and outs:
        node = record(cls, (tensor,), (tensor._edge,), (tensor, *attributes), outs)
        assert all(isinstance(out._edge, OutputPort) for out in outs)
    if state.recorder is not None:
        state.recorder.operation(cls, node, (tensor,), attributes, outs)
    return tuple(outs)


@both
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """All places of a dimension as a tuple of views."""
    dim = normal_dim(dim, input._array.ndim)
    if not input._array.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return several(views.Unbind, input, dim)


@both
def split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """Parts of a dimension: of one size (the last may be shorter), or of the given sizes."""
    if not tensor._array.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = normal_dim(dim, tensor._array.ndim)
    length = tensor._array.shape[dim]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size < 0:
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
        if size == 0 and length:
            raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {length}")
        count = max(-(-length // size) if size else 1, 1)
        sizes = tuple(min(size, length - part * size) for part in range(count))
        return several(views.Split, tensor, sizes, dim)
    sizes = tuple(split_size_or_sections)
    if sum(sizes) != length:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {length} (input tensor's size at dimension "
            f"{dim}), but got split_sizes={list(sizes)}"
        )
    return several(views.SplitWithSizes, tensor, sizes, dim)


@both
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` parts of equal size; the last may be shorter."""
    if not input._array.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    dim = normal_dim(dim, input._array.ndim)
    length = input._array.shape[dim]
    return split(input, max(-(-length // chunks), 1 if length else 0), dim)


@function
def meshgrid(*tensors: Any, indexing: str | None = None) -> tuple[Tensor, ...]:
    """Coordinate grids of vectors; `indexing` "ij" (rows first) or "xy"."""
    given = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    if not given:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if any(tensor._dtype is not given[0]._dtype for tensor in given):
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument. "
            "(Triggered internally at /__w/pytorch/pytorch/aten/src/ATen/native/TensorShape.cpp:4215.)",
            UserWarning,
            stacklevel=2,
        )
    elif indexing not in ("ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swap = indexing == "xy" and len(given) >= 2
    ordered = (given[1], given[0], *given[2:]) if swap else given
    shape = tuple(tensor._array.size for tensor in ordered)
    grids = [
        expanded(reshaped(tensor, tuple(-1 if d == dim else 1 for d in range(len(shape)))), shape)
        for dim, tensor in enumerate(ordered)
    ]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)
