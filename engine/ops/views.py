"""Views: other shapes and strides on the same memory. Nothing moves; the derivative puts the gradient back in shape."""

from __future__ import annotations

import weakref
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine import arrays, formula, messages
from engine.formula import permuted, reshaped, sum_to, transposed
from engine.op import Op, mark_inference, record
from engine.state import state
from engine.tensor import Tensor, new
from engine.view import View as Cut


class ViewOp(Op, abstract=True):
    """An operation whose result is a view of its operand. `forward` returns a NumPy view, also for 0-d results."""

    view = True
    origin: ClassVar[Any] = "ordinary"

    @classmethod
    def apply(cls, self: Tensor, *attributes: Any) -> Tensor:
        """The view, sharing storage, version counter and base with the operand."""
        storage = self._shared()
        array = cls.forward(self._array, *attributes)
        out = alias(self, array, storage, cls.origin)
        node = None
        edge = self._edge
        if edge is not None and state.grad_enabled:
            node = record(cls, (self,), (edge,), (self, *attributes), [out])
        if state.inference:
            mark_inference([out])
        if state.recorder is not None:
            state.recorder.operation(cls, node, (self,), attributes, [out])
        return out


def alias(source: Tensor, array: NDArray[Any], storage: Any, origin: Any) -> Tensor:
    """A tensor without history on part of another's memory, known to its base."""
    out = new(Tensor)
    out._array = array
    out._dtype = source._dtype
    out._edge = None
    out._grad = None
    out._storage = storage
    out._extra = None
    extra = source._extra
    view = extra.view if extra is not None else None
    base = source if view is None else view.base
    if view is not None and view.origin != "ordinary":
        origin = view.origin
    elif not state.grad_enabled:
        origin = "no_grad"
    out._extras().view = Cut(base, origin)
    of_base = base._extras()
    if of_base.views is None:
        of_base.views = []
    elif len(of_base.views) >= 32 and not len(of_base.views) & (len(of_base.views) - 1):
        of_base.views = [reference for reference in of_base.views if reference() is not None]
    of_base.views.append(weakref.ref(out))
    return out


def geometry(view: Tensor, base: Tensor) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Lengths, strides and offset in elements of a view within its base's memory."""
    array, whole = view._memory(), base._memory()
    step = array.itemsize
    distance = arrays.address(array) - arrays.address(whole)
    return array.shape, tuple(stride // step for stride in array.strides), distance // step if array.size else 0


def strided_view(array: NDArray[Any], size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> NDArray[Any]:
    """The elements of `array`, counted in memory order from its first, that lie at a geometry. Writable."""
    flat = array.reshape(-1) if array.flags.c_contiguous else array.ravel(order="K")
    step = array.itemsize
    return arrays.as_strided(flat[offset:], size, tuple(length * step for length in stride))


def keeping_strides(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """An array stretched to a shape, with PyTorch's strides where a length stays 1: `broadcast_to` writes 0 there."""
    extra = len(shape) - array.ndim
    strides: list[int] = []
    for dim in reversed(range(len(shape))):
        if dim >= extra:
            length, step = array.shape[dim - extra], array.strides[dim - extra]
        else:
            length, step = 1, shape[dim + 1] * strides[-1] if strides else array.itemsize
        strides.append(step if length == shape[dim] else 0)
    return arrays.as_strided(array, shape, tuple(reversed(strides)))


class View(ViewOp):
    """The same elements in another shape, where strides allow"""

    def forward(self, size):
        try:
            return np.reshape(self, size, copy=False)
        except ValueError:
            raise RuntimeError(messages.view_not_compatible()) from None

    def d_self(grad, self_shape):
        return reshaped(grad, self_shape)


class UnsafeView(Op):
    """The same elements in another shape, copied because strides do not allow a view"""

    def forward(self, size):
        return np.reshape(self, size).copy()

    def d_self(grad, self_shape):
        return reshaped(grad, self_shape)


class Expand(ViewOp):
    """Dimensions of length 1 stretched with stride 0"""

    def forward(self, size):
        stretched = np.broadcast_to(self, size)
        if 1 in size and self.ndim:
            stretched = keeping_strides(self, size)
        if arrays.on_device(stretched):  # which keeps no note of what may be written to
            return stretched
        if stretched.size != self.size:
            stretched.flags.writeable = False
        elif self.flags.writeable and not stretched.flags.writeable:  # no element is there twice: it can be written to
            stretched.flags.writeable = True
        return stretched

    def d_self(grad, self_shape):
        return sum_to(grad, self_shape)


class Permute(ViewOp):
    """Dimensions in another order"""

    def forward(self, dims):
        return self.transpose(dims)

    def d_self(grad, dims):
        return permuted(grad, tuple(int(place) for place in np.argsort(dims)))


class Transpose(ViewOp):
    """Two dimensions swapped"""

    def forward(self, dim0, dim1):
        return self.swapaxes(dim0, dim1) if self.ndim else self[...]

    def d_self(grad, dim0, dim1):
        return transposed(grad, dim0, dim1) if grad.ndim else grad


class T(ViewOp):
    """A matrix turned over its diagonal"""

    def forward(self):
        return self.T[...]

    def d_self(grad):
        return formula.t(grad)


class Squeeze(ViewOp):
    """Without any dimension of length 1"""

    def forward(self):
        return np.squeeze(self)[...]

    def d_self(grad, self_shape):
        return reshaped(grad, self_shape)


class SqueezeDim(ViewOp):
    """Without the given dimensions, where they have length 1"""

    node_name = "SqueezeBackward1"

    def forward(self, dim):
        return np.squeeze(self, tuple(d for d in dim if self.ndim and self.shape[d] == 1))[...]

    def d_self(grad, self_shape):
        return reshaped(grad, self_shape)


class SqueezeDims(SqueezeDim):
    """Without the given dimensions, where they have length 1"""

    node_name = "SqueezeBackward2"


class Alias(ViewOp):
    """The tensor as it is, under another name"""

    def forward(self):
        return self[...]

    def d_self(grad):
        return grad


class Unsqueeze(ViewOp):
    """With a dimension of length 1 put in"""

    def forward(self, dim):
        step = self.itemsize if dim == self.ndim else self.shape[dim] * self.strides[dim]
        shape = (*self.shape[:dim], 1, *self.shape[dim:])
        strides = (*self.strides[:dim], step, *self.strides[dim:])
        return arrays.as_strided(self, shape, strides)

    def d_self(grad, self_shape):
        return reshaped(grad, self_shape)


class Select(ViewOp):
    """One place of a dimension, which disappears"""

    def forward(self, dim, index):
        return self[(slice(None),) * dim + (index, ...)]

    def d_self(grad, self_shape, dim, index):
        return formula.scattered(grad, self_shape, (slice(None),) * dim + (index,))


class Slice(ViewOp):
    """Part of a dimension: start, end, step"""

    def forward(self, dim, start, end, step):
        return self[(slice(None),) * dim + (slice(start, end, step),)]

    def d_self(grad, self_shape, dim, start, end, step):
        return formula.scattered(grad, self_shape, (slice(None),) * dim + (slice(start, end, step),))


class Diagonal(ViewOp):
    """The diagonal of two dimensions, as the last one"""

    def forward(self, offset, dim1, dim2):
        made = np.diagonal(self, offset, dim1, dim2)
        arrays.set_writeable(made, arrays.writeable(self))
        return made

    def d_self(grad, self_shape, offset, dim1, dim2):
        return formula.diagonal_scattered(grad, self_shape, offset, dim1, dim2)


class AsStrided(ViewOp):
    """Any geometry on the memory of the base"""

    def forward(self, size, stride, storage_offset):
        return strided_view(self, size, stride, storage_offset)

    def d_self(grad, self_shape, size, stride, storage_offset):
        return formula.strided_scattered(grad, self_shape, size, stride, storage_offset)


class Unfold(ViewOp):
    """Windows of a length along a dimension, as a new last dimension"""

    def forward(self, dim, size, step):
        return arrays.windows(self, size, dim)[(slice(None),) * dim + (slice(None, None, step),)]

    def d_self(grad, self_shape, dim, size, step):
        return formula.unfold_scattered(grad, self_shape, dim, size, step)


class Unbind(Op):
    """All places of a dimension, each a view of its own"""

    view = True
    several = True

    def forward(self, dim):
        return [self[(slice(None),) * dim + (index, ...)] for index in range(self.shape[dim])]

    def d_self(grads, self_shape, dim):
        return formula.stacked(grads, self_shape, dim)


class Split(Op):
    """Consecutive parts of a dimension, each a view"""

    view = True
    several = True

    def forward(self, sizes, dim):
        ends = np.cumsum(sizes)
        return [self[(slice(None),) * dim + (slice(end - size, end),)] for size, end in zip(sizes, ends, strict=True)]

    def d_self(grads, self_shape, sizes, dim):
        return formula.joined(grads, self_shape, dim, tuple(sizes))


class SplitWithSizes(Split):
    """Consecutive parts of given sizes, each a view"""
